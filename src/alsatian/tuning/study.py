"""The answer to "which settings are best": all that was tried, and the best of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from alsatian._util import dataframes
from alsatian._util.dataframes import Gathered, Tabular
from alsatian._util.text_table import TextTable
from alsatian.data.interactions import Interactions
from alsatian.models import Model
from alsatian.tuning.search_space import Space

SHOWN = 10  # trials of the table


@dataclass(frozen=True)
class Trial:
    """One trial: the settings that were searched, and what became of them.

    state: "complete", "pruned" (ended early, as others were better by then) or "failed" (see `error`).
    value: the figure to choose by; of a pruned trial, the last one; None where the trial failed.
    curve: the figures by epoch, on the first split, where a fit was judged after every epoch.
    """

    number: int
    state: str
    value: float | None
    settings: dict[str, Any]
    curve: Mapping[int, float]
    seconds: float
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the trial as JSON holds it."""
        curve = [[epoch, figure] for epoch, figure in sorted(self.curve.items())]
        kept = {"number": self.number, "state": self.state, "value": self.value, "settings": self.settings}
        return kept | {"curve": curve, "seconds": self.seconds, "error": self.error}


@dataclass(frozen=True, eq=False, repr=False)
class Study(Tabular):
    """A search: what `tune` returns. Iteration gives its trials, in the order in which they were made.

    base: the model whose settings were searched; space: where. metric: the measure; greater: whether more is better.
    split: what the trials were judged on. data: what was split, and the best model is fitted on in the end.
    interrupted: whether Ctrl-C ended it. notes: what leaks or cannot be judged, a sentence each.

    As a data frame: number, state, value, each setting that was searched, seconds.
    """

    base: Model
    space: Space
    metric: str
    greater: bool
    split: str
    data: Interactions
    rows: tuple[Trial, ...]
    interrupted: bool
    notes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Trial]:
        return iter(self.rows)

    @cached_property
    def ranked(self) -> list[Trial]:
        """The complete trials, best first, the earlier of equals first."""
        return ranked(self.rows, greater=self.greater)

    @property
    def best(self) -> Trial:
        """The best trial."""
        return self.ranked[0]

    @property
    def model(self) -> Model:
        """A new, unfitted model with the best settings, the chosen number of epochs among them."""
        return type(self.base)(**self.base.params | self.best.settings)

    def fit(self, *, threads: int | None = None, progress: bool | None = None) -> Model:
        """Return a model with the best settings, fitted on all the data that the search was given."""
        return self.model.fit(self.data, threads=threads, progress=progress)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each trial as a dictionary, of the form that `to_json` writes."""
        return [trial.to_dict() for trial in self.rows]

    def record(self) -> dict[str, Any]:
        """Return what `to_json` writes."""
        about = {"model": self.base.name, "params": self.base.params, "metric": self.metric, "split": self.split}
        space = {name: str(where) for name, where in self.space.items()}
        best = {"best": self.best.to_dict(), "best_params": self.model.params}
        return about | {"space": space, **best, "rows": self.to_dicts(), "interrupted": self.interrupted}

    def to_json(self) -> str:
        """Return {"model": ..., "metric": ..., "best": {"settings": {...}, "value": 0.3, ...}, "rows": [...], ...}."""
        return json.dumps(self.record(), ensure_ascii=False, allow_nan=False)

    def _columns(self) -> dict[str, Gathered]:
        columns = {
            "number": Gathered(np.array([trial.number for trial in self.rows], np.int64)),
            "state": Gathered([trial.state for trial in self.rows], text=True),
            "value": dataframes.numbers([trial.value for trial in self.rows]),
        }
        columns |= {name: dataframes.column([trial.settings.get(name) for trial in self.rows]) for name in self.space}
        return columns | {"seconds": dataframes.numbers([trial.seconds for trial in self.rows])}

    def table(self) -> TextTable:
        """Return the best trials as text; below it what became of the others."""
        best = self.ranked[:SHOWN]
        columns = {"trial": [str(trial.number) for trial in best]}
        columns[self.metric] = [f"{trial.value:.4f}" for trial in best]
        columns |= {name: [written(trial.settings.get(name)) for trial in best] for name in self.space}
        columns["time"] = [f"{trial.seconds:.2f} s" for trial in best]
        title = f"{self.base.name}: {self.metric} of {len(self.rows):,} trials on {self.split}"
        note = "\n".join([f"[{counts(self.rows)}]", *self.notes])
        return TextTable(title, columns, frozenset(columns), note)

    def __repr__(self) -> str:
        return str(self.table())

    def __rich__(self) -> TextTable:
        return self.table()

    def _repr_html_(self) -> str:
        return self.table().html()


def ranked(rows: Sequence[Trial], *, greater: bool) -> list[Trial]:
    """Return the complete trials, best first, the earlier of equals first."""
    whole = [(trial.value, trial) for trial in rows if trial.state == "complete" and trial.value is not None]
    return [trial for _, trial in sorted(whole, key=lambda pair: -pair[0] if greater else pair[0])]


def counts(rows: tuple[Trial, ...]) -> str:
    """Say how many trials came to what."""
    states = [trial.state for trial in rows]
    return ", ".join(f"{states.count(state):,} {state}" for state in dict.fromkeys(states))


def said_of(trial: Trial) -> str:
    """Write the settings of a trial for people."""
    return ", ".join(f"{name}={written(value)}" for name, value in trial.settings.items())


def written(value: Any) -> str:
    """Write a setting for people."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)

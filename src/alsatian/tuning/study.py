"""`Study`: the result of `tune`, with all trials and the best settings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from alsatian._util import dataframes
from alsatian._util.dataframes import ColumnBatch, Tabular
from alsatian._util.html_table import TableRepr
from alsatian._util.text_table import TextTable
from alsatian.data.interactions import Interactions
from alsatian.models import Model
from alsatian.tuning.search_space import Space

TABLE_TRIALS = 10  # trials in the printed table


@dataclass(frozen=True)
class Trial:
    """One trial: its settings and its outcome.

    state: "complete", "pruned" (ended early because other trials were better) or "failed" (see `error`).
    value: the score to choose by. It is the last score of a pruned trial, and None for a failed one.
    settings: the values of the searched hyper-parameters.
    curve: epoch -> score on the first split, if the fit was scored after every epoch.
    """

    number: int
    state: str
    value: float | None
    settings: dict[str, Any]
    curve: Mapping[int, float]
    seconds: float
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the trial as a JSON-compatible dictionary."""
        curve = [[epoch, score] for epoch, score in sorted(self.curve.items())]
        fields = {"number": self.number, "state": self.state, "value": self.value, "settings": self.settings}
        return fields | {"curve": curve, "seconds": self.seconds, "error": self.error}


@dataclass(frozen=True, eq=False, repr=False)
class Study(Tabular, TableRepr):
    """The result of a search, as returned by `tune`. Iterate over its trials, in the order in which they were run.

    base: the model whose settings were searched. space: the searched ranges.
    metric: the name of the metric. higher_is_better: whether a higher score is better.
    split: the name of the split of the trials. data: the data that was split, on which `fit` fits the best model.
    interrupted: whether Ctrl-C ended the search. notes: sentences about leakage of the split.

    As a data frame: number, state, value, each searched setting, seconds.
    """

    base: Model
    space: Space
    metric: str
    higher_is_better: bool
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
    def ranked_trials(self) -> list[Trial]:
        """The complete trials, best first; ties in the order of the trials."""
        return rank_trials(self.rows, higher_is_better=self.higher_is_better)

    @property
    def best(self) -> Trial:
        """The complete trial with the best score."""
        return self.ranked_trials[0]

    @property
    def model(self) -> Model:
        """A new, unfitted model with the best settings, including the best number of epochs."""
        return type(self.base)(**self.base.params | self.best.settings)

    def fit(self, *, threads: int | None = None, progress: bool | None = None) -> Model:
        """Return a model with the best settings, fitted on all data of the search. Arguments as in `Model.fit`."""
        return self.model.fit(self.data, threads=threads, progress=progress)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each trial as a dictionary, in the form that `to_json` writes."""
        return [trial.to_dict() for trial in self.rows]

    def record(self) -> dict[str, Any]:
        """Return the dictionary that `to_json` writes."""
        header = {"model": self.base.name, "params": self.base.params, "metric": self.metric, "split": self.split}
        space = {name: str(search_range) for name, search_range in self.space.items()}
        best = {"best": self.best.to_dict(), "best_params": self.model.params}
        return header | {"space": space, **best, "rows": self.to_dicts(), "interrupted": self.interrupted}

    def to_json(self) -> str:
        """Return {"model": ..., "metric": ..., "best": {"settings": {...}, "value": 0.3, ...}, "rows": [...], ...}."""
        return json.dumps(self.record(), ensure_ascii=False, allow_nan=False)

    def _columns(self) -> dict[str, ColumnBatch]:
        columns = {
            "number": ColumnBatch(np.array([trial.number for trial in self.rows], np.int64)),
            "state": ColumnBatch([trial.state for trial in self.rows], is_text=True),
            "value": dataframes.number_column_batch([trial.value for trial in self.rows]),
        }
        columns |= {
            name: dataframes.infer_column_batch([trial.settings.get(name) for trial in self.rows])
            for name in self.space
        }
        return columns | {"seconds": dataframes.number_column_batch([trial.seconds for trial in self.rows])}

    def table(self) -> TextTable:
        """Return the best trials as a text table, with the counts of all states and the notes below."""
        best_trials = self.ranked_trials[:TABLE_TRIALS]
        columns = {"trial": [str(trial.number) for trial in best_trials]}
        columns[self.metric] = [f"{trial.value:.4f}" for trial in best_trials]
        columns |= {name: [format_setting(trial.settings.get(name)) for trial in best_trials] for name in self.space}
        columns["time"] = [f"{trial.seconds:.2f} s" for trial in best_trials]
        title = f"{self.base.name}: {self.metric} of {len(self.rows):,} trials on {self.split}"
        footer = "\n".join([f"[{format_state_counts(self.rows)}]", *self.notes])
        return TextTable(title, columns, frozenset(columns), footer)


def rank_trials(rows: Sequence[Trial], *, higher_is_better: bool) -> list[Trial]:
    """Return the complete trials, best first; ties in the order of the trials."""
    complete_trials = [(trial.value, trial) for trial in rows if trial.state == "complete" and trial.value is not None]
    return [trial for _, trial in sorted(complete_trials, key=lambda pair: -pair[0] if higher_is_better else pair[0])]


def format_state_counts(rows: tuple[Trial, ...]) -> str:
    """Return the number of trials in each state as text."""
    states = [trial.state for trial in rows]
    return ", ".join(f"{states.count(state):,} {state}" for state in dict.fromkeys(states))


def describe_settings(trial: Trial) -> str:
    """Return the settings of a trial as readable text."""
    return ", ".join(f"{name}={format_setting(value)}" for name, value in trial.settings.items())


def format_setting(value: Any) -> str:
    """Return the value of a setting as readable text."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)

"""The answer to "how good are these models": a row for each model on each split."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.dataframes import Gathered, Tabular
from alsatian._util.text_table import TextTable
from alsatian.data.id_map import Ids
from alsatian.errors import DataError
from alsatian.split import Split

SURE = 0.05  # p-values below are marked


class Difference(NamedTuple):
    """How far a model's figure is from another's on the same people: interval and Holm-corrected p-value."""

    value: float
    low: float
    high: float
    p: float
    against: str


class Summary(NamedTuple):
    """What a protocol held out, in all its folds: values, their users, and those of which nothing was known before."""

    split: str
    folds: int
    values: int
    users: int
    cold_users: int
    cold_items: int

    @classmethod
    def of(cls, splits: Sequence[Split]) -> Summary:
        """Count what the folds of a protocol hold out."""
        users = [np.flatnonzero(one.held_out.by_user.counts) for one in splits]
        rows = users, [one.cold_users for one in splits], [one.cold_items for one in splits]
        distinct = (len(np.unique(np.concatenate(each))) for each in rows)
        return cls(splits[0].name, len(splits), sum(len(one.held_out) for one in splits), *distinct)


@dataclass(frozen=True, eq=False)
class Row:
    """One model on one protocol.

    metrics, intervals, differences: by measure, such as "ndcg@10"; measures that a model does not have are left out.
    per_user: by measure a number for each row of the user numbering, NaN where there is none.
    fit_seconds, answer_seconds: of one fold on average; memory: bytes above what was there before, at the peak.
    """

    split: str
    model: str
    params: dict[str, Any]
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    differences: dict[str, Difference]
    per_user: dict[str, NDArray[np.float64]]
    fit_seconds: float
    answer_seconds: float
    memory: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the numbers of single users, as JSON holds it."""
        return {
            "split": self.split,
            "model": self.model,
            "params": self.params,
            "metrics": _finite(self.metrics),
            "intervals": {name: list(_finite(bounds)) for name, bounds in self.intervals.items()},
            "differences": {name: _finite(one._asdict()) for name, one in self.differences.items()},
            "fit_seconds": self.fit_seconds,
            "answer_seconds": self.answer_seconds,
            "memory": self.memory,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Tabular):
    """A table of models: what `evaluate` returns. Iteration gives its rows, `evaluation["implicit-als"]` one of them.

    splits: what was judged on, counted. user_ids: the numbering of `per_user`. asked: the names of the
    measures. notes: what leaks or could not be judged, a sentence each.
    bootstrap: the number of draws behind the intervals; reference: the model that differences are from.

    As a data frame: split, model, each measure with its interval and difference, seconds and memory.
    """

    rows: tuple[Row, ...]
    splits: tuple[Summary, ...]
    user_ids: Ids
    asked: tuple[str, ...]
    notes: tuple[str, ...]
    bootstrap: int
    reference: str

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, model: str) -> Row:
        """Return the first row of a model, by what the table calls it."""
        if (found := next((row for row in self.rows if row.model == model), None)) is None:
            names = ", ".join(dict.fromkeys(row.model for row in self.rows))
            raise DataError(f"there is no row of {model!r} in this evaluation; it has {names}.")
        return found

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each row as a dictionary, of the form that `to_json` writes."""
        return [row.to_dict() for row in self.rows]

    def to_json(self) -> str:
        """Return {"rows": [{"model": "implicit-als", "metrics": {"ndcg@10": 0.3}, ...}], "notes": [...], ...}."""
        return json.dumps(self.record(), ensure_ascii=False, allow_nan=False)

    def record(self) -> dict[str, Any]:
        """Return what `to_json` writes."""
        told = {"rows": self.to_dicts(), "splits": [one._asdict() for one in self.splits], "notes": list(self.notes)}
        return told | {"reference": self.reference, "bootstrap": self.bootstrap}

    def _columns(self) -> dict[str, Gathered]:
        columns: dict[str, Gathered] = {
            name: Gathered([getattr(row, name) for row in self.rows], text=True) for name in ("split", "model")
        }
        for name in self.measures:
            numbers = [self._numbers(row, name) for row in self.rows]
            for part in numbers[0]:
                columns[f"{name}{part}"] = Gathered(np.array([one[part] for one in numbers], float))
        for name in ("fit_seconds", "answer_seconds", "memory"):
            columns[name] = Gathered(np.array([getattr(row, name) for row in self.rows], float))
        return columns

    def _numbers(self, row: Row, name: str) -> dict[str, float]:
        """Return a measure and what belongs to it, by the ends of the columns' names; NaN where there is none."""
        low, high = row.intervals.get(name, (math.nan, math.nan))
        difference = row.differences.get(name, Difference(math.nan, math.nan, math.nan, math.nan, ""))
        numbers = {"": row.metrics.get(name, math.nan), " low": low, " high": high, " difference": difference.value}
        return numbers | {" difference low": difference.low, " difference high": difference.high, " p": difference.p}

    @cached_property
    def measures(self) -> list[str]:
        """The measures that any row has, in the order in which they were asked for."""
        return [name for name in self.asked if any(name in row.metrics for row in self.rows)]

    def table(self) -> TextTable:
        """Return the figures as text; below it what they mean, and what leaks or could not be judged."""
        columns = {"split": [row.split for row in self.rows]} if len(self.splits) > 1 else {}
        columns["model"] = [row.model for row in self.rows]
        for name in self.measures:
            columns[name] = [_cell(row, name) for row in self.rows]
        columns["fit"] = [f"{row.fit_seconds:.2f} s" for row in self.rows]
        columns["answers"] = [f"{row.answer_seconds:.2f} s" for row in self.rows]
        if any(row.memory is not None for row in self.rows):
            columns["memory"] = ["" if row.memory is None else f"{row.memory / 1e6:,.0f} MB" for row in self.rows]
        title = "; ".join(f"{one.split}: {one.values:,} held-out values of {one.users:,} users" for one in self.splits)
        below = "\n".join([*self._legend(), *self.notes])
        return TextTable(title, columns, frozenset({"fit", "answers", "memory"}), below)

    def _legend(self) -> Iterator[str]:
        if not self.bootstrap:
            return
        yield f"[95% intervals by {self.bootstrap:,} draws of users]"
        against = list(dict.fromkeys(one.against for row in self.rows for one in row.differences.values()))
        if against:
            yield f"* differs from {' or '.join(against)} on the same users (p < {SURE}, Holm-corrected)"

    def __repr__(self) -> str:
        return str(self.table())

    def __rich__(self) -> TextTable:
        return self.table()

    def _repr_html_(self) -> str:
        return self.table().html()


def _cell(row: Row, name: str) -> str:
    if not math.isfinite(value := row.metrics.get(name, math.nan)):
        return ""
    low, high = (written(bound, value) for bound in row.intervals.get(name, (math.nan, math.nan)))
    bounds = f" [{low}, {high}]" if low else ""
    sure = name in row.differences and row.differences[name].p < SURE
    return f"{written(value, value)}{bounds}{'*' if sure else ''}"


def written(value: float, beside: float, sign: str = "") -> str:
    """Write a figure with as many digits as suit another one; nothing where it is no number. sign: "+" always shows it.

    >>> written(0.28912, 0.3), written(431.32, 450.0), written(0.0034, 0.0034, "+")
    ('0.289', '431.3', '+0.0034')
    """
    size = abs(beside)
    digits = 1 if size >= 100 else 2 if size >= 10 else 3 if size >= 0.01 or not size else 4
    return f"{value:{sign}.{digits}f}" if math.isfinite(value) else ""


def _finite(numbers: Any) -> Any:
    """Leave out what is not finite, which JSON cannot hold; in a list it becomes null."""
    if isinstance(numbers, dict):
        return {key: one for key, one in numbers.items() if not isinstance(one, float) or math.isfinite(one)}
    return [one if math.isfinite(one) else None for one in numbers]

"""`Evaluation`: the result of `evaluate`, with a row for each model on each protocol."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.dataframes import ColumnBatch, Tabular
from alsatian._util.html_table import TableRepr
from alsatian._util.text_table import TextTable
from alsatian.data.id_map import IdMap
from alsatian.errors import DataError
from alsatian.split import Split

SIGNIFICANCE_LEVEL = 0.05  # p-values below are marked


class Difference(NamedTuple):
    """The difference of a metric from that of another model on the same users.

    low, high: the 95% interval. p: the Holm-corrected p-value. against: the label of the other model.
    """

    value: float
    low: float
    high: float
    p: float
    against: str


class ProtocolSummary(NamedTuple):
    """The held-out part of a protocol, over all folds: counts of values, users, and cold users and items."""

    split: str
    folds: int
    values: int
    users: int
    cold_users: int
    cold_items: int

    @classmethod
    def from_splits(cls, splits: Sequence[Split]) -> ProtocolSummary:
        """Count the held-out values of the folds of a protocol."""
        users = [np.flatnonzero(split.held_out.by_user.counts) for split in splits]
        rows = users, [split.cold_users for split in splits], [split.cold_items for split in splits]
        distinct = (len(np.unique(np.concatenate(arrays))) for arrays in rows)
        return cls(splits[0].name, len(splits), sum(len(split.held_out) for split in splits), *distinct)


@dataclass(frozen=True, eq=False)
class EvaluationRow:
    """One model on one protocol.

    metrics, intervals, differences: by metric, such as "ndcg@10", without metrics that the model does not support.
    per_user: metric -> a score for each user, by row number, NaN for users without one.
    fit_seconds, answer_seconds: the mean per fold, of the fit and of predictions and lists.
    memory: the peak increase of memory in bytes, or None if the system cannot measure it.
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
        """Return the row as a JSON-compatible dictionary, without the scores of single users."""
        return {
            "split": self.split,
            "model": self.model,
            "params": self.params,
            "metrics": _drop_non_finite(self.metrics),
            "intervals": {name: list(_drop_non_finite(bounds)) for name, bounds in self.intervals.items()},
            "differences": {
                name: _drop_non_finite(difference._asdict()) for name, difference in self.differences.items()
            },
            "fit_seconds": self.fit_seconds,
            "answer_seconds": self.answer_seconds,
            "memory": self.memory,
        }


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation(Tabular, TableRepr):
    """A table of models, as returned by `evaluate`. Iterate over its rows, or get one by `evaluation["implicit-als"]`.

    splits: a summary of the held-out part of each protocol. user_ids: the users, in the order of `per_user`.
    requested_metrics: the names of the metrics. notes: sentences about leakage, and about cold users and items.
    bootstrap: the number of draws of the intervals. baseline: the model that the others are compared with.

    As a data frame: split, model, each metric with its interval and difference, seconds and memory.
    """

    rows: tuple[EvaluationRow, ...]
    splits: tuple[ProtocolSummary, ...]
    user_ids: IdMap
    requested_metrics: tuple[str, ...]
    notes: tuple[str, ...]
    bootstrap: int
    baseline: str

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[EvaluationRow]:
        return iter(self.rows)

    def __getitem__(self, model: str) -> EvaluationRow:
        """Return the first row of a model, by its label in the table. Raises DataError for an unknown label."""
        if (first_match := next((row for row in self.rows if row.model == model), None)) is None:
            names = ", ".join(dict.fromkeys(row.model for row in self.rows))
            raise DataError(f"{model!r} is not a model of this evaluation; choose {names}.")
        return first_match

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return each row as a dictionary, in the form that `to_json` writes."""
        return [row.to_dict() for row in self.rows]

    def to_json(self) -> str:
        """Return {"rows": [{"model": "implicit-als", "metrics": {"ndcg@10": 0.3}, ...}], "notes": [...], ...}."""
        return json.dumps(self.record(), ensure_ascii=False, allow_nan=False)

    def record(self) -> dict[str, Any]:
        """Return the dictionary that `to_json` writes."""
        record = {
            "rows": self.to_dicts(),
            "splits": [summary._asdict() for summary in self.splits],
            "notes": list(self.notes),
        }
        return record | {"baseline": self.baseline, "bootstrap": self.bootstrap}

    def _columns(self) -> dict[str, ColumnBatch]:
        columns: dict[str, ColumnBatch] = {
            name: ColumnBatch([getattr(row, name) for row in self.rows], is_text=True) for name in ("split", "model")
        }
        for name in self.metric_names:
            row_values = [self._metric_columns(row, name) for row in self.rows]
            for suffix in row_values[0]:
                columns[f"{name}{suffix}"] = ColumnBatch(np.array([values[suffix] for values in row_values], float))
        for name in ("fit_seconds", "answer_seconds", "memory"):
            columns[name] = ColumnBatch(np.array([getattr(row, name) for row in self.rows], float))
        return columns

    def _metric_columns(self, row: EvaluationRow, name: str) -> dict[str, float]:
        """Return a metric with its interval and difference, by the suffix of the column name; NaN if missing."""
        low, high = row.intervals.get(name, (math.nan, math.nan))
        difference = row.differences.get(name, Difference(math.nan, math.nan, math.nan, math.nan, ""))
        values = {"": row.metrics.get(name, math.nan), " low": low, " high": high, " difference": difference.value}
        return values | {" difference low": difference.low, " difference high": difference.high, " p": difference.p}

    @cached_property
    def metric_names(self) -> list[str]:
        """The requested metrics that at least one row has, in the requested order."""
        return [name for name in self.requested_metrics if any(name in row.metrics for row in self.rows)]

    def table(self) -> TextTable:
        """Return the metrics as a text table, with a legend and the notes below."""
        columns = {"split": [row.split for row in self.rows]} if len(self.splits) > 1 else {}
        columns["model"] = [row.model for row in self.rows]
        for name in self.metric_names:
            columns[name] = [_format_cell(row, name) for row in self.rows]
        columns["fit"] = [f"{row.fit_seconds:.2f} s" for row in self.rows]
        columns["answers"] = [f"{row.answer_seconds:.2f} s" for row in self.rows]
        if any(row.memory is not None for row in self.rows):
            columns["memory"] = ["" if row.memory is None else f"{row.memory / 1e6:,.0f} MB" for row in self.rows]
        title = "; ".join(
            f"{summary.split}: {summary.values:,} held-out values of {summary.users:,} users" for summary in self.splits
        )
        footer = "\n".join([*self._legend(), *self.notes])
        figures = [] if self.bootstrap else self.metric_names  # with intervals, a cell begins with the metric
        return TextTable(title, columns, frozenset({"fit", "answers", "memory", *figures}), footer)

    def _legend(self) -> Iterator[str]:
        if not self.bootstrap:
            return
        yield f"[95% intervals by {self.bootstrap:,} draws of users]"
        differences = [difference for row in self.rows for difference in row.differences.values()]
        baselines = " or ".join(dict.fromkeys(difference.against for difference in differences))
        if baselines:
            yield f"* differs from {baselines} on the same users (p < {SIGNIFICANCE_LEVEL}, Holm-corrected)"


def _format_cell(row: EvaluationRow, name: str) -> str:
    if not math.isfinite(value := row.metrics.get(name, math.nan)):
        return ""
    low, high = (format_metric(bound, value) for bound in row.intervals.get(name, (math.nan, math.nan)))
    bounds = f" [{low}, {high}]" if low else ""
    significant = name in row.differences and row.differences[name].p < SIGNIFICANCE_LEVEL
    return f"{format_metric(value, value)}{bounds}{'*' if significant else ''}"


def format_metric(value: float, scale: float, sign: str = "") -> str:
    """Return a metric as text, with digits that suit `scale`; empty if it is not finite. sign: "+" always shows it.

    >>> format_metric(0.28912, 0.3), format_metric(431.32, 450.0), format_metric(0.0034, 0.0034, "+")
    ('0.289', '431.3', '+0.0034')
    """
    magnitude = abs(scale)
    digits = 1 if magnitude >= 100 else 2 if magnitude >= 10 else 3 if magnitude >= 0.01 or not magnitude else 4
    return f"{value:{sign}.{digits}f}" if math.isfinite(value) else ""


def _drop_non_finite(numbers: Any) -> Any:
    """Drop numbers that are not finite, which JSON does not support. In a list they become null."""
    if isinstance(numbers, dict):
        return {
            key: number for key, number in numbers.items() if not isinstance(number, float) or math.isfinite(number)
        }
    return [number if math.isfinite(number) else None for number in numbers]

"""The models of a report: tables of metrics, and verdicts in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from alsatian._util.formatting import format_bytes, format_duration
from alsatian.evaluation import Evaluation
from alsatian.evaluation.metric_registry import ACCURACY_METRICS, LOWER_IS_BETTER, metric_title
from alsatian.evaluation.results import SIGNIFICANCE_LEVEL, Difference, EvaluationRow, format_metric

P_VALUE_FLOOR = 1e-3  # smaller p-values are shown as below this


def tables_by_protocol(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return a table for each protocol: rows of cells, and the differences between models."""
    return [
        {
            "summary": summary,
            "metrics": [(name, metric_title(name)) for name in evaluation.metric_names],
            "rows": [_row_context(row, evaluation, summary.split) for row in _rows_of_split(evaluation, summary.split)],
            "differences": list(_difference_contexts(evaluation, summary.split)),
            "verdicts": list(_verdicts(evaluation, summary.split)),
        }
        for summary in evaluation.splits
    ]


def _rows_of_split(evaluation: Evaluation, split: str) -> list[EvaluationRow]:
    return [row for row in evaluation if row.split == split]


def _row_context(row: EvaluationRow, evaluation: Evaluation, split: str) -> dict[str, Any]:
    memory = format_bytes(row.memory) if row.memory else None  # 0: no more than was in use before the fit
    return {
        "model": row.model,
        "cells": [_cell_context(row, name, evaluation, split) for name in evaluation.metric_names],
        "fit": (format_duration(row.fit_seconds), row.fit_seconds),
        "answers": (format_duration(row.answer_seconds), row.answer_seconds),
        "memory": (memory, row.memory),
    }


def _cell_context(row: EvaluationRow, name: str, evaluation: Evaluation, split: str) -> dict[str, Any] | None:
    value = row.metrics.get(name, math.nan)
    if not math.isfinite(value):
        return None
    low, high = row.intervals.get(name, (math.nan, math.nan))
    return {
        "value": format_metric(value, value),
        "sort": value,
        "interval": f"{format_metric(low, value)} – {format_metric(high, value)}" if math.isfinite(low) else "",
        "significant": name in row.differences and row.differences[name].p < SIGNIFICANCE_LEVEL,
        "best": (best_row := _best_row(evaluation, split, name)) is not None and row is best_row,
    }


def _best_row(evaluation: Evaluation, split: str, name: str) -> EvaluationRow | None:
    """Return the row with the best value of an accuracy metric; None if there is nothing to compare."""
    rows = _ranked_rows(evaluation, split, name)
    if name.partition("@")[0] not in ACCURACY_METRICS or len(rows) < 2:
        return None
    return rows[0]


def _ranked_rows(evaluation: Evaluation, split: str, name: str) -> list[EvaluationRow]:
    """Return the rows that have the metric, the best one first."""
    rows = [row for row in _rows_of_split(evaluation, split) if math.isfinite(row.metrics.get(name, math.nan))]
    return sorted(rows, key=lambda row: row.metrics[name], reverse=name.partition("@")[0] not in LOWER_IS_BETTER)


def _difference_contexts(evaluation: Evaluation, split: str) -> Iterator[dict[str, Any]]:
    """Yield the differences of each accuracy metric between the models and the baseline."""
    for name in evaluation.metric_names:
        rows = [row for row in _rows_of_split(evaluation, split) if name in row.differences]
        if rows and name.partition("@")[0] in ACCURACY_METRICS:
            reference_label = rows[0].differences[name].against
            contexts = [(row.model, _difference_context(row.differences[name])) for row in rows]
            yield {"metric": metric_title(name), "against": reference_label, "rows": contexts}


def _difference_context(difference: Difference) -> dict[str, Any]:
    value, low, high = (format_metric(number, difference.value, "+").replace("-", "−") for number in difference[:3])
    return {
        "value": value,
        "sort": difference.value,
        "interval": f"{low} to {high}",
        "p": format_p_value(difference.p),
        "significant": difference.p < SIGNIFICANCE_LEVEL,
    }


def format_p_value(p: float) -> str:
    """Return a p-value with three decimals; a smaller one as a bound.

    >>> format_p_value(0.0004), format_p_value(0.3)
    ('< 0.001', '0.300')
    """
    return "< 0.001" if p < P_VALUE_FLOOR else f"{p:.3f}"


def main_metrics(evaluation: Evaluation) -> list[str]:
    """Return the metrics of the verdicts: one of predicted values, and one of lists."""
    accuracy_metrics = [name for name in evaluation.metric_names if name.partition("@")[0] in ACCURACY_METRICS]
    kinds = {"@" in name: name for name in reversed(accuracy_metrics)}
    return [kinds[of_lists] for of_lists in (True, False) if of_lists in kinds]


def _verdicts(evaluation: Evaluation, split: str) -> Iterator[dict[str, str]]:
    """Yield the best model by each main metric, and whether the difference is significant."""
    for name in main_metrics(evaluation):
        if (row := _best_row(evaluation, split, name)) is None:
            continue
        verdict = "has the best lists" if "@" in name else "predicts values best"
        context = {"model": row.model, "what": verdict, "figure": _metric_text(row, name)}
        yield context | {
            "than": _comparison_text(row, name, evaluation, split) + _runner_up_text(row, name, evaluation, split)
        }


def _metric_text(row: EvaluationRow, name: str) -> str:
    value = row.metrics[name]
    low, high = (format_metric(bound, value) for bound in row.intervals.get(name, (math.nan, math.nan)))
    bounds = f" (95% interval {low} to {high})" if low else ""
    return f"{metric_title(name)} {format_metric(value, value)}{bounds}"


def _comparison_text(row: EvaluationRow, name: str, evaluation: Evaluation, split: str) -> str:
    """Return the difference between the best model and the baseline in words."""
    difference = row.differences.get(name)
    if difference is None:
        differences = [
            other.differences[name] for other in _rows_of_split(evaluation, split) if name in other.differences
        ]
        return "; no model is better than this baseline" if differences else ""
    if difference.p >= SIGNIFICANCE_LEVEL:
        return f"; not significantly better than {difference.against} (p = {format_p_value(difference.p)})"
    p = format_p_value(difference.p)
    p = p if p.startswith("<") else f"= {p}"
    direction = "lower" if name.partition("@")[0] in LOWER_IS_BETTER else "higher"
    difference_text = format_metric(abs(difference.value), difference.value)
    return f", {difference_text} {direction} than {difference.against} on the same users (p {p})"


def _runner_up_text(row: EvaluationRow, name: str, evaluation: Evaluation, split: str) -> str:
    """Return the second-best model in words, unless the best one was compared with it."""
    runner_up = _ranked_rows(evaluation, split, name)[1]
    reference_labels = {
        compared_row.differences[name].against for compared_row in (row, runner_up) if name in compared_row.differences
    }
    if reference_labels & {row.model, runner_up.model}:
        return ""
    value = format_metric(runner_up.metrics[name], runner_up.metrics[name])
    return f"; next is {runner_up.model} with {value}, not tested against it"

"""The models of a report in tables, and what they come to in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from alsatian._util.formatting import duration, size
from alsatian.evaluation import Evaluation
from alsatian.evaluation.metric_registry import ACCURACY, LESS_IS_BETTER, title_of
from alsatian.evaluation.results import SURE, Difference, Row, written

MANY = 1e-3  # p-values below are not told exactly


def tables(found: Evaluation) -> list[dict[str, Any]]:
    """Return a table for each protocol: rows of cells, and the differences between models."""
    return [
        {
            "summary": one,
            "measures": [(name, title_of(name)) for name in found.measures],
            "rows": [_row(row, found, one.split) for row in _rows(found, one.split)],
            "differences": list(_differences(found, one.split)),
            "verdicts": list(_verdicts(found, one.split)),
        }
        for one in found.splits
    ]


def _rows(found: Evaluation, split: str) -> list[Row]:
    return [row for row in found if row.split == split]


def _row(row: Row, found: Evaluation, split: str) -> dict[str, Any]:
    memory = size(row.memory) if row.memory else None  # 0: no more than what others had used before
    return {
        "model": row.model,
        "cells": [_cell(row, name, found, split) for name in found.measures],
        "fit": (duration(row.fit_seconds), row.fit_seconds),
        "answers": (duration(row.answer_seconds), row.answer_seconds),
        "memory": (memory, row.memory),
    }


def _cell(row: Row, name: str, found: Evaluation, split: str) -> dict[str, Any] | None:
    value = row.metrics.get(name, math.nan)
    if not math.isfinite(value):
        return None
    low, high = row.intervals.get(name, (math.nan, math.nan))
    return {
        "value": written(value, value),
        "sort": value,
        "interval": f"{written(low, value)} – {written(high, value)}" if math.isfinite(low) else "",
        "sure": name in row.differences and row.differences[name].p < SURE,
        "best": (best := _best(found, split, name)) is not None and row is best,
    }


def _best(found: Evaluation, split: str, name: str) -> Row | None:
    """Return the model with the best figure, where one is better than another."""
    rows = _best_first(found, split, name)
    if name.partition("@")[0] not in ACCURACY or len(rows) < 2:
        return None
    return rows[0]


def _best_first(found: Evaluation, split: str, name: str) -> list[Row]:
    """Return the models that have a figure, the best one first."""
    rows = [row for row in _rows(found, split) if math.isfinite(row.metrics.get(name, math.nan))]
    return sorted(rows, key=lambda row: row.metrics[name], reverse=name.partition("@")[0] not in LESS_IS_BETTER)


def _differences(found: Evaluation, split: str) -> Iterator[dict[str, Any]]:
    """Yield the differences of each measure of accuracy, from models to the one that they are compared with."""
    for name in found.measures:
        rows = [row for row in _rows(found, split) if name in row.differences]
        if rows and name.partition("@")[0] in ACCURACY:
            against = rows[0].differences[name].against
            told = [(row.model, _told(row.differences[name])) for row in rows]
            yield {"measure": title_of(name), "against": against, "rows": told}


def _told(difference: Difference) -> dict[str, Any]:
    told, low, high = (written(one, difference.value, "+").replace("-", "−") for one in difference[:3])
    return {
        "value": told,
        "sort": difference.value,
        "interval": f"{low} to {high}",
        "p": chance(difference.p),
        "sure": difference.p < SURE,
    }


def chance(p: float) -> str:
    """Write a p-value for people.

    >>> chance(0.0004), chance(0.3)
    ('< 0.001', '0.300')
    """
    return "< 0.001" if p < MANY else f"{p:.3f}"


def main_measures(found: Evaluation) -> list[str]:
    """Return what models are compared by first: one measure of predicted values, and one of lists."""
    accurate = [name for name in found.measures if name.partition("@")[0] in ACCURACY]
    kinds = {"@" in name: name for name in reversed(accurate)}
    return [kinds[of_lists] for of_lists in (True, False) if of_lists in kinds]


def _verdicts(found: Evaluation, split: str) -> Iterator[dict[str, str]]:
    """Yield which model is best by each main measure, and whether that is sure."""
    for name in main_measures(found):
        if (row := _best(found, split, name)) is None:
            continue
        what = "makes the best lists" if "@" in name else "predicts values best"
        told = {"model": row.model, "what": what, "figure": _figure(row, name)}
        yield told | {"than": _than(row, name, found, split) + _next(row, name, found, split)}


def _figure(row: Row, name: str) -> str:
    value = row.metrics[name]
    low, high = (written(bound, value) for bound in row.intervals.get(name, (math.nan, math.nan)))
    bounds = f" (95% interval {low} to {high})" if low else ""
    return f"{title_of(name)} {written(value, value)}{bounds}"


def _than(row: Row, name: str, found: Evaluation, split: str) -> str:
    """Say how far the best model is from the one that all are compared with."""
    difference = row.differences.get(name)
    if difference is None:
        others = [other.differences[name] for other in _rows(found, split) if name in other.differences]
        return "; no other model is better than this yardstick" if others else ""
    if difference.p >= SURE:
        return f"; whether it is better than {difference.against} is not sure (p = {chance(difference.p)})"
    p = chance(difference.p)
    p = p if p.startswith("<") else f"= {p}"
    way = "lower" if name.partition("@")[0] in LESS_IS_BETTER else "higher"
    far = written(abs(difference.value), difference.value)
    return f", {far} {way} than {difference.against} on the same users (p {p})"


def _next(row: Row, name: str, found: Evaluation, split: str) -> str:
    """Say which model comes next, unless the best one was compared with that."""
    second = _best_first(found, split, name)[1]
    compared = {one.differences[name].against for one in (row, second) if name in one.differences}
    if compared & {row.model, second.model}:
        return ""
    return f"; next is {second.model} with {written(second.metrics[name], second.metrics[name])}, not tested against it"

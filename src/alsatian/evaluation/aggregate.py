"""Aggregate the scores of models, by user, over the folds of a protocol: metrics, intervals and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alsatian.evaluation.bootstrap import holm, p_value, percentile_interval, weighted_sums
from alsatian.evaluation.metric_registry import MetricRequest
from alsatian.evaluation.results import Difference, EvaluationRow
from alsatian.evaluation.score_model import SplitScores
from alsatian.kernels.types import Float64Array
from alsatian.models import Model


@dataclass(frozen=True)
class AggregateScores:
    """The scores of one model on all folds of a protocol: errors are summed, and list scores averaged by user.

    columns: metric -> the terms of each user (users, terms), whose sums over users give the metric.
    overall: metric -> score of all lists. Other fields as in `SplitScores`.
    """

    columns: dict[str, Float64Array]
    overall: dict[str, float]
    fit_seconds: float
    answer_seconds: float
    memory: int | None


def aggregate(folds: Sequence[SplitScores]) -> AggregateScores:
    """Return the aggregate of one model's folds. Seconds are the mean per fold, memory is the maximum."""
    columns: dict[str, Float64Array] = {}
    if errors := [fold.errors for fold in folds if fold.errors is not None]:
        count, squared, absolute, value, square = np.sum(errors, axis=0).T
        columns |= {"rmse": np.stack([squared, count], 1), "mae": np.stack([absolute, count], 1)}
        columns["r2"] = np.stack([squared, count, value, square], 1)
    for name in folds[0].scores:
        scores = np.stack([fold.scores[name] for fold in folds])
        valid = ~np.isnan(scores)
        counts = valid.sum(axis=0)
        means = np.where(valid, scores, 0).sum(axis=0) / np.maximum(counts, 1)
        columns[name] = np.stack([means, counts > 0], 1)
    overall = {name: float(np.mean([fold.overall[name] for fold in folds])) for name in folds[0].overall}
    fit_seconds, answer_seconds = (
        float(np.mean([getattr(fold, field) for fold in folds])) for field in ("fit_seconds", "answer_seconds")
    )
    peaks = [fold.memory for fold in folds if fold.memory is not None]
    return AggregateScores(columns, overall, fit_seconds, answer_seconds, max(peaks, default=None))


def metric_from_sums(name: str, sums: Float64Array) -> Any:
    """Return a metric from the sums of its columns (..., columns): R2 or RMSE of values, else a mean."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if name == "r2":
            squared, count, value, square = np.moveaxis(sums, -1, 0)
            return 1 - squared / (square - value**2 / count)
        mean = sums[..., 0] / sums[..., 1]
        return np.sqrt(mean) if name == "rmse" else mean


def evaluation_rows(
    split: str,
    models: Mapping[str, Model],
    aggregates: Mapping[str, AggregateScores],
    request: MetricRequest,
    reference: str,
    draws: int,
    seed: int,
) -> list[EvaluationRow]:
    """Return a row for each model on one protocol."""
    names = request.names
    samples = _bootstrap_samples(aggregates, names, draws, seed) if draws else {}
    differences = _paired_differences(aggregates, samples, names, reference)
    rows = []
    for label, scores in aggregates.items():
        metrics, intervals, per_user = {}, {}, {}
        for name in names:
            if name in scores.overall:
                metrics[name] = scores.overall[name]
            elif name in scores.columns:
                metrics[name] = float(metric_from_sums(name, scores.columns[name].sum(axis=0)))
                if name != "r2":
                    per_user[name] = metric_from_sums(name, scores.columns[name])
                if draws:
                    intervals[name] = percentile_interval(samples[label, name])
        rows.append(
            EvaluationRow(split, label, models[label].params, metrics, intervals, differences.get(label, {}), per_user,
                scores.fit_seconds, scores.answer_seconds, scores.memory)
        )  # fmt: skip
    return rows


def _bootstrap_samples(
    aggregates: Mapping[str, AggregateScores], names: Sequence[str], draws: int, seed: int
) -> dict[tuple[str, str], Float64Array]:
    """Return the metrics of each model over the same draws of all users with held-out values."""
    keys = [(label, name) for label, scores in aggregates.items() for name in names if name in scores.columns]
    if not keys:
        return {}
    user_columns = [aggregates[label].columns[name] for label, name in keys]
    columns = np.concatenate(user_columns, axis=1)
    sums = weighted_sums(columns[columns.any(axis=1)], draws, seed)
    parts = np.split(sums, np.cumsum([user_column.shape[1] for user_column in user_columns])[:-1], axis=1)
    return {key: metric_from_sums(key[1], part) for key, part in zip(keys, parts, strict=True)}


def _paired_differences(
    aggregates: Mapping[str, AggregateScores],
    samples: Mapping[tuple[str, str], Float64Array],
    names: Sequence[str],
    reference: str,
) -> dict[str, dict[str, Difference]]:
    """Return the paired differences of each model; p-values are corrected for the number of models."""
    differences: dict[str, dict[str, Difference]] = {}
    for name in names:
        reference_label = next((label for label in (reference, "bias") if (label, name) in samples), None)
        other_labels = [label for label in aggregates if (label, name) in samples and label != reference_label]
        if reference_label is None or not other_labels:
            continue
        sampled_differences = {label: samples[label, name] - samples[reference_label, name] for label in other_labels}
        reference_value = metric_from_sums(name, aggregates[reference_label].columns[name].sum(axis=0))
        p_values = holm([p_value(sampled_differences[label]) for label in other_labels])
        for label, p in zip(other_labels, p_values, strict=True):
            difference = float(metric_from_sums(name, aggregates[label].columns[name].sum(axis=0)) - reference_value)
            differences.setdefault(label, {})[name] = Difference(
                difference, *percentile_interval(sampled_differences[label]), p, reference_label
            )
    return differences

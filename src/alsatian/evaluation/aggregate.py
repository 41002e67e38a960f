"""From what models did on the folds of a protocol, user by user, to figures with intervals and differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from alsatian.evaluation.bootstrap import Floats, holm, interval, p_value, weighted_sums
from alsatian.evaluation.metric_registry import Asked
from alsatian.evaluation.results import Difference, Row
from alsatian.evaluation.score_model import Judged
from alsatian.models import Model


@dataclass(frozen=True)
class Pooled:
    """What one model did on all folds of a protocol, as `Judged`: errors added up, scores averaged user by user.

    columns: for each measure the numbers of each user whose sums make the figure.
    """

    columns: dict[str, Floats]
    overall: dict[str, float]
    fit_seconds: float
    answer_seconds: float
    memory: int | None


def pooled(several: Sequence[Judged]) -> Pooled:
    """Return the folds of one model as one; seconds are of one fold on average, memory is the most."""
    columns: dict[str, Floats] = {}
    if errors := [one.errors for one in several if one.errors is not None]:
        count, squared, absolute, value, square = np.sum(errors, axis=0).T
        columns |= {"rmse": np.stack([squared, count], 1), "mae": np.stack([absolute, count], 1)}
        columns["r2"] = np.stack([squared, count, value, square], 1)
    for name in several[0].scores:
        scores = np.stack([one.scores[name] for one in several])
        there = ~np.isnan(scores)
        times = there.sum(axis=0)
        means = np.where(there, scores, 0).sum(axis=0) / np.maximum(times, 1)
        columns[name] = np.stack([means, times > 0], 1)
    overall = {name: float(np.mean([one.overall[name] for one in several])) for name in several[0].overall}
    fit, answer = (
        float(np.mean([getattr(one, part) for one in several])) for part in ("fit_seconds", "answer_seconds")
    )
    peaks = [one.memory for one in several if one.memory is not None]
    return Pooled(columns, overall, fit, answer, max(peaks, default=None))


def figure(name: str, sums: Floats) -> Any:
    """Return a measure from the sums of its columns (..., columns): R2 and RMSE of values, else a mean."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if name == "r2":
            squared, count, value, square = np.moveaxis(sums, -1, 0)
            return 1 - squared / (square - value**2 / count)
        mean = sums[..., 0] / sums[..., 1]
        return np.sqrt(mean) if name == "rmse" else mean


def rows_of(
    split: str,
    models: Mapping[str, Model],
    found: Mapping[str, Pooled],
    wanted: Asked,
    reference: str,
    draws: int,
    seed: int,
) -> list[Row]:
    """Return a row for each model on one protocol."""
    names = wanted.names
    samples = _samples(found, names, draws, seed) if draws else {}
    differences = _differences(found, samples, names, reference)
    rows = []
    for label, one in found.items():
        metrics, intervals, per_user = {}, {}, {}
        for name in names:
            if name in one.overall:
                metrics[name] = one.overall[name]
            elif name in one.columns:
                metrics[name] = float(figure(name, one.columns[name].sum(axis=0)))
                if name != "r2":
                    per_user[name] = figure(name, one.columns[name])
                if draws:
                    intervals[name] = interval(samples[label, name])
        rows.append(
            Row(split, label, models[label].params, metrics, intervals, differences.get(label, {}), per_user,
                one.fit_seconds, one.answer_seconds, one.memory)
        )  # fmt: skip
    return rows


def _samples(found: Mapping[str, Pooled], names: Sequence[str], draws: int, seed: int) -> dict[tuple[str, str], Floats]:
    """Return each model's figures over the same draws of all users of whom anything is held out."""
    keys = [(label, name) for label, one in found.items() for name in names if name in one.columns]
    if not keys:
        return {}
    blocks = [found[label].columns[name] for label, name in keys]
    columns = np.concatenate(blocks, axis=1)
    sums = weighted_sums(columns[columns.any(axis=1)], draws, seed)
    parts = np.split(sums, np.cumsum([block.shape[1] for block in blocks])[:-1], axis=1)
    return {key: figure(key[1], part) for key, part in zip(keys, parts, strict=True)}


def _differences(
    found: Mapping[str, Pooled], samples: Mapping[tuple[str, str], Floats], names: Sequence[str], reference: str
) -> dict[str, dict[str, Difference]]:
    """Return the paired differences of each model; p-values are corrected for the number of models."""
    told: dict[str, dict[str, Difference]] = {}
    for name in names:
        against = next((label for label in (reference, "baseline") if (label, name) in samples), None)
        others = [label for label in found if (label, name) in samples and label != against]
        if against is None or not others:
            continue
        drawn = {label: samples[label, name] - samples[against, name] for label in others}
        base = figure(name, found[against].columns[name].sum(axis=0))
        corrected = holm([p_value(drawn[label]) for label in others])
        for label, p in zip(others, corrected, strict=True):
            difference = float(figure(name, found[label].columns[name].sum(axis=0)) - base)
            told.setdefault(label, {})[name] = Difference(difference, *interval(drawn[label]), p, against)
    return told

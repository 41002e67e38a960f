"""One trial: a model with some settings, fitted on the training part of each split and judged on what is held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from alsatian.errors import ParameterError
from alsatian.evaluation.aggregate import figure, pooled
from alsatian.evaluation.metric_registry import ACCURACY, LESS_IS_BETTER, Asked, asked
from alsatian.evaluation.score_model import judge
from alsatian.models import Model
from alsatian.recommender.fit_run import Epoch
from alsatian.split import Split

Report = Callable[[int, float], None]  # takes an epoch and its figure; raises Pruned


class Pruned(Exception):
    """Other trials were better at this epoch."""


class Stopped(Exception):
    """The search was interrupted."""


class Metric(NamedTuple):
    """The measure to choose by."""

    name: str
    wanted: Asked
    greater: bool  # whether more is better

    def better(self, one: float, other: float) -> bool:
        return one > other if self.greater else one < other


def metric_of(model: Model, name: str | None) -> Metric:
    """Return the measure of a name, or the usual one; raises ParameterError for one that is not of accuracy."""
    written = name or ("rmse" if model.predicts else "ndcg@10")
    kind = written.partition("@")[0]
    wanted = asked([written], 10)
    if kind not in ACCURACY:
        raise ParameterError(f"the best {kind} is no good model; choose a measure of accuracy: {', '.join(ACCURACY)}.")
    if wanted.values and not model.predicts:
        raise ParameterError(f"{model.name} ranks items and predicts no values, so it has no {kind}; choose ndcg@10.")
    return Metric(wanted.names[0], wanted, kind not in LESS_IS_BETTER)


@dataclass(frozen=True)
class Task:
    """What is the same for every trial.

    epochs: the numbers of epochs to choose from while a fit runs (none: the model's own number stands).
    patience: how many of them without a better figure end a fit. watched: report every epoch, so as to prune.
    """

    splits: Sequence[Split]
    metric: Metric
    epochs: Sequence[int]
    patience: int
    watched: bool
    threads: int

    def figure(self, model: Model, split: Split) -> float:
        """Return how good a fitted model is on what a split holds out."""
        judged = pooled([judge(model, split, split, self.metric.wanted, self.threads)])
        return float(figure(self.metric.name, judged.columns[self.metric.name].sum(axis=0)))


class Outcome(NamedTuple):
    """What a trial gave: its figure, and the number of epochs that gave it, where that was to be chosen."""

    figure: float
    epochs: int | None


def attempt(model: Model, task: Task, report: Report, stopped: Callable[[], bool]) -> Outcome:
    """Try a model: one fit on each split, the figures averaged. Raises Pruned, Stopped and what `fit` raises."""
    if task.epochs:
        model = type(model)(**model.params | {"epochs": task.epochs[-1]})
    curves = []
    for at, split in enumerate(task.splits):
        watch = _Watch(task, split, report if at == 0 else None, stopped)
        fitted = type(model)(**model.params)
        fitted.fit(split.train, threads=task.threads, progress=False, callbacks=[watch])
        if stopped():
            raise Stopped
        if task.epochs:
            curves.append(watch.curve or {task.epochs[0]: task.figure(fitted, split)})  # settled before the first
        else:
            curves.append({0: task.figure(fitted, split)})
    return _best(curves, task)


def _best(curves: Sequence[dict[int, float]], task: Task) -> Outcome:
    """Return the best average over the splits, at a number of epochs that every fit reached; the fewest of equals."""
    reached = [epoch for epoch in curves[0] if all(epoch in curve for curve in curves)]
    means = {epoch: float(np.mean([curve[epoch] for curve in curves])) for epoch in reached}
    best = (max if task.metric.greater else min)(means, key=means.__getitem__)
    return Outcome(means[best], best if task.epochs else None)


class _Watch:
    """A callback that judges a model after every epoch that counts, and ends the fit when it has stopped improving."""

    def __init__(self, task: Task, split: Split, report: Report | None, stopped: Callable[[], bool]) -> None:
        self.task, self.split, self.report, self.stopped = task, split, report, stopped
        self.curve: dict[int, float] = {}
        self.best: float | None = None
        self.since = 0

    def __call__(self, epoch: Epoch) -> bool:
        if self.stopped():
            raise Stopped
        at, chosen = epoch.epoch, self.task.epochs
        if at not in chosen and not (self.task.watched and self.report and not chosen):
            return False
        figure = self.task.figure(epoch.model, self.split)
        if self.report:
            self.report(at, figure)
        return bool(chosen) and self._over(at, figure)

    def _over(self, epoch: int, figure: float) -> bool:
        self.curve[epoch] = figure
        self.since += 1
        if self.best is None or self.task.metric.better(figure, self.best):
            self.best, self.since = figure, 0
        return self.since >= self.task.patience

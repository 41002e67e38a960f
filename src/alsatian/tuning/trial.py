"""One trial: a model with some settings, fitted on the training part and scored on the held-out part of each split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from alsatian.errors import ParameterError
from alsatian.evaluation.aggregate import aggregate, metric_from_sums
from alsatian.evaluation.metric_registry import ACCURACY_METRICS, LOWER_IS_BETTER, MetricRequest, parse_metrics
from alsatian.evaluation.score_model import score_model
from alsatian.models import Model
from alsatian.recommender.fit_run import Epoch
from alsatian.split import Split

ReportEpoch = Callable[[int, float], None]  # takes an epoch and its score; raises Pruned


class Pruned(Exception):
    """The trial is worse than other trials at the same epoch."""


class Stopped(Exception):
    """The search was interrupted."""


class TuningMetric(NamedTuple):
    """The metric by which settings are chosen."""

    name: str
    request: MetricRequest
    higher_is_better: bool

    def is_better(self, value: float, other: float) -> bool:
        """Return whether a score is better than another."""
        return value > other if self.higher_is_better else value < other


def parse_tuning_metric(model: Model, name: str | None) -> TuningMetric:
    """Return a metric from its name, or the default of the model. Raises ParameterError for a metric of no accuracy."""
    spec = name or ("rmse" if model.predicts_ratings else "ndcg@10")
    base_name = spec.partition("@")[0]
    request = parse_metrics([spec], 10)
    if base_name not in ACCURACY_METRICS:
        raise ParameterError(f"{base_name} does not measure accuracy; choose one of {', '.join(ACCURACY_METRICS)}.")
    if request.rating_metrics and not model.predicts_ratings:
        raise ParameterError(f"{model.name} does not predict ratings, so it has no {base_name}; choose ndcg@10.")
    return TuningMetric(request.names[0], request, base_name not in LOWER_IS_BETTER)


@dataclass(frozen=True)
class TrialTask:
    """The settings that are the same for every trial.

    epochs: the candidate numbers of epochs, all tried during one fit (empty: the number of the model is used).
    patience: a fit ends after this many candidates without a better score. prunes: report every epoch, to prune.
    """

    splits: Sequence[Split]
    metric: TuningMetric
    epochs: Sequence[int]
    patience: int
    prunes: bool
    threads: int

    def score(self, model: Model, split: Split) -> float:
        """Return the score of a fitted model on the held-out part of a split."""
        aggregate_scores = aggregate([score_model(model, split, split, self.metric.request, self.threads)])
        return float(metric_from_sums(self.metric.name, aggregate_scores.columns[self.metric.name].sum(axis=0)))


class TrialScore(NamedTuple):
    """The score of a trial, and the number of epochs with that score, or None if epochs are not chosen."""

    score: float
    epochs: int | None


def run_trial(model: Model, task: TrialTask, report: ReportEpoch, is_stopped: Callable[[], bool]) -> TrialScore:
    """Fit and score a model on each split, and average the scores. Raises Pruned, Stopped and the errors of `fit`."""
    if task.epochs:
        model = type(model)(**model.params | {"epochs": task.epochs[-1]})
    curves = []
    for index, split in enumerate(task.splits):
        watcher = _EpochWatcher(task, split, report if index == 0 else None, is_stopped)
        fitted_model = type(model)(**model.params)
        fitted_model.fit(split.train, threads=task.threads, progress=False, callbacks=[watcher])
        if is_stopped():
            raise Stopped
        if task.epochs:
            # The curve is empty if the fit converged before the first candidate.
            curves.append(watcher.curve or {task.epochs[0]: task.score(fitted_model, split)})
        else:
            curves.append({0: task.score(fitted_model, split)})
    return _best_epoch(curves, task)


def _best_epoch(curves: Sequence[dict[int, float]], task: TrialTask) -> TrialScore:
    """Return the best mean score over the splits, at an epoch that every fit reached. Ties go to fewer epochs."""
    common_epochs = [epoch for epoch in curves[0] if all(epoch in curve for curve in curves)]
    means = {epoch: float(np.mean([curve[epoch] for curve in curves])) for epoch in common_epochs}
    best_epoch = (max if task.metric.higher_is_better else min)(means, key=means.__getitem__)
    return TrialScore(means[best_epoch], best_epoch if task.epochs else None)


class _EpochWatcher:
    """A callback that scores a model after every candidate epoch, and ends the fit when it stops improving."""

    def __init__(
        self, task: TrialTask, split: Split, report: ReportEpoch | None, is_stopped: Callable[[], bool]
    ) -> None:
        self.task, self.split, self.report, self.is_stopped = task, split, report, is_stopped
        self.curve: dict[int, float] = {}
        self.best_score: float | None = None
        self.epochs_without_improvement = 0

    def __call__(self, epoch: Epoch) -> bool:
        if self.is_stopped():
            raise Stopped
        epoch_number, epochs = epoch.epoch, self.task.epochs
        if epoch_number not in epochs and not (self.task.prunes and self.report and not epochs):
            return False
        score = self.task.score(epoch.model, self.split)
        if self.report:
            self.report(epoch_number, score)
        return bool(epochs) and self._should_stop(epoch_number, score)

    def _should_stop(self, epoch: int, score: float) -> bool:
        self.curve[epoch] = score
        self.epochs_without_improvement += 1
        if self.best_score is None or self.task.metric.is_better(score, self.best_score):
            self.best_score, self.epochs_without_improvement = score, 0
        return self.epochs_without_improvement >= self.task.patience

"""Metrics of a model during a fit: functions of the model and a part of the data, with the names of `evaluate`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from alsatian import kernels, metrics
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, Unsupported, did_you_mean
from alsatian.evaluation.metric_registry import LIST_METRICS, LOWER_IS_BETTER, RATING_METRICS, RankedLists
from alsatian.evaluation.metric_registry import RANKING_ACCURACY as LISTS
from alsatian.evaluation.score_model import predict_held_out, rank_items
from alsatian.recommender.model import Model
from alsatian.recommender.options import RankOptions
from alsatian.recommender.pipeline import rank
from alsatian.split import Split

MetricFunction = Callable[[Model, Interactions], float]


class EpochMetric(NamedTuple):
    """A metric of a model on a part of the data. direction: whether "min" or "max" is best (None: unknown)."""

    name: str
    compute: MetricFunction
    direction: Literal["min", "max"] | None


def parse_epoch_metric(spec: str | MetricFunction) -> EpochMetric:
    """Return a metric from its name, such as "rmse" or "ndcg@10" (lists of ten), or from a function.

    Raises ParameterError for an unknown name.
    """
    if callable(spec):
        return EpochMetric(getattr(spec, "__name__", type(spec).__name__), spec, None)
    if spec in RATING_METRICS:
        return EpochMetric(spec, _rating_metric(getattr(metrics, spec)), "min" if spec in LOWER_IS_BETTER else "max")
    match = re.fullmatch(r"(\w+)@([1-9]\d*)", str(spec))
    if not match or match[1] not in LISTS:
        names = [*RATING_METRICS, *(f"{name}@10" for name in LISTS)]
        raise ParameterError(
            f"there is no metric {spec!r}; choose {', '.join(names)}, or pass a function of a model and a part of "
            f"the data.{did_you_mean(str(spec), names)}"
        )
    return EpochMetric(spec, _ranking_metric(match[1], int(match[2])), "max")


def _rating_metric(metric_function: Callable[[Any, Any], float]) -> MetricFunction:
    def compute(model: Model, part: Interactions) -> float:
        """Score predictions, clipped to the scale. Raises Unsupported for a model that does not predict ratings."""
        if not model.predicts_ratings:
            raise Unsupported(f"{model.name} does not predict ratings; use a list metric, such as ndcg@10.")
        return metric_function(predict_held_out(model, Split("watched", model.data, part)), part.values)

    return compute


def _ranking_metric(name: str, n: int) -> MetricFunction:
    def compute(model: Model, part: Interactions) -> float:
        """Return the mean over users. Lists leave out the items of the user, unless `part` is the training data."""
        train, users = model.data, np.flatnonzero(part.by_user.counts).astype(np.int32)
        threads = kernels.usable_threads(model.training["threads"])
        seen = train.by_user.counts[users]
        if part is train:
            options, seen = RankOptions(n, exclude_seen=False), np.zeros_like(seen)
            top_items = rank(model, model.encode_users(users), options, threads).items
        else:
            top_items = rank_items(model, Split("watched", train, part), users, n, threads)
        return float(
            LIST_METRICS[name](RankedLists.from_split(top_items, part.by_user.take(users), seen, train), n).mean()
        )

    return compute

"""Measures of a model while it learns: functions of it and of a part of the data, under the names that evaluate has."""

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
    """How to judge a model on a part of the data, and which number is best (None: nobody knows)."""

    name: str
    compute: MetricFunction
    direction: Literal["min", "max"] | None


def parse_epoch_metric(spec: str | MetricFunction) -> EpochMetric:
    """Return a metric by its name ("rmse", "ndcg@10": of lists of ten), or as a function."""
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
        """Judge predictions, clipped to the scale."""
        if not model.predicts_ratings:
            raise Unsupported(
                f"{model.name} ranks items and predicts no values; explicit-als does. Or ask for ndcg@10."
            )
        return metric_function(predict_held_out(model, Split("watched", model.data, part)), part.values)

    return compute


def _ranking_metric(name: str, n: int) -> MetricFunction:
    def compute(model: Model, part: Interactions) -> float:
        """Return the mean over users; what they have seen is not listed, unless that is what is looked for."""
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

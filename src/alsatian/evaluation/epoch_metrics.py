"""Measures of a model while it learns: functions of it and of a part of the data, under the names that evaluate has."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from alsatian import kernels, metrics
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, Unsupported, nearest
from alsatian.evaluation.metric_registry import ACCURATE_LISTS as LISTS
from alsatian.evaluation.metric_registry import LESS_IS_BETTER, PER_LIST, VALUES, Lists
from alsatian.evaluation.score_model import predicted, recommended
from alsatian.recommender.model import Model
from alsatian.split import Split

Measure = Callable[[Model, Interactions], float]


class Metric(NamedTuple):
    """How to judge a model on a part of the data, and which number is best (None: nobody knows)."""

    name: str
    measure: Measure
    best: Literal["min", "max"] | None


def metric(wanted: str | Measure) -> Metric:
    """Return a metric by its name ("rmse", "ndcg@10": of lists of ten), or as a function."""
    if callable(wanted):
        return Metric(getattr(wanted, "__name__", type(wanted).__name__), wanted, None)
    if wanted in VALUES:
        return Metric(wanted, _of_values(getattr(metrics, wanted)), "min" if wanted in LESS_IS_BETTER else "max")
    found = re.fullmatch(r"(\w+)@([1-9]\d*)", str(wanted))
    if not found or found[1] not in LISTS:
        names = [*VALUES, *(f"{name}@10" for name in LISTS)]
        raise ParameterError(
            f"there is no metric {wanted!r}; choose {', '.join(names)}, or pass a function of a model and a part of "
            f"the data.{nearest(str(wanted), names)}"
        )
    return Metric(wanted, _of_lists(found[1], int(found[2])), "max")


def _of_values(compare: Callable[[Any, Any], float]) -> Measure:
    def measure(model: Model, part: Interactions) -> float:
        """Judge predictions, clipped to the scale."""
        if not model.predicts:
            raise Unsupported(
                f"{model.name} ranks items and predicts no values; explicit-als does. Or ask for ndcg@10."
            )
        return compare(predicted(model, Split("watched", model.data, part)), part.values)

    return measure


def _of_lists(name: str, n: int) -> Measure:
    def measure(model: Model, part: Interactions) -> float:
        """Return the mean over users; what they have seen is not listed, unless that is what is looked for."""
        train, users = model.data, np.flatnonzero(part.by_user.counts).astype(np.int32)
        threads = kernels.usable_threads(model.training["threads"])
        seen = train.by_user.counts[users]
        if part is train:
            best, seen = model._best(model._known(users), n, False, None, threads).best, np.zeros_like(seen)
        else:
            best = recommended(model, Split("watched", train, part), users, n, threads)
        return float(PER_LIST[name](Lists.of(best, part.by_user.take(users), seen, train), n).mean())

    return measure

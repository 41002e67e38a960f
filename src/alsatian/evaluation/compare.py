"""evaluate: several models and splits side by side, judged on the same people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np

from alsatian import kernels
from alsatian._util.parsing import whole
from alsatian._util.progress_bar import Step, steps
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, counted
from alsatian.evaluation.aggregate import pooled, rows_of
from alsatian.evaluation.metric_registry import Asked, asked
from alsatian.evaluation.peak_memory import measured
from alsatian.evaluation.results import Evaluation, Row, Summary
from alsatian.evaluation.score_model import Judged, check_fitted_on, judge
from alsatian.models import Baseline, Model, Popularity
from alsatian.models.ensemble.model_parameters import made
from alsatian.split import Split, holdout

HELD_OUT = 10  # values of each user, where data is given instead of a split


def evaluate(
    models: Model | str | Iterable[Model | str],
    on: Split | Sequence[Split] | Interactions,
    *,
    at: int | Sequence[int] = (10,),
    metrics: Iterable[str] | None = None,
    reference: str = "popularity",
    likes: float | None = None,
    bootstrap: int = 2000,
    seed: int = 0,
    threads: int | None = None,
    progress: bool | None = None,
) -> Evaluation:
    """Fit models on the training part of each split, and say how good they are on what is held out, and how sure it is.

    models: as they would be fitted, or names such as "implicit-als:factors=32"; the originals stay as they are. A
        fitted model is taken as it is, with one split, if its data was split.train. Popularity is always among them,
        and so is Baseline where values differ.
    on: a split, or several: those of one name, such as folds, are one protocol, each person's results pooled; others
        get rows of their own. Data is split first: ten random values of each user are held out.
    at: how long lists are. metrics: which measures, "ndcg" at each length or "ndcg@5" (None: the usual ones).
    likes: from which value on a rating is a like. Models that predict values learn from the ratings all the same,
        others from likes; the lists of both are judged on held-out likes.
    bootstrap: how many times people are drawn anew, for 95% percentile intervals and paired differences from
        `reference` with Holm-corrected p-values (where that predicts no values, from the baseline). 0: none.

    >>> from alsatian import datasets, split
    >>> parts = split.per_user(datasets.load("movielens-small"), n=10)
    >>> [row.model for row in evaluate("item-knn", parts, metrics=["ndcg"], bootstrap=100)]
    ['item-knn', 'popularity', 'baseline']
    """
    wanted, protocols = asked(metrics, at), protocols_of(on, seed)
    entered = entered_in(models, next(iter(protocols.values()))[0].train)
    if reference not in entered:
        raise ParameterError(f"reference={reference!r} is none of the models; choose {', '.join(entered)}.")
    _check_fitted(entered, protocols, likes)
    draws = whole("bootstrap", bootstrap, 0)
    plan = _Plan(entered, wanted, reference, likes, draws, whole("seed", seed, 0), kernels.usable_threads(threads))
    with steps("evaluating", sum(map(len, protocols.values())) * len(entered), progress) as step:
        found = [_compared(plan, splits, step) for splits in protocols.values()]
    rows, notes, summaries = (list(part) for part in zip(*found, strict=True))
    return Evaluation(
        tuple(chain(*rows)), tuple(summaries), next(iter(protocols.values()))[0].train.user_ids, wanted.names,
        tuple(dict.fromkeys(chain(*notes))), draws, reference,
    )  # fmt: skip


class _Plan(NamedTuple):
    """What `evaluate` was asked for, checked."""

    entered: dict[str, Model]
    wanted: Asked
    reference: str
    likes: float | None
    draws: int
    seed: int
    threads: int


def _compared(plan: _Plan, splits: Sequence[Split], step: Step) -> tuple[list[Row], list[str], Summary]:
    """Judge all models on the folds of one protocol; return their rows, what is to be noted, and what was held out."""
    liked = [one if plan.likes is None else one.likes(plan.likes) for one in splits]
    found: dict[str, list[Judged]] = {label: [] for label in plan.entered}
    for one, its_likes in zip(splits, liked, strict=True):
        for label, model in plan.entered.items():
            step(f"{label} on {one.label}")
            found[label].append(_judged(model, one, its_likes, plan.wanted, plan.threads))
    models = {label: pooled(several) for label, several in found.items()}
    rows = rows_of(splits[0].name, plan.entered, models, plan.wanted, plan.reference, plan.draws, plan.seed)
    return rows, list(_notes(splits, liked, plan.likes)), Summary.of(splits)


def protocols_of(on: object, seed: int) -> dict[str, list[Split]]:
    """Return the splits by the name of their protocol."""
    several = [holdout.per_user(on, HELD_OUT, seed)] if isinstance(on, Interactions) else on
    several = [several] if isinstance(several, Split) else several
    if not isinstance(several, Sequence) or not several or not all(isinstance(one, Split) for one in several):
        raise ParameterError(
            f"evaluate takes a split, several, or data, not {on!r}; pass such as al.split.per_user(data)."
        )
    first = several[0].train
    if any(getattr(one.train, ids) != getattr(first, ids) for one in several for ids in ("user_ids", "item_ids")):
        raise ParameterError("evaluate takes splits of the same data, numbered once; evaluate other data by itself.")
    protocols: dict[str, list[Split]] = {}
    for one in several:
        protocols.setdefault(one.name, []).append(one)
    return protocols


def entered_in(models: Model | str | Iterable[Model | str], train: Interactions) -> dict[str, Model]:
    """Return the models by what they are called in the table: their name, and what sets them apart."""
    given = [models] if isinstance(models, Model | str) or not isinstance(models, Iterable) else models
    several = [one if isinstance(one, Model) and hasattr(one, "data") else made(one) for one in given]
    if not any(isinstance(one, Popularity) and not one.changed for one in several):
        several.append(Popularity())
    if not any(isinstance(one, Baseline) for one in several) and train.values.min() < train.values.max():
        several.append(Baseline())
    names = [one.name for one in several]
    entered: dict[str, Model] = {}
    for one in several:
        apart = bool(one.changed) and names.count(one.name) > 1
        label = f"{one.name}({_settings(one, short=True)})" if apart else one.name
        if label in entered and apart:
            label = f"{one.name}({_settings(one, short=False)})"
        if label in entered:
            raise ParameterError(f"{label} is entered twice; leave one out, or give them different settings.")
        entered[label] = one
    return entered


def _settings(model: Model, *, short: bool) -> str:
    """Write what is not at its default; short: numbers with four digits."""
    pairs = model.changed.items()
    return ", ".join(
        f"{key}={value:.4g}" if short and isinstance(value, float) else f"{key}={value!r}" for key, value in pairs
    )


def _check_fitted(entered: dict[str, Model], protocols: dict[str, list[Split]], likes: float | None) -> None:
    """Refuse fitted models that may have seen what is held out, before any work."""
    splits = [one for several in protocols.values() for one in several]
    for model in entered.values():
        if not hasattr(model, "data"):
            continue
        if len(splits) > 1:
            raise ParameterError(
                f"this {model.name} model is fitted, and there are {len(splits)} splits; pass an unfitted one, which "
                "is fitted on each."
            )
        check_fitted_on(model, train_of(model, splits[0], likes), splits[0].name)


def train_of(model: Model, one: Split, likes: float | None) -> Interactions:
    """Return what a model learns from: models that predict values from ratings, others from likes."""
    return one.train if likes is None or model.predicts else one.train.likes(likes)


def _judged(model: Model, one: Split, liked: Split, wanted: Asked, threads: int) -> Judged:
    """Fit a model, unless it is fitted, and judge it: values on the ratings, lists on the likes."""
    own = one if model.predicts else liked

    def work() -> Judged:
        fitted = model if hasattr(model, "data") else made(model).fit(own.train, threads=threads, progress=False)
        return judge(fitted, own, liked, wanted, threads)

    judged, memory = measured(work)
    return replace(judged, memory=memory)


def _notes(splits: Sequence[Split], liked: Sequence[Split], likes: float | None) -> Iterator[str]:
    """Yield what leaks in a protocol, or was judged without knowing anything, a sentence each."""
    if likes is not None:
        counts = Summary.of(liked)
        yield f"Lists are judged by {counts.values:,} held-out likes, of at least {likes:g}, of {counts.users:,} users."
    first = next((one for one in splits if one.warnings), splits[0])
    yield from (f"{first.label}: {told}" for told in first.warnings)
    held = Summary.of(splits)
    if held.cold_users:
        yield (
            f"{held.split}: {counted(held.cold_users, 'user')} of whom nothing is known get what is popular, and their "
            "values are predicted by what is known of the items."
        )
    if held.cold_items:
        yield (
            f"{held.split}: values of {counted(held.cold_items, 'item')} of which nothing is known are predicted by "
            "what is known of the users."
        )
    lost = [np.setdiff1d(its.cold_users, one.cold_users) for one, its in zip(splits, liked, strict=True)]
    if count := len(np.unique(np.concatenate(lost))):
        yield (
            f"{held.split}: {counted(count, 'user')} of whom ratings are known, but no likes, get what is popular from "
            "models that learn likes."
        )

"""evaluate: several models and splits side by side, judged on the same people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import NamedTuple

import numpy as np

from alsatian import kernels
from alsatian._util.parsing import require_int
from alsatian._util.progress_bar import StepCallback, show_steps
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, pluralize
from alsatian.evaluation.aggregate import aggregate, evaluation_rows
from alsatian.evaluation.metric_registry import MetricRequest, parse_metrics
from alsatian.evaluation.peak_memory import with_peak_memory
from alsatian.evaluation.results import Evaluation, EvaluationRow, ProtocolSummary
from alsatian.evaluation.score_model import SplitScores, check_fitted_on, score_model
from alsatian.models import BiasModel, Model, Popularity
from alsatian.models.ensemble.model_parameters import as_model
from alsatian.split import Split, holdout

HELD_OUT_PER_USER = 10  # values of each user, where data is given instead of a split


def evaluate(
    models: Model | str | Iterable[Model | str],
    data: Split | Sequence[Split] | Interactions,
    *,
    at: int | Sequence[int] = (10,),
    metrics: Iterable[str] | None = None,
    baseline: str = "popularity",
    min_rating: float | None = None,
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
    ['item-knn', 'popularity', 'bias']
    """
    request, protocols = parse_metrics(metrics, at), group_by_protocol(data, seed)
    models_by_label = label_models(models, next(iter(protocols.values()))[0].train)
    if baseline not in models_by_label:
        raise ParameterError(f"baseline={baseline!r} is none of the models; choose {', '.join(models_by_label)}.")
    _check_fitted_models(models_by_label, protocols, min_rating)
    draws = require_int("bootstrap", bootstrap, 0)
    plan = _EvaluationPlan(
        models_by_label,
        request,
        baseline,
        min_rating,
        draws,
        require_int("seed", seed, 0),
        kernels.usable_threads(threads),
    )
    with show_steps("evaluating", sum(map(len, protocols.values())) * len(models_by_label), progress) as step:
        results = [_compare_on_protocol(plan, splits, step) for splits in protocols.values()]
    rows, notes, summaries = (list(column) for column in zip(*results, strict=True))
    return Evaluation(
        tuple(chain(*rows)), tuple(summaries), next(iter(protocols.values()))[0].train.user_ids, request.names,
        tuple(dict.fromkeys(chain(*notes))), draws, baseline,
    )  # fmt: skip


class _EvaluationPlan(NamedTuple):
    """What `evaluate` was asked for, checked."""

    models: dict[str, Model]
    request: MetricRequest
    reference: str
    likes: float | None
    draws: int
    seed: int
    threads: int


def _compare_on_protocol(
    plan: _EvaluationPlan, splits: Sequence[Split], step: StepCallback
) -> tuple[list[EvaluationRow], list[str], ProtocolSummary]:
    """Judge all models on the folds of one protocol; return their rows, what is to be noted, and what was held out."""
    ranking_splits = [split if plan.likes is None else split.binarize(plan.likes) for split in splits]
    split_scores: dict[str, list[SplitScores]] = {label: [] for label in plan.models}
    for split, ranking_split in zip(splits, ranking_splits, strict=True):
        for label, model in plan.models.items():
            step(f"{label} on {split.label}")
            split_scores[label].append(_fit_and_score(model, split, ranking_split, plan.request, plan.threads))
    aggregates = {label: aggregate(folds) for label, folds in split_scores.items()}
    rows = evaluation_rows(splits[0].name, plan.models, aggregates, plan.request, plan.reference, plan.draws, plan.seed)
    return rows, list(_split_notes(splits, ranking_splits, plan.likes)), ProtocolSummary.from_splits(splits)


def group_by_protocol(on: object, seed: int) -> dict[str, list[Split]]:
    """Return the splits by the name of their protocol."""
    splits = [holdout.split_per_user(on, HELD_OUT_PER_USER, seed)] if isinstance(on, Interactions) else on
    splits = [splits] if isinstance(splits, Split) else splits
    if not isinstance(splits, Sequence) or not splits or not all(isinstance(split, Split) for split in splits):
        raise ParameterError(
            f"evaluate takes a split, several, or data, not {on!r}; pass such as al.split.per_user(data)."
        )
    first_train = splits[0].train
    if any(
        getattr(split.train, attribute) != getattr(first_train, attribute)
        for split in splits
        for attribute in ("user_ids", "item_ids")
    ):
        raise ParameterError("evaluate takes splits of the same data, numbered once; evaluate other data by itself.")
    protocols: dict[str, list[Split]] = {}
    for split in splits:
        protocols.setdefault(split.name, []).append(split)
    return protocols


def label_models(models: Model | str | Iterable[Model | str], train: Interactions) -> dict[str, Model]:
    """Return the models by what they are called in the table: their name, and what sets them apart."""
    candidates = [models] if isinstance(models, Model | str) or not isinstance(models, Iterable) else models
    instances = [
        model if isinstance(model, Model) and hasattr(model, "data") else as_model(model) for model in candidates
    ]
    if not any(isinstance(model, Popularity) and not model.non_default for model in instances):
        instances.append(Popularity())
    if not any(isinstance(model, BiasModel) for model in instances) and train.values.min() < train.values.max():
        instances.append(BiasModel())
    names = [model.name for model in instances]
    models_by_label: dict[str, Model] = {}
    for model in instances:
        needs_settings = bool(model.non_default) and names.count(model.name) > 1
        label = f"{model.name}({_format_settings(model, short=True)})" if needs_settings else model.name
        if label in models_by_label and needs_settings:
            label = f"{model.name}({_format_settings(model, short=False)})"
        if label in models_by_label:
            raise ParameterError(f"{label} is entered twice; leave one out, or give them different settings.")
        models_by_label[label] = model
    return models_by_label


def _format_settings(model: Model, *, short: bool) -> str:
    """Write what is not at its default; short: numbers with four digits."""
    pairs = model.non_default.items()
    return ", ".join(
        f"{key}={value:.4g}" if short and isinstance(value, float) else f"{key}={value!r}" for key, value in pairs
    )


def _check_fitted_models(
    models_by_label: dict[str, Model], protocols: dict[str, list[Split]], likes: float | None
) -> None:
    """Refuse fitted models that may have seen what is held out, before any work."""
    splits = [split for folds in protocols.values() for split in folds]
    for model in models_by_label.values():
        if not hasattr(model, "data"):
            continue
        if len(splits) > 1:
            raise ParameterError(
                f"this {model.name} model is fitted, and there are {len(splits)} splits; pass an unfitted one, which "
                "is fitted on each."
            )
        check_fitted_on(model, training_part(model, splits[0], likes), splits[0].name)


def training_part(model: Model, split: Split, likes: float | None) -> Interactions:
    """Return what a model learns from: models that predict values from ratings, others from likes."""
    return split.train if likes is None or model.predicts_ratings else split.train.binarize(likes)


def _fit_and_score(
    model: Model, split: Split, ranking_split: Split, request: MetricRequest, threads: int
) -> SplitScores:
    """Fit a model, unless it is fitted, and judge it: values on the ratings, lists on the likes."""
    fit_split = split if model.predicts_ratings else ranking_split

    def fit_and_score() -> SplitScores:
        fitted_model = (
            model if hasattr(model, "data") else as_model(model).fit(fit_split.train, threads=threads, progress=False)
        )
        return score_model(fitted_model, fit_split, ranking_split, request, threads)

    scores, memory = with_peak_memory(fit_and_score)
    return replace(scores, memory=memory)


def _split_notes(splits: Sequence[Split], ranking_splits: Sequence[Split], likes: float | None) -> Iterator[str]:
    """Yield what leaks in a protocol, or was judged without knowing anything, a sentence each."""
    if likes is not None:
        summary = ProtocolSummary.from_splits(ranking_splits)
        yield f"Lists are judged by {summary.values:,} held-out likes, of at least {likes:g}, of {summary.users:,} users."
    warned_split = next((split for split in splits if split.warnings), splits[0])
    yield from (f"{warned_split.label}: {warning}" for warning in warned_split.warnings)
    held_out = ProtocolSummary.from_splits(splits)
    if held_out.cold_users:
        yield (
            f"{held_out.split}: {pluralize(held_out.cold_users, 'user')} of whom nothing is known get what is popular, and their "
            "values are predicted by what is known of the items."
        )
    if held_out.cold_items:
        yield (
            f"{held_out.split}: values of {pluralize(held_out.cold_items, 'item')} of which nothing is known are predicted by "
            "what is known of the users."
        )
    users_without_likes = [
        np.setdiff1d(ranking_split.cold_users, split.cold_users)
        for split, ranking_split in zip(splits, ranking_splits, strict=True)
    ]
    if count := len(np.unique(np.concatenate(users_without_likes))):
        yield (
            f"{held_out.split}: {pluralize(count, 'user')} of whom ratings are known, but no likes, get what is popular from "
            "models that learn likes."
        )

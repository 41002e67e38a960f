"""`evaluate`: fit several models on splits, and compare them on the same users."""

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

HELD_OUT_PER_USER = 10  # values per user, if data is passed instead of a split


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
    """Fit models on the training part of each split and evaluate them on the held-out part, with confidence intervals.

    models: models, or names such as "implicit-als:factors=32". Copies of unfitted models are fitted. A fitted model is
        evaluated unchanged, with a single split, if it was fitted on split.train. Popularity is always added, and
        BiasModel if values differ.
    data: one or more splits. Splits of the same name, such as folds, are one protocol, whose scores are averaged by
        user. Other splits get their own rows. Interactions are split first: ten random values per user are held out.
    at: the lengths of lists. metrics: names such as "ndcg" (at each length) or "ndcg@5" (None: the default metrics).
    baseline: the label of the model that the others are compared with.
    min_rating: ratings of at least this are likes. Models that predict ratings are fitted on the ratings, and other
        models on the likes. The lists of both are evaluated on held-out likes.
    bootstrap: the number of draws of users for 95% percentile intervals, and for paired differences from `baseline`
        with Holm-corrected p-values. Differences of rating metrics are from BiasModel if the baseline does not predict
        ratings. 0: no intervals.
    seed: of the split of Interactions, and of the draws. threads: how many to use (None: all processors).
    progress: show a progress bar (None: only on a terminal and in a notebook).

    Raises ParameterError for arguments that are not valid, DataError for a model that was fitted on other data.

    >>> from alsatian import datasets, split
    >>> parts = split.per_user(datasets.load("movielens-small"), n=10)
    >>> [row.model for row in evaluate("item-knn", parts, metrics=["ndcg"], bootstrap=100)]
    ['item-knn', 'popularity', 'bias']
    """
    request, protocols = parse_metrics(metrics, at), group_by_protocol(data, seed)
    models_by_label = label_models(models, next(iter(protocols.values()))[0].train)
    if baseline not in models_by_label:
        raise ParameterError(f"baseline={baseline!r} is not one of the models; choose {', '.join(models_by_label)}.")
    _check_fitted_models(models_by_label, protocols, min_rating)
    draws = require_int("bootstrap", bootstrap, 0)
    plan = _EvaluationPlan(
        models_by_label, request, baseline, min_rating, draws, require_int("seed", seed, 0),
        kernels.usable_threads(threads),
    )  # fmt: skip
    with show_steps("evaluating", sum(map(len, protocols.values())) * len(models_by_label), progress) as step:
        results = [_compare_on_protocol(plan, splits, step) for splits in protocols.values()]
    rows, notes, summaries = (list(column) for column in zip(*results, strict=True))
    return Evaluation(
        tuple(chain(*rows)), tuple(summaries), next(iter(protocols.values()))[0].train.user_ids, request.names,
        tuple(dict.fromkeys(chain(*notes))), draws, baseline,
    )  # fmt: skip


class _EvaluationPlan(NamedTuple):
    """The validated arguments of `evaluate`."""

    models: dict[str, Model]
    request: MetricRequest
    baseline: str
    min_rating: float | None
    draws: int
    seed: int
    threads: int


def _compare_on_protocol(
    plan: _EvaluationPlan, splits: Sequence[Split], step: StepCallback
) -> tuple[list[EvaluationRow], list[str], ProtocolSummary]:
    """Evaluate all models on the folds of one protocol. Returns their rows, notes, and a summary of the protocol."""
    ranking_splits = [split if plan.min_rating is None else split.binarize(plan.min_rating) for split in splits]
    split_scores: dict[str, list[SplitScores]] = {label: [] for label in plan.models}
    for split, ranking_split in zip(splits, ranking_splits, strict=True):
        for label, model in plan.models.items():
            step(f"{label} on {split.label}")
            split_scores[label].append(_fit_and_score(model, split, ranking_split, plan.request, plan.threads))
    aggregates = {label: aggregate(folds) for label, folds in split_scores.items()}
    rows = evaluation_rows(splits[0].name, plan.models, aggregates, plan.request, plan.baseline, plan.draws, plan.seed)
    return rows, list(_split_notes(splits, ranking_splits, plan.min_rating)), ProtocolSummary.from_splits(splits)


def group_by_protocol(data: object, seed: int) -> dict[str, list[Split]]:
    """Return the splits by the name of their protocol. Raises ParameterError for splits of different data."""
    splits = [holdout.split_per_user(data, HELD_OUT_PER_USER, seed)] if isinstance(data, Interactions) else data
    splits = [splits] if isinstance(splits, Split) else splits
    if not isinstance(splits, Sequence) or not splits or not all(isinstance(split, Split) for split in splits):
        raise ParameterError(
            f"evaluate takes a split, several splits, or data, not {data!r}; pass a split, such as "
            "al.split.per_user(data)."
        )
    first_train = splits[0].train
    if any(
        getattr(split.train, attribute) != getattr(first_train, attribute)
        for split in splits
        for attribute in ("user_ids", "item_ids")
    ):
        raise ParameterError("the splits are not of the same data; evaluate each data set separately.")
    protocols: dict[str, list[Split]] = {}
    for split in splits:
        protocols.setdefault(split.name, []).append(split)
    return protocols


def label_models(models: Model | str | Iterable[Model | str], train: Interactions) -> dict[str, Model]:
    """Return the models by their labels in the table: the name, and the settings if a name occurs more than once.

    Popularity is added, and BiasModel if values differ. Raises ParameterError for two equal models.
    """
    candidates = [models] if isinstance(models, Model | str) or not isinstance(models, Iterable) else models
    instances = [model if isinstance(model, Model) and model.is_fitted else as_model(model) for model in candidates]
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
            raise ParameterError(f"{label} is listed twice; remove one, or give them different settings.")
        models_by_label[label] = model
    return models_by_label


def _format_settings(model: Model, *, short: bool) -> str:
    """Return the settings that are not at their defaults, as text. short: with four digits."""
    pairs = model.non_default.items()
    return ", ".join(
        f"{key}={value:.4g}" if short and isinstance(value, float) else f"{key}={value!r}" for key, value in pairs
    )


def _check_fitted_models(
    models_by_label: dict[str, Model], protocols: dict[str, list[Split]], min_rating: float | None
) -> None:
    """Raise an error for fitted models that may have seen held-out values, before anything is fitted."""
    splits = [split for folds in protocols.values() for split in folds]
    for model in models_by_label.values():
        if not model.is_fitted:
            continue
        if len(splits) > 1:
            raise ParameterError(
                f"this {model.name} model is fitted, and there are {len(splits)} splits; pass an unfitted model, which "
                "is then fitted on each split."
            )
        check_fitted_on(model, training_part(model, splits[0], min_rating), splits[0].name)


def training_part(model: Model, split: Split, min_rating: float | None) -> Interactions:
    """Return the training data of a model: the ratings if it predicts ratings, else the likes."""
    return split.train if min_rating is None or model.predicts_ratings else split.train.binarize(min_rating)


def _fit_and_score(
    model: Model, split: Split, ranking_split: Split, request: MetricRequest, threads: int
) -> SplitScores:
    """Fit a model, unless it is fitted, and score its predictions on the ratings and its lists on the likes."""
    fit_split = split if model.predicts_ratings else ranking_split

    def fit_and_score() -> SplitScores:
        fitted_model = (
            model if model.is_fitted else as_model(model).fit(fit_split.train, threads=threads, progress=False)
        )
        return score_model(fitted_model, fit_split, ranking_split, request, threads)

    scores, memory = with_peak_memory(fit_and_score)
    return replace(scores, memory=memory)


def _split_notes(splits: Sequence[Split], ranking_splits: Sequence[Split], min_rating: float | None) -> Iterator[str]:
    """Yield a sentence for each leak of a protocol, and for its cold users and items."""
    if min_rating is not None:
        summary = ProtocolSummary.from_splits(ranking_splits)
        yield (
            f"Lists are evaluated on {summary.values:,} held-out likes (ratings of at least {min_rating:g}) of "
            f"{summary.users:,} users."
        )
    warned_split = next((split for split in splits if split.warnings), splits[0])
    yield from (f"{warned_split.label}: {warning}" for warning in warned_split.warnings)
    held_out = ProtocolSummary.from_splits(splits)
    if held_out.cold_users:
        yield (
            f"{held_out.split}: {pluralize(held_out.cold_users, 'user')} without training values get the most popular "
            "items; their ratings are predicted from the items' averages."
        )
    if held_out.cold_items:
        yield (
            f"{held_out.split}: ratings of {pluralize(held_out.cold_items, 'item')} without training values are "
            "predicted from the users' averages."
        )
    users_without_likes = [
        np.setdiff1d(ranking_split.cold_users, split.cold_users)
        for split, ranking_split in zip(splits, ranking_splits, strict=True)
    ]
    if count := len(np.unique(np.concatenate(users_without_likes))):
        yield (
            f"{held_out.split}: {pluralize(count, 'user')} with ratings but no likes in training get the most popular "
            "items from models that are fitted on likes."
        )

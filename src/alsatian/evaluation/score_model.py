"""One model on one split: what it predicts and lists for people, beside what was held out of theirs.

A held-out user without values in the training part is folded in, if there is a history to fold in; else she is where
the model places her by her attributes; else nothing is known of her: she gets what is popular, as
`recommend(unknown="popular")` gives, and predictions by the mean and the items' biases. An item without values is where
the model places it, or is predicted by the mean and the users' biases. Both are counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels, metrics
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, Unsupported
from alsatian.evaluation.metric_registry import CATALOG_METRICS, LIST_METRICS, MetricRequest, RankedLists
from alsatian.recommender import resolve, topn
from alsatian.recommender.model import Model
from alsatian.recommender.options import RankOptions
from alsatian.recommender.pipeline import rank
from alsatian.recommender.topn import Mask
from alsatian.split import Split

RowNumbers = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SplitScores:
    """What one model did on one split; arrays have a place for each user of the numbering.

    errors: (users, 5) how many values, and the sums of squared error, absolute error, value, squared value; or None.
    scores: a number for each user's list, NaN where there is none; overall: of all lists at once.
    """

    errors: Floats | None
    scores: dict[str, Floats]
    overall: dict[str, float]
    fit_seconds: float
    answer_seconds: float
    memory: int | None = None


def score_model(
    model: Model, fit_split: Split, ranking_split: Split, request: MetricRequest, threads: int
) -> SplitScores:
    """Judge a fitted model: what it predicts on its own split, which it was fitted on; what it lists on `liked`."""
    start = time.perf_counter()
    errors = _error_sums(model, fit_split) if request.rating_metrics and model.predicts_ratings else None
    users = np.flatnonzero(ranking_split.held_out.by_user.counts).astype(np.int32)
    n = min(request.max_length, len(fit_split.train.item_ids))
    top_items = rank_items(model, fit_split, users, n, threads) if n else np.empty((len(users), 0), np.int32)
    answer_seconds = time.perf_counter() - start
    scores, overall = _ranking_scores(fit_split, ranking_split, users, top_items, request)
    return SplitScores(errors, scores, overall, float(model.training["seconds"]), answer_seconds)


def predict_held_out(model: Model, split: Split) -> NDArray[np.float32]:
    """Return what a model predicts for the held-out values, within the scale of the data."""
    held_out = split.held_out
    known_items = resolve.can_score(held_out.items, model.data.item_counts, model.cold_items)
    items = np.where(known_items, held_out.items, np.int32(-1))
    users, histories = held_out.users, _fold_in_histories(model, split)
    known_users, folded_users = _known_and_folded(model, histories, users)
    values = np.empty(len(held_out), np.float32)
    if histories is not None and folded_users.any():
        distinct_users, user_positions = np.unique(users[folded_users], return_inverse=True)
        batch = model.encode_histories(histories.take(distinct_users)).with_rows(user_positions.astype(np.int32))
        values[folded_users] = model.score_pairs(batch, items[folded_users])
    rows = np.where(known_users, users, np.int32(-1))
    values[~folded_users] = model.score_pairs(model.encode_users(rows[~folded_users]), items[~folded_users])
    return np.clip(values, *model.data.scale, out=values)


def rank_items(model: Model, split: Split, users: RowNumbers, n: int, threads: int) -> RowNumbers:
    """Return the n best items of each user, -1 past the end; what is known to be seen is not listed."""
    top_items = np.repeat(
        topn.most_popular(model.data, n, None).items, len(users), axis=0
    )  # for those of whom nothing is known
    histories = _fold_in_histories(model, split)
    known_users, folded_users = _known_and_folded(model, histories, users)
    if known_users.any():
        top_items[known_users] = rank(model, model.encode_users(users[known_users]), RankOptions(n), threads).items
    if histories is not None and folded_users.any():
        batch = model.encode_histories(histories.take(users[folded_users]))
        top_items[folded_users] = rank(model, batch, RankOptions(n), threads).items
    return top_items


def _known_and_folded(model: Model, histories: CSR | None, users: RowNumbers) -> tuple[Mask, Mask]:
    """Return which users the model knows, by values or else by attributes, and whom it meets by a history."""
    counts = model.data.by_user.counts
    folded = np.zeros(len(users), bool) if histories is None else (counts[users] == 0) & (histories.counts[users] > 0)
    return resolve.can_score(users, counts, model.cold_users) & ~folded, folded


def _fold_in_histories(model: Model, split: Split) -> CSR | None:
    """Return what is to be folded in, without items that the model does not know, as `fold_in(unknown="skip")`."""
    if split.fold_in is None:
        return None
    return split.fold_in.by_user.where(model.data.item_counts[split.fold_in.items] > 0)


def _error_sums(model: Model, split: Split) -> Floats:
    held_out, predictions = split.held_out, predict_held_out(model, split).astype(np.float64)
    values = held_out.values.astype(np.float64)
    terms = (None, (predictions - values) ** 2, np.abs(predictions - values), values, values**2)
    return np.column_stack([np.bincount(held_out.users, term, len(held_out.user_ids)) for term in terms])


def _ranking_scores(
    fit_split: Split, ranking_split: Split, users: RowNumbers, top_items: RowNumbers, request: MetricRequest
) -> tuple[dict[str, Floats], dict[str, float]]:
    train, held_out = ranking_split.train, ranking_split.held_out.by_user
    seen = fit_split.train.by_user.counts + (0 if fit_split.fold_in is None else fit_split.fold_in.by_user.counts)
    scores = {f"{name}@{n}": np.full(len(seen), np.nan) for name, n in request.list_metrics if name in LIST_METRICS}
    for chunk in topn.chunks(len(users), max(top_items.shape[1], 1)):
        rows = users[chunk]
        ranked_lists = RankedLists.from_split(top_items[chunk], held_out.take(rows), seen[rows], train)
        for name, n in request.list_metrics:
            if name in LIST_METRICS:
                scores[f"{name}@{n}"][rows] = LIST_METRICS[name](ranked_lists, n)
    items = len(train.item_ids)
    overall = {
        f"{name}@{n}": CATALOG_METRICS[name](top_items[:, :n], items)
        for name, n in request.list_metrics
        if name in CATALOG_METRICS
    }
    return scores, overall


def check_fitted_on(model: Model, train: Interactions, name: str) -> None:
    """Refuse a model that may have seen the held-out part."""
    if model.fitted.training["digest"] != train.digest:
        raise DataError(
            f"this {model.name} model was not fitted on the training part of {name}; fit it on split.train."
        )


def rmse(model: Model, split: Split) -> float:
    """Return the error of the predictions for the held-out values, clipped to the scale.

    Raises Unsupported for a model whose scores are no values, DataError for one not fitted on split.train.
    """
    if not model.predicts_ratings:
        raise Unsupported(f"{model.name} ranks items and predicts no values; explicit-als does. Or ask for ndcg.")
    check_fitted_on(model, split.train, split.name)
    return metrics.rmse(predict_held_out(model, split), split.held_out.values)


def ndcg(model: Model, split: Split, n: int = 10, threads: int | None = None) -> float:
    """Return the mean NDCG@n over the users who have held-out items; what they have seen is not listed."""
    check_fitted_on(model, split.train, split.name)
    request = MetricRequest((), (("ndcg", resolve.validate_n(n, n)),))
    scores = score_model(model, split, split, request, kernels.usable_threads(threads))
    return float(np.nanmean(scores.scores[f"ndcg@{n}"]))

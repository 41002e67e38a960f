"""Score one model on one split: its predictions and top-n lists against the held-out values.

A held-out user without training values is folded in if the split has a history of the user. Otherwise the factors from
the user's attributes are used, if the model has them. Otherwise the user gets the most popular items, as with
`recommend(unknown="popular")`, and predictions from the mean and the item biases. An item without training values is
scored from its attributes, or predicted from the mean and the user biases. The split counts both cases.
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
from alsatian.kernels.types import Float64Array, Mask, RowNumbers
from alsatian.recommender import resolve, topn
from alsatian.recommender.model import Model
from alsatian.recommender.options import RankOptions
from alsatian.recommender.pipeline import rank
from alsatian.split import Split


@dataclass(frozen=True)
class SplitScores:
    """The scores of one model on one split. Arrays have an entry for each user of the data, by row number.

    errors: (users, 5): the number of values, and the sums of squared error, absolute error, value and squared value;
        None for a model that does not predict ratings.
    scores: metric -> the score of each user's list, NaN without held-out items. overall: metric -> score of all lists.
    fit_seconds, answer_seconds: of the fit, and of predictions and lists. memory: peak in bytes, or None.
    """

    errors: Float64Array | None
    scores: dict[str, Float64Array]
    overall: dict[str, float]
    fit_seconds: float
    answer_seconds: float
    memory: int | None = None


def score_model(
    model: Model, fit_split: Split, ranking_split: Split, request: MetricRequest, threads: int
) -> SplitScores:
    """Score a fitted model: its predictions on `fit_split`, its lists on `ranking_split`.

    fit_split: the split whose training part the model was fitted on.
    ranking_split: the same split, with likes in place of ratings where lists are evaluated on likes.
    request: the metrics. threads: the number of threads for lists.
    """
    start = time.perf_counter()
    errors = _error_sums(model, fit_split) if request.rating_metrics and model.predicts_ratings else None
    users = np.flatnonzero(ranking_split.held_out.by_user.counts).astype(np.int32)
    n = min(request.max_length, len(fit_split.train.item_ids))
    top_items = rank_items(model, fit_split, users, n, threads) if n else np.empty((len(users), 0), np.int32)
    answer_seconds = time.perf_counter() - start
    scores, overall = _ranking_scores(fit_split, ranking_split, users, top_items, request)
    return SplitScores(errors, scores, overall, float(model.training["seconds"]), answer_seconds)


def predict_held_out(model: Model, split: Split) -> NDArray[np.float32]:
    """Return a prediction for each held-out value of a split, clipped to the scale of the data."""
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
    """Return the top n items of each user (users, n), -1 past the end; items that the user has seen are left out."""
    # Users who cannot be scored get the most popular items.
    top_items = np.repeat(topn.most_popular(model.data, n, None).items, len(users), axis=0)
    histories = _fold_in_histories(model, split)
    known_users, folded_users = _known_and_folded(model, histories, users)
    if known_users.any():
        top_items[known_users] = rank(model, model.encode_users(users[known_users]), RankOptions(n), threads).items
    if histories is not None and folded_users.any():
        batch = model.encode_histories(histories.take(users[folded_users]))
        top_items[folded_users] = rank(model, batch, RankOptions(n), threads).items
    return top_items


def _known_and_folded(model: Model, histories: CSR | None, users: RowNumbers) -> tuple[Mask, Mask]:
    """Return two masks: users that the model can score without a fold-in, and users to fold in."""
    counts = model.data.by_user.counts
    folded = np.zeros(len(users), bool) if histories is None else (counts[users] == 0) & (histories.counts[users] > 0)
    return resolve.can_score(users, counts, model.cold_users) & ~folded, folded


def _fold_in_histories(model: Model, split: Split) -> CSR | None:
    """Return the histories to fold in without unknown items, as with `fold_in(unknown="skip")`."""
    if split.fold_in is None:
        return None
    return split.fold_in.by_user.where(model.data.item_counts[split.fold_in.items] > 0)


def _error_sums(model: Model, split: Split) -> Float64Array:
    held_out, predictions = split.held_out, predict_held_out(model, split).astype(np.float64)
    values = held_out.values.astype(np.float64)
    terms = (None, (predictions - values) ** 2, np.abs(predictions - values), values, values**2)
    return np.column_stack([np.bincount(held_out.users, term, len(held_out.user_ids)) for term in terms])


def _ranking_scores(
    fit_split: Split, ranking_split: Split, users: RowNumbers, top_items: RowNumbers, request: MetricRequest
) -> tuple[dict[str, Float64Array], dict[str, float]]:
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
    """Raise DataError if a model was not fitted on `train`, so that it may have seen the held-out part.

    name: the name of the split.
    """
    if model.fitted.training["digest"] != train.digest:
        raise DataError(
            f"this {model.name} model was not fitted on the training part of {name}; fit it on split.train."
        )


def rmse(model: Model, split: Split) -> float:
    """Return the root mean squared error of the predictions for the held-out values, clipped to the scale.

    Raises Unsupported if the model does not predict ratings, DataError if it was not fitted on split.train.
    """
    if not model.predicts_ratings:
        raise Unsupported(f"{model.name} does not predict ratings; use a list metric, such as ndcg.")
    check_fitted_on(model, split.train, split.name)
    return metrics.rmse(predict_held_out(model, split), split.held_out.values)


def ndcg(model: Model, split: Split, n: int = 10, threads: int | None = None) -> float:
    """Return the mean NDCG@n over the users with held-out items. Lists leave out the items of a user's history.

    threads: how many to use (None: all processors). Raises DataError if the model was not fitted on split.train.
    """
    check_fitted_on(model, split.train, split.name)
    request = MetricRequest((), (("ndcg", resolve.validate_n(n, n)),))
    scores = score_model(model, split, split, request, kernels.usable_threads(threads))
    return float(np.nanmean(scores.scores[f"ndcg@{n}"]))

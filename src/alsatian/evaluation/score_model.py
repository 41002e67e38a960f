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
from alsatian.evaluation.metric_registry import OVERALL, PER_LIST, Asked, Lists
from alsatian.recommender import resolve, topn
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Mask
from alsatian.split import Split

Rows = NDArray[np.int32]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
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


def judge(model: Model, own: Split, liked: Split, wanted: Asked, threads: int) -> Judged:
    """Judge a fitted model: what it predicts on its own split, which it was fitted on; what it lists on `liked`."""
    begun = time.perf_counter()
    errors = _errors(model, own) if wanted.values and model.predicts else None
    users = np.flatnonzero(liked.held_out.by_user.counts).astype(np.int32)
    n = min(wanted.longest, len(own.train.item_ids))
    best = recommended(model, own, users, n, threads) if n else np.empty((len(users), 0), np.int32)
    seconds = time.perf_counter() - begun
    scores, overall = _scores(own, liked, users, best, wanted)
    return Judged(errors, scores, overall, float(model.training["seconds"]), seconds)


def predicted(model: Model, split: Split) -> NDArray[np.float32]:
    """Return what a model predicts for the held-out values, within the scale of the data."""
    held_out = split.held_out
    known_items = resolve.are_known(held_out.items, model.data.item_counts, model.placed_items)
    items = np.where(known_items, held_out.items, np.int32(-1))
    users, histories = held_out.users, _histories(model, split)
    known, folded = _met(model, histories, users)
    values = np.empty(len(held_out), np.float32)
    if histories is not None and folded.any():
        people, at = np.unique(users[folded], return_inverse=True)
        visitors = model._fold_in(histories.take(people))._replace(rows=at.astype(np.int32))
        values[folded] = model._predict(visitors, items[folded])
    rows = np.where(known, users, np.int32(-1))
    values[~folded] = model._predict(model._known(rows[~folded]), items[~folded])
    return np.clip(values, *model.data.scale, out=values)


def recommended(model: Model, split: Split, users: Rows, n: int, threads: int) -> Rows:
    """Return the n best items of each user, -1 past the end; what is known to be seen is not listed."""
    best = np.repeat(topn.popular(model.data, n, None).best, len(users), axis=0)  # for those of whom nothing is known
    histories = _histories(model, split)
    known, folded = _met(model, histories, users)
    if known.any():
        best[known] = model._best(model._known(users[known]), n, True, None, threads).best
    if histories is not None and folded.any():
        visitors = model._fold_in(histories.take(users[folded]))
        best[folded] = model._best(visitors, n, True, None, threads).best
    return best


def _met(model: Model, histories: CSR | None, users: Rows) -> tuple[Mask, Mask]:
    """Return which users the model knows, by values or else by attributes, and whom it meets by a history."""
    counts = model.data.by_user.counts
    folded = np.zeros(len(users), bool) if histories is None else (counts[users] == 0) & (histories.counts[users] > 0)
    return resolve.are_known(users, counts, model.placed_users) & ~folded, folded


def _histories(model: Model, split: Split) -> CSR | None:
    """Return what is to be folded in, without items that the model does not know, as `fold_in(unknown="skip")`."""
    if split.fold_in is None:
        return None
    return split.fold_in.by_user.where(model.data.item_counts[split.fold_in.items] > 0)


def _errors(model: Model, split: Split) -> Floats:
    held_out, found = split.held_out, predicted(model, split).astype(np.float64)
    values = held_out.values.astype(np.float64)
    sums = (None, (found - values) ** 2, np.abs(found - values), values, values**2)
    return np.column_stack([np.bincount(held_out.users, each, len(held_out.user_ids)) for each in sums])


def _scores(
    own: Split, liked: Split, users: Rows, best: Rows, wanted: Asked
) -> tuple[dict[str, Floats], dict[str, float]]:
    train, held_out = liked.train, liked.held_out.by_user
    seen = own.train.by_user.counts + (0 if own.fold_in is None else own.fold_in.by_user.counts)
    scores = {f"{name}@{n}": np.full(len(seen), np.nan) for name, n in wanted.lists if name in PER_LIST}
    for some in topn.slices(len(users), max(best.shape[1], 1)):
        rows = users[some]
        people = Lists.of(best[some], held_out.take(rows), seen[rows], train)
        for name, n in wanted.lists:
            if name in PER_LIST:
                scores[f"{name}@{n}"][rows] = PER_LIST[name](people, n)
    items = len(train.item_ids)
    overall = {f"{name}@{n}": OVERALL[name](best[:, :n], items) for name, n in wanted.lists if name in OVERALL}
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
    if not model.predicts:
        raise Unsupported(f"{model.name} ranks items and predicts no values; explicit-als does. Or ask for ndcg.")
    check_fitted_on(model, split.train, split.name)
    return metrics.rmse(predicted(model, split), split.held_out.values)


def ndcg(model: Model, split: Split, n: int = 10, threads: int | None = None) -> float:
    """Return the mean NDCG@n over the users who have held-out items; what they have seen is not listed."""
    check_fitted_on(model, split.train, split.name)
    wanted = Asked((), (("ndcg", resolve.check_n(n, n)),))
    judged = judge(model, split, split, wanted, kernels.usable_threads(threads))
    return float(np.nanmean(judged.scores[f"ndcg@{n}"]))

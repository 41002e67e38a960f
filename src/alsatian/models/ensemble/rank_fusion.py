"""How several models' rankings for one person become one: each says a number of every item, and the numbers add up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.recommender.topn import Mask, TopN

ScoreTransform = Callable[
    [NDArray[np.float32]], NDArray[np.floating]
]  # the scores of a whole list -> what each place says

_RANK_OFFSET = 60  # the k of the paper


def reciprocal_ranks(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    """1 / (60 + rank): reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""
    return 1 / np.arange(_RANK_OFFSET + 1, _RANK_OFFSET + 1 + len(scores))


def z_score(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    """Bring the scores of a list to mean 0 and standard deviation 1; equal ones to 0 (Montague and Aslam 2001)."""
    values = scores.astype(np.float64)
    return (values - values.mean()) / values.std() if len(values) and values[0] > values[-1] else np.zeros(len(values))


def identity(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    """Return the scores of a list unchanged, for members that predict ratings."""
    return scores


def members_that_score(users: Mask, items: Mask) -> Mask:
    """Return which models (last axis) count for pairs: those that know both sides, else the person; else all do.

    users, items: whom and what each knows, by values or by attributes.
    """
    scores_pair = users & items
    scores_pair = np.where(scores_pair.any(axis=-1, keepdims=True), scores_pair, users)
    return scores_pair | ~scores_pair.any(axis=-1, keepdims=True)


def fill_missing_scores(scores: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """Return what models say (pairs, models), where one does not count the mean of those that do.

    So it neither hides nor lifts what others have placed by attributes.
    """
    if mask.all():
        return scores
    mean = np.where(mask, scores, 0).sum(axis=1) / mask.sum(axis=1)
    return np.where(mask, scores, mean[:, None]).astype(np.float32)


def member_scores(
    tops: Sequence[TopN], users: Mask, items: Mask, transform: ScoreTransform
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Yield for each person the items on the lists, in ascending order, and what each list says of them.

    tops: from each model a list of the same items for each person. What they say: (items of the person, models).
    users, items: whom and what each model knows (users or items, models).
    """
    for user in range(len(users)):
        scores = np.full((tops[0].items.shape[1], len(tops)), np.nan, np.float32)
        for member, top in enumerate(tops):
            length = np.count_nonzero(top.items[user] >= 0)
            scores[top.items[user, :length], member] = transform(top.scores[user, :length])
        rows = np.flatnonzero(~np.isnan(scores[:, 0]))
        yield rows, fill_missing_scores(scores[rows], members_that_score(users[user], items[rows]))


def fuse(
    rows: NDArray[np.intp],
    score_table: NDArray[np.float32],
    weights: NDArray[np.float32],
    n: int,
    allowed: Mask | None = None,
) -> TopN:
    """Return the n best of these items by each of several weightings (queries, models): the largest says . weights."""
    weighted_sums = np.zeros((len(weights), len(rows)), np.float32)
    for weight, member_column in zip(
        weights.T, score_table.T, strict=True
    ):  # not a product of matrices: BLAS adds up as it likes
        weighted_sums += weight[:, None] * member_column
    allowed_rows = None if allowed is None else allowed[rows]
    items, scores = kernels.top_n_dense(
        weighted_sums, np.arange(len(weights), dtype=np.int32), n, None, allowed_rows, threads=1
    )
    return TopN(np.append(rows, -1).astype(np.int32)[items], scores)  # -1, past the end, stays -1

"""Fuse the rankings of several models: each model gives every item of a user a number, and weighted numbers add up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.recommender.topn import Mask, TopN

# Takes the scores of a whole list, and returns the number that each place contributes.
ScoreTransform = Callable[[NDArray[np.float32]], NDArray[np.floating]]

_RANK_OFFSET = 60  # k in the paper


def reciprocal_ranks(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    """Return 1 / (60 + rank) of each place: reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""
    return 1 / np.arange(_RANK_OFFSET + 1, _RANK_OFFSET + 1 + len(scores))


def z_score(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    """Scale the scores of a list to mean 0 and standard deviation 1; equal scores to 0 (Montague and Aslam 2001)."""
    values = scores.astype(np.float64)
    return (values - values.mean()) / values.std() if len(values) and values[0] > values[-1] else np.zeros(len(values))


def identity(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    """Return the scores of a list unchanged, for members that predict ratings."""
    return scores


def members_that_score(users: Mask, items: Mask) -> Mask:
    """Return a mask of the members (last axis) that count for each pair.

    These are the members that can score both the user and the item. If there are none, those that can score the user.
    If there are none of these either, all members.

    users, items: masks of the users and items that each member can score, from values or attributes (..., members).
    """
    scores_pair = users & items
    scores_pair = np.where(scores_pair.any(axis=-1, keepdims=True), scores_pair, users)
    return scores_pair | ~scores_pair.any(axis=-1, keepdims=True)


def fill_missing_scores(scores: NDArray[np.float32], mask: Mask) -> NDArray[np.float32]:
    """Return the scores (pairs, members), with the mean of the other members where a member does not count.

    The mean neither raises nor lowers items that only the other members can score.
    """
    if mask.all():
        return scores
    mean = np.where(mask, scores, 0).sum(axis=1) / mask.sum(axis=1)
    return np.where(mask, scores, mean[:, None]).astype(np.float32)


def member_scores(
    tops: Sequence[TopN], users: Mask, items: Mask, transform: ScoreTransform
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Yield the items on each user's lists, in ascending order, and their scores by each member (items, members).

    tops: a list of the same items for each user, from each member. transform: turns the scores of a list into numbers.
    users, items: masks of the users and items that each member can score (users or items, members).
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
    """Return the n best items for each row of weights (queries, members), by the weighted sum of their scores.

    rows: the items. score_table (items, members): their scores. allowed: a mask of all items, or None.
    """
    weighted_sums = np.zeros((len(weights), len(rows)), np.float32)
    # A matrix product would leave the order of the additions, and so the bits, to BLAS.
    for weight, member_column in zip(weights.T, score_table.T, strict=True):
        weighted_sums += weight[:, None] * member_column
    allowed_rows = None if allowed is None else allowed[rows]
    items, scores = kernels.top_n_dense(
        weighted_sums, np.arange(len(weights), dtype=np.int32), n, None, allowed_rows, threads=1
    )
    return TopN(np.append(rows, -1).astype(np.int32)[items], scores)  # -1 (past the end) stays -1

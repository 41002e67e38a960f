"""Measures of accuracy: pure functions on arrays, one definition each."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alsatian.interactions import CSR


def rmse(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return the root of the mean squared error.

    >>> rmse([3.0, 5.0], [4.0, 5.0])
    0.7071067811865476
    """
    error = np.asarray(predicted, np.float64) - np.asarray(actual, np.float64)
    return float(np.sqrt(np.mean(error**2)))


def ndcg(best: NDArray[np.int32], held_out: CSR) -> NDArray[np.float64]:
    """Return each user's normalized discounted cumulative gain (Jarvelin and Kekalainen 2002), gains 0 or 1.

    best: (users, n) recommended rows, -1 past the end. Row p (from 1) of a list counts 1 / log2(p + 1) if it is
    among the user's held-out items; the sum is divided by that of a perfect list of the same n. NaN for a user
    without held-out items.

    >>> held_out = CSR(np.array([0, 2]), np.array([1, 4], np.int32), np.ones(2, np.float32), 5)
    >>> ndcg(np.array([[4, 0, 1]], np.int32), held_out).round(3)
    array([0.92])
    """
    n = best.shape[1]
    discount = 1 / np.log2(np.arange(2, n + 2))
    users = np.repeat(np.arange(held_out.rows), held_out.counts)
    relevant = np.isin(
        np.arange(held_out.rows)[:, None] * np.int64(held_out.columns) + best,
        users * np.int64(held_out.columns) + held_out.indices,
    )
    gained = ((relevant & (best >= 0)) * discount).sum(axis=1)
    ideal = np.concatenate([[0], np.cumsum(discount)])[np.minimum(held_out.counts, n)]
    shares: NDArray[np.float64] = np.divide(gained, ideal, out=np.full(len(gained), np.nan), where=ideal > 0)
    return shares


def information(item_counts: NDArray[np.integer], users: int) -> NDArray[np.float64]:
    """Return each item's self-information in bits: log2(users / users who have it) (Zhou et al. 2010).

    An item that nobody has counts as if one user had it.

    >>> information(np.array([8, 4, 1, 0]), users=8)
    array([0., 1., 3., 3.])
    """
    bits: NDArray[np.float64] = np.log2(max(users, 1) / np.maximum(item_counts, 1))
    return bits


def novelty(best: NDArray[np.int32], item_counts: NDArray[np.integer], users: int) -> NDArray[np.float64]:
    """Return each list's novelty: the mean self-information of its items ("surprisal" of Zhou et al. 2010, "Solving
    the apparent diversity-accuracy dilemma of recommender systems"). NaN for an empty list.

    best: (lists, n) recommended rows, -1 past the end. item_counts, users: of the training data.

    >>> novelty(np.array([[0, 1], [2, -1]], np.int32), np.array([8, 4, 1]), users=8)
    array([0.5, 3. ])
    """
    listed = best >= 0
    bits = np.where(listed, information(item_counts, users)[best], 0).sum(axis=1)
    means: NDArray[np.float64] = np.divide(
        bits, listed.sum(axis=1), out=np.full(len(best), np.nan), where=listed.any(axis=1)
    )
    return means


def coverage(best: NDArray[np.int32], items: int) -> float:
    """Return which share of a catalog's items is in at least one list (Ge et al. 2010, "Beyond accuracy").

    >>> coverage(np.array([[0, 1], [1, -1]], np.int32), items=4)
    0.5
    """
    return len(np.unique(best[best >= 0])) / items

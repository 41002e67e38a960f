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

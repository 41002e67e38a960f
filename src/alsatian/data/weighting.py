"""The arithmetic of recipes: raw numbers to values, and values to confidences. All functions work on arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
SECONDS_PER_DAY = 86_400
_MAX_KNOTS = 1_001  # a scaler stores at most this many distinct values of a column
_MIN_DECAY = 1e-30  # keeps very old values above 0, so that they stay entries


def fit_scaler(column: FloatArray, normalize: str) -> dict[str, list[float]]:
    """Return the scaler of a column: a piecewise linear function through the points ("at", "to").

    minmax: (v - min) / (max - min). rank: the share of rows with a smaller value, plus half of those with an equal one.

    >>> fit_scaler(np.array([10, 20, 50.0]), "minmax"), fit_scaler(np.array([10, 20, 20, 50.0]), "rank")
    ({'at': [10.0, 50.0], 'to': [0.0, 1.0]}, {'at': [10.0, 20.0, 50.0], 'to': [0.125, 0.5, 0.875]})
    """
    if normalize == "minmax":
        return {"at": [float(column.min()), float(column.max())], "to": [0.0, 1.0]}
    values, counts = np.unique(column, return_counts=True)
    ranks = (np.cumsum(counts) - counts / 2) / len(column)
    positions = np.unique(np.linspace(0, len(values) - 1, min(_MAX_KNOTS, len(values))).round().astype(int))
    return {"at": values[positions].astype(float).tolist(), "to": ranks[positions].tolist()}


def apply_scaler(column: FloatArray, scaler: dict[str, list[float]]) -> FloatArray:
    """Scale a column with a scaler of `fit_scaler`; values outside its range are clipped to the range."""
    return np.interp(column, scaler["at"], scaler["to"])


def half_life_decay(times: NDArray[np.integer], reference: int, half_life: float) -> FloatArray:
    """Return the decay factor of each time: 2 ** -(age / half_life), with age and half-life in days.

    times, reference: seconds since 1970. Times after the reference have age 0.

    >>> days = SECONDS_PER_DAY * np.array([0, 10, 20])
    >>> half_life_decay(days, reference=20 * SECONDS_PER_DAY, half_life=10).tolist()
    [0.25, 0.5, 1.0]
    """
    age = np.maximum(np.float64(reference) - times, 0) / SECONDS_PER_DAY
    return np.maximum(np.exp2(-age / half_life), _MIN_DECAY)


def k_core(users: IntArray, items: IntArray, min_per_user: int, min_per_item: int) -> NDArray[np.bool_]:
    """Return a mask of the k-core: users and items with too few entries are removed until all have enough.

    The order of removal does not matter: the k-core is the largest such part of the data.
    """
    mask = np.ones(len(users), np.bool_)
    sides = ((users, min_per_user), (items, min_per_item))
    while True:
        n_before = int(mask.sum())
        for rows, minimum in sides:
            mask &= (np.bincount(rows[mask], minlength=rows.max(initial=-1) + 1) >= minimum)[rows]
        if mask.sum() == n_before:
            return mask


def bm25_counts(
    values: FloatArray, users: IntArray, items: IntArray, n_items: int, length: str
) -> tuple[dict[str, Any], NDArray[Any]]:
    """Return the statistics that BM25 needs: the average length and number of documents, and one number per item.

    The number per item is its number of users if users are the documents (length="user"), or its length, the sum of
    its values, if items are.
    """
    documents = users if length == "user" else items
    lengths = np.bincount(documents, values)
    lengths = lengths[np.bincount(documents) > 0]
    per_item = np.bincount(items, None if length == "user" else values, minlength=n_items)
    n_documents = len(lengths) if length == "user" else len(np.unique(items))
    return {"average": float(lengths.mean()), "count": n_documents}, per_item


def bm25(
    values: FloatArray,
    users: IntArray,
    items: IntArray,
    statistics: dict[str, Any],
    counts: IntArray,
    k1: float,
    b: float,
    length: str,
) -> FloatArray:
    """Return the BM25 weight of each entry. `users` may be any row numbers, not only those of the training data.

        idf v (k1 + 1) / (v + k1 (1 - b + b L / average L)),    idf = log(1 + (N - n + 0.5) / (n + 0.5))

    Source: Robertson and Zaragoza (2009), eq. 3.15. This idf is always above 0, as confidences must be.
    The documents are the users (L: the sum of a user's values; n of N users have the item) or the items (L: the sum of
    an item's values; the user has n of N items).
    """
    per_item = counts[items].astype(np.float64)
    per_user: FloatArray = np.bincount(users, values if length == "user" else None)[users].astype(np.float64)
    lengths, n_having_it = (per_user, per_item) if length == "user" else (per_item, per_user)
    idf = np.log1p((np.maximum(statistics["count"] - n_having_it, 0) + 0.5) / (n_having_it + 0.5))
    weights: FloatArray = idf * bm25_tf(values, lengths, statistics["average"], k1, b)
    return weights


def bm25_tf(values: FloatArray, lengths: FloatArray, average: float, k1: float, b: float) -> NDArray[np.float64]:
    """Return BM25 without its idf: v (k1 + 1) / (v + k1 (1 - b + b L / average L)). A value of 0 stays 0."""
    denominator = values + k1 * (1 - b + b * lengths / average)
    return (k1 + 1) * np.divide(values, denominator, out=np.zeros_like(denominator), where=denominator > 0)

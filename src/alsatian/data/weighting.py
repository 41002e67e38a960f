"""The arithmetic of recipes: from raw numbers to values, and from values to confidences. Arrays in, arrays out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
IntArray = NDArray[np.integer]
SECONDS_PER_DAY = 86_400
_MAX_KNOTS = 1_001  # at so many values a column is remembered, if it has more different ones
_MIN_DECAY = 1e-30  # what is very old counts for nothing, but it has happened: values stay above 0


def fit_scaler(column: FloatArray, normalize: str) -> dict[str, list[float]]:
    """Return where a column's normalisation bends: at the values "at" it is "to", and straight lines between.

    minmax: (v - min) / (max - min). rank: the share of rows that are smaller, equal ones counted half.

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
    """Return a column normalised as another one was; what lies outside that one's bounds counts as the bound."""
    return np.interp(column, scaler["at"], scaler["to"])


def half_life_decay(times: NDArray[np.integer], reference: int, half_life: float) -> FloatArray:
    """Return what remains of a value after its age: 2 to the power of -(age / half_life), in days.

    What is newer than the reference has lost nothing.

    >>> days = SECONDS_PER_DAY * np.array([0, 10, 20])
    >>> half_life_decay(days, reference=20 * SECONDS_PER_DAY, half_life=10).tolist()
    [0.25, 0.5, 1.0]
    """
    age = np.maximum(np.float64(reference) - times, 0) / SECONDS_PER_DAY
    return np.maximum(np.exp2(-age / half_life), _MIN_DECAY)


def k_core(users: IntArray, items: IntArray, min_per_user: int, min_per_item: int) -> NDArray[np.bool_]:
    """Return which entries remain when users and items with too few are taken out until none is left to take.

    What remains is the same whatever is taken out first: the largest part of the data in which all have enough.
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
    """Return what BM25 must know of the data: the average length of its documents and their number; and of each item
    how many users have it (where users are the documents) or how long it is (where items are).
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
    """Return the BM25 weight of each entry; `users` need be known to this call only.

        idf v (k1 + 1) / (v + k1 (1 - b + b L / average L)),    idf = log(1 + (N - n + 0.5) / (n + 0.5))

    (Robertson and Zaragoza 2009, eq. 3.15; this idf never falls to 0, as confidences must not.) The documents are the
    users (L: the sum of a user's values, n of N users have the item) or the items (L: the sum of an item's values,
    the user has n of N items).
    """
    per_item = counts[items].astype(np.float64)
    per_user: FloatArray = np.bincount(users, values if length == "user" else None)[users].astype(np.float64)
    lengths, n_having_it = (per_user, per_item) if length == "user" else (per_item, per_user)
    idf = np.log1p((np.maximum(statistics["count"] - n_having_it, 0) + 0.5) / (n_having_it + 0.5))
    weights: FloatArray = idf * bm25_tf(values, lengths, statistics["average"], k1, b)
    return weights


def bm25_tf(values: FloatArray, lengths: FloatArray, average: float, k1: float, b: float) -> NDArray[np.float64]:
    """Return v (k1 + 1) / (v + k1 (1 - b + b L / average L)), BM25 without its idf; a value of 0 stays 0."""
    denominator = values + k1 * (1 - b + b * lengths / average)
    return (k1 + 1) * np.divide(values, denominator, out=np.zeros_like(denominator), where=denominator > 0)

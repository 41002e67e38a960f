"""What lists are like beside being right: how much of the catalog they show, how little known, how unlike each other.

best: (lists, n) recommended rows, -1 past the end. item_counts: how many users have each item in the training data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.kernels import Sparse
from alsatian.kernels.types import Counts, Float64Array

ItemLists = NDArray[np.int32]
ItemRows = NDArray[np.int32]

_MAX_PAIRS_PER_CHUNK = 1 << 22  # pairs of items looked at at a time, so that memory stays bounded


def coverage(top_items: ItemLists, items: int) -> float:
    """Return which share of a catalog's items is in at least one list (Ge et al. 2010, "Beyond accuracy").

    >>> coverage(np.array([[0, 1], [1, -1]], np.int32), items=4)
    0.5
    """
    return len(np.unique(top_items[top_items >= 0])) / items


def gini(top_items: ItemLists, items: int) -> float:
    """Return how unequally often the items of a catalog are listed: 0 all alike, towards 1 always the same few.

    With the counts x in ascending order, G = sum over i of (2 i - items - 1) x_i / (items sum x), i from 1 (Gini's
    coefficient, as in Fleder and Hosanagar 2009, "Blockbuster culture's next rise or fall"). NaN without any list.

    >>> gini(np.array([[0, 1], [0, 1]], np.int32), items=4), gini(np.array([[0, 1]], np.int32), items=2)
    (0.5, 0.0)
    """
    return gini_of(np.bincount(top_items[top_items >= 0], minlength=items))


def gini_of(counts: Counts) -> float:
    """Return how unequal counts are, by the formula of `gini`; NaN where all are 0.

    >>> gini_of(np.array([3, 3])), gini_of(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    ascending, items = np.sort(counts).astype(np.float64), len(counts)
    total = float(ascending.sum()) * items
    return float((2 * np.arange(1, items + 1) - items - 1) @ ascending) / total if total else float("nan")


def information(item_counts: Counts, users: int) -> Float64Array:
    """Return each item's self-information in bits: log2(users / users who have it) (Zhou et al. 2010).

    An item that nobody has counts as if one user had it.

    >>> information(np.array([8, 4, 1, 0]), users=8)
    array([0., 1., 3., 3.])
    """
    bits: Float64Array = np.log2(max(users, 1) / np.maximum(item_counts, 1))
    return bits


def novelty(top_items: ItemLists, item_counts: Counts, users: int) -> Float64Array:
    """Return each list's novelty: the mean self-information of its items ("surprisal" of Zhou et al. 2010, "Solving
    the apparent diversity-accuracy dilemma of recommender systems"). NaN for an empty list.

    >>> novelty(np.array([[0, 1], [2, -1]], np.int32), np.array([8, 4, 1]), users=8)
    array([0.5, 3. ])
    """
    return _mean_per_list(top_items, information(item_counts, users))


def popularity(top_items: ItemLists, item_counts: Counts) -> Float64Array:
    """Return how many users have a list's items, on average (Abdollahpouri et al. 2019, "Managing popularity bias in
    recommender systems with personalized re-ranking", average recommendation popularity). NaN for an empty list.

    >>> popularity(np.array([[0, 1], [2, -1]], np.int32), np.array([8, 4, 1]))
    array([6., 1.])
    """
    return _mean_per_list(top_items, item_counts.astype(np.float64))


def diversity(top_items: ItemLists, item_users: CSR, threads: int | None = None) -> Float64Array:
    """Return each list's diversity: the mean over its pairs of items of 1 - similarity (intra-list distance; Ziegler et
    al. 2005, "Improving recommendation lists through topic diversification", whose ILS sums the similarities).

    Two items are as similar as the cosine of who has them: |both| / sqrt(|one| |other|). item_users: a row for each
    item, its users. NaN for a list of fewer than two. Pairs of each length: the cost grows with n squared.

    >>> users = CSR(np.array([0, 2, 4, 5]), np.array([0, 1, 0, 1, 1], np.int32), np.ones(5, np.float32), 2)
    >>> diversity(np.array([[0, 1, -1], [0, 1, 2]], np.int32), users).round(3)
    array([0.   , 0.195])
    """
    pairs = top_items.shape[1] * (top_items.shape[1] - 1) // 2
    step = max(1, _MAX_PAIRS_PER_CHUNK // max(pairs, 1))
    chunks = [
        _pairwise_diversity(top_items[start : start + step], item_users, threads)
        for start in range(0, len(top_items), step)
    ]
    return np.concatenate(chunks) if chunks else np.empty(0)


def _pairwise_diversity(top_items: ItemLists, item_users: CSR, threads: int | None) -> Float64Array:
    """Sort all pairs by their items, so that each pair that occurs is looked at once."""
    left, right = np.triu_indices(top_items.shape[1], 1)
    first_items, second_items = top_items[:, left], top_items[:, right]
    is_pair = np.minimum(first_items, second_items) >= 0
    columns: list[ItemRows] = [
        np.minimum(first_items, second_items)[is_pair],
        np.maximum(first_items, second_items)[is_pair],
    ]
    columns.append(np.nonzero(is_pair)[0].astype(np.int32))
    for key in (1, 0):  # by the second item, then by the first
        _, columns = kernels.counting_sort(columns[key], item_users.n_rows, columns, threads)
    first_items, second_items, list_numbers = columns
    is_first = np.append(True, (np.diff(first_items) != 0) | (np.diff(second_items) != 0))[: len(first_items)]
    distances = _distances(item_users, first_items[is_first], second_items[is_first], threads)
    sums = np.bincount(list_numbers, distances[np.cumsum(is_first) - 1], minlength=len(top_items))
    counts = np.bincount(list_numbers, minlength=len(top_items))
    scores: Float64Array = np.divide(sums, counts, out=np.full(len(top_items), np.nan), where=counts > 0)
    return scores


def _distances(item_users: CSR, left: ItemRows, right: ItemRows, threads: int | None) -> Float64Array:
    """Return 1 - cosine for pairs of items; the more popular one to the left, as kernels.co_counts likes it."""
    counts = item_users.counts
    left, right = np.where(counts[left] < counts[right], (right, left), (left, right))
    order = np.argsort(left, kind="stable")
    co_counts = np.empty(len(left), np.int32)
    users = Sparse(item_users.indptr, item_users.indices, item_users.values)
    co_counts[order] = kernels.co_counts(users, item_users.n_columns, left[order], right[order], threads)
    lengths = np.sqrt(counts[left] * counts[right].astype(np.float64))
    return 1 - np.divide(co_counts, lengths, out=np.zeros(len(left)), where=lengths > 0)


def _mean_per_list(top_items: ItemLists, item_scores: Float64Array) -> Float64Array:
    """Return the mean of a number of the items, list by list."""
    is_item = top_items >= 0
    sums = np.where(is_item, item_scores[top_items], 0).sum(axis=1)
    means: Float64Array = np.divide(
        sums, is_item.sum(axis=1), out=np.full(len(top_items), np.nan), where=is_item.any(axis=1)
    )
    return means

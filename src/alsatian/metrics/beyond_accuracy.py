"""Beyond-accuracy metrics: how much of the catalog lists cover, how novel their items are, and how diverse.

top_items: (lists, n), the row numbers of recommended items; -1 past the end of a list.
item_counts: (items,), the number of users who have each item in the training data.
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

_MAX_PAIRS_PER_CHUNK = 1 << 22  # pairs of items processed at a time, to bound memory


def coverage(top_items: ItemLists, items: int) -> float:
    """Return the share of the items of a catalog that are in at least one list (Ge et al. 2010, "Beyond accuracy").

    >>> coverage(np.array([[0, 1], [1, -1]], np.int32), items=4)
    0.5
    """
    return len(np.unique(top_items[top_items >= 0])) / items


def gini(top_items: ItemLists, items: int) -> float:
    """Return the Gini coefficient of how often items are listed: 0 if all equally, near 1 if always the same few.

    With the counts x in ascending order, G = sum over i of (2 i - items - 1) x_i / (items sum x), with i from 1.
    NaN if all lists are empty. Source: Fleder and Hosanagar 2009, "Blockbuster culture's next rise or fall".

    >>> gini(np.array([[0, 1], [0, 1]], np.int32), items=4), gini(np.array([[0, 1]], np.int32), items=2)
    (0.5, 0.0)
    """
    return gini_of(np.bincount(top_items[top_items >= 0], minlength=items))


def gini_of(counts: Counts) -> float:
    """Return the Gini coefficient of counts, by the formula of `gini`; NaN if all are 0.

    >>> gini_of(np.array([3, 3])), gini_of(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    ascending, items = np.sort(counts).astype(np.float64), len(counts)
    total = float(ascending.sum()) * items
    return float((2 * np.arange(1, items + 1) - items - 1) @ ascending) / total if total else float("nan")


def information(item_counts: Counts, users: int) -> Float64Array:
    """Return the self-information of each item in bits: log2(users / users who have it) (Zhou et al. 2010).

    An item without users counts as if one user had it.

    >>> information(np.array([8, 4, 1, 0]), users=8)
    array([0., 1., 3., 3.])
    """
    bits: Float64Array = np.log2(max(users, 1) / np.maximum(item_counts, 1))
    return bits


def novelty(top_items: ItemLists, item_counts: Counts, users: int) -> Float64Array:
    """Return the novelty of each list: the mean self-information of its items. NaN for an empty list.

    This is the "surprisal" of Zhou et al. 2010, "Solving the apparent diversity-accuracy dilemma of recommender
    systems".

    >>> novelty(np.array([[0, 1], [2, -1]], np.int32), np.array([8, 4, 1]), users=8)
    array([0.5, 3. ])
    """
    return _mean_per_list(top_items, information(item_counts, users))


def popularity(top_items: ItemLists, item_counts: Counts) -> Float64Array:
    """Return the popularity of each list: the mean number of users who have its items. NaN for an empty list.

    This is the average recommendation popularity of Abdollahpouri et al. 2019, "Managing popularity bias in recommender
    systems with personalized re-ranking".

    >>> popularity(np.array([[0, 1], [2, -1]], np.int32), np.array([8, 4, 1]))
    array([6., 1.])
    """
    return _mean_per_list(top_items, item_counts.astype(np.float64))


def diversity(top_items: ItemLists, item_users: CSR, threads: int | None = None) -> Float64Array:
    """Return the diversity of each list: the mean of 1 - similarity over its pairs of items (intra-list distance).

    The similarity of two items is the cosine of their sets of users: |both| / sqrt(|first| |second|). NaN for a list
    with fewer than two items. The cost grows with n squared. item_users: a row per item, with its users.
    Source: Ziegler et al. 2005, "Improving recommendation lists through topic diversification", whose ILS sums the
    similarities.

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
    """Return the diversity of each list. Pairs are sorted, so that each distinct pair is computed once."""
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
    """Return 1 - cosine for pairs of items. The more popular item goes to the left, which kernels.co_counts prefers."""
    counts = item_users.counts
    left, right = np.where(counts[left] < counts[right], (right, left), (left, right))
    order = np.argsort(left, kind="stable")
    co_counts = np.empty(len(left), np.int32)
    users = Sparse(item_users.indptr, item_users.indices, item_users.values)
    co_counts[order] = kernels.co_counts(users, item_users.n_columns, left[order], right[order], threads)
    lengths = np.sqrt(counts[left] * counts[right].astype(np.float64))
    return 1 - np.divide(co_counts, lengths, out=np.zeros(len(left)), where=lengths > 0)


def _mean_per_list(top_items: ItemLists, item_scores: Float64Array) -> Float64Array:
    """Return the mean score of the items of each list; NaN for an empty list."""
    is_item = top_items >= 0
    sums = np.where(is_item, item_scores[top_items], 0).sum(axis=1)
    means: Float64Array = np.divide(
        sums, is_item.sum(axis=1), out=np.full(len(top_items), np.nan), where=is_item.any(axis=1)
    )
    return means

"""Ranking metrics: how well lists match held-out items, for the first `at` positions.

hits: (lists, n), whether each position has a held-out item of the list's user; see `hits(top_items, held_out)`.
relevant: (lists,), the number of held-out items of each user. Metrics are NaN for a user without any.
at: the number of positions to evaluate (None: all). In a shorter list, the missing positions are not hits.

The example of the docstrings: the held-out items of a user are 1 and 4, and the list is 4, 0, 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alsatian.data.csr import CSR
from alsatian.kernels.types import Counts, Float64Array

Hits = NDArray[np.bool_]


def hits(top_items: NDArray[np.int32], held_out: CSR) -> Hits:
    """Return which positions of each list have a held-out item of the user.

    top_items: (lists, n), the row numbers of recommended items; -1 past the end. held_out: a row per list.

    >>> held_out = CSR(np.array([0, 2]), np.array([1, 4], np.int32), np.ones(2, np.float32), 5)
    >>> hits(np.array([[4, 0, 1, -1]], np.int32), held_out)
    array([[ True, False,  True, False]])
    """
    column_count = np.int64(max(held_out.n_columns, 1))
    # The keys ascend, except for a sentinel at the end, which equals no key.
    held_out_keys = np.append(held_out.row_numbers * column_count + held_out.indices, -1)
    list_keys = np.arange(len(top_items))[:, None] * column_count + top_items
    is_hit: Hits = (held_out_keys[np.searchsorted(held_out_keys[:-1], list_keys)] == list_keys) & (top_items >= 0)
    return is_hit


def precision(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return hits / at: the share of the first `at` positions that are hits, even if the list is shorter.

    >>> precision(np.array([[True, False, True]]), np.array([2])).round(3)
    array([0.667])
    """
    top_hits = hits[:, :at]
    return _nan_without_relevant(top_hits.sum(axis=1) / (at or top_hits.shape[1]), relevant)


def recall(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return the share of the held-out items that are in the first `at` positions.

    >>> recall(np.array([[True, False, True]]), np.array([2]), at=2)
    array([0.5])
    """
    return _nan_without_relevant(hits[:, :at].sum(axis=1) / np.maximum(relevant, 1), relevant)


def capped_recall(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return hits / min(at, relevant), a recall whose maximum is always 1 (Recall@R of Liang et al. 2018, sec. 4.2).

    >>> capped_recall(np.array([[True, False, True]]), np.array([2]), at=1)
    array([1.])
    """
    top_hits = hits[:, :at]
    return _nan_without_relevant(
        top_hits.sum(axis=1) / np.maximum(np.minimum(relevant, at or top_hits.shape[1]), 1), relevant
    )


def hit_rate(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return 1 if any of the first `at` positions is a hit, else 0.

    >>> hit_rate(np.array([[False, False, True]]), np.array([2]), at=2)
    array([0.])
    """
    return _nan_without_relevant(hits[:, :at].any(axis=1), relevant)


def ndcg(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return the normalized discounted cumulative gain (Jarvelin and Kekalainen 2002) with gains 0 or 1.

    A hit at position p (from 1) counts 1 / log2(p + 1). The sum is divided by the sum of an ideal list, whose first
    min(at, relevant) positions are hits.

    >>> ndcg(np.array([[True, False, True]]), np.array([2])).round(3)  # (1 + 1/2) / (1 + 1/log2(3))
    array([0.92])
    """
    top_hits = hits[:, :at]
    discount = 1 / np.log2(np.arange(2, top_hits.shape[1] + 2))
    ideal = np.concatenate([[0], np.cumsum(1 / np.log2(np.arange(2, (at or top_hits.shape[1]) + 2)))])
    return _nan_without_relevant(
        (top_hits * discount).sum(axis=1) / np.maximum(ideal[np.minimum(relevant, len(ideal) - 1)], 1), relevant
    )


def average_precision(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return the sum of the precision at each hit, divided by the number of held-out items. The mean is MAP.

    The definition is that of trec_eval (map_cut) and ranx: it is below 1 for users with more than `at` held-out items.

    >>> average_precision(np.array([[True, False, True]]), np.array([2])).round(3)  # (1/1 + 2/3) / 2
    array([0.833])
    """
    top_hits = hits[:, :at]
    precisions = np.cumsum(top_hits, axis=1) / np.arange(1, top_hits.shape[1] + 1)
    return _nan_without_relevant((precisions * top_hits).sum(axis=1) / np.maximum(relevant, 1), relevant)


def reciprocal_rank(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return 1 / position of the first hit, or 0 without a hit. The mean is MRR (Voorhees 1999).

    >>> reciprocal_rank(np.array([[False, True, True]]), np.array([2]))
    array([0.5])
    """
    top_hits = hits[:, :at]
    return _nan_without_relevant(
        top_hits.any(axis=1) / (top_hits.argmax(axis=1) + 1 if top_hits.shape[1] else 1), relevant
    )


def auc(hits: Hits, relevant: Counts, candidates: Counts, listed: Counts, at: int | None = None) -> Float64Array:
    """Return the probability that a held-out item ranks above another candidate (area under the ROC curve).

    Items outside the first `at` positions rank below all others and are tied; a tie counts a half (Fawcett 2006, "An
    introduction to ROC analysis"). If all candidates are listed, the area is exact. 0.5 is chance.
    candidates: (lists,), the number of items that could be listed, with the held-out ones. listed: (lists,), the number
    of items in each list.

    >>> top_hits, relevant = np.array([[True, False, True]]), np.array([2])
    >>> candidates, listed = np.array([5]), np.array([3])
    >>> auc(top_hits, relevant, candidates, listed).round(3)  # (3 + 2) of 2 x 3 pairs
    array([0.833])
    >>> auc(top_hits, relevant, candidates, listed, at=2).round(3)  # (3 + 2 halves) of 6
    array([0.667])
    """
    top_hits = hits[:, :at]
    hit_counts, negatives = top_hits.sum(axis=1), candidates - relevant
    misranked_pairs = ((np.arange(top_hits.shape[1]) - (np.cumsum(top_hits, axis=1) - 1)) * top_hits).sum(axis=1)
    unlisted_negatives = negatives - (np.minimum(listed, top_hits.shape[1]) - hit_counts)
    ordered_pairs = hit_counts * negatives - misranked_pairs + (relevant - hit_counts) * unlisted_negatives / 2
    return _nan_without_relevant(
        ordered_pairs / np.maximum(relevant * negatives, 1), np.where(negatives > 0, relevant, 0)
    )


def _nan_without_relevant(scores: ArrayLike, relevant: Counts) -> Float64Array:
    """Replace the scores of users without held-out items by NaN."""
    return np.where(relevant > 0, scores, np.nan)

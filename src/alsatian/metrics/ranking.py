"""How well lists find what people had: for each list its hits, and measures of its first `at` places.

hits: (lists, n), which places hold an item that the person has among the held-out ones; `hits(top_items, held_out)`.
relevant: (lists,), how many held-out items each person has. A person without any has no number: NaN.
at: how many places count (None: all). Lists may be shorter than that: what is not listed is no hit.

The running example of the docstrings: somebody has held out the items 1 and 4, and is given the list 4, 0, 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alsatian.data.csr import CSR
from alsatian.kernels.types import Counts, Float64Array

Hits = NDArray[np.bool_]


def hits(top_items: NDArray[np.int32], held_out: CSR) -> Hits:
    """Return which places of each list hold one of the person's held-out items.

    best: (lists, n) recommended rows, -1 past the end. held_out: a row for each list.

    >>> held_out = CSR(np.array([0, 2]), np.array([1, 4], np.int32), np.ones(2, np.float32), 5)
    >>> hits(np.array([[4, 0, 1, -1]], np.int32), held_out)
    array([[ True, False,  True, False]])
    """
    column_count = np.int64(max(held_out.n_columns, 1))
    held_out_keys = np.append(
        held_out.row_numbers * column_count + held_out.indices, -1
    )  # ascending but for an end that nothing equals
    list_keys = np.arange(len(top_items))[:, None] * column_count + top_items
    is_hit: Hits = (held_out_keys[np.searchsorted(held_out_keys[:-1], list_keys)] == list_keys) & (top_items >= 0)
    return is_hit


def precision(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return the share of the first `at` places that are hits, also where the list is shorter.

    >>> precision(np.array([[True, False, True]]), np.array([2])).round(3)
    array([0.667])
    """
    top_hits = hits[:, :at]
    return _nan_without_relevant(top_hits.sum(axis=1) / (at or top_hits.shape[1]), relevant)


def recall(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return the share of the held-out items that are among the first `at` places.

    >>> recall(np.array([[True, False, True]]), np.array([2]), at=2)
    array([0.5])
    """
    return _nan_without_relevant(hits[:, :at].sum(axis=1) / np.maximum(relevant, 1), relevant)


def capped_recall(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return hits / min(at, relevant): recall whose best is 1 at any length (Recall@R of Liang et al. 2018, sec. 4.2).

    >>> capped_recall(np.array([[True, False, True]]), np.array([2]), at=1)
    array([1.])
    """
    top_hits = hits[:, :at]
    return _nan_without_relevant(
        top_hits.sum(axis=1) / np.maximum(np.minimum(relevant, at or top_hits.shape[1]), 1), relevant
    )


def hit_rate(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return 1 where any of the first `at` places is a hit, else 0.

    >>> hit_rate(np.array([[False, False, True]]), np.array([2]), at=2)
    array([0.])
    """
    return _nan_without_relevant(hits[:, :at].any(axis=1), relevant)


def ndcg(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return the normalized discounted cumulative gain (Jarvelin and Kekalainen 2002), gains 0 or 1.

    Place p (from 1) counts 1 / log2(p + 1) if it is a hit; the sum is divided by that of a list whose first
    min(at, relevant) places are hits.

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
    """Return the sum of the precision at each hit, divided by all held-out items; its mean is MAP.

    As trec_eval (map_cut) and ranx count: the items of a person with more than `at` cannot all be found.

    >>> average_precision(np.array([[True, False, True]]), np.array([2])).round(3)  # (1/1 + 2/3) / 2
    array([0.833])
    """
    top_hits = hits[:, :at]
    precisions = np.cumsum(top_hits, axis=1) / np.arange(1, top_hits.shape[1] + 1)
    return _nan_without_relevant((precisions * top_hits).sum(axis=1) / np.maximum(relevant, 1), relevant)


def reciprocal_rank(hits: Hits, relevant: Counts, at: int | None = None) -> Float64Array:
    """Return 1 / the place of the first hit, 0 without one; its mean is MRR (Voorhees 1999).

    >>> reciprocal_rank(np.array([[False, True, True]]), np.array([2]))
    array([0.5])
    """
    top_hits = hits[:, :at]
    return _nan_without_relevant(
        top_hits.any(axis=1) / (top_hits.argmax(axis=1) + 1 if top_hits.shape[1] else 1), relevant
    )


def auc(hits: Hits, relevant: Counts, candidates: Counts, listed: Counts, at: int | None = None) -> Float64Array:
    """Return how often a held-out item comes before another that could have been listed (area under the ROC curve).

    What is not among the first `at` places comes after all that is, tied: a tie counts a half (Fawcett 2006, "An
    introduction to ROC analysis"). With lists of all candidates it is the exact area; 1/2 is chance.
    candidates: (lists,), how many items could have been listed, the held-out ones among them. listed: how many were.

    >>> found, one = np.array([[True, False, True]]), np.array([1])
    >>> auc(found, 2 * one, 5 * one, 3 * one).round(3)  # (3 + 2) of 2 x 3 pairs
    array([0.833])
    >>> auc(found, 2 * one, 5 * one, 3 * one, at=2).round(3)  # (3 + 2 halves) of 6
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
    """NaN where there was nothing to find."""
    return np.where(relevant > 0, scores, np.nan)

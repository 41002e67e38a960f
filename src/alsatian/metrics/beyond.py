"""What lists are like beside being right: how much of the catalog they show, how little known, how unlike each other.

best: (lists, n) recommended rows, -1 past the end. item_counts: how many users have each item in the training data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian.interactions import CSR

Lists = NDArray[np.int32]
Counts = NDArray[np.integer]
Scores = NDArray[np.float64]


def coverage(best: Lists, items: int) -> float:
    """Return which share of a catalog's items is in at least one list (Ge et al. 2010, "Beyond accuracy").

    >>> coverage(np.array([[0, 1], [1, -1]], np.int32), items=4)
    0.5
    """
    return len(np.unique(best[best >= 0])) / items


def gini(best: Lists, items: int) -> float:
    """Return how unequally often the items of a catalog are listed: 0 all alike, towards 1 always the same few.

    With the counts x in ascending order, G = sum over i of (2 i - items - 1) x_i / (items sum x), i from 1 (Gini's
    coefficient, as in Fleder and Hosanagar 2009, "Blockbuster culture's next rise or fall"). NaN without any list.

    >>> gini(np.array([[0, 1], [0, 1]], np.int32), items=4), gini(np.array([[0, 1]], np.int32), items=2)
    (0.5, 0.0)
    """
    counts = np.sort(np.bincount(best[best >= 0], minlength=items)).astype(np.float64)
    total = float(counts.sum()) * items
    return float((2 * np.arange(1, items + 1) - items - 1) @ counts) / total if total else float("nan")


def information(item_counts: Counts, users: int) -> Scores:
    """Return each item's self-information in bits: log2(users / users who have it) (Zhou et al. 2010).

    An item that nobody has counts as if one user had it.

    >>> information(np.array([8, 4, 1, 0]), users=8)
    array([0., 1., 3., 3.])
    """
    bits: Scores = np.log2(max(users, 1) / np.maximum(item_counts, 1))
    return bits


def novelty(best: Lists, item_counts: Counts, users: int) -> Scores:
    """Return each list's novelty: the mean self-information of its items ("surprisal" of Zhou et al. 2010, "Solving
    the apparent diversity-accuracy dilemma of recommender systems"). NaN for an empty list.

    >>> novelty(np.array([[0, 1], [2, -1]], np.int32), np.array([8, 4, 1]), users=8)
    array([0.5, 3. ])
    """
    return _mean(best, information(item_counts, users))


def popularity(best: Lists, item_counts: Counts) -> Scores:
    """Return how many users have a list's items, on average (Abdollahpouri et al. 2019, "Managing popularity bias in
    recommender systems with personalized re-ranking", average recommendation popularity). NaN for an empty list.

    >>> popularity(np.array([[0, 1], [2, -1]], np.int32), np.array([8, 4, 1]))
    array([6., 1.])
    """
    return _mean(best, item_counts.astype(np.float64))


def diversity(best: Lists, item_users: CSR) -> Scores:
    """Return each list's diversity: the mean over its pairs of items of 1 - similarity (intra-list distance; Ziegler et
    al. 2005, "Improving recommendation lists through topic diversification", whose ILS sums the similarities).

    Two items are as similar as the cosine of who has them: |both| / sqrt(|one| |other|). item_users: a row for each
    item, its users. NaN for a list of fewer than two. Pairs of each length: the cost grows with n squared.

    >>> users = CSR(np.array([0, 2, 4, 5]), np.array([0, 1, 0, 1, 1], np.int32), np.ones(5, np.float32), 2)
    >>> diversity(np.array([[0, 1, -1], [0, 1, 2]], np.int32), users).round(3)
    array([0.   , 0.195])
    """
    left, right = np.triu_indices(best.shape[1], 1)
    scores = np.full(len(best), np.nan)
    step = max(1, (1 << 22) // max(len(left), 1))
    for start in range(0, len(best), step):
        lists = best[start : start + step]
        pairs = np.sort(np.stack([lists[:, left], lists[:, right]]), axis=0)
        real = pairs[0] >= 0
        codes, at = np.unique(pairs[0][real] * np.int64(item_users.rows) + pairs[1][real], return_inverse=True)
        sums = np.zeros(real.shape)
        sums[real] = _distances(item_users, *np.divmod(codes, item_users.rows))[at]
        counts = real.sum(axis=1)
        scores[start : start + step] = np.divide(
            sums.sum(axis=1), counts, out=np.full(len(lists), np.nan), where=counts > 0
        )
    return scores


def _distances(item_users: CSR, left: NDArray[np.int64], right: NDArray[np.int64]) -> Scores:
    """Return 1 - cosine for pairs of items: mark the users of the more popular one, and count those of the others."""
    swap = item_users.counts[left] < item_users.counts[right]
    known, other = np.where(swap, right, left), np.where(swap, left, right)
    order = np.argsort(known, kind="stable")
    both = np.zeros(len(left))
    has = np.zeros(item_users.columns, bool)
    for some in np.split(order, np.flatnonzero(np.diff(known[order])) + 1) if len(order) else []:
        users, _ = item_users.row(int(known[some[0]]))
        has[users] = True
        others = item_users.take(other[some])
        both[some] = np.diff(np.concatenate([[0], np.cumsum(has[others.indices])])[others.indptr])
        has[users] = False
    lengths = np.sqrt(item_users.counts[left] * item_users.counts[right].astype(np.float64))
    return 1 - np.divide(both, lengths, out=np.zeros(len(left)), where=lengths > 0)


def _mean(best: Lists, of_items: Scores) -> Scores:
    """Return the mean of a number of the items, list by list."""
    listed = best >= 0
    sums = np.where(listed, of_items[best], 0).sum(axis=1)
    means: Scores = np.divide(sums, listed.sum(axis=1), out=np.full(len(best), np.nan), where=listed.any(axis=1))
    return means

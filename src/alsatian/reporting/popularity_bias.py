"""Whether lists hold more popular items than people choose: shares by groups of items of like popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import metrics

GROUPS = 10
CONSUMED = "held out"

Counts = NDArray[np.integer]


class Groups(NamedTuple):
    """Items by popularity. of: the group of each item, the most popular first; sizes: how many items each has."""

    of: NDArray[np.intp]
    sizes: list[int]

    def shares(self, items: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return which share of some items, named as often as they occur, falls on each group."""
        found = np.bincount(self.of[items], minlength=len(self.sizes))
        return found / max(int(found.sum()), 1)


def groups(item_counts: Counts, many: int = GROUPS) -> Groups:
    """Part items into groups that have about equally many of the values each.

    >>> groups(np.array([1, 4, 1, 2]), 2)
    Groups(of=array([1, 0, 1, 1]), sizes=[1, 3])
    """
    order = np.argsort(-item_counts, kind="stable")
    before = np.cumsum(item_counts[order]) - item_counts[order] / 2  # the middle of what each item has
    cut = np.minimum((before * many / max(int(item_counts.sum()), 1)).astype(int), many - 1)
    _, cut = np.unique(cut, return_inverse=True)
    of = np.empty(len(order), np.intp)
    of[order] = cut
    return Groups(of, np.bincount(cut).tolist())


def table(lists: Mapping[str, NDArray[np.int32]], item_counts: Counts, users: int) -> dict[str, dict[str, float]]:
    """Return how popular what each model lists is, and how much of the catalog it shows."""
    items = len(item_counts)
    return {
        label: {
            "popularity": _mean(metrics.popularity(best, item_counts)),
            "novelty": _mean(metrics.novelty(best, item_counts, users)),
            "coverage": metrics.coverage(best, items),
            "gini": metrics.gini(best, items),
        }
        for label, best in lists.items()
    }


def _mean(scores: NDArray[np.float64]) -> float:
    """Return the mean of the lists that have a figure, NaN where none has."""
    there = scores[~np.isnan(scores)]
    return float(there.mean()) if len(there) else float("nan")


def rest(sizes: Sequence[int]) -> dict[str, Any]:
    """Return how many items the first group has, and all others."""
    return {"head": sizes[0], "others": sum(sizes[1:]), "groups": len(sizes)}

"""Popularity bias: the shares of lists and of held-out values that fall on groups of items by popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import metrics

GROUP_COUNT = 10
CONSUMED_LABEL = "held out"

Counts = NDArray[np.integer]


class PopularityGroups(NamedTuple):
    """Items grouped by popularity, the most popular group first.

    group_of_item: the group of each item row. sizes: the number of items of each group.
    """

    group_of_item: NDArray[np.intp]
    sizes: list[int]

    def shares(self, items: NDArray[np.integer]) -> NDArray[np.float64]:
        """Return the share of item rows (with repetitions) that belongs to each group."""
        counts = np.bincount(self.group_of_item[items], minlength=len(self.sizes))
        return counts / max(int(counts.sum()), 1)


def group_by_popularity(item_counts: Counts, count: int = GROUP_COUNT) -> PopularityGroups:
    """Split items into groups with about equal numbers of values.

    >>> group_by_popularity(np.array([1, 4, 1, 2]), 2)
    PopularityGroups(group_of_item=array([1, 0, 1, 1]), sizes=[1, 3])
    """
    order = np.argsort(-item_counts, kind="stable")
    midpoints = np.cumsum(item_counts[order]) - item_counts[order] / 2  # of the values of each item
    group_numbers = np.minimum((midpoints * count / max(int(item_counts.sum()), 1)).astype(int), count - 1)
    _, group_numbers = np.unique(group_numbers, return_inverse=True)
    group_of_item = np.empty(len(order), np.intp)
    group_of_item[order] = group_numbers
    return PopularityGroups(group_of_item, np.bincount(group_numbers).tolist())


def popularity_table(
    lists: Mapping[str, NDArray[np.int32]], item_counts: Counts, users: int
) -> dict[str, dict[str, float]]:
    """Return popularity, novelty, coverage and Gini of the lists of each model."""
    items = len(item_counts)
    return {
        label: {
            "popularity": _mean_of_lists(metrics.popularity(top_items, item_counts)),
            "novelty": _mean_of_lists(metrics.novelty(top_items, item_counts, users)),
            "coverage": metrics.coverage(top_items, items),
            "gini": metrics.gini(top_items, items),
        }
        for label, top_items in lists.items()
    }


def _mean_of_lists(scores: NDArray[np.float64]) -> float:
    """Return the mean of the defined scores; NaN if there are none."""
    defined = scores[~np.isnan(scores)]
    return float(defined.mean()) if len(defined) else float("nan")


def group_facts(sizes: Sequence[int]) -> dict[str, Any]:
    """Return the number of groups, and of items in the first group and in the others."""
    return {"head": sizes[0], "others": sum(sizes[1:]), "groups": len(sizes)}

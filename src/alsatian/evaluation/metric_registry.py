"""The metrics of an evaluation by name, and the metrics that are requested."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import metrics
from alsatian._util.parsing import require_int
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, did_you_mean
from alsatian.kernels.types import Float64Array


class RankedLists(NamedTuple):
    """The lists of several users, and the inputs of list metrics (metrics/ranking.py and beyond_accuracy.py).

    top_items (users, n): -1 past the end. hits (users, n): held-out items. relevant (users): number of held-out items.
    candidates (users): number of items that could be listed. item_counts (items): users of each item in training.
    user_count: the number of training users. item_users: the training users of each item.
    """

    top_items: NDArray[np.int32]
    hits: NDArray[np.bool_]
    relevant: NDArray[np.integer]
    candidates: NDArray[np.integer]
    item_counts: NDArray[np.integer]
    user_count: int
    item_users: CSR

    @property
    def lengths(self) -> NDArray[np.integer]:
        """The number of items of each list (users,)."""
        counts: NDArray[np.integer] = (self.top_items >= 0).sum(axis=1)
        return counts

    @classmethod
    def from_split(
        cls, top_items: NDArray[np.int32], held_out: CSR, seen: NDArray[np.integer], train: Interactions
    ) -> RankedLists:
        """Return the lists of users with their held-out items, a row each. Lists leave out seen items.

        seen (users): the number of items that each user has seen.
        """
        hits, candidates = metrics.hits(top_items, held_out), len(train.item_ids) - seen
        user_count = int((train.by_user.counts > 0).sum())
        return cls(top_items, hits, held_out.counts, candidates, train.item_counts, user_count, train.by_item)


LIST_METRICS: dict[str, Callable[[RankedLists, int], Float64Array]] = {
    "ndcg": lambda lists, n: metrics.ndcg(lists.hits, lists.relevant, n),
    "recall": lambda lists, n: metrics.recall(lists.hits, lists.relevant, n),
    "precision": lambda lists, n: metrics.precision(lists.hits, lists.relevant, n),
    "map": lambda lists, n: metrics.average_precision(lists.hits, lists.relevant, n),
    "mrr": lambda lists, n: metrics.reciprocal_rank(lists.hits, lists.relevant, n),
    "hit_rate": lambda lists, n: metrics.hit_rate(lists.hits, lists.relevant, n),
    "auc": lambda lists, n: metrics.auc(lists.hits, lists.relevant, lists.candidates, lists.lengths, n),
    "capped_recall": lambda lists, n: metrics.capped_recall(lists.hits, lists.relevant, n),
    "novelty": lambda lists, n: metrics.novelty(lists.top_items[:, :n], lists.item_counts, lists.user_count),
    "popularity": lambda lists, n: metrics.popularity(lists.top_items[:, :n], lists.item_counts),
    "diversity": lambda lists, n: metrics.diversity(lists.top_items[:, :n], lists.item_users),
}
CATALOG_METRICS: dict[str, Callable[[NDArray[np.int32], int], float]] = {
    "coverage": metrics.coverage,
    "gini": metrics.gini,
}
RATING_METRICS = ("rmse", "mae", "r2")
LOWER_IS_BETTER = ("rmse", "mae")
RANKING_ACCURACY = tuple(name for name in LIST_METRICS if name not in ("novelty", "popularity", "diversity"))
ACCURACY_METRICS = (*RATING_METRICS, *RANKING_ACCURACY)  # valid metrics to choose models by
DEFAULT_METRICS = ("rmse", "mae", "ndcg", "recall", "coverage", "novelty")


class MetricRequest(NamedTuple):
    """The requested metrics: of ratings, and of lists with a length each."""

    rating_metrics: tuple[str, ...]
    list_metrics: tuple[tuple[str, int], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all metrics, such as "rmse" and "ndcg@10"."""
        return (*self.rating_metrics, *(f"{name}@{n}" for name, n in self.list_metrics))

    @property
    def max_length(self) -> int:
        """The maximum list length, or 0 if no lists are needed."""
        return max((n for _, n in self.list_metrics), default=0)


def parse_metrics(names: Iterable[str] | None, at: int | Sequence[int]) -> MetricRequest:
    """Return the metrics of these names: "ndcg" at every length of `at`, "ndcg@5" at one. Raises ParameterError."""
    lengths = [require_int("at", n, 1) for n in ([at] if isinstance(at, int) else at)]
    if not lengths:
        raise ParameterError("at=() is empty; pass a list length, such as at=(10,).")
    rating_metrics: list[str] = []
    list_metrics: list[tuple[str, int]] = []
    for spec in DEFAULT_METRICS if names is None else [names] if isinstance(names, str) else names:
        name, separator, cutoff = spec.partition("@")
        if name in RATING_METRICS and not separator:
            rating_metrics.append(name)
        elif name in LIST_METRICS or name in CATALOG_METRICS:
            if separator and not (cutoff.isdigit() and int(cutoff)):
                raise ParameterError(f"{spec!r} has no valid list length; pass a name such as {name}@10.")
            list_metrics += [(name, n) for n in ([int(cutoff)] if separator else lengths)]
        else:
            choices = [*RATING_METRICS, *LIST_METRICS, *CATALOG_METRICS]
            raise ParameterError(f"{spec!r} is not a metric; choose {', '.join(choices)}.{did_you_mean(name, choices)}")
    if not rating_metrics and not list_metrics:
        raise ParameterError("metrics=[] is empty; pass metrics, such as ['ndcg'], or None for the default metrics.")
    return MetricRequest(tuple(dict.fromkeys(rating_metrics)), tuple(dict.fromkeys(list_metrics)))


def metric_title(name: str) -> str:
    """Return the name of a metric for display.

    >>> metric_title("ndcg@10"), metric_title("hit_rate@5")
    ('NDCG@10', 'Hit rate@5')
    """
    base_name, separator, cutoff = name.partition("@")
    title = (
        base_name.upper()
        if base_name in ("rmse", "mae", "r2", "ndcg", "map", "mrr", "auc")
        else base_name.replace("_", " ")
    )
    return title[:1].upper() + title[1:] + separator + cutoff

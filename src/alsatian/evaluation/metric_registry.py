"""The measures of an evaluation by name, and which of them are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import metrics
from alsatian._util.parsing import whole
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, nearest

Scores = NDArray[np.float64]


class Lists(NamedTuple):
    """Lists of some people, and what is needed to judge them (see metrics/ranking.py and metrics/beyond_accuracy.py)."""

    best: NDArray[np.int32]
    hits: NDArray[np.bool_]
    relevant: NDArray[np.integer]
    candidates: NDArray[np.integer]
    item_counts: NDArray[np.integer]
    users: int
    item_users: CSR

    @property
    def listed(self) -> NDArray[np.integer]:
        """How many items each list has."""
        counts: NDArray[np.integer] = (self.best >= 0).sum(axis=1)
        return counts

    @classmethod
    def of(cls, best: NDArray[np.int32], held_out: CSR, seen: NDArray[np.integer], train: Interactions) -> Lists:
        """Return the lists of people with what was held out of theirs (a row each), who cannot be given what they saw.

        seen: how many items each has seen.
        """
        hits, candidates = metrics.hits(best, held_out), len(train.item_ids) - seen
        people = int((train.by_user.counts > 0).sum())
        return cls(best, hits, held_out.counts, candidates, train.item_counts, people, train.by_item)


PER_LIST: dict[str, Callable[[Lists, int], Scores]] = {
    "ndcg": lambda lists, n: metrics.ndcg(lists.hits, lists.relevant, n),
    "recall": lambda lists, n: metrics.recall(lists.hits, lists.relevant, n),
    "precision": lambda lists, n: metrics.precision(lists.hits, lists.relevant, n),
    "map": lambda lists, n: metrics.average_precision(lists.hits, lists.relevant, n),
    "mrr": lambda lists, n: metrics.reciprocal_rank(lists.hits, lists.relevant, n),
    "hit_rate": lambda lists, n: metrics.hit_rate(lists.hits, lists.relevant, n),
    "auc": lambda lists, n: metrics.auc(lists.hits, lists.relevant, lists.candidates, lists.listed, n),
    "capped_recall": lambda lists, n: metrics.capped_recall(lists.hits, lists.relevant, n),
    "novelty": lambda lists, n: metrics.novelty(lists.best[:, :n], lists.item_counts, lists.users),
    "popularity": lambda lists, n: metrics.popularity(lists.best[:, :n], lists.item_counts),
    "diversity": lambda lists, n: metrics.diversity(lists.best[:, :n], lists.item_users),
}
OVERALL: dict[str, Callable[[NDArray[np.int32], int], float]] = {"coverage": metrics.coverage, "gini": metrics.gini}
VALUES = ("rmse", "mae", "r2")
LESS_IS_BETTER = ("rmse", "mae")
ACCURATE_LISTS = tuple(name for name in PER_LIST if name not in ("novelty", "popularity", "diversity"))
ACCURACY = (*VALUES, *ACCURATE_LISTS)  # by which models may be chosen
USUAL = ("rmse", "mae", "ndcg", "recall", "coverage", "novelty")


class Asked(NamedTuple):
    """Which measures are wanted: of values; of lists, each with its length."""

    values: tuple[str, ...]
    lists: tuple[tuple[str, int], ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.values, *(f"{name}@{n}" for name, n in self.lists))

    @property
    def longest(self) -> int:
        """How long lists must be; 0: none are needed."""
        return max((n for _, n in self.lists), default=0)


def asked(names: Iterable[str] | None, at: int | Sequence[int]) -> Asked:
    """Return the measures named: "ndcg" at every length, "ndcg@5" at one; raises ParameterError."""
    lengths = [whole("at", n, 1) for n in ([at] if isinstance(at, int) else at)]
    if not lengths:
        raise ParameterError("at=() gives no length of lists; pass such as at=(10,).")
    values: list[str] = []
    lists: list[tuple[str, int]] = []
    for written in USUAL if names is None else [names] if isinstance(names, str) else names:
        name, apart, place = written.partition("@")
        if name in VALUES and not apart:
            values.append(name)
        elif name in PER_LIST or name in OVERALL:
            if apart and not (place.isdigit() and int(place)):
                raise ParameterError(f"{written!r} names no length of lists; write it like {name}@10.")
            lists += [(name, n) for n in ([int(place)] if apart else lengths)]
        else:
            known = [*VALUES, *PER_LIST, *OVERALL]
            raise ParameterError(f"there is no measure {written!r}; choose {', '.join(known)}.{nearest(name, known)}")
    if not values and not lists:
        raise ParameterError("metrics=[] asks for nothing; pass such as ['ndcg'], or None for the usual ones.")
    return Asked(tuple(dict.fromkeys(values)), tuple(dict.fromkeys(lists)))


def title_of(name: str) -> str:
    """Return the name of a measure as people write it.

    >>> title_of("ndcg@10"), title_of("hit_rate@5")
    ('NDCG@10', 'Hit rate@5')
    """
    kind, apart, place = name.partition("@")
    words = kind.upper() if kind in ("rmse", "mae", "r2", "ndcg", "map", "mrr", "auc") else kind.replace("_", " ")
    return words[:1].upper() + words[1:] + apart + place

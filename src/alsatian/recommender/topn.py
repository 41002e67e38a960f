"""The best items of several queries, and the users whom a list is for, as row numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions

Mask = NDArray[np.bool_]
_CELLS = 1 << 22  # numbers of a block of people, in each of a few arrays


class Top(NamedTuple):
    """The best items of several queries: row numbers (queries, n), -1 past the end, and their scores.

    origin: which part of a combination each place comes from, where that differs.
    """

    best: NDArray[np.int32]
    scores: NDArray[np.float32]
    origin: NDArray[np.int8] | None = None


class Audience(NamedTuple):
    """Whom a list is for: known users or visitors.

    seen: what each has seen; rows: which rows of `seen` are asked for. vectors and offsets belong to the
    rows of `seen` where the model describes people by factors, or with biases; neighbors and similarities
    (rows of `seen`, k) where it knows people by those who are like them; views are the same people as the
    parts of a combination see them. placed: whose vector comes from attributes, as there is no history.
    """

    seen: CSR
    rows: NDArray[np.int32]
    vectors: NDArray[np.floating] | None = None
    offsets: NDArray[np.floating] | None = None
    neighbors: NDArray[np.int32] | None = None
    similarities: NDArray[np.float32] | None = None
    views: tuple[Audience, ...] = ()
    placed: Mask | None = None

    def left_out(self, exclude_seen: bool) -> tuple[NDArray[np.int64], NDArray[np.int32]] | None:
        """Return what lists must not hold, as the kernels take it."""
        return (self.seen.indptr, self.seen.indices) if exclude_seen else None


def blocks(rows: NDArray[Any], width: int) -> Iterator[NDArray[Any]]:
    """Yield some rows at a time, so that arrays of `width` numbers for each of them stay small."""
    return (rows[some] for some in slices(len(rows), width))


def slices(count: int, width: int) -> Iterator[slice]:
    """Yield the places 0..count some at a time, as `blocks` does rows."""
    step = max(1, _CELLS // width)
    return (slice(start, start + step) for start in range(0, count, step))


def stacked(tops: Iterable[Top], n: int) -> Top:
    """Return lists of n one below the other."""
    found = list(tops) or [Top(np.empty((0, n), np.int32), np.empty((0, n), np.float32))]
    origins = [top.origin for top in found if top.origin is not None]
    return Top(
        np.concatenate([top.best for top in found]),
        np.concatenate([top.scores for top in found]),
        np.concatenate(origins) if origins else None,
    )


def spread(top: Top, known: NDArray[np.intp], count: int, others: Top) -> Top:
    """Put lists at the places `known` of `count`, and one and the same list at the others."""
    best, scores = others.best.repeat(count, axis=0), others.scores.repeat(count, axis=0)
    best[known], scores[known] = top.best, top.scores
    return Top(best, scores)


def either(masks: Iterable[Mask | None]) -> Mask | None:
    """Return where any of several masks is true; None is one that is true nowhere."""
    given = [mask for mask in masks if mask is not None]
    return np.any(given, axis=0) if given else None


def popular(data: Interactions, n: int, allowed: Mask | None) -> Top:
    """Return the most popular items as one list (scores are counts); equal counts in the order of the ids."""
    rows = np.arange(len(data.item_ids)) if allowed is None else np.flatnonzero(allowed)
    best = rows[np.argsort(-data.item_counts[rows], kind="stable")][:n].astype(np.int32)
    top = Top(np.full((1, n), -1, np.int32), np.zeros((1, n), np.float32))
    top.best[0, : len(best)], top.scores[0, : len(best)] = best, data.item_counts[best]
    return top

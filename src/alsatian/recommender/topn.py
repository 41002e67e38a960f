"""`TopN`: the best items of several queries, as row numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.kernels.types import Mask as Mask

_CHUNK_CELLS = 1 << 22  # numbers in each array of a chunk of users


class TopN(NamedTuple):
    """The best items of several queries: row numbers (queries, n), -1 past the end, and their scores.

    member: which model of an ensemble each place comes from, or None.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    member: NDArray[np.int8] | None = None


def row_chunks(rows: NDArray[Any], width: int) -> Iterator[NDArray[Any]]:
    """Yield the rows in chunks that keep arrays of `width` numbers per row small."""
    return (rows[chunk] for chunk in chunks(len(rows), width))


def chunks(count: int, width: int) -> Iterator[slice]:
    """Yield slices that cover 0..count, each as long as a chunk of `row_chunks`."""
    step = max(1, _CHUNK_CELLS // width)
    return (slice(start, start + step) for start in range(0, count, step))


def concat(tops: Iterable[TopN], n: int) -> TopN:
    """Concatenate lists of length n along the queries."""
    topn_lists = list(tops) or [TopN(np.empty((0, n), np.int32), np.empty((0, n), np.float32))]
    origins = [top.member for top in topn_lists if top.member is not None]
    return TopN(
        np.concatenate([top.items for top in topn_lists]),
        np.concatenate([top.scores for top in topn_lists]),
        np.concatenate(origins) if origins else None,
    )


def scatter(top: TopN, positions: NDArray[np.intp], count: int, default: TopN) -> TopN:
    """Return `count` lists: those of `top` at `positions`, and the default list elsewhere."""
    best, scores = default.items.repeat(count, axis=0), default.scores.repeat(count, axis=0)
    best[positions], scores[positions] = top.items, top.scores
    return TopN(best, scores)


def any_mask(masks: Iterable[Mask | None]) -> Mask | None:
    """Return the union of masks; None stands for a mask that is false everywhere."""
    present = [mask for mask in masks if mask is not None]
    return np.any(present, axis=0) if present else None


def most_popular(data: Interactions, n: int, allowed: Mask | None) -> TopN:
    """Return the most popular items as one list. Scores are counts; equal counts are in the order of the ids."""
    rows = np.arange(len(data.item_ids)) if allowed is None else np.flatnonzero(allowed)
    ranked_rows = rows[np.argsort(-data.item_counts[rows], kind="stable")][:n].astype(np.int32)
    top = TopN(np.full((1, n), -1, np.int32), np.zeros((1, n), np.float32))
    top.items[0, : len(ranked_rows)], top.scores[0, : len(ranked_rows)] = ranked_rows, data.item_counts[ranked_rows]
    return top

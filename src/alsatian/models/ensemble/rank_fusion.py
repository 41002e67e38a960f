"""How several models' rankings for one person become one: each says a number of every item, and the numbers add up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.recommender.topn import Mask, Top

Measure = Callable[[NDArray[np.float32]], NDArray[np.floating]]  # the scores of a whole list -> what each place says

_OFFSET = 60  # the k of the paper


def by_rank(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    """1 / (60 + rank): reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""
    return 1 / np.arange(_OFFSET + 1, _OFFSET + 1 + len(scores))


def standard(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    """Bring the scores of a list to mean 0 and standard deviation 1; equal ones to 0 (Montague and Aslam 2001)."""
    wide = scores.astype(np.float64)
    return (wide - wide.mean()) / wide.std() if len(wide) and wide[0] > wide[-1] else np.zeros(len(wide))


def as_they_are(scores: NDArray[np.float32]) -> NDArray[np.floating]:
    return scores


def speaking(people: Mask, items: Mask) -> Mask:
    """Return which models (last axis) count for pairs: those that know both sides, else the person; else all do.

    people, items: whom and what each knows, by values or by attributes.
    """
    both = people & items
    both = np.where(both.any(axis=-1, keepdims=True), both, people)
    return both | ~both.any(axis=-1, keepdims=True)


def filled(said: NDArray[np.float32], speaks: Mask) -> NDArray[np.float32]:
    """Return what models say (pairs, models), where one does not count the mean of those that do.

    So it neither hides nor lifts what others have placed by attributes.
    """
    if speaks.all():
        return said
    mean = np.where(speaks, said, 0).sum(axis=1) / speaks.sum(axis=1)
    return np.where(speaks, said, mean[:, None]).astype(np.float32)


def opinions(
    tops: Sequence[Top], people: Mask, items: Mask, measure: Measure
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.float32]]]:
    """Yield for each person the items on the lists, in ascending order, and what each list says of them.

    tops: from each model a list of the same items for each person. What they say: (items of the person, models).
    people, items: whom and what each model knows (people or items, models).
    """
    for person in range(len(people)):
        said = np.full((tops[0].best.shape[1], len(tops)), np.nan, np.float32)
        for at, top in enumerate(tops):
            length = np.count_nonzero(top.best[person] >= 0)
            said[top.best[person, :length], at] = measure(top.scores[person, :length])
        rows = np.flatnonzero(~np.isnan(said[:, 0]))
        yield rows, filled(said[rows], speaking(people[person], items[rows]))


def ranked(
    rows: NDArray[np.intp], says: NDArray[np.float32], weights: NDArray[np.float32], n: int, allowed: Mask | None = None
) -> Top:
    """Return the n best of these items by each of several weightings (queries, models): the largest says . weights."""
    lines = np.zeros((len(weights), len(rows)), np.float32)
    for weight, said in zip(weights.T, says.T, strict=True):  # not a product of matrices: BLAS adds up as it likes
        lines += weight[:, None] * said
    usable = None if allowed is None else allowed[rows]
    best, scores = kernels.top_n_dense(lines, np.arange(len(weights), dtype=np.int32), n, None, usable, threads=1)
    return Top(np.append(rows, -1).astype(np.int32)[best], scores)  # -1, past the end, stays -1

"""Lists moved from popular to little-known items: a person's best candidates, ranked anew.

Candidates are the max(10 n, 100) best items by the model's score, so that every list still suits the person. Each gets

    (1 - novelty) score + novelty information

with its score and its self-information -log2(share of the users who have it), both brought to 0..1 over the person's
candidates. The sum of a list's information never falls as novelty rises: of two lists, each the best by its own
weighting of two sums, the one that weighs information more has no less of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alsatian import metrics
from alsatian.errors import ParameterError
from alsatian.recommender.topn import Audience, Mask, Top, blocks, stacked

if TYPE_CHECKING:
    from alsatian.recommender.model import Model


def check_novelty(novelty: float) -> float:
    """Return a degree of novelty from 0 to 1; raises ParameterError for anything else."""
    number = isinstance(novelty, int | float | np.number) and not isinstance(novelty, bool)
    if not number or not 0 <= novelty <= 1:
        raise ParameterError(f"novelty={novelty!r} is no number from 0 to 1; pass 0 (the best) to 1 (little-known).")
    return float(novelty)


def best(
    model: Model, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, novelty: float, threads: int
) -> Top:
    """Return the n best items of each person; with novelty above 0, moved to little-known ones."""
    if check_novelty(novelty) == 0:
        return model._best(audience, n, exclude_seen, allowed, threads)
    depth = candidates(n, len(model.data.item_ids))
    information = metrics.information(model.data.item_counts, len(model.data.user_ids))
    people = (audience._replace(rows=rows) for rows in blocks(audience.rows, depth))
    chosen_from = (model._best(some, depth, exclude_seen, allowed, threads) for some in people)
    return stacked((novel(some, n, novelty, information) for some in chosen_from), n)


def candidates(n: int, items: int) -> int:
    """Return from how many of a person's best items a list of n is chosen."""
    return min(max(10 * n, 100), items)


def novel(top: Top, n: int, novelty: float, information: NDArray[np.float64]) -> Top:
    """Return the n candidates of each row with the largest weighted sum, and their scores as they were.

    Ties go to the better candidate.
    """
    listed = top.best >= 0
    worth = (1 - novelty) * _unit(top.scores, listed) + novelty * _unit(information[top.best], listed)
    order = np.argsort(np.where(listed, -worth, np.inf), axis=1, kind="stable")[:, :n]
    return Top(
        np.take_along_axis(top.best, order, axis=1),
        np.take_along_axis(top.scores, order, axis=1),
        None if top.origin is None else np.take_along_axis(top.origin, order, axis=1),
    )


def _unit(values: NDArray[np.floating], listed: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Bring each row's values to 0..1; a row of equal values becomes 0."""
    wide = values.astype(np.float64)
    low = np.min(wide, axis=1, keepdims=True, initial=np.inf, where=listed)
    high = np.max(wide, axis=1, keepdims=True, initial=-np.inf, where=listed)
    unit: NDArray[np.float64] = np.divide(wide - low, high - low, out=np.zeros_like(wide), where=listed & (high > low))
    return unit

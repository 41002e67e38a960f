"""Novelty: re-rank the best candidates of a user from popular to little-known items.

Candidates are the max(10 n, 100) best items by the model's score, so that a list stays relevant. The utility of
a candidate is

    (1 - novelty) score + novelty information

where information is -log2(share of the users who have the item). Both terms are scaled to 0..1 over the candidates of
the user. A higher novelty never lowers the sum of a list's information, because each list is the best by its own
weighted sum, and a higher novelty gives information more weight.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian import metrics
from alsatian.errors import ParameterError
from alsatian.recommender.scorer import Scorer
from alsatian.recommender.topn import Mask, TopN, concat, row_chunks
from alsatian.recommender.user_batch import UserBatch


def validate_novelty(novelty: float) -> float:
    """Return the novelty, a number from 0 to 1. Raises ParameterError for anything else."""
    is_number = isinstance(novelty, int | float | np.number) and not isinstance(novelty, bool)
    if not is_number or not 0 <= novelty <= 1:
        raise ParameterError(
            f"novelty={novelty!r} is not a number from 0 to 1; pass 0 (the best items) to 1 (little-known items)."
        )
    return float(novelty)


def rank_with_novelty(
    scorer: Scorer, batch: UserBatch, n: int, exclude_seen: bool, allowed: Mask | None, novelty: float, threads: int
) -> TopN:
    """Return n items for each user of a batch, re-ranked toward little-known items; novelty is above 0."""
    depth = pool_size(n, len(scorer.data.item_ids))
    information = metrics.information(scorer.data.item_counts, len(scorer.data.user_ids))
    batches = (batch.with_rows(rows) for rows in row_chunks(batch.rows, depth))
    candidates = (scorer.rank(rows_batch, depth, exclude_seen, allowed, threads) for rows_batch in batches)
    return concat((rerank(top, n, novelty, information) for top in candidates), n)


def pool_size(n: int, items: int) -> int:
    """Return the number of candidates from which a list of n is chosen."""
    return min(max(10 * n, 100), items)


def rerank(top: TopN, n: int, novelty: float, information: NDArray[np.float64]) -> TopN:
    """Return the n candidates of each row with the largest utility, with their original scores.

    Ties go to the candidate with the higher score.
    """
    valid = top.items >= 0
    utility = (1 - novelty) * _min_max(top.scores, valid) + novelty * _min_max(information[top.items], valid)
    order = np.argsort(np.where(valid, -utility, np.inf), axis=1, kind="stable")[:, :n]
    return TopN(
        np.take_along_axis(top.items, order, axis=1),
        np.take_along_axis(top.scores, order, axis=1),
        None if top.member is None else np.take_along_axis(top.member, order, axis=1),
    )


def _min_max(values: NDArray[np.floating], valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Scale each row's values to 0..1; a row of equal values becomes 0."""
    wide_values = values.astype(np.float64)
    low = np.min(wide_values, axis=1, keepdims=True, initial=np.inf, where=valid)
    high = np.max(wide_values, axis=1, keepdims=True, initial=-np.inf, where=valid)
    scaled: NDArray[np.float64] = np.divide(
        wide_values - low, high - low, out=np.zeros_like(wide_values), where=valid & (high > low)
    )
    return scaled

"""Bootstrap confidence intervals: users are resampled with all their values (Efron and Tibshirani 1993, chapter 13).

A metric is a function of sums over users. A draw of users is therefore a vector of counts, and its metric is the same
function of weighted sums. All models are evaluated on the same draws, so their differences are paired.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from alsatian.kernels.types import Float64Array

CONFIDENCE_LEVEL = 0.95
_MAX_COUNTS_PER_BLOCK = 1 << 22  # counts (draws x users) that are held in memory at a time


def weighted_sums(columns: Float64Array, draws: int, seed: int) -> Float64Array:
    """Return the column sums (draws, columns) over random draws, each of as many users as `columns` has rows."""
    from threadpoolctl import threadpool_limits

    users = len(columns)
    rng = np.random.default_rng(seed)
    block_size = max(1, _MAX_COUNTS_PER_BLOCK // max(users, 1))
    sums = np.empty((draws, columns.shape[1]))
    with threadpool_limits(1):  # so that the bits do not depend on the number of threads
        for start in range(0, draws, block_size):
            block = range(start, min(start + block_size, draws))
            counts = np.array([np.bincount(rng.integers(users, size=users), minlength=users) for _ in block], float)
            sums[block.start : block.stop] = counts @ columns
    return sums


def percentile_interval(samples: Float64Array) -> tuple[float, float]:
    """Return the percentile interval of a metric over the draws.

    >>> np.round(percentile_interval(np.arange(2001.0)))
    array([  50., 1950.])
    """
    tail = (1 - CONFIDENCE_LEVEL) / 2
    low, high = np.nanquantile(samples, [tail, 1 - tail]) if np.isfinite(samples).any() else (np.nan, np.nan)
    return float(low), float(high)


def p_value(differences: Float64Array) -> float:
    """Return the two-sided p-value: twice the share of draws on the other side of 0. It is never 0.

    A draw without a value (NaN) counts for both sides.

    >>> p_value(np.array([1.0, 2.0, 3.0, -1.0]))
    0.8
    """
    opposite = len(differences) - max(int((differences > 0).sum()), int((differences < 0).sum()))
    return min(1.0, 2 * (opposite + 1) / (len(differences) + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979, "A simple sequentially rejective test").

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order: Any = np.argsort(p_values, kind="stable")
    steps = np.arange(len(p_values), 0, -1)
    corrected = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * steps), 1)
    return [float(corrected[rank]) for rank in np.argsort(order, kind="stable")]

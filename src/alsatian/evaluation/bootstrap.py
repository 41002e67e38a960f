"""How sure a figure is: users are drawn anew, with all that belongs to each (Efron and Tibshirani 1993, chapter 13).

A figure is a function of sums over users, so a draw of users is a vector of counts, and a figure of the draw the same
function of weighted sums. All models are judged on the same draws, which pairs their differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

CONFIDENCE_LEVEL = 0.95
_MAX_COUNTS_PER_BLOCK = 1 << 22  # counts of a block of draws


def weighted_sums(columns: Floats, draws: int, seed: int) -> Floats:
    """Return the sums of the columns (users, columns) over each of `draws` random draws of as many users."""
    from threadpoolctl import threadpool_limits

    users = len(columns)
    rng = np.random.default_rng(seed)
    block_size = max(1, _MAX_COUNTS_PER_BLOCK // max(users, 1))
    sums = np.empty((draws, columns.shape[1]))
    with threadpool_limits(1):  # so that the bits do not depend on the machine's threads
        for start in range(0, draws, block_size):
            block = range(start, min(start + block_size, draws))
            counts = np.array([np.bincount(rng.integers(users, size=users), minlength=users) for _ in block], float)
            sums[block.start : block.stop] = counts @ columns
    return sums


def percentile_interval(samples: Floats) -> tuple[float, float]:
    """Return the percentile interval of a figure over the draws.

    >>> np.round(percentile_interval(np.arange(2001.0)))
    array([  50., 1950.])
    """
    tail = (1 - CONFIDENCE_LEVEL) / 2
    low, high = np.nanquantile(samples, [tail, 1 - tail]) if np.isfinite(samples).any() else (np.nan, np.nan)
    return float(low), float(high)


def p_value(differences: Floats) -> float:
    """Return how likely draws fall on the other side of 0, twice (two-sided); never 0, as the draws are finite.

    A draw without a figure (NaN) is on both sides.

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

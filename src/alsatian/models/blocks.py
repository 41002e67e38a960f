"""The fixed grid of blocks in which stochastic gradient descent walks the data."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.kernels import Blocks

MOST_THREADS = 16  # that small data keeps busy: the least number of stripes
MOST_STRIPES = 64
CACHED = 1 << 19  # bytes of the items' rows in a stripe: they stay in the second-level cache


def stripes_for(items: int, row_bytes: int) -> int:
    """Return into how many stripes to cut users and items: by the data alone, whatever the threads."""
    return int(np.clip(-(-items * row_bytes // CACHED), MOST_THREADS, MOST_STRIPES))


def blocks_of(
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    values: NDArray[np.float32],
    weights: NDArray[np.float32] | None,
    shape: tuple[int, int],
    stripes: int,
    threads: int,
) -> Blocks:
    """Sort entries into blocks. Stripes are ranges of rows with about as many entries each; a block keeps the order."""
    of_user, of_item = (
        _stripes(np.bincount(rows, minlength=count), stripes) for rows, count in zip((users, items), shape, strict=True)
    )
    keys = of_user[users] * np.int32(stripes) + of_item[items]
    columns = [users, items, values] + ([] if weights is None else [weights])
    starts, moved = kernels.counting_sort(keys, stripes * stripes, columns, threads)
    return Blocks(moved[0], moved[1], moved[2], None if weights is None else moved[3], starts)


def _stripes(counts: NDArray[np.int64], stripes: int) -> NDArray[np.int32]:
    """Return the stripe of each row, ascending."""
    middle = np.cumsum(counts) - counts / 2
    return np.minimum(middle * stripes / max(int(counts.sum()), 1), stripes - 1).astype(np.int32)

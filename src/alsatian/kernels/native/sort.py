"""Sort columns by row numbers, to build and transpose compressed rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.native import build
from alsatian.kernels.types import Array, usable_threads


def counting_sort(
    keys: NDArray[np.int32], n_keys: int, columns: Sequence[Array], threads: int | None = None
) -> tuple[NDArray[np.int64], list[Array]]:
    """Stably sort columns by keys in [0, n_keys). Return the first row of each key (n_keys + 1), and the columns.

    Columns have the length of the keys, and entries of 4 or 8 bytes. Raises IndexError for a key out of range.
    """
    indptr = np.empty(n_keys + 1, np.int64)
    outputs = [np.empty_like(column) for column in columns]
    build.native.counting_sort(keys, list(columns), outputs, indptr, usable_threads(threads))
    return indptr, outputs


def sort_rows(
    indptr: NDArray[np.int64], keys: NDArray[np.int32], columns: Sequence[Array], threads: int | None = None
) -> int:
    """Stably sort the keys of each compressed row in place, and the columns (of 4 or 8 bytes per entry) with them.

    Return the number of keys that repeat the previous key of their row. Keys must not be negative.
    """
    return build.native.sort_rows(indptr, keys, list(columns), usable_threads(threads))  # type: ignore[no-any-return]


def transpose(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    columns: Sequence[Array],
    n_columns: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int64], list[Array]]:
    """Convert compressed rows to compressed columns: indptr (n_columns + 1), and [row of each entry, *columns].

    Rows ascend within a column. Raises IndexError for an index out of range.
    """
    rows = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    return counting_sort(indices, n_columns, [rows, *columns], threads)

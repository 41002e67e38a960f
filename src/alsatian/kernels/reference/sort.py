"""Sorting of columns in NumPy: the twins of `cpp/sort/`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.types import Array


def counting_sort(
    keys: NDArray[np.int32],
    n_keys: int,
    columns: Sequence[Array],
    threads: int | None = None,
) -> tuple[NDArray[np.int64], list[Array]]:
    """Stably sort columns by keys in [0, n_keys). Return the first row of each key (n_keys + 1), and the columns."""
    order = np.argsort(keys, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=n_keys))]).astype(np.int64)
    return indptr, [column[order] for column in columns]


def sort_rows(
    indptr: NDArray[np.int64], keys: NDArray[np.int32], columns: Sequence[Array], threads: int | None = None
) -> int:
    """Stably sort the keys of each row in place, and the columns with them; return the number of repeated keys."""
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((keys, rows))
    for column in (keys, *columns):
        column[:] = column[order]
    return int(((keys[1:] == keys[:-1]) & (rows[1:] == rows[:-1])).sum())


def transpose(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    columns: Sequence[Array],
    n_columns: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int64], list[Array]]:
    """Convert compressed rows to compressed columns: indptr, and [row of each entry, *columns]."""
    rows = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    return counting_sort(indices, n_columns, [rows, *columns])

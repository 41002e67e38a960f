"""Compressed sparse rows (CSR): the layout of all entries, by user and by item."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels


@dataclass(frozen=True, eq=False)
class CSR:
    """Compressed sparse rows: row r holds columns `indices[indptr[r]:indptr[r + 1]]`, ascending, with `values`.

    weights: the weight of each entry in a fit, or None for equal weights.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    n_columns: int
    weights: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        freeze(self, "indptr", "indices", "values", "weights")

    @property
    def n_rows(self) -> int:
        """The number of rows, empty ones included."""
        return len(self.indptr) - 1

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of entries of each row."""
        return np.diff(self.indptr)

    @property
    def row_numbers(self) -> NDArray[np.int32]:
        """The row of each entry (computed at each call)."""
        return np.repeat(np.arange(self.n_rows, dtype=np.int32), self.counts)

    @property
    def kernel_rows(self) -> kernels.Rows:
        """The same arrays in the form that kernels take."""
        return kernels.Rows(self.indptr, self.indices, self.values, self.weights)

    def row(self, row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the columns and the values of one row."""
        entries = slice(self.indptr[row], self.indptr[row + 1])
        return self.indices[entries], self.values[entries]

    def take(self, rows: NDArray[np.integer]) -> CSR:
        """Return these rows, in this order."""
        counts = self.counts[rows]
        indptr = np.concatenate([[0], np.cumsum(counts)])
        entries = np.repeat(self.indptr[rows] - indptr[:-1], counts) + np.arange(indptr[-1])
        weights = None if self.weights is None else self.weights[entries]
        return CSR(indptr, self.indices[entries], self.values[entries], self.n_columns, weights)

    def where(self, mask: NDArray[np.bool_]) -> CSR:
        """Return the entries where `mask` is true; all rows stay, even if they become empty."""
        indptr = np.concatenate([[0], np.cumsum(mask)])[self.indptr]
        weights = None if self.weights is None else self.weights[mask]
        return CSR(indptr, self.indices[mask], self.values[mask], self.n_columns, weights)

    def transpose(self) -> CSR:
        """Return the same entries by column. The sort is stable, so rows ascend within a column."""
        arrays = [column for column in (self.values, self.weights) if column is not None]
        indptr, (rows, *columns) = kernels.transpose(self.indptr, self.indices, arrays, self.n_columns)
        return CSR(indptr, rows, columns[0], self.n_rows, columns[1] if len(columns) > 1 else None)

    def to_scipy(self, values: NDArray[Any] | None = None) -> Any:
        """Return a scipy.sparse.csr_array that shares the arrays; `values` replaces the values."""
        from scipy.sparse import csr_array

        return csr_array(
            (self.values if values is None else values, self.indices, self.indptr), shape=(self.n_rows, self.n_columns)
        )


def freeze(owner: object, *names: str) -> None:
    """Replace arrays of a frozen dataclass by read-only views."""
    for name in names:
        if (array := getattr(owner, name)) is not None and array.flags.writeable:
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(owner, name, view)

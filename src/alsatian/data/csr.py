"""Compressed sparse rows: the one layout in which users and items hold their entries."""

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

    weights: how much each entry counts in a fit, or None for all alike.
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
        """How many entries each row has."""
        return np.diff(self.indptr)

    @property
    def row_numbers(self) -> NDArray[np.int32]:
        """The row of each entry (made anew at each call)."""
        return np.repeat(np.arange(self.n_rows, dtype=np.int32), self.counts)

    @property
    def kernel_rows(self) -> kernels.Rows:
        """The same arrays as kernels take them."""
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
        """Return the entries at which `mask` is true."""
        indptr = np.concatenate([[0], np.cumsum(mask)])[self.indptr]
        weights = None if self.weights is None else self.weights[mask]
        return CSR(indptr, self.indices[mask], self.values[mask], self.n_columns, weights)

    def transpose(self) -> CSR:
        """Return the same entries by column: a stable sort, so within a column the rows ascend."""
        arrays = [column for column in (self.values, self.weights) if column is not None]
        indptr, (rows, *columns) = kernels.transpose(self.indptr, self.indices, arrays, self.n_columns)
        return CSR(indptr, rows, columns[0], self.n_rows, columns[1] if len(columns) > 1 else None)

    def to_scipy(self, values: NDArray[Any] | None = None) -> Any:
        """Return a scipy.sparse.csr_array over the same arrays, or with other values in their place."""
        from scipy.sparse import csr_array

        return csr_array(
            (self.values if values is None else values, self.indices, self.indptr), shape=(self.n_rows, self.n_columns)
        )


def freeze(owner: object, *names: str) -> None:
    """Replace arrays of a frozen dataclass by views that cannot be written to."""
    for name in names:
        if (array := getattr(owner, name)) is not None and array.flags.writeable:
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(owner, name, view)

"""How rows of interactions become vectors whose similarity is taken: centred or weighted, and how long they are."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.weighting import saturated
from alsatian.kernels import Sparse

SIMILARITIES = ("cosine", "adjusted-cosine", "pearson", "jaccard")
WEIGHTINGS = ("none", "tf-idf", "bm25")
K1, B = 1.2, 0.75  # of BM25, the usual ones (Robertson and Zaragoza 2009)
_HUGE = 1e15  # sums of many squares of less stay within float32


class Vectors(NamedTuple):
    """Learned from the rows of one side: what must be known of the columns to make a vector of one more row.

    column_means: (columns) for the adjusted cosine. idf: (columns) log(1 + rows / n), n the entries of the column: one
    that everybody has says little. length: how much a row holds on average, for bm25.
    """

    similarity: str
    weighting: str
    column_means: NDArray[np.float64] | None
    idf: NDArray[np.float64] | None
    length: float

    @classmethod
    def learn(cls, similarity: str, weighting: str, rows: CSR) -> Vectors:
        means = idf = None
        if similarity == "adjusted-cosine":
            means = np.bincount(rows.indices, rows.values, minlength=rows.columns) / _counts(rows)
        if weighting != "none":
            idf = np.log1p(rows.rows / _counts(rows))
        return cls(similarity, weighting, means, idf, float(rows.values.sum(dtype=np.float64)) / max(rows.rows, 1))

    @property
    def measure(self) -> str:
        """What the kernel computes of the vectors."""
        return "cosine" if self.similarity == "adjusted-cosine" else self.similarity

    def of(self, rows: CSR, residuals: NDArray[np.float32] | None = None) -> tuple[Sparse, NDArray[np.float32]]:
        """Return rows as vectors, and their sizes: lengths |x|, or numbers of entries for jaccard.

        residuals: what the values deviate from a baseline; the adjusted cosine then takes these.
        """
        values: NDArray[np.float64] | NDArray[np.float32] = strengths(rows)
        if self.similarity == "adjusted-cosine":
            assert self.column_means is not None
            values = values - self.column_means[rows.indices] if residuals is None else residuals
        elif self.idf is not None:
            values = self._weighted(rows, values.astype(np.float64)) * self.idf[rows.indices]
        if self.measure == "cosine":
            values = _squarable(rows, values)
        values = np.ascontiguousarray(values, np.float32)
        sizes = rows.counts.astype(np.float64)
        if self.measure == "cosine":
            sizes = np.sqrt(_per_row(np.add, rows, np.square(values, dtype=np.float64)))
        return Sparse(rows.indptr, rows.indices, values), sizes.astype(np.float32)

    def _weighted(self, rows: CSR, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return values as terms of a row: plain (tf-idf), or bounded by K1 + 1 and less in a long row (bm25)."""
        if self.weighting == "tf-idf":
            return values
        lengths = np.bincount(rows.row_numbers, values, minlength=rows.rows)
        return saturated(values, np.repeat(lengths, rows.counts), self.length, K1, B)


def _counts(rows: CSR) -> NDArray[np.int64]:
    """Return how many entries each column has, but at least 1."""
    return np.maximum(np.bincount(rows.indices, minlength=rows.columns), 1)


def _squarable(rows: CSR, values: NDArray[Any]) -> NDArray[Any]:
    """Return values whose squares float32 holds: huge and tiny rows times a power of two, which no cosine notices."""
    largest = _per_row(np.maximum, rows, np.abs(values))
    odd = (largest > _HUGE) | ((largest > 0) & (largest < 1 / _HUGE))
    if not odd.any():
        return values
    exponents = np.where(odd, np.frexp(largest)[1], 0)
    return np.asarray(np.ldexp(values, -np.repeat(exponents, rows.counts)))


def _per_row(combine: np.ufunc, rows: CSR, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the values of each row combined, 0 for one without any."""
    found, filled = np.zeros(rows.rows), np.flatnonzero(rows.counts)
    if len(filled):
        found[filled] = combine.reduceat(values, rows.indptr[filled])
    return found


def strengths(rows: CSR) -> NDArray[np.float32]:
    """Return the values times their weights, where they have any."""
    return rows.values if rows.weights is None else rows.values * rows.weights


def cells(
    matrix: CSR, rows: NDArray[np.integer], columns: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return for each (row, column) the place of its entry, and whether there is one; -1 is no row and no column."""
    rows, columns = np.broadcast_arrays(rows, columns)
    low, end = matrix.indptr[rows], matrix.indptr[rows + 1] * (rows >= 0)
    high = end
    while (open_ := low < high).any():  # binary search in all rows at once
        middle = (low + high) // 2
        below = open_ & (matrix.indices[np.where(open_, middle, 0)] < columns)
        low, high = np.where(below, middle + 1, low), np.where(open_ & ~below, middle, high)
    there = (low < end) & (columns >= 0)
    there &= matrix.indices[np.where(there, low, 0)] == columns
    return np.where(there, low, 0), there

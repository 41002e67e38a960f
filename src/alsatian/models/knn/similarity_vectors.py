"""Turn rows of interactions into centred or weighted vectors, whose similarities are computed."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.weighting import bm25_tf
from alsatian.kernels import Sparse

SIMILARITIES = ("cosine", "adjusted-cosine", "pearson", "jaccard")
WEIGHTINGS = ("none", "tf-idf", "bm25")
BM25_K1, BM25_B = 1.2, 0.75  # the usual parameters (Robertson and Zaragoza 2009)
_MAX_SQUARABLE = 1e15  # sums of squares of smaller values stay within float32


class RowVectors(NamedTuple):
    """The transformation of rows to vectors, learned from the rows of one side. It applies to further rows, too.

    column_means (columns): the means of the columns, for the adjusted cosine, or None.
    idf (columns): log(1 + rows / n), where n is the number of entries of the column, or None without weighting.
    mean_length: the mean sum of a row, for bm25.
    """

    similarity: str
    weighting: str
    column_means: NDArray[np.float64] | None
    idf: NDArray[np.float64] | None
    mean_length: float

    @classmethod
    def fit(cls, similarity: str, weighting: str, rows: CSR) -> RowVectors:
        """Return the transformation for these rows, with the column means, idf and mean row sum that it needs."""
        means = idf = None
        if similarity == "adjusted-cosine":
            means = np.bincount(rows.indices, rows.values, minlength=rows.n_columns) / _column_counts(rows)
        if weighting != "none":
            idf = np.log1p(rows.n_rows / _column_counts(rows))
        return cls(similarity, weighting, means, idf, float(rows.values.sum(dtype=np.float64)) / max(rows.n_rows, 1))

    @property
    def measure(self) -> str:
        """The similarity that the kernel computes: adjusted cosine is the cosine of centred vectors."""
        return "cosine" if self.similarity == "adjusted-cosine" else self.similarity

    def transform(self, rows: CSR, residuals: NDArray[np.float32] | None = None) -> tuple[Sparse, NDArray[np.float32]]:
        """Return rows as vectors, and their sizes (rows,): lengths |x|, or numbers of entries for jaccard.

        residuals: the deviations of the values from a baseline, which the adjusted cosine uses instead of the values.
        """
        values: NDArray[np.float64] | NDArray[np.float32] = weighted_values(rows)
        if self.similarity == "adjusted-cosine":
            assert self.column_means is not None
            values = values - self.column_means[rows.indices] if residuals is None else residuals
        elif self.idf is not None:
            values = self._weight_terms(rows, values.astype(np.float64)) * self.idf[rows.indices]
        if self.measure == "cosine":
            values = _scale_for_squares(rows, values)
        values = np.ascontiguousarray(values, np.float32)
        sizes = rows.counts.astype(np.float64)
        if self.measure == "cosine":
            sizes = np.sqrt(_reduce_rows(np.add, rows, np.square(values, dtype=np.float64)))
        return Sparse(rows.indptr, rows.indices, values), sizes.astype(np.float32)

    def _weight_terms(self, rows: CSR, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the term weights of the values: plain (tf-idf), or below K1 + 1 and less in a long row (bm25)."""
        if self.weighting == "tf-idf":
            return values
        lengths = np.bincount(rows.row_numbers, values, minlength=rows.n_rows)
        return bm25_tf(values, np.repeat(lengths, rows.counts), self.mean_length, BM25_K1, BM25_B)


def _column_counts(rows: CSR) -> NDArray[np.int64]:
    """Return the number of entries of each column, but at least 1."""
    return np.maximum(np.bincount(rows.indices, minlength=rows.n_columns), 1)


def _scale_for_squares(rows: CSR, values: NDArray[Any]) -> NDArray[Any]:
    """Scale rows of huge or tiny values by a power of two, so that squares fit into float32. Cosines do not change."""
    largest = _reduce_rows(np.maximum, rows, np.abs(values))
    out_of_range = (largest > _MAX_SQUARABLE) | ((largest > 0) & (largest < 1 / _MAX_SQUARABLE))
    if not out_of_range.any():
        return values
    exponents = np.where(out_of_range, np.frexp(largest)[1], 0)
    return np.asarray(np.ldexp(values, -np.repeat(exponents, rows.counts)))


def _reduce_rows(combine: np.ufunc, rows: CSR, values: NDArray[Any]) -> NDArray[np.float64]:
    """Return the reduction of each row's values by `combine`, 0 for an empty row."""
    results, nonempty = np.zeros(rows.n_rows), np.flatnonzero(rows.counts)
    if len(nonempty):
        results[nonempty] = combine.reduceat(values, rows.indptr[nonempty])
    return results


def weighted_values(rows: CSR) -> NDArray[np.float32]:
    """Return the values times their weights, if there are weights."""
    return rows.values if rows.weights is None else rows.values * rows.weights


def find_entries(
    matrix: CSR, rows: NDArray[np.integer], columns: NDArray[np.integer]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the position of the entry of each (row, column), and whether it exists. Row or column -1 has no entry."""
    rows, columns = np.broadcast_arrays(rows, columns)
    low, end = matrix.indptr[rows], matrix.indptr[rows + 1] * (rows >= 0)
    high = end
    while (active := low < high).any():  # binary search in all rows at once
        middle = (low + high) // 2
        below = active & (matrix.indices[np.where(active, middle, 0)] < columns)
        low, high = np.where(below, middle + 1, low), np.where(active & ~below, middle, high)
    present = (low < end) & (columns >= 0)
    present &= matrix.indices[np.where(present, low, 0)] == columns
    return np.where(present, low, 0), present

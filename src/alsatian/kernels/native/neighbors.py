"""Neighbors: the most similar rows of a sparse matrix, and the number of columns that two rows share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.native import build
from alsatian.kernels.types import Sparse, usable_threads


def neighbors(
    rows: Sparse,
    columns: int,
    sizes: NDArray[np.float32],
    similarity: str,
    shrinkage: float,
    k: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k most similar other rows of each row, and their similarities (both rows x k).

    Neighbors are sorted by descending similarity, then by ascending row. Only rows with a positive similarity are
    listed; shorter lists end with -1 (similarity 0). With sums over the n columns that the rows x and y share:

    - cosine: sum x y / (size_x size_y); sizes (rows) are the lengths of the whole rows
    - jaccard: n / (size_x + size_y - n); sizes are the numbers of entries
    - pearson: the correlation of x and y over the shared columns, with the means over these columns

    Each similarity is multiplied by n / (n + shrinkage) (Koren 2008, "Factorization meets the neighborhood", eq. 2).
    Raises ValueError for another similarity or a negative shrinkage.
    """
    nearest, similarities = np.empty((len(sizes), k), np.int32), np.empty((len(sizes), k), np.float32)
    measure, threads = (similarity, shrinkage), usable_threads(threads)
    build.native.neighbors(rows, columns, sizes, measure, nearest, similarities, threads)
    return nearest, similarities


def neighbors_for(
    queries: Sparse,
    query_sizes: NDArray[np.float32],
    by_column: Sparse,
    sizes: NDArray[np.float32],
    similarity: str,
    shrinkage: float,
    k: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k most similar rows of each query, and their similarities (both queries x k), as in `neighbors`.

    The queries are not among the rows, so a row that equals a query is its neighbor.
    by_column: the matrix of the rows, in compressed columns. sizes: of the rows. query_sizes: of the queries.
    """
    shape, measure, threads = (len(query_sizes), k), (similarity, shrinkage), usable_threads(threads)
    nearest, similarities = np.empty(shape, np.int32), np.empty(shape, np.float32)
    build.native.neighbors_for(queries, query_sizes, by_column, sizes, measure, nearest, similarities, threads)
    return nearest, similarities


def co_counts(
    rows: Sparse, columns: int, left: NDArray[np.int32], right: NDArray[np.int32], threads: int | None = None
) -> NDArray[np.int32]:
    """Return the number of columns that the rows left[i] and right[i] share.

    It is fastest if pairs are sorted by left, with the longer row on the left.
    """
    counts = np.empty(len(left), np.int32)
    build.native.co_counts(rows, columns, left, right, counts, usable_threads(threads))
    return counts

"""Neighbors in NumPy: the twins of `cpp/neighbors/`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.types import Array, Sparse, to_dense


def neighbors(
    rows: Sparse,
    columns: int,
    sizes: NDArray[np.float32],
    similarity: str,
    shrinkage: float,
    k: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Compute all similarities with dense matrices, and sort each row. A row is not its own neighbor."""
    dense, there = to_dense(rows, columns)
    similarities = _similarities(dense, there, sizes, dense, there, sizes, similarity, shrinkage)
    np.fill_diagonal(similarities, 0)
    return _nearest(similarities, k)


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
    """Compute the similarities of all queries and rows with dense matrices, and sort each line."""
    dense, there = (matrix.T for matrix in to_dense(by_column, len(sizes)))
    dense_queries = to_dense(queries, dense.shape[1])
    return _nearest(_similarities(*dense_queries, query_sizes, dense, there, sizes, similarity, shrinkage), k)


def co_counts(
    rows: Sparse, columns: int, left: NDArray[np.int32], right: NDArray[np.int32], threads: int | None = None
) -> NDArray[np.int32]:
    """Count the columns in which both rows have a value, with a dense 0/1 matrix."""
    _, there = to_dense(rows, columns)
    counts: NDArray[np.int32] = (there[left] * there[right]).sum(axis=1).astype(np.int32)
    return counts


def _similarities(
    x: Array, in_x: Array, x_sizes: Array, y: Array, in_y: Array, y_sizes: Array, similarity: str, shrinkage: float
) -> Array:
    n, xy = in_x @ in_y.T, x @ y.T
    sizes = x_sizes.astype(np.float64)[:, None], y_sizes.astype(np.float64)[None]
    with np.errstate(divide="ignore", invalid="ignore"):
        if similarity == "cosine":
            similarities = xy / (sizes[0] * sizes[1])
        elif similarity == "jaccard":
            similarities = n / (sizes[0] + sizes[1] - n)
        else:
            sx, sy, sxx, syy = x @ in_y.T, in_x @ y.T, x**2 @ in_y.T, in_x @ (y**2).T
            vx, vy = sxx - sx**2 / n, syy - sy**2 / n
            similarities = np.minimum(1, (xy - sx * sy / n) / np.sqrt(vx * vy))
            similarities[(vx <= 1e-12 * sxx) | (vy <= 1e-12 * syy)] = 0
        similarities = similarities * (n / (n + shrinkage))
    return np.where((n > 0) & (similarities > 0), similarities, 0).astype(np.float32)


def _nearest(similarities: Array, k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    nearest, scores = np.full((len(similarities), k), -1, np.int32), np.zeros((len(similarities), k), np.float32)
    scores[:, : order.shape[1]] = np.take_along_axis(similarities, order, axis=1)
    nearest[:, : order.shape[1]] = order
    nearest[scores == 0] = -1
    return nearest, scores

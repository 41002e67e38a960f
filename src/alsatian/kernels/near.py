"""Neighbours, and lists made from them, in NumPy: the twins of `cpp/neighbors/` and `cpp/topk/`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.types import Array, Sparse


def neighbors(
    rows: Sparse,
    columns: int,
    sizes: NDArray[np.float32],
    similarity: str,
    shrinkage: float,
    k: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the k other rows of the highest similarity of each row, and the similarities.

    SgdSide, then ascending by row; -1 (similarity 0) past the end; only positive similarities count. With sums over
    the n columns that x and y share:

    - cosine: sum x y / (size_x size_y); sizes are the lengths of whole rows
    - jaccard: n / (size_x + size_y - n); sizes are the numbers of entries
    - pearson: the correlation of x and y over the shared columns alone, with the means that they have there

    each times n / (n + shrinkage) (Koren 2008, "Factorization meets the neighborhood", eq. 2).
    """
    dense, there = _dense(rows, columns)
    found = _similarities(dense, there, sizes, dense, there, sizes, similarity, shrinkage)
    np.fill_diagonal(found, 0)
    return _nearest(found, k)


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
    """Return the k nearest rows of each query, which is none of them; the rows are given column by column."""
    dense, there = (matrix.T for matrix in _dense(by_column, len(sizes)))
    asked = _dense(queries, dense.shape[1])
    return _nearest(_similarities(*asked, query_sizes, dense, there, sizes, similarity, shrinkage), k)


def co_counts(
    rows: Sparse, columns: int, left: NDArray[np.int32], right: NDArray[np.int32], threads: int | None = None
) -> NDArray[np.int32]:
    """Return how many columns rows left[i] and right[i] share. Fastest sorted by left, the longer rows on the left."""
    _, there = _dense(rows, columns)
    counts: NDArray[np.int32] = (there[left] * there[right]).sum(axis=1).astype(np.int32)
    return counts


def _dense(rows: Sparse, columns: int) -> tuple[Array, Array]:
    """Return the values as a matrix, and 1 where there is one."""
    at = np.repeat(np.arange(len(rows.indptr) - 1), np.diff(rows.indptr)), rows.indices
    dense, there = np.zeros((2, len(rows.indptr) - 1, columns))
    dense[at], there[at] = rows.values, 1
    return dense, there


def _similarities(
    x: Array, in_x: Array, x_sizes: Array, y: Array, in_y: Array, y_sizes: Array, similarity: str, shrinkage: float
) -> Array:
    n, xy = in_x @ in_y.T, x @ y.T
    sizes = x_sizes.astype(np.float64)[:, None], y_sizes.astype(np.float64)[None]
    with np.errstate(divide="ignore", invalid="ignore"):
        if similarity == "cosine":
            found = xy / (sizes[0] * sizes[1])
        elif similarity == "jaccard":
            found = n / (sizes[0] + sizes[1] - n)
        else:
            sx, sy, sxx, syy = x @ in_y.T, in_x @ y.T, x**2 @ in_y.T, in_x @ (y**2).T
            vx, vy = sxx - sx**2 / n, syy - sy**2 / n
            found = np.minimum(1, (xy - sx * sy / n) / np.sqrt(vx * vy))
            found[(vx <= 1e-12 * sxx) | (vy <= 1e-12 * syy)] = 0
        found = found * (n / (n + shrinkage))
    return np.where((n > 0) & (found > 0), found, 0).astype(np.float32)


def _nearest(similarities: Array, k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    order = np.argsort(-similarities, axis=1, kind="stable")[:, :k]
    found, scores = np.full((len(similarities), k), -1, np.int32), np.zeros((len(similarities), k), np.float32)
    scores[:, : order.shape[1]] = np.take_along_axis(similarities, order, axis=1)
    found[:, : order.shape[1]] = order
    found[scores == 0] = -1
    return found, scores


def top_n_dense(
    lines: NDArray[np.float32],
    rows: NDArray[np.int32],
    n: int,
    seen: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the n items of the highest score of each line, and the scores.

    SgdSide by score, then ascending by item; -1 (score 0) past the end; -inf is never listed. What row rows[i] of
    `seen` (indptr, indices) holds is left out of line i, as are items that are not `allowed`.
    """
    found, scores = np.full((len(rows), n), -1, np.int32), np.zeros((len(rows), n), np.float32)
    for at, (line, row) in enumerate(zip(lines, rows, strict=True)):
        usable = line > -np.inf if allowed is None else allowed & (line > -np.inf)
        if seen is not None:
            usable[seen[1][seen[0][row] : seen[0][row + 1]]] = False
        candidates = np.flatnonzero(usable)
        order = candidates[np.argsort(-line[candidates], kind="stable")][:n]
        found[at, : len(order)], scores[at, : len(order)] = order, line[order]
    return found, scores


def top_n_sums(
    weights: Sparse,
    parts: Sparse,
    items: int,
    rows: NDArray[np.int32],
    n: int,
    start: NDArray[np.float32] | None = None,
    base: NDArray[np.float32] | None = None,
    divide: str = "nothing",
    damping: float = 0.0,
    seen: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the n best items of some rows of `weights`, as `top_n_dense` does, where item i of a row scores

        start_row + base_i + sum_e a_e p_ei / d

    Entry e of the row has the weight a_e and names a row of `parts` with the values p_ei. d is 1 (divide "nothing"),
    or damping + the sum of |a_e| ("weights") or of |p_ei| ("parts") over the entries that have item i; the sum counts
    as 0 where none has it.
    """
    factor, _ = _dense(weights, len(parts.indptr) - 1)
    value, there = _dense(parts, items)
    factor = factor[rows]
    lines = factor @ value
    if divide != "nothing":
        over = np.abs(factor) @ there if divide == "weights" else (factor != 0) @ np.abs(value)
        lines = np.divide(lines, over + damping, out=np.zeros_like(lines), where=over > 0)
    lines += (0 if base is None else base) + (0 if start is None else start[rows, None])
    return top_n_dense(lines.astype(np.float32), rows, n, seen, allowed)

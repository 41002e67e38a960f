"""Top-n lists in NumPy: the twins of `cpp/topk/`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.item_panels import PANEL_ITEMS, Panels, order_items
from alsatian.kernels.types import Sparse, to_dense


def pack_items(factors: NDArray[np.float32], bias: NDArray[np.float32] | None) -> Panels:
    """Fill the panels from a matrix whose first column is the bias."""
    panels, (items, k) = order_items(factors, bias), factors.shape
    wide = np.zeros((len(panels.cells) * PANEL_ITEMS, k + 1), np.float32)
    wide[:items, 0], wide[items:, 0] = 0 if bias is None else bias[panels.order], -np.inf
    wide[:items, 1:] = factors[panels.order]
    panels.cells[:] = wide.reshape(-1, PANEL_ITEMS, k + 1).transpose(0, 2, 1)
    return panels


def top_k(
    panels: Panels,
    queries: NDArray[np.float32],
    rows: NDArray[np.int32],
    n: int,
    seen: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Score every item, without using the bounds of panels, and list each line as `top_n_dense` does."""
    cells, items = panels.cells, len(panels.order)
    wide = np.empty((items, cells.shape[1]))
    wide[panels.order] = cells.transpose(0, 2, 1).reshape(-1, cells.shape[1])[:items]
    lines = (wide[:, 0] + queries[rows] @ wide[:, 1:].T).astype(np.float32)
    return top_n_dense(lines, rows, n, seen, allowed)


def top_n_dense(
    lines: NDArray[np.float32],
    rows: NDArray[np.int32],
    n: int,
    seen: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Sort the scores of each line, without the excluded items; the lower item number breaks ties."""
    items, scores = np.full((len(rows), n), -1, np.int32), np.zeros((len(rows), n), np.float32)
    for at, (line, row) in enumerate(zip(lines, rows, strict=True)):
        usable = line > -np.inf if allowed is None else allowed & (line > -np.inf)
        if seen is not None:
            usable[seen[1][seen[0][row] : seen[0][row + 1]]] = False
        candidates = np.flatnonzero(usable)
        order = candidates[np.argsort(-line[candidates], kind="stable")][:n]
        items[at, : len(order)], scores[at, : len(order)] = order, line[order]
    return items, scores


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
    """Compute the scores with dense matrices, and list each line as `top_n_dense` does."""
    factor, _ = to_dense(weights, len(parts.indptr) - 1)
    value, there = to_dense(parts, items)
    factor = factor[rows]
    lines = factor @ value
    if divide != "nothing":
        over = np.abs(factor) @ there if divide == "weights" else (factor != 0) @ np.abs(value)
        lines = np.divide(lines, over + damping, out=np.zeros_like(lines), where=over > 0)
    lines += (0 if base is None else base) + (0 if start is None else start[rows, None])
    return top_n_dense(lines.astype(np.float32), rows, n, seen, allowed)


def pair_scores(
    left: NDArray[np.float32],
    left_rows: NDArray[np.int32],
    right: NDArray[np.float32],
    right_rows: NDArray[np.int32],
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Return the dot products of the selected rows."""
    scores: NDArray[np.float32] = np.einsum("ij,ij->i", left[left_rows], right[right_rows])
    return scores

"""Top-n lists from factors, from dense scores, and from sums of sparse rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.item_panels import Panels, order_items
from alsatian.kernels.native import build
from alsatian.kernels.types import Sparse, usable_threads


def pack_items(factors: NDArray[np.float32], bias: NDArray[np.float32] | None) -> Panels:
    """Pack items for `top_k`. factors: items x k. bias: added to the score of each item (items), or None."""
    panels = order_items(factors, bias)
    build.native.pack_items(factors, bias, panels.order, panels.cells)
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
    """Return the n items with the highest bias + query . factors for `queries[rows]`, and the scores (both rows x n).

    The lists are exact: a panel is skipped only if its bound |x| |y| + b is below the n-th best score (`item_panels`).
    queries: any x k. rows: for each list its query, and its row of `seen`; rows may repeat.
    Order, `seen` and `allowed` are as in `top_n_dense`.
    """
    items, scores = _empty_lists(len(rows), n)
    build.native.top_k(panels, queries, rows, seen, _mask_bytes(allowed), items, scores, usable_threads(threads))
    return items, scores


def top_n_dense(
    lines: NDArray[np.float32],
    rows: NDArray[np.int32],
    n: int,
    seen: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the n items with the highest scores of each line (lists x items), and the scores (both lists x n).

    Items are sorted by descending score, then by ascending item; shorter lists end with -1 (score 0). Items with the
    score -inf are never listed.
    seen: compressed rows (indptr, and indices ascending within a row); the items of row rows[i] are excluded from line
    i. allowed: per item, whether it may be listed; None: all.
    """
    items, scores = _empty_lists(len(rows), n)
    build.native.top_n_dense(lines, rows, seen, _mask_bytes(allowed), items, scores, usable_threads(threads))
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
    """Return the n best items of some rows of `weights`, as in `top_n_dense`. The score of item i is

        start_row + base_i + sum_e a_e p_ei / d

    Entry e of the row has the weight a_e. Its index is a row of `parts`, with the values p_ei (indices below `items`).
    d is 1 (divide="nothing"), or damping + the sum of |a_e| ("weights") or of |p_ei| ("parts") over the entries that
    have item i. The term is 0 if no entry has the item. start: per row of `weights`, or None. base: per item, or None.
    This is the general form of the predictions of neighborhood models (Sarwar et al. 2001, "Item-based collaborative
    filtering recommendation algorithms", eq. 4).
    """
    listed, scores = _empty_lists(len(rows), n)
    build.native.top_n_sums(
        weights, parts, items, start, base, (divide, damping), rows, seen, _mask_bytes(allowed), listed, scores,
        usable_threads(threads),
    )  # fmt: skip
    return listed, scores


def pair_scores(
    left: NDArray[np.float32],
    left_rows: NDArray[np.int32],
    right: NDArray[np.float32],
    right_rows: NDArray[np.int32],
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Return left[left_rows[i]] . right[right_rows[i]] for every i; left (any x k), right (any x k)."""
    out = np.empty(len(left_rows), np.float32)
    build.native.pair_scores(left, left_rows, right, right_rows, out, usable_threads(threads))
    return out


def _empty_lists(count: int, n: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    return np.empty((count, n), np.int32), np.empty((count, n), np.float32)


def _mask_bytes(mask: NDArray[np.bool_] | None) -> NDArray[np.uint8] | None:
    return None if mask is None else mask.view(np.uint8)

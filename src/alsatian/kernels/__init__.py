"""The native kernels behind the signatures of `reference.py`, in the build that suits this processor.

The wrappers allocate outputs and choose threads; all arithmetic is in `cpp/`. The environment
variable ALSATIAN_KERNELS picks a build by name ("baseline", "avx2") for tests and comparisons.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import ParameterError
from alsatian.kernels.panels import Panels, order_items
from alsatian.kernels.threads import usable_threads
from alsatian.kernels.types import (
    CHUNK,
    LINE,
    NEVER,
    Array,
    Blocks,
    Rows,
    SgdSide,
    Side,
    Sparse,
    StepRule,
    TextFile,
    Weighting,
)

__all__ = [
    "LINE", "NEVER", "Blocks", "Dictionary", "Panels", "Rows", "SgdSide", "Side", "Sparse", "StepRule", "TextFile",
    "Weighting",
    "co_counts", "count_lines", "counting_sort", "gram", "half_sweep", "instruction_set", "neighbors",
    "neighbors_for", "pack_items", "pair_scores", "read_fields", "row_sums", "sgd", "sort_rows",
    "squared_error", "top_k", "top_n_dense", "top_n_sums", "transpose", "usable_threads",
]  # fmt: skip

_BUILDS = {"avx2": "_native_avx2", "baseline": "_native"}  # best first


def _choose() -> str:
    from alsatian.kernels import _native

    wanted = os.environ.get("ALSATIAN_KERNELS")
    if wanted is None:
        return next(name for name in _BUILDS if _native.supports(name))
    if wanted not in _BUILDS or not _native.supports(wanted):
        usable = [name for name in _BUILDS if _native.supports(name)]
        raise ParameterError(f"ALSATIAN_KERNELS={wanted!r} cannot run here; choose one of {usable}.")
    return wanted


instruction_set: str = _choose()
_native = importlib.import_module(f"alsatian.kernels.{_BUILDS[instruction_set]}")


def counting_sort(
    keys: NDArray[np.int32], n_keys: int, columns: Sequence[Array], threads: int | None = None
) -> tuple[NDArray[np.int64], list[Array]]:
    indptr = np.empty(n_keys + 1, np.int64)
    outputs = [np.empty_like(column) for column in columns]
    _native.counting_sort(keys, list(columns), outputs, indptr, usable_threads(threads))
    return indptr, outputs


def sort_rows(
    indptr: NDArray[np.int64], keys: NDArray[np.int32], columns: Sequence[Array], threads: int | None = None
) -> int:
    return _native.sort_rows(indptr, keys, list(columns), usable_threads(threads))  # type: ignore[no-any-return]


def transpose(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    columns: Sequence[Array],
    n_columns: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int64], list[Array]]:
    rows = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    return counting_sort(indices, n_columns, [rows, *columns], threads)


def gram(factors: Array, scale: float = 1.0, threads: int | None = None) -> Array:
    out = np.empty((factors.shape[1],) * 2, factors.dtype)
    _native.gram(factors, scale, out, usable_threads(threads))
    return out


def half_sweep(
    rows: Rows,
    weighting: Weighting,
    fixed: Side,
    gram: Array | None,
    ridge: Array,
    solution: Side,
    steps: int = 0,
    *,
    exact_from: int = NEVER,
    threads: int | None = None,
    rhs_offset: Array | None = None,
    noise: Array | None = None,
    nonnegative: bool = False,
) -> tuple[float, int]:
    threads = usable_threads(threads)
    return _native.half_sweep(  # type: ignore[no-any-return]
        rows, weighting, fixed, gram, ridge, solution, (steps, exact_from, nonnegative), (rhs_offset, noise), threads
    )


def pack_items(factors: NDArray[np.float32], bias: NDArray[np.float32] | None) -> Panels:
    panels = order_items(factors, bias)
    _native.pack_items(factors, bias, panels.order, panels.cells)
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
    items, scores = np.empty((len(rows), n), np.int32), np.empty((len(rows), n), np.float32)
    mask = None if allowed is None else allowed.view(np.uint8)
    _native.top_k(panels, queries, rows, seen, mask, items, scores, usable_threads(threads))
    return items, scores


def pair_scores(
    left: NDArray[np.float32],
    left_rows: NDArray[np.int32],
    right: NDArray[np.float32],
    right_rows: NDArray[np.int32],
    threads: int | None = None,
) -> NDArray[np.float32]:
    out = np.empty(len(left_rows), np.float32)
    _native.pair_scores(left, left_rows, right, right_rows, out, usable_threads(threads))
    return out


def sgd(
    blocks: Blocks,
    rounds: NDArray[np.int32],
    users: SgdSide,
    items: SgdSide,
    sums: NDArray[np.float32] | None,
    slopes: NDArray[np.float32] | None,
    rule: StepRule,
    threads: int | None = None,
) -> None:
    _native.sgd(blocks, rounds, users, items, sums, slopes, rule, usable_threads(threads))


def squared_error(
    blocks: Blocks,
    users: SgdSide,
    items: SgdSide,
    sums: NDArray[np.float32] | None,
    mean: float,
    threads: int | None = None,
) -> float:
    return _native.squared_error(  # type: ignore[no-any-return]
        blocks, users, items, sums, mean, usable_threads(threads)
    )


def row_sums(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], rows: NDArray[np.float32], threads: int | None = None
) -> NDArray[np.float32]:
    out = np.empty((len(indptr) - 1, rows.shape[1]), np.float32)
    _native.row_sums(indptr, indices, rows, out, usable_threads(threads))
    return out


def neighbors(
    rows: Sparse,
    columns: int,
    sizes: NDArray[np.float32],
    similarity: str,
    shrinkage: float,
    k: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    found, scores = np.empty((len(sizes), k), np.int32), np.empty((len(sizes), k), np.float32)
    _native.neighbors(rows, columns, sizes, (similarity, shrinkage), found, scores, usable_threads(threads))
    return found, scores


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
    found, scores = np.empty((len(query_sizes), k), np.int32), np.empty((len(query_sizes), k), np.float32)
    _native.neighbors_for(
        queries, query_sizes, by_column, sizes, (similarity, shrinkage), found, scores,
        usable_threads(threads),
    )  # fmt: skip
    return found, scores


def co_counts(
    rows: Sparse, columns: int, left: NDArray[np.int32], right: NDArray[np.int32], threads: int | None = None
) -> NDArray[np.int32]:
    counts = np.empty(len(left), np.int32)
    _native.co_counts(rows, columns, left, right, counts, usable_threads(threads))
    return counts


def top_n_dense(
    lines: NDArray[np.float32],
    rows: NDArray[np.int32],
    n: int,
    seen: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    found, scores = np.empty((len(rows), n), np.int32), np.empty((len(rows), n), np.float32)
    mask = None if allowed is None else allowed.view(np.uint8)
    _native.top_n_dense(lines, rows, seen, mask, found, scores, usable_threads(threads))
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
    found, scores = np.empty((len(rows), n), np.int32), np.empty((len(rows), n), np.float32)
    mask = None if allowed is None else allowed.view(np.uint8)
    _native.top_n_sums(
        weights, parts, items, start, base, (divide, damping), rows, seen, mask, found, scores,
        usable_threads(threads),
    )  # fmt: skip
    return found, scores


def count_lines(file: int, size: int, chunk: int = CHUNK, threads: int | None = None) -> NDArray[np.int64] | None:
    starts = np.empty(-(-size // chunk) + 1, np.int64)
    return starts if _native.count_lines(file, size, chunk, starts, usable_threads(threads)) else None


def read_fields(
    text: TextFile,
    starts: NDArray[np.int64],
    columns: Sequence[Array | None],
    threads: int | None = None,
) -> bool:
    return _native.read_fields(text, starts, list(columns), usable_threads(threads))  # type: ignore[no-any-return]


class Dictionary:
    def __init__(self) -> None:
        self._known = _native.Dictionary()

    def number(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int32], kept: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int32]:
        out = np.empty(len(offsets) - 1 if kept is None else np.count_nonzero(kept), np.int32)
        self._known.number(data, offsets, kept, out)
        return out

    def sorted(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int32]]:
        size = self._known.size()
        found = np.empty(self._known.bytes(), np.uint8), np.empty(size + 1, np.int64), np.empty(size, np.int32)
        self._known.sorted(*found)
        return found

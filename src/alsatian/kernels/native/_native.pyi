"""The native kernels, compiled for one instruction set. The wrappers in this package document what they compute.

All arrays are C-contiguous. The caller allocates the outputs, and `solution`, from which a half-sweep also starts.
Wrong types raise TypeError, inconsistent shapes and indices out of bounds ValueError, and keys out of range IndexError.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

_Int32: TypeAlias = NDArray[np.int32]
_Int64: TypeAlias = NDArray[np.int64]
_Float32: TypeAlias = NDArray[np.float32]
_Float64: TypeAlias = NDArray[np.float64]
_Rows: TypeAlias = tuple[_Int64, _Int32, _Float32, _Float32 | None]  # kernels.Rows
_Sparse: TypeAlias = tuple[_Int64, _Int32, _Float32]  # kernels.Sparse
_Weighting: TypeAlias = tuple[float, float, float, float, float]  # kernels.Weighting
_Panels: TypeAlias = tuple[_Float32, _Int32, _Float32, _Float32]  # kernels.Panels
_Blocks: TypeAlias = tuple[_Int32, _Int32, _Float32, _Float32 | None, _Int64]  # kernels.Blocks
_SgdSide: TypeAlias = tuple[_Float32, _Float32, _Int32, _Float32]  # kernels.SgdSide
_StepRule: TypeAlias = tuple[float, float, float, float, float, int]  # kernels.StepRule
_TextFile: TypeAlias = tuple[int, int, int, str, int, bool, bool]  # kernels.TextFile

@overload
def half_sweep(
    rows: _Rows,
    weighting: _Weighting,
    fixed: tuple[_Float32, _Float32 | None],
    gram: _Float32 | None,
    ridge: _Float32,
    solution: tuple[_Float32, _Float32 | None],
    solver: tuple[int, int, bool],
    sampling: tuple[_Float32 | None, _Float32 | None],
    threads: int,
) -> tuple[float, int]: ...
@overload
def half_sweep(
    rows: _Rows,
    weighting: _Weighting,
    fixed: tuple[_Float64, _Float64 | None],
    gram: _Float64 | None,
    ridge: _Float64,
    solution: tuple[_Float64, _Float64 | None],
    solver: tuple[int, int, bool],
    sampling: tuple[_Float64 | None, _Float64 | None],
    threads: int,
) -> tuple[float, int]: ...
@overload
def gram(factors: _Float32, scale: float, out: _Float32, threads: int) -> None: ...
@overload
def gram(factors: _Float64, scale: float, out: _Float64, threads: int) -> None: ...
def pack_items(factors: _Float32, bias: _Float32 | None, order: _Int32, out: _Float32) -> None: ...
def top_k(
    panels: _Panels,
    queries: _Float32,
    rows: _Int32,
    seen: tuple[_Int64, _Int32] | None,
    allowed: NDArray[np.uint8] | None,
    items_out: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def pair_scores(
    left: _Float32, left_rows: _Int32, right: _Float32, right_rows: _Int32, out: _Float32, threads: int
) -> None: ...
def sgd(
    blocks: _Blocks,
    rounds: _Int32,
    users: _SgdSide,
    items: _SgdSide,
    sums: _Float32 | None,
    slopes: _Float32 | None,
    rule: _StepRule,
    threads: int,
) -> None: ...
def squared_error(
    blocks: _Blocks,
    users: _SgdSide,
    items: _SgdSide,
    sums: _Float32 | None,
    mean: float,
    threads: int,
) -> float: ...
def row_sums(indptr: _Int64, indices: _Int32, from_rows: _Float32, to: _Float32, threads: int) -> None: ...
def neighbors(
    rows: _Sparse,
    columns: int,
    sizes: _Float32,
    similarity: tuple[str, float],
    neighbors_out: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def neighbors_for(
    queries: _Sparse,
    query_sizes: _Float32,
    by_column: _Sparse,
    sizes: _Float32,
    similarity: tuple[str, float],
    neighbors_out: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def co_counts(rows: _Sparse, columns: int, left: _Int32, right: _Int32, counts: _Int32, threads: int) -> None: ...
def top_n_dense(
    lines: _Float32,
    rows: _Int32,
    seen: tuple[_Int64, _Int32] | None,
    allowed: NDArray[np.uint8] | None,
    items_out: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def top_n_sums(
    weights: _Sparse,
    parts: _Sparse,
    items: int,
    start: _Float32 | None,
    base: _Float32 | None,
    divided: tuple[str, float],
    rows: _Int32,
    seen: tuple[_Int64, _Int32] | None,
    allowed: NDArray[np.uint8] | None,
    items_out: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def counting_sort(
    keys: _Int32,
    columns: Sequence[NDArray[Any]],
    outputs: Sequence[NDArray[Any]],
    indptr: _Int64,
    threads: int,
) -> None: ...
def sort_rows(indptr: _Int64, keys: _Int32, columns: Sequence[NDArray[Any]], threads: int) -> int: ...
def count_lines(file: int, size: int, chunk: int, starts: _Int64, threads: int) -> bool: ...
def read_fields(text: _TextFile, starts: _Int64, columns: Sequence[NDArray[Any] | None], threads: int) -> bool: ...

class Dictionary:
    def size(self) -> int: ...
    def bytes(self) -> int: ...
    def number(self, data: NDArray[np.uint8], offsets: _Int32, kept: NDArray[np.bool_] | None, out: _Int32) -> None: ...
    def sorted(self, data: NDArray[np.uint8], offsets: _Int64, places: _Int32) -> None: ...

def supports(instruction_set: str) -> bool:
    """Whether this processor can run the build of that name."""

"""The native kernels, compiled for one instruction set; see `reference.py` for what they compute.

All arrays are C-contiguous. Outputs are made by the caller, as are `solution` and `solution_bias`, where a half-sweep
also begins. Wrong types raise TypeError, wrong shapes and bounds ValueError, keys out of range IndexError.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

_Int32: TypeAlias = NDArray[np.int32]
_Int64: TypeAlias = NDArray[np.int64]
_Float32: TypeAlias = NDArray[np.float32]
_Float64: TypeAlias = NDArray[np.float64]
_Sparse: TypeAlias = tuple[_Int64, _Int32, _Float32]

@overload
def half_sweep(
    indptr: _Int64,
    indices: _Int32,
    values: _Float32,
    weights: _Float32 | None,
    form: tuple[float, float, float, float, float],
    fixed: _Float32,
    fixed_bias: _Float32 | None,
    gram: _Float32 | None,
    ridge: _Float32,
    rhs_offset: _Float32 | None,
    noise: _Float32 | None,
    solution: _Float32,
    solution_bias: _Float32 | None,
    steps: int,
    exact_from: int,
    nonnegative: bool,
    threads: int,
) -> tuple[float, int]: ...
@overload
def half_sweep(
    indptr: _Int64,
    indices: _Int32,
    values: _Float32,
    weights: _Float32 | None,
    form: tuple[float, float, float, float, float],
    fixed: _Float64,
    fixed_bias: _Float64 | None,
    gram: _Float64 | None,
    ridge: _Float64,
    rhs_offset: _Float64 | None,
    noise: _Float64 | None,
    solution: _Float64,
    solution_bias: _Float64 | None,
    steps: int,
    exact_from: int,
    nonnegative: bool,
    threads: int,
) -> tuple[float, int]: ...
@overload
def gram(factors: _Float32, scale: float, out: _Float32, threads: int) -> None: ...
@overload
def gram(factors: _Float64, scale: float, out: _Float64, threads: int) -> None: ...
def pack_items(factors: _Float32, bias: _Float32 | None, order: _Int32, out: _Float32) -> None: ...
def top_k(
    cells: _Float32,
    order: _Int32,
    longest: _Float32,
    highest: _Float32,
    queries: _Float32,
    rows: _Int32,
    seen_indptr: _Int64 | None,
    seen_indices: _Int32 | None,
    allowed: NDArray[np.uint8] | None,
    best: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def pair_scores(
    left: _Float32, left_rows: _Int32, right: _Float32, right_rows: _Int32, out: _Float32, threads: int
) -> None: ...
def sgd(
    entries: tuple[_Int32, _Int32, _Float32, _Float32 | None, _Int64],
    rounds: _Int32,
    users: tuple[_Float32, _Float32, _Int32, _Float32],
    items: tuple[_Float32, _Float32, _Int32, _Float32],
    sums: _Float32 | None,
    slopes: _Float32 | None,
    rule: tuple[float, float, float, float, float, int],
    threads: int,
) -> None: ...
def squared_error(
    entries: tuple[_Int32, _Int32, _Float32, _Float32 | None, _Int64],
    users: tuple[_Float32, _Float32, _Int32, _Float32],
    items: tuple[_Float32, _Float32, _Int32, _Float32],
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
    best: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def neighbors_of(
    queries: _Sparse,
    query_sizes: _Float32,
    by_column: _Sparse,
    sizes: _Float32,
    similarity: tuple[str, float],
    best: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def shared(rows: _Sparse, columns: int, left: _Int32, right: _Int32, counts: _Int32, threads: int) -> None: ...
def best(
    lines: _Float32,
    rows: _Int32,
    seen: tuple[_Int64, _Int32] | None,
    allowed: NDArray[np.uint8] | None,
    best: _Int32,
    scores: _Float32,
    threads: int,
) -> None: ...
def best_sums(
    weights: _Sparse,
    parts: _Sparse,
    items: int,
    start: _Float32 | None,
    base: _Float32 | None,
    divided: tuple[str, float],
    rows: _Int32,
    seen: tuple[_Int64, _Int32] | None,
    allowed: NDArray[np.uint8] | None,
    best: _Int32,
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
def read_fields(
    file: int,
    size: int,
    chunk: int,
    delimiter: str,
    quote: int,
    header: bool,
    carriage_returns: bool,
    starts: _Int64,
    columns: Sequence[NDArray[Any] | None],
    threads: int,
) -> bool: ...

class Dictionary:
    def size(self) -> int: ...
    def bytes(self) -> int: ...
    def number(self, data: NDArray[np.uint8], offsets: _Int32, kept: NDArray[np.bool_] | None, out: _Int32) -> None: ...
    def sorted(self, data: NDArray[np.uint8], offsets: _Int64, places: _Int32) -> None: ...

def supports(instruction_set: str) -> bool:
    """Whether this processor can run the build of that name."""

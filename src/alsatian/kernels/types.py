"""The types that kernels share, what they mean, and the number of threads."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import ParameterError

Array = NDArray[Any]
Mask = NDArray[np.bool_]  # one entry per user, item, pair or row
Float64Array = NDArray[np.float64]
RowNumbers = NDArray[np.int32]  # of users or items
Counts = NDArray[np.integer]
NO_ROW_IS_AS_LONG = 1 << 62  # entries
CACHE_LINE_FLOATS = 16  # rows of factors are padded to whole lines, which are whole vectors, too
CHUNK_BYTES = 1 << 20  # of a text file: so much one thread reads at a time
_MAX_THREADS = 1024


class Weighting(NamedTuple):
    """How an entry of value v and weight w enters the objective (the table of them is in docs/design.md).

    Confidence c = w (confidence_slope v + confidence_shift); confidence times target
    c t = w (target_slope v + target_shift); `unobserved` is w0, the weight of what was not observed.
    """

    confidence_slope: float
    confidence_shift: float
    target_slope: float
    target_shift: float
    unobserved: float


class Rows(NamedTuple):
    """The entries of one side, row by row: compressed rows with values and optional weights."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    weights: NDArray[np.float32] | None


class Sparse(NamedTuple):
    """Compressed rows, the indices ascending within a row."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]


class Side(NamedTuple):
    """What is learned of one side: factors (rows, k), and biases (rows) or None."""

    factors: Array
    bias: Array | None


class Blocks(NamedTuple):
    """Entries in a grid of blocks, stripes of users by stripes of items.

    starts (stripes * stripes + 1): block (a, b) begins at starts[a * stripes + b]. weights: of the entries, or None.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    values: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    starts: NDArray[np.int64]


class SgdSide(NamedTuple):
    """What gradient descent learns of one side, and the moments of its gradients.

    factors (rows, 1 + moments, width) and bias (rows, 1 + moments): moments are 0 for plain steps, 1 for momentum, 2
    for Adam; the width is padded with zeros to whole vectors. steps (rows): how many a row has made, counted for Adam.
    share (rows): how much of a row's regularization each of its entries carries.
    """

    factors: NDArray[np.float32]
    bias: NDArray[np.float32]
    steps: NDArray[np.int32]
    share: NDArray[np.float32]


class StepRule(NamedTuple):
    """How an entry moves its two rows. momentum: what a step keeps of the (first) moment.

    batch: so many entries of a block sum their gradients before any row moves.
    """

    mean: float
    rate: float
    reg: float
    bias_reg: float
    momentum: float
    batch: int


class TextFile(NamedTuple):
    """A text file that is read by its bytes.

    file: its descriptor. size: its length in bytes. chunk: how many bytes are read at a time.
    quote: a byte that must not occur, or -1. header: the first line is none of the rows.
    carriage_returns: every line ends with "\\r\\n", else "\\n".
    """

    file: int
    size: int
    chunk: int
    delimiter: str
    quote: int
    header: bool
    carriage_returns: bool


def weighted_entries(rows: Rows, weighting: Weighting, fixed: Side) -> tuple[Array, Array]:
    """Return confidence c and c (t - fixed bias) of every entry, in float64."""
    weights = 1.0 if rows.weights is None else rows.weights.astype(np.float64)
    values = rows.values.astype(np.float64)
    confidence = weights * (weighting.confidence_slope * values + weighting.confidence_shift)
    target = weights * (weighting.target_slope * values + weighting.target_shift)
    if fixed.bias is not None:
        target = target - confidence * fixed.bias[rows.indices]
    return confidence, target


def to_dense(rows: Sparse, columns: int) -> tuple[Array, Array]:
    """Return compressed rows as a matrix (rows x columns) in float64, and one that is 1 where there is a value."""
    at = np.repeat(np.arange(len(rows.indptr) - 1), np.diff(rows.indptr)), rows.indices
    dense, there = np.zeros((2, len(rows.indptr) - 1, columns))
    dense[at], there[at] = rows.values, 1
    return dense, there


def usable_threads(threads: int | None = None) -> int:
    """Return the number of threads to use: `threads`, else ALSATIAN_THREADS, else the processors we may use."""
    if threads is None:
        setting = os.environ.get("ALSATIAN_THREADS", "")
        if setting and not setting.isdigit():
            raise ParameterError(f"ALSATIAN_THREADS={setting!r} is not a number of threads; set 1 or more.")
        threads = int(setting or 0) or _processors()
    if not 1 <= threads <= _MAX_THREADS:
        raise ParameterError(
            f"threads={threads} is not possible; pass 1 to {_MAX_THREADS}, or None for all processors."
        )
    return threads


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

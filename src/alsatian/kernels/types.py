"""The types that kernels share, and the number of threads."""

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
NO_ROW_IS_AS_LONG = 1 << 62  # entries; longer than any row
CACHE_LINE_FLOATS = 16  # rows of factors are padded to a multiple of this
CHUNK_BYTES = 1 << 20  # the part of a text file that a thread reads at a time
_MAX_THREADS = 1024


class Weighting(NamedTuple):
    """How an entry of value v and weight w enters the objective (see docs/concepts/objective.md).

    Confidence: c = w (confidence_slope v + confidence_shift).
    Confidence times target: c t = w (target_slope v + target_shift).
    unobserved: w0, the weight of unobserved pairs.
    """

    confidence_slope: float
    confidence_shift: float
    target_slope: float
    target_shift: float
    unobserved: float


class Rows(NamedTuple):
    """The entries of one side: compressed rows with values and optional weights."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    weights: NDArray[np.float32] | None


class Sparse(NamedTuple):
    """Compressed rows. Indices ascend within a row."""

    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    values: NDArray[np.float32]


class Side(NamedTuple):
    """The parameters of one side: factors (rows, k), and biases (rows) or None."""

    factors: Array
    bias: Array | None


class Blocks(NamedTuple):
    """Entries in a grid of blocks, stripes of users by stripes of items.

    starts (stripes * stripes + 1): block (a, b) begins at starts[a * stripes + b]. weights: per entry, or None.
    """

    users: NDArray[np.int32]
    items: NDArray[np.int32]
    values: NDArray[np.float32]
    weights: NDArray[np.float32] | None
    starts: NDArray[np.int64]


class SgdSide(NamedTuple):
    """The parameters of one side in gradient descent, and the moments of their gradients.

    factors (rows, 1 + moments, width), bias (rows, 1 + moments): the parameters, then their moments. There are 0
    moments for plain steps, 1 for momentum, 2 for Adam. The width is padded with zeros to whole vectors.
    steps (rows): the number of steps of each row; counted only for Adam.
    share (rows): the share of a row's regularization that each of its entries has.
    """

    factors: NDArray[np.float32]
    bias: NDArray[np.float32]
    steps: NDArray[np.int32]
    share: NDArray[np.float32]


class StepRule(NamedTuple):
    """The step of gradient descent: how an entry updates its two rows.

    mean: the mean of the values, which is part of each prediction. rate: the learning rate.
    reg, bias_reg: the regularization of factors and of biases. momentum: the decay rate of the (first) moment.
    batch: the number of entries of a block whose gradients are summed before rows are updated.
    """

    mean: float
    rate: float
    reg: float
    bias_reg: float
    momentum: float
    batch: int


class TextFile(NamedTuple):
    """The layout of a text file that is parsed from its bytes.

    file: its descriptor. size: its length in bytes. chunk: the number of bytes to read at a time.
    quote: a byte that must not occur, or -1. header: whether the first line is a header.
    carriage_returns: whether lines end with "\\r\\n", else "\\n".
    """

    file: int
    size: int
    chunk: int
    delimiter: str
    quote: int
    header: bool
    carriage_returns: bool


def weighted_entries(rows: Rows, weighting: Weighting, fixed: Side) -> tuple[Array, Array]:
    """Return the confidence c and c (t - fixed bias) of every entry, in float64."""
    weights = 1.0 if rows.weights is None else rows.weights.astype(np.float64)
    values = rows.values.astype(np.float64)
    confidence = weights * (weighting.confidence_slope * values + weighting.confidence_shift)
    target = weights * (weighting.target_slope * values + weighting.target_shift)
    if fixed.bias is not None:
        target = target - confidence * fixed.bias[rows.indices]
    return confidence, target


def to_dense(rows: Sparse, columns: int) -> tuple[Array, Array]:
    """Return compressed rows as a float64 matrix (rows x columns), and a matrix that is 1 where there is an entry."""
    at = np.repeat(np.arange(len(rows.indptr) - 1), np.diff(rows.indptr)), rows.indices
    dense, there = np.zeros((2, len(rows.indptr) - 1, columns))
    dense[at], there[at] = rows.values, 1
    return dense, there


def usable_threads(threads: int | None = None) -> int:
    """Return the number of threads: `threads`, else ALSATIAN_THREADS, else the number of usable processors.

    Raises ParameterError if it is not between 1 and 1024.
    """
    if threads is None:
        setting = os.environ.get("ALSATIAN_THREADS", "")
        if setting and not setting.isdigit():
            raise ParameterError(f"ALSATIAN_THREADS={setting!r} is not a number of threads; set 1 or more.")
        threads = int(setting or 0) or _processors()
    if not 1 <= threads <= _MAX_THREADS:
        raise ParameterError(
            f"threads={threads} is out of bounds; pass 1 to {_MAX_THREADS}, or None for all processors."
        )
    return threads


def _processors() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

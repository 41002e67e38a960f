"""The types that kernels share, and what they mean."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
NEVER = 1 << 62  # entries: no row is as long
PANEL = 16  # items that lie side by side in packed panels
CHUNK = 1 << 20  # bytes of a text file that one thread reads at a time


class Form(NamedTuple):
    """How an entry of value v and weight w enters the objective (the table of forms is in docs/design.md).

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


class Side(NamedTuple):
    """What is learned of one side: factors (rows, k), and biases (rows) or None."""

    factors: Array
    bias: Array | None


class Plain(NamedTuple):
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


def entries(rows: Rows, form: Form, fixed: Side) -> tuple[Array, Array]:
    """Return confidence c and c (t - fixed bias) of every entry, in float64."""
    weights = 1.0 if rows.weights is None else rows.weights.astype(np.float64)
    values = rows.values.astype(np.float64)
    confidence = weights * (form.confidence_slope * values + form.confidence_shift)
    target = weights * (form.target_slope * values + form.target_shift)
    if fixed.bias is not None:
        target = target - confidence * fixed.bias[rows.indices]
    return confidence, target

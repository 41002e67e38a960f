"""Factors and biases of a side as cells of a table, one row for each block of users or items.

A column `sent` holds blocks that a row was sent from the other side: an array of structs (block, factors, bias).
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from alsatian.kernels import Side
from alsatian.spark.arrow_arrays import ArrowRow, view

MAX_BROADCAST_BYTES = 1 << 28  # a side of at most so many bytes is sent to every partition as a whole
OTHER_SIDE = {"user": "item", "item": "user"}
_IS_FIRST_ROW = "(monotonically_increasing_id() & 8589934591L) = 0"  # the first row of each partition


class SideShape(Protocol):
    """What is needed to read the cells of a side: an ALS model and its solver both have it."""

    @property
    def factors(self) -> int:
        """Number of factors of a row."""

    @property
    def precision(self) -> str:
        """Dtype of factors and biases."""


def side_bytes(shape: SideShape, rows: int) -> int:
    """Return the bytes of the factors and biases of so many rows."""
    return rows * (shape.factors + 1) * np.dtype(shape.precision).itemsize


def fits_broadcast(shape: SideShape, rows: int) -> bool:
    """Return whether a side of so many rows is sent to every partition as a whole."""
    return side_bytes(shape, rows) <= MAX_BROADCAST_BYTES


def broadcast_side(blocks: Any, side: Any) -> Any:
    """Return a table with a column `sent`: the first row of each partition gets all blocks of a side."""
    side_row = side.coalesce(1).selectExpr("collect_list(struct(block, factors, bias)) AS sent", "true AS first")
    return blocks.selectExpr("*", f"{_IS_FIRST_ROW} AS first").join(side_row.hint("broadcast"), "first", "left")


def decode_side(shape: SideShape, factors: list[Any], bias: list[Any]) -> Side:
    """Return the cells (Arrow scalars) of consecutive blocks as one side, in arrays that can be written to."""
    dtype = np.dtype(shape.precision)
    parts = [[view(cell, dtype) for cell in cells] if cells[0].is_valid else None for cells in (factors, bias)]
    numbers, biases = (None if part is None else np.concatenate(part) for part in parts)
    assert numbers is not None
    rows = len(numbers) // shape.factors if shape.factors else len(biases if biases is not None else ())
    return Side(numbers.reshape(rows, shape.factors), biases)


def decode_sent_side(shape: SideShape, row: ArrowRow) -> Side:
    """Return the side in the column `sent` of a row, its blocks in ascending order."""
    parts = row["sent"].values
    order = np.argsort(parts.field("block").to_numpy())
    return decode_side(shape, *([parts.field(name)[int(at)] for at in order] for name in ("factors", "bias")))


def fetch_side(shape: SideShape, state: Any) -> Side:
    """Fetch a side from its table to the driver."""
    table = state.select("block", "factors", "bias").toArrow()
    order = np.argsort(table.column("block").to_numpy()).tolist()
    return decode_side(shape, *([table.column(name)[at] for at in order] for name in ("factors", "bias")))

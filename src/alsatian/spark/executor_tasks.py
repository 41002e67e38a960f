"""What runs on the executors: the starting values of a block, and the native half-sweep on it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.kernels import Side, Weighting
from alsatian.models.als import eigenbasis_cg
from alsatian.models.als.base import ALS
from alsatian.models.als.half_problem import HalfProblem, regularization
from alsatian.models.als.momentum import Momentum
from alsatian.spark.arrow_arrays import ArrowRow, Batches, Layout, iter_rows, view
from alsatian.spark.rating_blocks import decode_block

# solved_...: where the rows were solved, before momentum moved them on. failed: the first row without a solution, or
# -1. gram: F'F of the block.
STATE_LAYOUT = Layout(
    block="int", factors="binary", bias="binary", solved_factors="binary", solved_bias="binary", loss="double",
    failed="int", penalty="double", solved_penalty="double", gram="binary", solved_gram="binary",
)  # fmt: skip
SUMMARY_COLUMNS = ("block", "loss", "failed", "penalty", "solved_penalty", "gram", "solved_gram")
SENT_LAYOUT = Layout(target="int", block="int", factors="binary", bias="binary")


class DrawTask(NamedTuple):
    """Draws the starting values of blocks: each goes on where a generator of the whole side is at its first row."""

    model: ALS
    states: list[dict[str, Any]]
    bounds: NDArray[np.int64]
    scale: float
    level: float

    def run(self, batches: Batches) -> Iterator[Any]:
        for row in iter_rows(batches):
            block = int(row.value("id"))
            rng = np.random.default_rng()
            rng.bit_generator.state = self.states[block]
            count = int(self.bounds[block + 1] - self.bounds[block])
            side = self.model.initial_factors(rng, count, self.scale, self.level)
            yield STATE_LAYOUT.batch({"block": block, **side._asdict()} | _gram_cell("gram", side))


class SweepTask(NamedTuple):
    """Solves blocks of one side with the other fixed.

    columns: rows of the other side. gram: its w0 F'F. bare: solve the biases alone, as if there were no factors.
    momentum: how many steps it has made; None where this side has none. turned: whether what is sent is in the axes of
    the Gram matrix already.
    """

    model: ALS
    weighting: Weighting
    columns: int
    steps: int
    gram: NDArray[Any] | None
    bias_only: bool = False
    momentum: int | None = None
    start_at_zero: bool = False  # begin at zero, not where the last half-sweep ended

    def run(self, batches: Batches) -> Iterator[Any]:
        basis = None
        for row in iter_rows(batches):
            if row.has("sent"):  # the first row of a partition brings the whole side, or each row what it needs
                side = decode_sent_side(self.model, row)
                side = side._replace(factors=side.factors[:, :0].copy()) if self.bias_only else side
                basis = eigenbasis_cg.eigenbasis(side, self.gram, self.steps, 1)
            assert basis is not None
            yield STATE_LAYOUT.batch({"block": row.value("block")} | self._solve_block(row, basis))

    def _solve_block(self, row: ArrowRow, basis: eigenbasis_cg.Basis) -> dict[str, Any]:
        entries = decode_block(row, self.columns)
        half = HalfProblem(entries, self.model.row_ridge(entries, self.weighting), None)
        block_side = decode_side(self.model, [row["factors"]], [row["bias"]])
        if self.start_at_zero:
            block_side = Side(*(None if array is None else np.zeros_like(array) for array in block_side))  # type: ignore[arg-type]
        solution = block_side._replace(factors=block_side.factors[:, :0].copy()) if self.bias_only else block_side
        loss, failed = self.model.half_sweep(half, self.weighting, basis, solution, self.steps, 1)
        cells: dict[str, Any] = {"loss": loss, "failed": failed}
        if self.momentum is not None:
            cells |= self._apply_momentum(row, half, block_side)
        gram = _gram_cell("gram", block_side) if self.weighting.unobserved else {}
        return cells | block_side._asdict() | {"penalty": regularization(half, block_side)} | gram

    def _apply_momentum(self, row: ArrowRow, half: HalfProblem, block_side: Side) -> dict[str, Any]:
        """Move the rows on from where they are solved; return what must be known to put them back."""
        momentum = Momentum()
        momentum.steps = self.momentum or 0
        if row.has("solved_factors"):
            momentum.last_solution = decode_side(self.model, [row["solved_factors"]], [row["solved_bias"]])
        momentum.move(block_side)
        solved = momentum.last_solution
        assert solved is not None
        if self.model.nonnegative:
            np.maximum(block_side.factors, 0, out=block_side.factors)
        gram = _gram_cell("solved_gram", solved) if self.weighting.unobserved else {}
        cells = {f"solved_{name}": array for name, array in solved._asdict().items()}
        return cells | {"solved_penalty": regularization(half, solved)} | gram


def _gram_cell(name: str, side: Side) -> dict[str, Any]:
    return {name: kernels.gram(side.factors, 1.0, 1)}


def decode_side(model: ALS, factors: list[Any], bias: list[Any]) -> Side:
    """Return the cells of blocks as one side that can be written to."""
    dtype = np.dtype(model.precision)
    parts = [[view(cell, dtype) for cell in cells] if cells[0].is_valid else None for cells in (factors, bias)]
    numbers, biases = (None if part is None else np.concatenate(part) for part in parts)
    assert numbers is not None
    rows = len(numbers) // model.factors if model.factors else len(biases if biases is not None else ())
    return Side(numbers.reshape(rows, model.factors), biases)


def decode_sent_side(model: ALS, row: ArrowRow) -> Side:
    """Return the side that a row has been sent, its parts in the order of their blocks."""
    parts = row["sent"].values
    order = np.argsort(parts.field("block").to_numpy())
    return decode_side(model, *([parts.field(name)[int(at)] for at in order] for name in ("factors", "bias")))


def fetch_side(model: ALS, state: Any) -> Side:
    """Fetch a side from its table."""
    table = state.select("block", "factors", "bias").toArrow()
    order = np.argsort(table.column("block").to_numpy()).tolist()
    return decode_side(model, *([table.column(name)[at] for at in order] for name in ("factors", "bias")))


class SendTask(NamedTuple):
    """Sends of each block of the fixed side to each block of the other the rows that it needs."""

    model: ALS
    bounds: NDArray[np.int64]

    def routes(self, batches: Batches) -> Iterator[Any]:
        """Yield of each packed block which rows of which blocks it needs."""
        for row in iter_rows(batches):
            needs = row.array("needs", np.int32)
            starts = np.searchsorted(needs, self.bounds)
            for block in np.flatnonzero(np.diff(starts)):
                row_numbers = needs[starts[block] : starts[block + 1]] - np.int32(self.bounds[block])
                yield ROUTE_LAYOUT.batch({"block": int(block), "target": row.value("block"), "wanted": row_numbers})

    def run(self, batches: Batches) -> Iterator[Any]:
        """Yield what goes along each route."""
        for row in iter_rows(batches):
            side, routes = decode_side(self.model, [row["factors"]], [row["bias"]]), row["routes"].values
            for target, cell in zip(routes.field("target"), routes.field("wanted"), strict=True):
                row_numbers = view(cell, np.int32)
                parts = {name: None if array is None else array[row_numbers] for name, array in side._asdict().items()}
                yield SENT_LAYOUT.batch({"target": target.as_py(), "block": row.value("block")} | parts)


ROUTE_LAYOUT = Layout(block="int", target="int", wanted="binary")

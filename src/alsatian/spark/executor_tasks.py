"""What runs on the executors: drawing the starting values of a block, solving a block, and sending rows to blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.kernels import Side
from alsatian.models.als.eigenbasis_cg import Basis
from alsatian.models.als.half_problem import HalfProblem, regularization, zero_side
from alsatian.models.als.momentum import Momentum
from alsatian.models.als.solver import HalfSweepSolver
from alsatian.spark.arrow_arrays import ArrowRow, Batches, Layout, iter_rows, view
from alsatian.spark.factor_blocks import SideShape, decode_sent_side, decode_side
from alsatian.spark.rating_blocks import decode_block

# The state of a side, a row for each block. solved_...: as the rows were solved, before momentum moved them on.
# failed: the first row without a solution, or -1. gram: F'F of the block. penalty: its regularization.
STATE_LAYOUT = Layout(
    block="int", factors="binary", bias="binary", solved_factors="binary", solved_bias="binary", loss="double",
    failed="int", penalty="double", solved_penalty="double", gram="binary", solved_gram="binary",
)  # fmt: skip
SUMMARY_COLUMNS = ("block", "loss", "failed", "penalty", "solved_penalty", "gram", "solved_gram")
SENT_LAYOUT = Layout(target="int", block="int", factors="binary", bias="binary")
ROUTE_LAYOUT = Layout(block="int", target="int", row_numbers="binary")
RIDGE_LAYOUT = Layout(block="int", ridge="double")


class DrawTask(NamedTuple):
    """Draws the starting values of blocks, as if one generator drew the whole side.

    states: of that generator, at the first row of each block. bounds: block b has the rows bounds[b] to bounds[b + 1].
    scale, mean_score: as in `HalfSweepSolver.initial_factors`.
    """

    solver: HalfSweepSolver
    states: list[dict[str, Any]]
    bounds: NDArray[np.int64]
    scale: float
    mean_score: float

    def run(self, batches: Batches) -> Iterator[Any]:
        """Yield the state (STATE_LAYOUT) of each block, for rows with its number in a column `id`."""
        for row in iter_rows(batches):
            block = int(row.value("id"))
            rng = np.random.default_rng()
            rng.bit_generator.state = self.states[block]
            count = int(self.bounds[block + 1] - self.bounds[block])
            side = self.solver.initial_factors(rng, count, self.scale, self.mean_score)
            yield STATE_LAYOUT.batch({"block": block, **side._asdict()} | _gram_cell("gram", side))


class SweepTask(NamedTuple):
    """Solves blocks of one side with the other fixed.

    columns: rows of the other side. steps: of conjugate gradient, 0 to solve exactly. gram: w0 F'F of the other side.
    bias_only: solve the biases alone, as if there were no factors. momentum: steps of momentum so far; None where this
    side has no momentum. start_at_zero: begin at zero, not where the last half-sweep ended.
    """

    solver: HalfSweepSolver
    columns: int
    steps: int
    gram: NDArray[Any] | None
    bias_only: bool = False
    momentum: int | None = None
    start_at_zero: bool = False

    def run(self, batches: Batches) -> Iterator[Any]:
        """Yield the new state (STATE_LAYOUT) of each block, for rows with its entries, its state and `sent`."""
        basis = None
        for row in iter_rows(batches):
            if row.has(
                "sent"
            ):  # either the first row of a partition has the whole side, or each row has the part that it needs
                side = decode_sent_side(self.solver, row)
                side = side._replace(factors=side.factors[:, :0].copy()) if self.bias_only else side
                basis = self.solver.basis(side, self.gram, self.steps, 1)
            assert basis is not None
            yield STATE_LAYOUT.batch({"block": row.value("block")} | self._solve_block(row, basis))

    def _solve_block(self, row: ArrowRow, basis: Basis) -> dict[str, Any]:
        entries = decode_block(row, self.columns)
        problem = HalfProblem(entries, self.solver.row_ridge(entries), None)
        block_side = decode_side(self.solver, [row["factors"]], [row["bias"]])
        if self.start_at_zero:
            block_side = zero_side(block_side, len(block_side.factors))
        solution = block_side._replace(factors=block_side.factors[:, :0].copy()) if self.bias_only else block_side
        loss, failed = self.solver.half_sweep(problem, basis, solution, self.steps, 1)
        cells: dict[str, Any] = {"loss": loss, "failed": failed}
        if self.momentum is not None:
            cells |= self._apply_momentum(row, problem, block_side)
        gram = _gram_cell("gram", block_side) if self.solver.weighting.unobserved else {}
        return cells | block_side._asdict() | {"penalty": regularization(problem, block_side)} | gram

    def _apply_momentum(self, row: ArrowRow, problem: HalfProblem, block_side: Side) -> dict[str, Any]:
        """Move the rows on from where they are solved; return the cells of where they were solved."""
        momentum = Momentum()
        momentum.steps = self.momentum or 0
        if row.has("solved_factors"):
            momentum.last_solution = decode_side(self.solver, [row["solved_factors"]], [row["solved_bias"]])
        momentum.move(block_side)
        solved = momentum.last_solution
        assert solved is not None
        if self.solver.nonnegative:
            np.maximum(block_side.factors, 0, out=block_side.factors)
        gram = _gram_cell("solved_gram", solved) if self.solver.weighting.unobserved else {}
        cells = {f"solved_{name}": array for name, array in solved._asdict().items()}
        return cells | {"solved_penalty": regularization(problem, solved)} | gram


def _gram_cell(name: str, side: Side) -> dict[str, Any]:
    return {name: kernels.gram(side.factors, 1.0, 1)}


class SendTask(NamedTuple):
    """Sends each block of the solved side the rows of the fixed side that it needs.

    bounds: block b of the fixed side has the rows bounds[b] to bounds[b + 1].
    """

    shape: SideShape
    bounds: NDArray[np.int64]

    def routes(self, batches: Batches) -> Iterator[Any]:
        """Yield the routes (ROUTE_LAYOUT) to each packed block: the rows that it needs, by block of the fixed side."""
        for row in iter_rows(batches):
            needs = row.array("needs", np.int32)
            starts = np.searchsorted(needs, self.bounds)
            for block in np.flatnonzero(np.diff(starts)):
                row_numbers = needs[starts[block] : starts[block + 1]] - np.int32(self.bounds[block])
                yield ROUTE_LAYOUT.batch(
                    {"block": int(block), "target": row.value("block"), "row_numbers": row_numbers}
                )

    def run(self, batches: Batches) -> Iterator[Any]:
        """Yield the rows to send along each route (SENT_LAYOUT), for blocks of the fixed side with their routes."""
        for row in iter_rows(batches):
            side, routes = decode_side(self.shape, [row["factors"]], [row["bias"]]), row["routes"].values
            for target, cell in zip(routes.field("target"), routes.field("row_numbers"), strict=True):
                row_numbers = view(cell, np.int32)
                parts = {name: None if array is None else array[row_numbers] for name, array in side._asdict().items()}
                yield SENT_LAYOUT.batch({"target": target.as_py(), "block": row.value("block")} | parts)

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
from alsatian.models.als.half_problem import Half, penalty
from alsatian.models.als.momentum import Momentum
from alsatian.spark.arrow_arrays import Batches, Layout, Row, rows, view
from alsatian.spark.rating_blocks import block_of

# solved_...: where the rows were solved, before momentum moved them on. failed: the first row without a solution, or
# -1. gram: F'F of the block.
STATE = Layout(
    block="int", factors="binary", bias="binary", solved_factors="binary", solved_bias="binary", loss="double",
    failed="int", penalty="double", solved_penalty="double", gram="binary", solved_gram="binary",
)  # fmt: skip
TOLD = ("block", "loss", "failed", "penalty", "solved_penalty", "gram", "solved_gram")
SENT = Layout(target="int", block="int", factors="binary", bias="binary")


class Draw(NamedTuple):
    """Draws the starting values of blocks: each goes on where a generator of the whole side is at its first row."""

    model: ALS
    states: list[dict[str, Any]]
    bounds: NDArray[np.int64]
    spread: float
    level: float

    def run(self, batches: Batches) -> Iterator[Any]:
        for row in rows(batches):
            block = int(row.plain("id"))
            rng = np.random.default_rng()
            rng.bit_generator.state = self.states[block]
            count = int(self.bounds[block + 1] - self.bounds[block])
            side = self.model._drawn(rng, count, self.spread, self.level)
            yield STATE.batch({"block": block, **side._asdict()} | _gram("gram", side))


class Sweep(NamedTuple):
    """Solves blocks of one side with the other fixed.

    columns: rows of the other side. gram: its w0 F'F. bare: solve the biases alone, as if there were no factors.
    momentum: how many steps it has made; None where this side has none. turned: whether what is sent is in the axes of
    the Gram matrix already.
    """

    model: ALS
    form: Weighting
    columns: int
    steps: int
    gram: NDArray[Any] | None
    bare: bool = False
    momentum: int | None = None
    zero: bool = False  # begin at zero, not where the last half-sweep ended

    def run(self, batches: Batches) -> Iterator[Any]:
        basis = None
        for row in rows(batches):
            if row.has("sent"):  # the first row of a partition brings the whole side, or each row what it needs
                side = sent_side(self.model, row)
                side = side._replace(factors=side.factors[:, :0].copy()) if self.bare else side
                basis = eigenbasis_cg.basis(side, self.gram, self.steps, 1)
            assert basis is not None
            yield STATE.batch({"block": row.plain("block")} | self._solved(row, basis))

    def _solved(self, row: Row, basis: eigenbasis_cg.Basis) -> dict[str, Any]:
        entries = block_of(row, self.columns)
        half = Half(entries, self.model._ridge(entries, self.form), None)
        own = side_of(self.model, [row["factors"]], [row["bias"]])
        if self.zero:
            own = Side(*(None if array is None else np.zeros_like(array) for array in own))  # type: ignore[arg-type]
        solution = own._replace(factors=own.factors[:, :0].copy()) if self.bare else own
        loss, failed = self.model._sweep(half, self.form, basis, solution, self.steps, 1)
        told: dict[str, Any] = {"loss": loss, "failed": failed}
        if self.momentum is not None:
            told |= self._moved(row, half, own)
        gram = _gram("gram", own) if self.form.unobserved else {}
        return told | own._asdict() | {"penalty": penalty(half, own)} | gram

    def _moved(self, row: Row, half: Half, own: Side) -> dict[str, Any]:
        """Move the rows on from where they are solved; return what must be known to put them back."""
        momentum = Momentum()
        momentum.steps = self.momentum or 0
        if row.has("solved_factors"):
            momentum.solved = side_of(self.model, [row["solved_factors"]], [row["solved_bias"]])
        momentum.move(own)
        solved = momentum.solved
        assert solved is not None
        if self.model.nonnegative:
            np.maximum(own.factors, 0, out=own.factors)
        gram = _gram("solved_gram", solved) if self.form.unobserved else {}
        told = {f"solved_{name}": array for name, array in solved._asdict().items()}
        return told | {"solved_penalty": penalty(half, solved)} | gram


def _gram(name: str, side: Side) -> dict[str, Any]:
    return {name: kernels.gram(side.factors, 1.0, 1)}


def side_of(model: ALS, factors: list[Any], bias: list[Any]) -> Side:
    """Return the cells of blocks as one side that can be written to."""
    dtype = np.dtype(model.precision)
    parts = [[view(cell, dtype) for cell in cells] if cells[0].is_valid else None for cells in (factors, bias)]
    numbers, biases = (None if part is None else np.concatenate(part) for part in parts)
    assert numbers is not None
    rows = len(numbers) // model.factors if model.factors else len(biases if biases is not None else ())
    return Side(numbers.reshape(rows, model.factors), biases)


def sent_side(model: ALS, row: Row) -> Side:
    """Return the side that a row has been sent, its parts in the order of their blocks."""
    parts = row["sent"].values
    order = np.argsort(parts.field("block").to_numpy())
    return side_of(model, *([parts.field(name)[int(at)] for at in order] for name in ("factors", "bias")))


def fetched(model: ALS, state: Any) -> Side:
    """Fetch a side from its table."""
    table = state.select("block", "factors", "bias").toArrow()
    order = np.argsort(table.column("block").to_numpy()).tolist()
    return side_of(model, *([table.column(name)[at] for at in order] for name in ("factors", "bias")))


class Send(NamedTuple):
    """Sends of each block of the fixed side to each block of the other the rows that it needs."""

    model: ALS
    bounds: NDArray[np.int64]

    def routes(self, batches: Batches) -> Iterator[Any]:
        """Yield of each packed block which rows of which blocks it needs."""
        for row in rows(batches):
            needs = row.array("needs", np.int32)
            starts = np.searchsorted(needs, self.bounds)
            for block in np.flatnonzero(np.diff(starts)):
                wanted = needs[starts[block] : starts[block + 1]] - np.int32(self.bounds[block])
                yield ROUTE.batch({"block": int(block), "target": row.plain("block"), "wanted": wanted})

    def run(self, batches: Batches) -> Iterator[Any]:
        """Yield what goes along each route."""
        for row in rows(batches):
            side, routes = side_of(self.model, [row["factors"]], [row["bias"]]), row["routes"].values
            for target, cell in zip(routes.field("target"), routes.field("wanted"), strict=True):
                wanted = view(cell, np.int32)
                parts = {name: None if array is None else array[wanted] for name, array in side._asdict().items()}
                yield SENT.batch({"target": target.as_py(), "block": row.plain("block")} | parts)


ROUTE = Layout(block="int", target="int", wanted="binary")

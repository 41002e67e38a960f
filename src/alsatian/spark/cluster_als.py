"""The two sides of a fit on a cluster: a job for each half-sweep, its outcome in Parquet.

A side is a table of its blocks. For a half-sweep the blocks of the ratings stay where they are cached; each is joined
with its own state, which only moves between machines where a partition is not where it was, and meets the other side:

- a small one as one row under a broadcast hint, which only the first row of each partition is joined with;
- a large one as the rows that the block needs, sent by a join with the routes between blocks.

Matrices and losses of blocks are summed by the driver in the order of the blocks. So nothing depends on partitions, on
which executor did what, or on whether one was lost on the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import ParameterError
from alsatian.kernels import Side
from alsatian.models.als.base import ALS
from alsatian.recommender.fit_run import Epoch, FitRun
from alsatian.spark.arrow_arrays import Batches, Layout
from alsatian.spark.arrow_arrays import iter_rows as iter_rows
from alsatian.spark.executor_tasks import (
    ROUTE_LAYOUT,
    SENT_LAYOUT,
    STATE_LAYOUT,
    SUMMARY_COLUMNS,
    DrawTask,
    SendTask,
    SweepTask,
    fetch_side,
)
from alsatian.spark.id_encoding import Numbering, array_literal
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import PackedRatings, decode_block

MAX_BROADCAST_BYTES = 1 << 28  # bytes of a side up to which all of it goes to every partition
_N_STATE_SLOTS = 4  # states of a side that are kept: the one noted, and up to three made since (at the end of a fit)
OTHER_SIDE = {"user": "item", "item": "user"}
_IS_FIRST_ROW = "(monotonically_increasing_id() & 8589934591L) = 0"  # the first row of each partition


def side_bytes(model: ALS, rows: int) -> int:
    return rows * (model.factors + 1) * np.dtype(model.precision).itemsize


class ClusterSides:
    """Both sides as tables; see models/als/fit.py for what each method is for."""

    def __init__(
        self,
        model: ALS,
        packed: PackedRatings,
        numberings: dict[str, Numbering],
        folder: Folder,
        partitions: int,
        run: FitRun,
    ) -> None:
        self.model, self.packed, self.numberings, self.folder, self.run = model, packed, numberings, folder, run
        self.partitions = partitions
        self.mean = model.global_mean(packed.totals)
        self.weighting = model.weighting(self.mean)
        self.n_states = {"user": 0, "item": 0}  # how many states of each side were made
        self.momentum_undone = False  # whether the items are where they were solved: momentum was taken back
        self.momentum_steps, self.momentum_started = 0, False  # of momentum
        self.states: dict[str, Any] = {}  # the last of each side
        self.summaries: dict[str, list[Any]] = {}
        self._zero_user_start = False
        self.keys = {side: _balanced_keys(folder.spark, numberings[side].blocks, partitions) for side in numberings}
        self.blocks = {side: self._partition_blocks(side, table).persist() for side, table in packed.tables.items()}
        self.routes = {side: self._find_routes(side) for side in numberings if not self._is_small(OTHER_SIDE[side])}

    def begin(self) -> None:
        """Go on where the fit was broken off, or start."""
        if not self._resume():
            self._start()

    def close(self) -> None:
        for table in (*self.blocks.values(), *self.routes.values()):
            table.unpersist()

    def _is_small(self, side: str) -> bool:
        return side_bytes(self.model, self.numberings[side].size) <= MAX_BROADCAST_BYTES

    def _partition_blocks(self, side: str, table: Any) -> Any:
        """Deal blocks out to partitions evenly."""
        with_keys = table.selectExpr("*", f"{array_literal(self.keys[side])}[block] AS key")
        return with_keys.repartition(self.partitions, "key")

    def _find_routes(self, side: str) -> Any:
        send = SendTask(self.model, self.numberings[OTHER_SIDE[side]].bounds)

        def routes(batches: Batches) -> Iterator[Any]:
            return send.routes(batches)

        routes_table = self.blocks[side].select("block", "needs").mapInArrow(routes, ROUTE_LAYOUT.ddl)
        routes_table = routes_table.selectExpr("block", "struct(target, wanted) AS route").groupBy("block")
        return routes_table.agg({"route": "collect_list"}).toDF("block", "routes").persist()

    # States of a side

    def state(self, side: str) -> Any:
        """Return the last state of a side, with its factors where they are now."""
        table = self.states[side]
        if side == "item" and self.momentum_undone:
            others = [name for name in STATE_LAYOUT.columns if name not in ("factors", "bias")]
            return table.selectExpr(*others, "solved_factors AS factors", "solved_bias AS bias")
        return table

    def _write_state(self, side: str, table: Any) -> None:
        self.n_states[side] += 1
        self._load_state(side, self.folder.write(f"{side}/{self.n_states[side] % _N_STATE_SLOTS}", table))

    def _load_state(self, side: str, table: Any) -> None:
        self.states[side], summary_rows = table, table.select(*SUMMARY_COLUMNS).collect()
        self.summaries[side] = sorted(summary_rows, key=lambda row: int(row["block"]))

    def _gram(self, side: str) -> NDArray[Any] | None:
        """Return w0 F'F of a side."""
        if not self.weighting.unobserved:
            return None
        name, k = "solved_gram" if side == "item" and self.momentum_undone else "gram", self.model.factors
        grams = [np.frombuffer(row[name], self.model.precision).reshape(k, k) for row in self.summaries[side]]
        return np.asarray(self.weighting.unobserved * np.sum(grams, axis=0, dtype=np.float64), self.model.precision)

    # Half-sweeps

    def _start(self) -> None:
        """Draw the values that a fit in memory starts from, and solve as it does (alternation.InMemory)."""
        rng = np.random.default_rng(self.model.seed)
        for side in ("user", "item"):
            self._draw(side, rng)
        if self.model.biased:
            self._sweep("item", bare=True)
            self._sweep("user", bare=True)
        if self.model.factors:
            self._sweep("user")

    def _draw(self, side: str, rng: np.random.Generator) -> None:
        numbering, states = self.numberings[side], []
        for block in range(numbering.blocks):
            states.append(dict(rng.bit_generator.state))
            rng.standard_normal((numbering.rows_in(block), self.model.factors))
        level = self.model.initial_score(self.packed.totals)
        draw = DrawTask(self.model, states, numbering.bounds, self._initial_scale(OTHER_SIDE[side]), level)

        def draw_block(batches: Batches) -> Iterator[Any]:
            return draw.run(batches)

        blocks = self.folder.spark.range(0, numbering.blocks, 1, self.partitions)
        self._write_state(side, blocks.mapInArrow(draw_block, STATE_LAYOUT.ddl))

    def _initial_scale(self, side: str) -> float:
        """Return the standard deviation of what the side `solved` is solved for first."""
        rows, columns = self.numberings[side].size, self.numberings[OTHER_SIDE[side]].size
        model, weighting = self.model, self.weighting

        def sum_ridges(batches: Batches) -> Iterator[Any]:
            for row in iter_rows(batches):
                ridge = float(model.row_ridge(decode_block(row, columns), weighting).sum(dtype=np.float64))
                yield RIDGE_LAYOUT.batch({"block": row.value("block"), "ridge": ridge})

        block_ridges = sorted(self.packed.tables[side].mapInArrow(sum_ridges, RIDGE_LAYOUT.ddl).collect())
        mean = sum(row["ridge"] for row in block_ridges) / rows
        return self.model.initial_scale(mean, self.packed.weight, rows, columns, self.weighting)

    def _sweep(self, side: str, steps: int | None = None, bare: bool = False, momentum: int | None = None) -> float:
        """Solve a side for where the other is, write it, and return its loss."""
        steps = self.model.epoch_cg_steps if steps is None else steps
        other = OTHER_SIDE[side]
        sweep = SweepTask(
            self.model, self.weighting, self.numberings[other].size, steps, self._gram(other), bare, momentum,
            side == "user" and self._zero_user_start,
        )  # fmt: skip

        def solve_block(batches: Batches) -> Iterator[Any]:
            return sweep.run(batches)

        self._write_state(side, self._join_states(side).mapInArrow(solve_block, STATE_LAYOUT.ddl))
        summaries = self.summaries[side]
        if failure := next((row for row in summaries if row["failed"] >= 0), None):
            self._raise_unsolved(side, failure)
        return float(sum(row["loss"] for row in summaries))

    def _join_states(self, side: str) -> Any:
        """Return the blocks of a side, each with its own state, and what they need of the other."""
        states = self.state(side).selectExpr(
            f"{array_literal(self.keys[side])}[block] AS key", "factors", "bias", "solved_factors", "solved_bias"
        )
        joined = self.blocks[side].join(states.hint("shuffle_hash"), "key", "left")
        fixed = self.state(OTHER_SIDE[side]).select("block", "factors", "bias")
        if side not in self.routes:
            return broadcast_side(joined, fixed)
        send = SendTask(self.model, self.numberings[OTHER_SIDE[side]].bounds)

        def send_rows(batches: Batches) -> Iterator[Any]:
            return send.run(batches)

        messages = self.routes[side].join(fixed, "block").mapInArrow(send_rows, SENT_LAYOUT.ddl)
        key = f"{array_literal(self.keys[side])}[target] AS key"
        messages = messages.selectExpr(key, "struct(block, factors, bias) AS one")
        return joined.join(messages.groupBy("key").agg({"one": "collect_list"}).toDF("key", "sent"), "key", "left")

    def _raise_unsolved(self, side: str, summary: Any) -> None:
        """Raise the error of a row without a solution."""
        row = int(self.numberings[side].bounds[summary["block"]]) + summary["failed"]
        block = self.packed.tables[side].where(f"block = {summary['block']}").select("indptr").collect()[0]
        counts = np.diff(np.frombuffer(block["indptr"], np.int64))
        raise self.model.singular_error(f"{side} {self.numberings[side].id_of(row)!r}", int(counts[summary["failed"]]))

    # What the course of a fit asks for

    @property
    def has_momentum(self) -> bool:
        return self.momentum_steps > 0

    def solve_items(self) -> None:
        self._checkpoint()
        self._sweep("item", momentum=self._next_step() if self.model.accelerate else None)
        self.momentum_undone = False

    def _next_step(self) -> int:
        """Count a step of momentum, as Momentum.move does, and return how many there were."""
        steps_before = self.momentum_steps
        self.momentum_steps += int(self.momentum_started)
        self.momentum_started = True
        return steps_before

    def solve_users(self, steps: int | None = None) -> float:
        loss = self._sweep("user", steps)
        name = "solved_penalty" if self.momentum_undone else "penalty"
        return loss + float(sum(row[name] for row in self.summaries["item"]))

    def undo_momentum(self) -> None:
        self.momentum_undone, self.momentum_steps = True, 0

    def reset_users(self) -> None:
        self._zero_user_start = True

    def state_arrays(self) -> dict[str, Any]:
        users, items = self.side("user"), self.side("item")
        factors = {"user_factors": users.factors, "item_factors": items.factors}
        biases = {"user_bias": users.bias, "item_bias": items.bias}
        return factors | biases | {"mean": np.array([self.mean], self.model.precision)}

    def side(self, side: str) -> Side:
        """Fetch a side."""
        return fetch_side(self.model, self.state(side))

    # Going on where a fit was broken off

    def _identity(self) -> dict[str, Any]:
        return {"model": self.model.name, "params": self.model.params, "data": self.packed.digest,
                "blocks": [self.numberings[side].bounds.tolist() for side in ("user", "item")]}  # fmt: skip

    def _checkpoint(self) -> None:
        """Write down where the fit is, in turns under two names, so that one of them is whole at any time."""
        epochs = [epoch.to_json() for epoch in self.run.history]
        if not epochs or not self.folder.is_permanent:
            return
        state = {
            "made": self.n_states,
            "solved": self.momentum_undone,
            "steps": self.momentum_steps,
            "begun": self.momentum_started,
            "history": epochs,
        }
        self.folder.write_text(f"noted/{len(epochs) % 2}", json.dumps(self._identity() | state))

    def _resume(self) -> bool:
        """Go on from the last note, if there is one."""
        if not self.folder.is_permanent:
            return False
        notes = [json.loads(text) for name in "01" if (text := self.folder.read_text(f"noted/{name}"))]
        if not notes:
            return False
        last = max(notes, key=lambda note: len(note["history"]))
        if {name: last[name] for name in self._identity()} != json.loads(json.dumps(self._identity())):
            raise ParameterError(
                f"{self.folder.path} holds a fit of other data or other settings; name another folder, or empty it."
            )
        self.n_states, self.momentum_undone, self.momentum_steps, self.momentum_started = (
            last[name] for name in ("made", "solved", "steps", "begun")
        )
        self.run.history = [Epoch.from_json(epoch) for epoch in last["history"]]
        self.run.start_time -= self.run.history[-1].seconds
        for side in ("user", "item"):
            self._load_state(side, self.folder.read(f"{side}/{self.n_states[side] % _N_STATE_SLOTS}", STATE_LAYOUT.ddl))
        return True


RIDGE_LAYOUT = Layout(block="int", ridge="double")


def broadcast_side(blocks: Any, side: Any) -> Any:
    """Give the first row of each partition all blocks of a side, in a column `sent`."""
    side_row = side.coalesce(1).selectExpr("collect_list(struct(block, factors, bias)) AS sent", "true AS first")
    return blocks.selectExpr("*", f"{_IS_FIRST_ROW} AS first").join(side_row.hint("broadcast"), "first", "left")


def _balanced_keys(spark: Any, blocks: int, partitions: int) -> list[int]:
    """Return a key for each block: Spark places rows by the hash of their key, and these deal the blocks out evenly."""
    n_candidates = 16 * (blocks + 4 * partitions)
    part = f"pmod(hash(CAST(id AS INT)), {partitions}) AS part"
    candidates = spark.range(0, n_candidates).selectExpr("CAST(id AS INT) AS key", part)
    pools: dict[int, list[int]] = {}
    for key, part in sorted(tuple(row) for row in candidates.collect()):
        pools.setdefault(part, []).append(key)
    return [pools[block % partitions][block // partitions] for block in range(blocks)]

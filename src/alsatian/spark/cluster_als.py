"""Users and items of a fit on a cluster, as tables: each half-sweep is a job of Spark that writes Parquet.

`ClusterSides` is the protocol `FactorSides` of `alsatian.models.als.fit`, whose loop `run_als` calls it. A side is a
table with a row for each of its blocks. For a half-sweep the blocks of the ratings stay where they are cached. Each is
joined with its own state, which moves between machines only where partitions are not where they were, and with the
other side:

- A small side is one row under a broadcast hint, joined with the first row of each partition only.
- Of a large side each block is sent the rows that it needs, by a join with the routes between blocks.

The driver adds up Gram matrices and losses of blocks in the order of the blocks. So the result does not depend on
partitions, on which executor did what, or on executors that were lost.

Working states
--------------

A state of a side is written once, to `user/SLOT` or `item/SLOT`, where SLOT is the number of the state modulo 4. The
items have two kinds of factors in one state: `factors`, moved on by momentum, and `solved_factors`, from before that.

    begin() --- no checkpoint: draw both sides, solve the biases, then the users ---.
       |                                                                           |
       '------- checkpoint: load the states that it names, and the history --------|
                                                                                   v
     .------------------------------------------------------------------->  READY (an epoch begins)
     |                                                                             | solve_items(): write a checkpoint,
     |                                                                             | then a state of the items
     |                                                                             v
     |                                                                      ITEMS MOVED    reads `factors`
     |                                                                             | solve_users(): write a state of the
     |                 objective has not risen                                     | users, return the objective
     |------------------------------------------------------------------->  USERS SOLVED
     |                                                                             | objective has risen:
     |                                                                             | undo_momentum()
     |                                                                             v
     |                                                                      MOMENTUM UNDONE    reads `solved_factors`
     |                                                                             | solve_users(steps=0)
     '-----------------------------------------------------------------------------'

    After the last epoch: reset_users() if the plan says so, solve_users(steps=0), state_arrays().

A checkpoint is written at the start of an epoch, to `checkpoints/0` and `checkpoints/1` in turn, so that one of them is
always complete. Until the next one a side gets at most three new states (the users: in an epoch, after
`undo_momentum`, at the end of the fit). So four slots never overwrite a state that the last checkpoint names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import ParameterError
from alsatian.kernels import Side
from alsatian.models.als.fit import FitPlan
from alsatian.recommender.fit_run import Epoch, FitRun
from alsatian.spark.arrow_arrays import Batches, iter_rows
from alsatian.spark.executor_tasks import (
    RIDGE_LAYOUT,
    ROUTE_LAYOUT,
    SENT_LAYOUT,
    STATE_LAYOUT,
    SUMMARY_COLUMNS,
    DrawTask,
    SendTask,
    SweepTask,
)
from alsatian.spark.factor_blocks import OTHER_SIDE, broadcast_side, fetch_side, fits_broadcast
from alsatian.spark.id_encoding import Numbering, array_literal
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import PackedRatings, decode_block

_N_SLOTS = 4  # stored states of a side; see above


@dataclass
class FitPosition:
    """The position of a fit; a checkpoint stores it with the history of the epochs.

    n_states: number of states written for each side. momentum_undone: whether the items are read as they were solved.
    momentum_steps: since the last start of momentum. momentum_started: whether the items were solved once.
    """

    n_states: dict[str, int] = field(default_factory=lambda: {"user": 0, "item": 0})
    momentum_undone: bool = False
    momentum_steps: int = 0
    momentum_started: bool = False


class ClusterSides:
    """Users and items as Spark tables (the protocol `FactorSides`).

    packed, numberings: the ratings and ids, see `rating_blocks` and `id_encoding`. folder: for states and checkpoints.
    partitions: of Spark, for each job. settings: of the model; they identify the checkpoints of this fit.
    """

    def __init__(
        self,
        plan: FitPlan,
        packed: PackedRatings,
        numberings: dict[str, Numbering],
        folder: Folder,
        partitions: int,
        run: FitRun,
        settings: Mapping[str, Any],
    ) -> None:
        self.plan, self.solver, self.settings = plan, plan.solver, settings
        self.packed, self.numberings, self.folder, self.run = packed, numberings, folder, run
        self.partitions = partitions
        self.position = FitPosition()
        self.states: dict[str, Any] = {}  # the last state of each side
        self.summaries: dict[str, list[Any]] = {}
        self._zero_user_start = False
        self.keys = {side: _balanced_keys(folder.spark, numberings[side].blocks, partitions) for side in numberings}
        self.blocks = {side: self._partition_blocks(side, table).persist() for side, table in packed.tables.items()}
        self.routes = {
            side: self._find_routes(side)
            for side in numberings
            if not fits_broadcast(self.solver, numberings[OTHER_SIDE[side]].size)
        }

    def begin(self) -> None:
        """Continue from the last checkpoint in the folder, or start with drawn values.

        Raises ParameterError if the folder contains a fit of other data or settings.
        """
        if not self._resume():
            self._start()

    def close(self) -> None:
        """Let Spark drop the tables that are cached for the fit."""
        for table in (*self.blocks.values(), *self.routes.values()):
            table.unpersist()

    def _partition_blocks(self, side: str, table: Any) -> Any:
        """Distribute blocks evenly over the partitions."""
        with_keys = table.selectExpr("*", f"{array_literal(self.keys[side])}[block] AS key")
        return with_keys.repartition(self.partitions, "key")

    def _find_routes(self, side: str) -> Any:
        send = SendTask(self.solver, self.numberings[OTHER_SIDE[side]].bounds)

        def routes(batches: Batches) -> Iterator[Any]:
            return send.routes(batches)

        routes_table = self.blocks[side].select("block", "needs").mapInArrow(routes, ROUTE_LAYOUT.ddl)
        routes_table = routes_table.selectExpr("block", "struct(target, row_numbers) AS route").groupBy("block")
        return routes_table.agg({"route": "collect_list"}).toDF("block", "routes").persist()

    # States of a side

    def state(self, side: str) -> Any:
        """Return the last state of a side as a table; `factors` and `bias` are the current ones."""
        table = self.states[side]
        if side == "item" and self.position.momentum_undone:
            others = [name for name in STATE_LAYOUT.columns if name not in ("factors", "bias")]
            return table.selectExpr(*others, "solved_factors AS factors", "solved_bias AS bias")
        return table

    def _write_state(self, side: str, table: Any) -> None:
        self.position.n_states[side] += 1
        self._load_state(side, self.folder.write(f"{side}/{self.position.n_states[side] % _N_SLOTS}", table))

    def _load_state(self, side: str, table: Any) -> None:
        self.states[side], summary_rows = table, table.select(*SUMMARY_COLUMNS).collect()
        self.summaries[side] = sorted(summary_rows, key=lambda row: int(row["block"]))

    def _gram(self, side: str) -> NDArray[Any] | None:
        """Return w0 F'F of a side."""
        if not self.solver.weighting.unobserved:
            return None
        name, k = "solved_gram" if side == "item" and self.position.momentum_undone else "gram", self.solver.factors
        grams = [np.frombuffer(row[name], self.solver.precision).reshape(k, k) for row in self.summaries[side]]
        total = np.sum(grams, axis=0, dtype=np.float64)
        return np.asarray(self.solver.weighting.unobserved * total, self.solver.precision)

    # Half-sweeps

    def _start(self) -> None:
        """Draw the values that a fit in memory starts from, and solve them as it does (`LocalSides`)."""
        rng = np.random.default_rng(self.plan.seed)
        for side in ("user", "item"):
            self._draw(side, rng)
        if self.solver.biased:
            self._sweep("item", bias_only=True)
            self._sweep("user", bias_only=True)
        if self.solver.factors:
            self._sweep("user")

    def _draw(self, side: str, rng: np.random.Generator) -> None:
        numbering, states = self.numberings[side], []
        for block in range(numbering.blocks):
            states.append(dict(rng.bit_generator.state))
            rng.standard_normal((numbering.rows_in(block), self.solver.factors))
        scale = self._initial_scale(OTHER_SIDE[side])
        draw = DrawTask(self.solver, states, numbering.bounds, scale, self.plan.mean_score)

        def draw_block(batches: Batches) -> Iterator[Any]:
            return draw.run(batches)

        blocks = self.folder.spark.range(0, numbering.blocks, 1, self.partitions)
        self._write_state(side, blocks.mapInArrow(draw_block, STATE_LAYOUT.ddl))

    def _initial_scale(self, side: str) -> float:
        """Return the standard deviation of the starting factors with which a side is solved first."""
        rows, columns = self.numberings[side].size, self.numberings[OTHER_SIDE[side]].size
        solver = self.solver

        def sum_ridges(batches: Batches) -> Iterator[Any]:
            for row in iter_rows(batches):
                ridge = float(solver.row_ridge(decode_block(row, columns)).sum(dtype=np.float64))
                yield RIDGE_LAYOUT.batch({"block": row.value("block"), "ridge": ridge})

        block_ridges = sorted(self.packed.tables[side].mapInArrow(sum_ridges, RIDGE_LAYOUT.ddl).collect())
        mean = sum(row["ridge"] for row in block_ridges) / rows
        return solver.initial_scale(mean, self.packed.weight, rows, columns)

    def _sweep(
        self, side: str, steps: int | None = None, bias_only: bool = False, momentum: int | None = None
    ) -> float:
        """Solve a side with the other fixed, write its new state, and return its loss."""
        steps = self.solver.epoch_steps if steps is None else steps
        other = OTHER_SIDE[side]
        sweep = SweepTask(
            self.solver,
            columns=self.numberings[other].size,
            steps=steps,
            gram=self._gram(other),
            bias_only=bias_only,
            momentum=momentum,
            start_at_zero=side == "user" and self._zero_user_start,
        )

        def solve_block(batches: Batches) -> Iterator[Any]:
            return sweep.run(batches)

        self._write_state(side, self._join_states(side).mapInArrow(solve_block, STATE_LAYOUT.ddl))
        summaries = self.summaries[side]
        if failure := next((row for row in summaries if row["failed"] >= 0), None):
            self._raise_unsolved(side, failure)
        return float(sum(row["loss"] for row in summaries))

    def _join_states(self, side: str) -> Any:
        """Return the blocks of a side, each with its own state and the rows of the other side that it needs."""
        states = self.state(side).selectExpr(
            f"{array_literal(self.keys[side])}[block] AS key", "factors", "bias", "solved_factors", "solved_bias"
        )
        joined = self.blocks[side].join(states.hint("shuffle_hash"), "key", "left")
        fixed = self.state(OTHER_SIDE[side]).select("block", "factors", "bias")
        if side not in self.routes:
            return broadcast_side(joined, fixed)
        send = SendTask(self.solver, self.numberings[OTHER_SIDE[side]].bounds)

        def send_rows(batches: Batches) -> Iterator[Any]:
            return send.run(batches)

        messages = self.routes[side].join(fixed, "block").mapInArrow(send_rows, SENT_LAYOUT.ddl)
        key = f"{array_literal(self.keys[side])}[target] AS key"
        messages = messages.selectExpr(key, "struct(block, factors, bias) AS part")
        return joined.join(messages.groupBy("key").agg({"part": "collect_list"}).toDF("key", "sent"), "key", "left")

    def _raise_unsolved(self, side: str, summary: Any) -> None:
        """Raise the error of a row without a solution."""
        row = int(self.numberings[side].bounds[summary["block"]]) + summary["failed"]
        block = self.packed.tables[side].where(f"block = {summary['block']}").select("indptr").collect()[0]
        counts = np.diff(np.frombuffer(block["indptr"], np.int64))
        raise self.solver.singular_error(f"{side} {self.numberings[side].id_of(row)!r}", int(counts[summary["failed"]]))

    # The protocol of the loop

    @property
    def has_momentum(self) -> bool:
        """Whether momentum has moved the items since the start or the last `undo_momentum`."""
        return self.position.momentum_steps > 0

    def solve_items(self) -> None:
        """Write a checkpoint, solve the items with the users fixed, and move them on if the plan accelerates."""
        self._checkpoint()
        self._sweep("item", momentum=self._next_step() if self.plan.accelerate else None)
        self.position.momentum_undone = False

    def _next_step(self) -> int:
        """Count a step of momentum, as Momentum.move does, and return how many there were."""
        steps_before = self.position.momentum_steps
        self.position.momentum_steps += int(self.position.momentum_started)
        self.position.momentum_started = True
        return steps_before

    def solve_users(self, steps: int | None = None) -> float:
        """Solve the users with the items fixed; return the whole objective."""
        loss = self._sweep("user", steps)
        name = "solved_penalty" if self.position.momentum_undone else "penalty"
        return loss + float(sum(row[name] for row in self.summaries["item"]))

    def undo_momentum(self) -> None:
        """Read the items as they were solved from now on, and begin momentum anew."""
        self.position.momentum_undone, self.position.momentum_steps = True, 0

    def reset_users(self) -> None:
        """Let the next solution of the users start at zero."""
        self._zero_user_start = True

    def state_arrays(self) -> dict[str, Any]:
        """Fetch both sides to the driver; return factors, biases (or None) and the mean by name."""
        users, items = self.side("user"), self.side("item")
        factors = {"user_factors": users.factors, "item_factors": items.factors}
        biases = {"user_bias": users.bias, "item_bias": items.bias}
        return factors | biases | {"mean": np.array([self.plan.mean], self.solver.precision)}

    def side(self, side: str) -> Side:
        """Fetch a side to the driver."""
        return fetch_side(self.solver, self.state(side))

    # Checkpoints

    def _identity(self) -> dict[str, Any]:
        """Return what a fit must share with a checkpoint to continue from it."""
        bounds = [self.numberings[side].bounds.tolist() for side in ("user", "item")]
        return {"settings": dict(self.settings), "data": self.packed.digest, "blocks": bounds}

    def _checkpoint(self) -> None:
        epochs = [epoch.to_json() for epoch in self.run.history]
        if not epochs or not self.folder.is_permanent:
            return
        checkpoint = self._identity() | {"position": asdict(self.position), "history": epochs}
        self.folder.write_text(f"checkpoints/{len(epochs) % 2}", json.dumps(checkpoint))

    def _resume(self) -> bool:
        """Load the last checkpoint; return whether there was one."""
        if not self.folder.is_permanent:
            return False
        texts = [self.folder.read_text(f"checkpoints/{name}") for name in "01"]
        checkpoints = [json.loads(text) for text in texts if text is not None]
        if not checkpoints:
            return False
        last = max(checkpoints, key=lambda checkpoint: len(checkpoint["history"]))
        if {name: last[name] for name in self._identity()} != json.loads(json.dumps(self._identity())):
            raise ParameterError(
                f"{self.folder.path} contains a fit of other data or settings; choose another folder, or empty it."
            )
        self.position = FitPosition(**last["position"])
        self.run.history = [Epoch.from_json(epoch) for epoch in last["history"]]
        self.run.start_time -= self.run.history[-1].seconds
        for side in ("user", "item"):
            slot = self.position.n_states[side] % _N_SLOTS
            self._load_state(side, self.folder.read(f"{side}/{slot}", STATE_LAYOUT.ddl))
        return True


def _balanced_keys(spark: Any, blocks: int, partitions: int) -> list[int]:
    """Return a key for each block, such that Spark, which places rows by the hash of a key, spreads blocks evenly."""
    n_candidates = 16 * (blocks + 4 * partitions)
    part = f"pmod(hash(CAST(id AS INT)), {partitions}) AS part"
    candidates = spark.range(0, n_candidates).selectExpr("CAST(id AS INT) AS key", part)
    pools: dict[int, list[int]] = {}
    for key, part in sorted(tuple(row) for row in candidates.collect()):
        pools.setdefault(part, []).append(key)
    return [pools[block % partitions][block // partitions] for block in range(blocks)]

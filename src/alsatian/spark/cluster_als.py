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
from alsatian.recommender.fit_run import Epoch, Run
from alsatian.spark.arrow_arrays import Batches, Layout
from alsatian.spark.arrow_arrays import rows as each
from alsatian.spark.executor_tasks import ROUTE, SENT, STATE, TOLD, Draw, Send, Sweep, fetched
from alsatian.spark.id_encoding import Numbering, literal
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import Packed, block_of

SMALL = 1 << 28  # bytes of a side up to which all of it goes to every partition
_SLOTS = 4  # states of a side that are kept: the one noted, and up to three made since (at the end of a fit)
OTHER = {"user": "item", "item": "user"}
_FIRST = "(monotonically_increasing_id() & 8589934591L) = 0"  # the first row of each partition


def side_bytes(model: ALS, rows: int) -> int:
    return rows * (model.factors + 1) * np.dtype(model.precision).itemsize


class OnCluster:
    """Both sides as tables; see models/als/fit.py for what each method is for."""

    def __init__(
        self, model: ALS, packed: Packed, numbers: dict[str, Numbering], folder: Folder, partitions: int, run: Run
    ) -> None:
        self.model, self.packed, self.numbers, self.folder, self.run = model, packed, numbers, folder, run
        self.partitions = partitions
        self.mean = model._mean(packed.totals)
        self.form = model._form(self.mean)
        self.made = {"user": 0, "item": 0}  # how many states of each side were made
        self.solved = False  # whether the items are where they were solved: momentum was taken back
        self.steps, self.begun = 0, False  # of momentum
        self.states: dict[str, Any] = {}  # the last of each side
        self.told: dict[str, list[Any]] = {}
        self._zero = False
        self.keys = {side: _keys(folder.spark, numbers[side].blocks, partitions) for side in numbers}
        self.blocks = {side: self._placed(side, table).persist() for side, table in packed.tables.items()}
        self.routes = {side: self._routes(side) for side in numbers if not self._is_small(OTHER[side])}

    def begin(self) -> None:
        """Go on where the fit was broken off, or start."""
        if not self._resumed():
            self._start()

    def close(self) -> None:
        for table in (*self.blocks.values(), *self.routes.values()):
            table.unpersist()

    def _is_small(self, side: str) -> bool:
        return side_bytes(self.model, self.numbers[side].size) <= SMALL

    def _placed(self, side: str, table: Any) -> Any:
        """Deal blocks out to partitions evenly."""
        keyed = table.selectExpr("*", f"{literal(self.keys[side])}[block] AS key")
        return keyed.repartition(self.partitions, "key")

    def _routes(self, side: str) -> Any:
        send = Send(self.model, self.numbers[OTHER[side]].bounds)

        def routes(batches: Batches) -> Iterator[Any]:
            return send.routes(batches)

        found = self.blocks[side].select("block", "needs").mapInArrow(routes, ROUTE.ddl)
        found = found.selectExpr("block", "struct(target, wanted) AS route").groupBy("block")
        return found.agg({"route": "collect_list"}).toDF("block", "routes").persist()

    # States of a side

    def state(self, side: str) -> Any:
        """Return the last state of a side, with its factors where they are now."""
        table = self.states[side]
        if side == "item" and self.solved:
            others = [name for name in STATE.columns if name not in ("factors", "bias")]
            return table.selectExpr(*others, "solved_factors AS factors", "solved_bias AS bias")
        return table

    def _keep(self, side: str, table: Any) -> None:
        self.made[side] += 1
        self._tell(side, self.folder.write(f"{side}/{self.made[side] % _SLOTS}", table))

    def _tell(self, side: str, table: Any) -> None:
        self.states[side], found = table, table.select(*TOLD).collect()
        self.told[side] = sorted(found, key=lambda row: int(row["block"]))

    def _gram(self, side: str) -> NDArray[Any] | None:
        """Return w0 F'F of a side."""
        if not self.form.unobserved:
            return None
        name, k = "solved_gram" if side == "item" and self.solved else "gram", self.model.factors
        grams = [np.frombuffer(row[name], self.model.precision).reshape(k, k) for row in self.told[side]]
        return np.asarray(self.form.unobserved * np.sum(grams, axis=0, dtype=np.float64), self.model.precision)

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
        numbers, states = self.numbers[side], []
        for block in range(numbers.blocks):
            states.append(dict(rng.bit_generator.state))
            rng.standard_normal((numbers.rows_in(block), self.model.factors))
        level = self.model._level(self.packed.totals)
        draw = Draw(self.model, states, numbers.bounds, self._spread(OTHER[side]), level)

        def drawn(batches: Batches) -> Iterator[Any]:
            return draw.run(batches)

        blocks = self.folder.spark.range(0, numbers.blocks, 1, self.partitions)
        self._keep(side, blocks.mapInArrow(drawn, STATE.ddl))

    def _spread(self, solved: str) -> float:
        """Return the standard deviation of what the side `solved` is solved for first."""
        rows, columns = self.numbers[solved].size, self.numbers[OTHER[solved]].size
        model, form = self.model, self.form

        def ridges(batches: Batches) -> Iterator[Any]:
            for row in each(batches):
                told = float(model._ridge(block_of(row, columns), form).sum(dtype=np.float64))
                yield RIDGE.batch({"block": row.plain("block"), "ridge": told})

        found = sorted(self.packed.tables[solved].mapInArrow(ridges, RIDGE.ddl).collect())
        mean = sum(row["ridge"] for row in found) / rows
        return self.model._spread(mean, self.packed.weight, rows, columns, self.form)

    def _sweep(self, side: str, steps: int | None = None, bare: bool = False, momentum: int | None = None) -> float:
        """Solve a side for where the other is, write it, and return its loss."""
        steps = self.model.epoch_steps if steps is None else steps
        other = OTHER[side]
        sweep = Sweep(
            self.model, self.form, self.numbers[other].size, steps, self._gram(other), bare, momentum,
            side == "user" and self._zero,
        )  # fmt: skip

        def solved(batches: Batches) -> Iterator[Any]:
            return sweep.run(batches)

        self._keep(side, self._met(side).mapInArrow(solved, STATE.ddl))
        told = self.told[side]
        if failed := next((row for row in told if row["failed"] >= 0), None):
            self._refuse(side, failed)
        return float(sum(row["loss"] for row in told))

    def _met(self, side: str) -> Any:
        """Return the blocks of a side, each with its own state, and what they need of the other."""
        own = self.state(side).selectExpr(
            f"{literal(self.keys[side])}[block] AS key", "factors", "bias", "solved_factors", "solved_bias"
        )
        met = self.blocks[side].join(own.hint("shuffle_hash"), "key", "left")
        fixed = self.state(OTHER[side]).select("block", "factors", "bias")
        if side not in self.routes:
            return with_whole(met, fixed)
        send = Send(self.model, self.numbers[OTHER[side]].bounds)

        def sent(batches: Batches) -> Iterator[Any]:
            return send.run(batches)

        messages = self.routes[side].join(fixed, "block").mapInArrow(sent, SENT.ddl)
        key = f"{literal(self.keys[side])}[target] AS key"
        messages = messages.selectExpr(key, "struct(block, factors, bias) AS one")
        return met.join(messages.groupBy("key").agg({"one": "collect_list"}).toDF("key", "sent"), "key", "left")

    def _refuse(self, side: str, told: Any) -> None:
        """Raise the error of a row without a solution."""
        row = int(self.numbers[side].bounds[told["block"]]) + told["failed"]
        block = self.packed.tables[side].where(f"block = {told['block']}").select("indptr").collect()[0]
        counts = np.diff(np.frombuffer(block["indptr"], np.int64))
        raise self.model._unsolved(f"{side} {self.numbers[side].id_of(row)!r}", int(counts[told["failed"]]))

    # What the course of a fit asks for

    @property
    def moved(self) -> bool:
        return self.steps > 0

    def solve_items(self) -> None:
        self._note()
        self._sweep("item", momentum=self._next_step() if self.model.accelerate else None)
        self.solved = False

    def _next_step(self) -> int:
        """Count a step of momentum, as Momentum.move does, and return how many there were."""
        before = self.steps
        self.steps += int(self.begun)
        self.begun = True
        return before

    def solve_users(self, steps: int | None = None) -> float:
        loss = self._sweep("user", steps)
        name = "solved_penalty" if self.solved else "penalty"
        return loss + float(sum(row[name] for row in self.told["item"]))

    def back(self) -> None:
        self.solved, self.steps = True, 0

    def zero_users(self) -> None:
        self._zero = True

    def learned(self) -> dict[str, Any]:
        users, items = self.side("user"), self.side("item")
        factors = {"user_factors": users.factors, "item_factors": items.factors}
        biases = {"user_bias": users.bias, "item_bias": items.bias}
        return factors | biases | {"mean": np.array([self.mean], self.model.precision)}

    def side(self, side: str) -> Side:
        """Fetch a side."""
        return fetched(self.model, self.state(side))

    # Going on where a fit was broken off

    def _identity(self) -> dict[str, Any]:
        return {"model": self.model.name, "params": self.model.params, "data": self.packed.digest,
                "blocks": [self.numbers[side].bounds.tolist() for side in ("user", "item")]}  # fmt: skip

    def _note(self) -> None:
        """Write down where the fit is, in turns under two names, so that one of them is whole at any time."""
        epochs = [epoch.to_json() for epoch in self.run.history]
        if not epochs or not self.folder.kept:
            return
        at = {"made": self.made, "solved": self.solved, "steps": self.steps, "begun": self.begun, "history": epochs}
        self.folder.write_text(f"noted/{len(epochs) % 2}", json.dumps(self._identity() | at))

    def _resumed(self) -> bool:
        """Go on from the last note, if there is one."""
        if not self.folder.kept:
            return False
        notes = [json.loads(text) for name in "01" if (text := self.folder.read_text(f"noted/{name}"))]
        if not notes:
            return False
        last = max(notes, key=lambda note: len(note["history"]))
        if {name: last[name] for name in self._identity()} != json.loads(json.dumps(self._identity())):
            raise ParameterError(
                f"{self.folder.path} holds a fit of other data or other settings; name another folder, or empty it."
            )
        self.made, self.solved, self.steps, self.begun = (last[name] for name in ("made", "solved", "steps", "begun"))
        self.run.history = [Epoch.from_json(epoch) for epoch in last["history"]]
        self.run.begun -= self.run.history[-1].seconds
        for side in ("user", "item"):
            self._tell(side, self.folder.read(f"{side}/{self.made[side] % _SLOTS}", STATE.ddl))
        return True


RIDGE = Layout(block="int", ridge="double")


def with_whole(blocks: Any, side: Any) -> Any:
    """Give the first row of each partition all blocks of a side, in a column `sent`."""
    whole = side.coalesce(1).selectExpr("collect_list(struct(block, factors, bias)) AS sent", "true AS first")
    return blocks.selectExpr("*", f"{_FIRST} AS first").join(whole.hint("broadcast"), "first", "left")


def _keys(spark: Any, blocks: int, partitions: int) -> list[int]:
    """Return a key for each block: Spark places rows by the hash of their key, and these deal the blocks out evenly."""
    many = 16 * (blocks + 4 * partitions)
    part = f"pmod(hash(CAST(id AS INT)), {partitions}) AS part"
    found = spark.range(0, many).selectExpr("CAST(id AS INT) AS key", part)
    pools: dict[int, list[int]] = {}
    for key, part in sorted(tuple(row) for row in found.collect()):
        pools.setdefault(part, []).append(key)
    return [pools[block % partitions][block // partitions] for block in range(blocks)]

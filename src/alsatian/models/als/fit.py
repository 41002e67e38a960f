"""The course of a fit by alternating least squares, wherever its sides are: in this process, or on a cluster.

An epoch solves all items with the users fixed, moves them on by a share of their last step (momentum.py), then solves
all users with the items fixed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from alsatian.data.interactions import Interactions
from alsatian.kernels import Side
from alsatian.models.als.half_problem import Half, Totals, penalty, zeros
from alsatian.models.als.momentum import Momentum
from alsatian.recommender.fit_run import Run

if TYPE_CHECKING:
    from alsatian.models.als.base import ALS


class Sides(Protocol):
    """The two sides of a fit, from their starting values on."""

    @property
    def moved(self) -> bool:
        """Whether momentum has moved the items since it began (anew)."""

    def solve_items(self) -> None:
        """Solve the items with the users fixed, and move them on if the model accelerates."""

    def solve_users(self, steps: int | None = None) -> float:
        """Solve the users with the items fixed; return the whole objective. steps: as in ALS._solve."""

    def back(self) -> None:
        """Put the items back to where they were solved."""

    def zero_users(self) -> None:
        """Forget the users' factors and biases."""

    def learned(self) -> dict[str, Any]:
        """Return the learned arrays by name."""


def alternate(
    model: ALS, sides: Sides, run: Run, learned: Callable[[], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Go through the epochs that the run has not yet had, and return what is learned (or else what `learned` gives)."""
    learned = learned or sides.learned
    loss = run.history[-1].objective if run.history else np.inf
    for _ in run.epochs(model.epochs, model.name):
        before = loss
        sides.solve_items()
        loss = sides.solve_users()
        if loss > before and sides.moved:
            sides.back()  # exactly solved, the users can only lower what the last epoch reached
            loss = sides.solve_users(steps=0)
        if run.finish(loss, model.tol, learned):
            break
    if model.nonnegative:
        sides.zero_users()  # where a visitor's descent begins, so that the bits are the same
    if model.nonnegative or (model.solver == "auto" and model.epoch_steps):
        run.amend(sides.solve_users(steps=0))
    return learned()


class InMemory:
    """Both sides as arrays of this process.

    They start from seeded values: biases are the regularized means that they would be without factors (two half-sweeps
    that have no factors). The items are random, and the users solved for them. The other way round needs more epochs,
    as popular items are more telling than busy users. The items spread so that the users meet a Gram matrix about as
    large as their ridge, which weighs the main directions of the data and the ridge alike; much larger or smaller ones
    need more epochs, too.
    """

    def __init__(self, model: ALS, data: Interactions, threads: int) -> None:
        totals = Totals.of(data)
        self.model, self.threads, self.momentum = model, threads, Momentum()
        self.mean = model._mean(totals)
        self.form = model._form(self.mean)
        self.by_user, self.by_item = (
            Half(entries, model._ridge(entries, self.form), ids)
            for entries, ids in ((data.by_user, data.user_ids), (data.by_item, data.item_ids))
        )
        level, rng = model._level(totals), np.random.default_rng(model.seed)
        self.users = model._drawn(rng, totals.users, self._spread(self.by_item), level)
        self.items = model._drawn(rng, totals.items, self._spread(self.by_user), level)
        self._start()

    def _spread(self, solved: Half) -> float:
        rows, weights = solved.entries, solved.entries.weights
        observed = len(rows.indices) if weights is None else weights.sum(dtype=np.float64)
        return self.model._spread(float(solved.ridge.mean()), observed, rows.rows, rows.columns, self.form)

    def _start(self) -> None:
        if self.users.bias is not None:
            user_bias, item_bias = (side._replace(factors=side.factors[:, :0].copy()) for side in self._both)
            self._solve(self.by_item, user_bias, item_bias)
            self._solve(self.by_user, item_bias, user_bias)
        if self.model.factors:
            self._solve(self.by_user, self.items, self.users)

    def _solve(self, half: Half, fixed: Side, solution: Side, steps: int | None = None) -> float:
        return self.model._solve(half, self.form, fixed, solution, self.threads, steps)

    @property
    def _both(self) -> tuple[Side, Side]:
        return self.users, self.items

    @property
    def moved(self) -> bool:
        return self.momentum.moved

    def solve_items(self) -> None:
        self._solve(self.by_item, self.users, self.items)
        if self.model.accelerate:
            self.momentum.move(self.items)
            if self.model.nonnegative:
                np.maximum(self.items.factors, 0, out=self.items.factors)

    def solve_users(self, steps: int | None = None) -> float:
        return self._solve(self.by_user, self.items, self.users, steps) + penalty(self.by_item, self.items)

    def back(self) -> None:
        self.momentum.back(self.items)

    def zero_users(self) -> None:
        self.users = zeros(self.users, len(self.users.factors))

    def learned(self) -> dict[str, Any]:
        factors = {"user_factors": self.users.factors, "item_factors": self.items.factors}
        biases = {"user_bias": self.users.bias, "item_bias": self.items.bias}
        return factors | biases | {"mean": np.array([self.mean], self.model.precision)}

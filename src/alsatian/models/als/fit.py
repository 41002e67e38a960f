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
from alsatian.models.als.half_problem import DataSummary, HalfProblem, regularization, zero_side
from alsatian.models.als.momentum import Momentum
from alsatian.recommender.fit_run import FitRun

if TYPE_CHECKING:
    from alsatian.models.als.base import ALS


class FactorSides(Protocol):
    """The two sides of a fit, from their starting values on."""

    @property
    def has_momentum(self) -> bool:
        """Whether momentum has moved the items since it began (anew)."""

    def solve_items(self) -> None:
        """Solve the items with the users fixed, and move them on if the model accelerates."""

    def solve_users(self, steps: int | None = None) -> float:
        """Solve the users with the items fixed; return the whole objective. steps: as in ALS._solve."""

    def undo_momentum(self) -> None:
        """Put the items back to where they were solved."""

    def reset_users(self) -> None:
        """Forget the users' factors and biases."""

    def state_arrays(self) -> dict[str, Any]:
        """Return the learned arrays by name."""


def run_als(
    model: ALS, sides: FactorSides, run: FitRun, get_state: Callable[[], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Go through the epochs that the run has not yet had, and return what is learned (or else what `learned` gives)."""
    get_state = get_state or sides.state_arrays
    loss = run.history[-1].objective if run.history else np.inf
    for _ in run.epochs(model.epochs, model.name):
        previous_loss = loss
        sides.solve_items()
        loss = sides.solve_users()
        if loss > previous_loss and sides.has_momentum:
            sides.undo_momentum()  # exactly solved, the users can only lower what the last epoch reached
            loss = sides.solve_users(steps=0)
        if run.finish(loss, model.tol, get_state):
            break
    if model.nonnegative:
        sides.reset_users()  # where a visitor's descent begins, so that the bits are the same
    if model.nonnegative or (model.solver == "auto" and model.epoch_cg_steps):
        run.replace_last_objective(sides.solve_users(steps=0))
    return get_state()


class LocalSides:
    """Both sides as arrays of this process.

    They start from seeded values: biases are the regularized means that they would be without factors (two half-sweeps
    that have no factors). The items are random, and the users solved for them. The other way round needs more epochs,
    as popular items are more telling than busy users. The items spread so that the users meet a Gram matrix about as
    large as their ridge, which weighs the main directions of the data and the ridge alike; much larger or smaller ones
    need more epochs, too.
    """

    def __init__(self, model: ALS, data: Interactions, threads: int) -> None:
        summary = DataSummary.from_data(data)
        self.model, self.threads, self.momentum = model, threads, Momentum()
        self.mean = model.global_mean(summary)
        self.weighting = model.weighting(self.mean)
        self.by_user, self.by_item = (
            HalfProblem(entries, model.row_ridge(entries, self.weighting), ids)
            for entries, ids in ((data.by_user, data.user_ids), (data.by_item, data.item_ids))
        )
        mean_score, rng = model.initial_score(summary), np.random.default_rng(model.seed)
        self.users = model.initial_factors(rng, summary.users, self._initial_scale(self.by_item), mean_score)
        self.items = model.initial_factors(rng, summary.items, self._initial_scale(self.by_user), mean_score)
        self._initialize_sides()

    def _initial_scale(self, problem: HalfProblem) -> float:
        rows, weights = problem.entries, problem.entries.weights
        total_weight = len(rows.indices) if weights is None else weights.sum(dtype=np.float64)
        return self.model.initial_scale(
            float(problem.ridge.mean()), total_weight, rows.n_rows, rows.n_columns, self.weighting
        )

    def _initialize_sides(self) -> None:
        if self.users.bias is not None:
            user_bias, item_bias = (side._replace(factors=side.factors[:, :0].copy()) for side in self._sides)
            self._solve_side(self.by_item, user_bias, item_bias)
            self._solve_side(self.by_user, item_bias, user_bias)
        if self.model.factors:
            self._solve_side(self.by_user, self.items, self.users)

    def _solve_side(self, problem: HalfProblem, fixed: Side, solution: Side, steps: int | None = None) -> float:
        return self.model.solve_side(problem, self.weighting, fixed, solution, self.threads, steps)

    @property
    def _sides(self) -> tuple[Side, Side]:
        return self.users, self.items

    @property
    def has_momentum(self) -> bool:
        return self.momentum.is_active

    def solve_items(self) -> None:
        self._solve_side(self.by_item, self.users, self.items)
        if self.model.accelerate:
            self.momentum.move(self.items)
            if self.model.nonnegative:
                np.maximum(self.items.factors, 0, out=self.items.factors)

    def solve_users(self, steps: int | None = None) -> float:
        return self._solve_side(self.by_user, self.items, self.users, steps) + regularization(self.by_item, self.items)

    def undo_momentum(self) -> None:
        self.momentum.undo(self.items)

    def reset_users(self) -> None:
        self.users = zero_side(self.users, len(self.users.factors))

    def state_arrays(self) -> dict[str, Any]:
        factors = {"user_factors": self.users.factors, "item_factors": self.items.factors}
        biases = {"user_bias": self.users.bias, "item_bias": self.items.bias}
        return factors | biases | {"mean": np.array([self.mean], self.model.precision)}

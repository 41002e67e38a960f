"""The loop of a fit by alternating least squares, in this process or on a cluster.

An epoch solves all items with the users fixed, extrapolates the items by a share of their last step (`momentum.py`),
and solves all users with the items fixed. `run_als` is the loop. It works on `FactorSides`: arrays of this process
(`LocalSides`) or tables of Spark (`alsatian.spark.cluster_als`). The settings of the model are in a `FitPlan`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from alsatian.data.interactions import Interactions
from alsatian.kernels import Side
from alsatian.models.als.half_problem import HalfProblem, regularization, zero_side
from alsatian.models.als.momentum import Momentum
from alsatian.models.als.solver import HalfSweepSolver
from alsatian.recommender.fit_run import FitRun


@dataclass(frozen=True)
class FitPlan:
    """The settings of a fit, which depend on the model and on totals of the data.

    solver: solves a side. mean: m of the objective. mean_score: the mean of x_u.y_i at the start.
    seed: the random seed of the starting values. accelerate: whether items get momentum.
    epochs: the maximum. tol: stop below this relative change of the objective. title: of the progress bar.
    """

    solver: HalfSweepSolver
    mean: float
    mean_score: float
    seed: int
    accelerate: bool
    epochs: int
    tol: float
    title: str

    @property
    def resets_users(self) -> bool:
        """Whether the last solution of the users starts at zero, as for visitors (coordinate descent)."""
        return self.solver.nonnegative

    @property
    def ends_exactly(self) -> bool:
        """Whether the users are solved exactly once more at the end, as visitors are."""
        return self.solver.nonnegative or (self.solver.method == "auto" and self.solver.epoch_steps > 0)


class FactorSides(Protocol):
    """The users and items of a fit, beginning with their starting values."""

    @property
    def has_momentum(self) -> bool:
        """Whether momentum has moved the items since the start or the last `undo_momentum`."""

    def solve_items(self) -> None:
        """Solve the items with the users fixed, then apply momentum if the plan accelerates."""

    def solve_users(self, steps: int | None = None) -> float:
        """Solve the users with the items fixed, and return the objective.

        steps: the steps of conjugate gradient, 0 to solve exactly (None: as in an epoch).
        """

    def undo_momentum(self) -> None:
        """Restore the items as they were solved, and restart momentum."""

    def reset_users(self) -> None:
        """Make the next solution of the users start at zero."""

    def state_arrays(self) -> dict[str, Any]:
        """Return the learned arrays by name, as `Model.set_state` takes them."""


def run_als(
    plan: FitPlan, sides: FactorSides, run: FitRun, get_state: Callable[[], dict[str, Any]] | None = None
) -> dict[str, Any]:
    """Run the remaining epochs, and return the learned arrays by name.

    get_state: returns the learned arrays (None: `sides.state_arrays`). Raises FitError for a row without a solution.
    """
    get_state = get_state or sides.state_arrays
    loss = run.history[-1].objective if run.history else np.inf
    for _ in run.epochs(plan.epochs, plan.title):
        previous_loss = loss
        sides.solve_items()
        loss = sides.solve_users()
        if loss > previous_loss and sides.has_momentum:
            sides.undo_momentum()  # solving the users exactly cannot raise the objective of the last epoch
            loss = sides.solve_users(steps=0)
        if run.finish(loss, plan.tol, get_state):
            break
    if plan.resets_users:
        sides.reset_users()
    if plan.ends_exactly:
        run.replace_last_objective(sides.solve_users(steps=0))
    return get_state()


class LocalSides:
    """Users and items as arrays of this process (the protocol `FactorSides`).

    Starting values are drawn with the seed of the plan. Biases start as the regularized means without factors, from two
    half-sweeps without factors. Items start at random, and the users are solved for them. The other way round needs
    more epochs, because popular items carry more information than active users.

    The scale of the items gives the users a Gram matrix about as large as their ridge, so that the main directions of
    the data and the ridge have about equal weight. A much larger or smaller scale needs more epochs.
    """

    def __init__(self, plan: FitPlan, data: Interactions, threads: int) -> None:
        self.plan, self.solver, self.threads, self.momentum = plan, plan.solver, threads, Momentum()
        self.by_user, self.by_item = (
            HalfProblem(entries, self.solver.row_ridge(entries), ids)
            for entries, ids in ((data.by_user, data.user_ids), (data.by_item, data.item_ids))
        )
        self.users, self.items = self._draw_sides()
        self._initialize_sides()

    def _draw_sides(self) -> tuple[Side, Side]:
        rng = np.random.default_rng(self.plan.seed)
        users, items = (
            self.solver.initial_factors(
                rng, problem.entries.n_rows, self._initial_scale(solved_first), self.plan.mean_score
            )
            for problem, solved_first in ((self.by_user, self.by_item), (self.by_item, self.by_user))
        )
        return users, items

    def _initial_scale(self, problem: HalfProblem) -> float:
        rows, weights = problem.entries, problem.entries.weights
        total_weight = len(rows.indices) if weights is None else weights.sum(dtype=np.float64)
        return self.solver.initial_scale(float(problem.ridge.mean()), total_weight, rows.n_rows, rows.n_columns)

    def _initialize_sides(self) -> None:
        if self.users.bias is not None:
            sides = self.users, self.items
            user_bias, item_bias = (side._replace(factors=side.factors[:, :0].copy()) for side in sides)
            self._solve_side(self.by_item, user_bias, item_bias)
            self._solve_side(self.by_user, item_bias, user_bias)
        if self.solver.factors:
            self._solve_side(self.by_user, self.items, self.users)

    def _solve_side(self, problem: HalfProblem, fixed: Side, solution: Side, steps: int | None = None) -> float:
        return self.solver.solve_side(problem, fixed, solution, self.threads, steps)

    @property
    def has_momentum(self) -> bool:
        """Whether momentum has moved the items since the start or the last `undo_momentum`."""
        return self.momentum.is_active

    def solve_items(self) -> None:
        """Solve the items with the users fixed, then apply momentum if the plan accelerates."""
        self._solve_side(self.by_item, self.users, self.items)
        if self.plan.accelerate:
            self.momentum.move(self.items)
            if self.solver.nonnegative:
                np.maximum(self.items.factors, 0, out=self.items.factors)

    def solve_users(self, steps: int | None = None) -> float:
        """Solve the users with the items fixed, and return the objective."""
        return self._solve_side(self.by_user, self.items, self.users, steps) + regularization(self.by_item, self.items)

    def undo_momentum(self) -> None:
        """Restore the items as they were solved, and restart momentum."""
        self.momentum.undo(self.items)

    def reset_users(self) -> None:
        """Set factors and biases of the users to zero."""
        self.users = zero_side(self.users, len(self.users.factors))

    def state_arrays(self) -> dict[str, Any]:
        """Return factors, biases (or None) and the mean by name; the arrays are those of the fit, not copies."""
        factors = {"user_factors": self.users.factors, "item_factors": self.items.factors}
        biases = {"user_bias": self.users.bias, "item_bias": self.items.bias}
        return factors | biases | {"mean": np.array([self.plan.mean], self.solver.precision)}

"""`ALS`, the base of the ALS models: settings, fold-in and explanations. The objective is


    L = sum over observed (u,i) of  c (t - m - b_u - b_i - x_u.y_i)^2  +  w0 sum over unobserved of (x_u.y_i)^2
        + sum_u r_u (|x_u|^2 + b_u^2) + sum_i r_i (|y_i|^2 + b_i^2)

    r_u = reg (n_u + w0 items)^reg_exponent,  r_i = reg (n_i + w0 users)^reg_exponent

c and t are the confidence and target of a value, w0 the weight of unobserved cells, n the number of a row's values.
With `nonnegative`, x and y (not the biases) are at least 0, and the regression of each row is solved with this bound.

A fit ends with the users, solved exactly unless solver="cg". The factors of a user then equal those that `fold_in`
returns for the same history. `solver.py` solves a side, and `fit.py` is the loop.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.kernels import Side, Weighting, weighted_entries
from alsatian.models.als.fit import FitPlan, LocalSides, run_als
from alsatian.models.als.half_problem import DataSummary, HalfProblem, zero_side
from alsatian.models.als.solver import (
    CG_STEPS,
    EIGENBASIS_CG_STEPS,
    MAX_FACTORS_EXACT,
    MAX_FACTORS_EXACT_LONG_ROWS,
    HalfSweepSolver,
)
from alsatian.models.factors.cold_start import ColdStartFactorModel
from alsatian.models.factors.factor_model import FactorUserBatch
from alsatian.recommender.explanation import Contributions, regression_contributions
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import param
from alsatian.recommender.user_batch import history_rows


class ALS(ColdStartFactorModel):
    """The base of ExplicitALS and ImplicitALS, which define how values become confidences and targets."""

    source_label: ClassVar[str] = "als"
    iterates: ClassVar[bool] = True
    epochs: int = param(default=15, doc="passes over the data", low=1, high=100_000, search=(5, 50, "linear"))
    tol: float = param(
        default=0.0, doc="stop when an epoch changes the objective by less than this share", low=0, high=1
    )
    solver: str = param(
        default="auto",
        doc="how rows are solved: exactly (cholesky), by conjugate gradient (cg), or auto: "
        f"exactly up to {MAX_FACTORS_EXACT} factors; above by cg, but exactly for long rows up to "
        f"{MAX_FACTORS_EXACT_LONG_ROWS} factors, and for the users at the end",
        choices=("auto", "cholesky", "cg"),
    )
    cg_steps: int | None = param(
        default=None,
        doc=f"steps of conjugate gradient (None: {CG_STEPS}, or {EIGENBASIS_CG_STEPS} if empty cells count)",
        kind=int,
        low=1,
        high=1000,
    )
    accelerate: bool = param(default=True, doc="use momentum, which about halves the epochs for the same objective")
    nonnegative: bool = param(
        default=False, doc="keep factors (not biases) at 0 or above; rows are solved by coordinate descent"
    )
    seed: int = param(default=0, doc="random seed of the starting values", low=0)
    precision: str = param(default="float32", doc="data type of the arithmetic", choices=("float32", "float64"))

    def _check_params(self) -> None:
        if self.nonnegative and self.solver != "auto":
            raise ParameterError(f"solver={self.solver!r} does not support nonnegative=True; pass solver='auto'.")
        if self.cg_steps is not None and self.solver != "cg":
            raise ParameterError(
                f"cg_steps={self.cg_steps} has no effect with solver={self.solver!r}; pass solver='cg'."
            )

    # Hooks of the subclasses

    @abstractmethod
    def global_mean(self, totals: DataSummary) -> float:
        """Return m of the objective, which is fixed during a fit."""

    @abstractmethod
    def weighting(self, mean: float) -> Weighting:
        """Return how a value becomes a confidence and a target, given m."""

    def initial_score(self, totals: DataSummary) -> float:
        """Return the mean of x_u.y_i at the start of a fit."""
        return 0.0

    # Fitting

    def make_solver(self, mean: float) -> HalfSweepSolver:
        """Return a solver of a side with the settings of this model, given m."""
        return HalfSweepSolver(
            weighting=self.weighting(mean),
            reg=self.effective_value("reg"),
            reg_exponent=self.effective_value("reg_exponent"),
            factors=self.factors,
            biased=self.biased,
            precision=self.precision,
            method=self.solver,
            cg_steps=self.cg_steps,
            nonnegative=self.nonnegative,
        )

    def fit_plan(self, totals: DataSummary) -> FitPlan:
        """Return the settings of a fit to data with these totals."""
        mean = self.global_mean(totals)
        return FitPlan(
            solver=self.make_solver(mean),
            mean=mean,
            mean_score=self.initial_score(totals),
            seed=self.seed,
            accelerate=self.accelerate,
            epochs=self.epochs,
            tol=self.tol,
            title=self.name,
        )

    @property
    def epoch_cg_steps(self) -> int:
        """Steps of conjugate gradient for each row in an epoch; 0 means that rows are solved exactly."""
        return self.make_solver(0.0).epoch_steps

    def validate_data(self, data: Interactions) -> None:
        """Raise DataError for values that are not valid, ParameterError if the data is too small for `factors`."""
        super().validate_data(data)
        self.validate_size(len(data.user_ids), len(data.item_ids))

    def validate_size(self, users: int, items: int) -> None:
        """Raise ParameterError if there are more factors than users or items."""
        if self.factors > min(users, items):
            raise ParameterError(
                f"factors={self.factors} is more than the data allows: it has {users:,} users and {items:,} items; "
                f"pass at most {min(users, items)}."
            )

    def _fit_factors(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        plan = self.fit_plan(DataSummary.from_data(data))
        return run_als(plan, LocalSides(plan, data, run.threads), run)

    def build_caches(self) -> None:
        """Drop caches derived from the arrays of an earlier fit."""
        super().build_caches()
        self.__dict__.pop("_item_gram", None)

    # Visitors

    @property
    def _fitted_solver(self) -> HalfSweepSolver:
        return self.make_solver(float(self.mean[0]))

    def encode_histories(self, history: CSR) -> FactorUserBatch:
        """Return visitors, one per row of histories, solved as a fit solves its users, but always exactly."""
        solver, items = self._fitted_solver, self._item_side
        visitors = zero_side(items, history.n_rows)
        problem = HalfProblem(history, solver.row_ridge(history), None)
        solver.solve_side(problem, items, visitors, 1, steps=0, gram=self._item_gram)
        return FactorUserBatch(history, history_rows(history), vectors=visitors.factors, offsets=visitors.bias)

    @cached_property
    def _item_gram(self) -> NDArray[Any] | None:
        """w0 G of the items, which visitors and explanations use, or None if w0 is zero.

        Items with factors from attributes count as zeros, as in the fit, because no user could have chosen them.
        """
        items = self._item_side
        if self.cold_items is not None:
            items = items._replace(factors=np.where(self.cold_items[:, None], 0, items.factors))
        return self._fitted_solver.gram(items)

    @property
    def _item_side(self) -> Side:
        return Side(self.item_factors, self.item_bias)

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Return the base of the scores of items (row numbers), and the contribution of each entry of one history.

        With `nonnegative`, the factors of the user that are 0 stay 0. The other factors solve the regression without
        the bound, whose solution is a sum over the entries.
        """
        solver, fixed = self._fitted_solver, self._item_side
        weighting = solver.weighting
        confidence, target = weighted_entries(history.kernel_rows, weighting, fixed)

        def design_rows(rows: Any) -> NDArray[np.float64]:
            factors = fixed.factors[rows].astype(np.float64)
            return factors if fixed.bias is None else np.column_stack([factors, np.ones(len(rows))])

        f, y = design_rows(history.indices), design_rows(items)
        prior_matrix = solver.row_ridge(history) * np.eye(f.shape[1])
        if self._item_gram is not None:
            prior_matrix += self._item_gram
        if self.nonnegative:
            active = np.ones(f.shape[1], bool)
            active[: self.factors] = self.encode_histories(history).vectors[0] > 0
            f, y, prior_matrix = f[:, active], y[:, active], prior_matrix[np.ix_(active, active)]
        per_entry = regression_contributions(f, confidence - weighting.unobserved, target, prior_matrix, y)
        base = float(self.mean[0]) + (np.zeros(len(items)) if fixed.bias is None else fixed.bias[items])
        return Contributions(base, per_entry)

"""Alternating least squares: what its explicit and its implicit form share.

    L = sum over observed (u,i) of  c (t - m - b_u - b_i - x_u.y_i)^2  +  w0 sum over unobserved of (x_u.y_i)^2
        + sum_u r_u (|x_u|^2 + b_u^2) + sum_i r_i (|y_i|^2 + b_i^2)

    r_u = reg (n_u + w0 items)^nu,  r_i = reg (n_i + w0 users)^nu

With `nonnegative`, x and y (not the biases) are at least 0, and each row's regression is solved under that bound.

The course of a fit is in fit.py. It ends with the users, exactly solved unless solver="cg", so that a user's
factors are exactly what folding in her own history gives.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError, ParameterError, pluralize
from alsatian.kernels import Side, Weighting, weighted_entries
from alsatian.models.als import eigenbasis_cg
from alsatian.models.als.fit import LocalSides, run_als
from alsatian.models.als.half_problem import DataSummary, HalfProblem, unobserved_gram, zero_side
from alsatian.models.factors.cold_start import ColdStartFactorModel
from alsatian.models.factors.factor_model import FactorUserBatch
from alsatian.recommender.explanation import Contributions, regression_contributions
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import param
from alsatian.recommender.user_batch import history_rows

CG_STEPS, EIGENBASIS_CG_STEPS = (
    3,
    2,
)  # of conjugate gradient; where empty cells count, and its axes are those of models/als/eigenbasis_cg.py
MAX_FACTORS_EXACT = 32  # above, conjugate gradient comes sooner to the same objective: bench solvers --factors 16 32 64
CACHE_BYTES = 1 << 20  # bytes of a row's factors beyond which every step of conjugate gradient must fetch them anew
MAX_FACTORS_EXACT_LONG_ROWS = 128  # up to so many factors, forming such a row's system once costs no more than that
INITIAL_GRAM_RATIO = 0.5  # how large a row's Gram matrix of starting factors is, beside its ridge


class ALS(ColdStartFactorModel):
    """The loop, the fold-in and the explanation; the forms say how values become confidences and targets."""

    source_label: ClassVar[str] = "als"
    iterates: ClassVar[bool] = True
    epochs: int = param(default=15, doc="passes over the data", low=1, high=100_000, search=(5, 50, "linear"))
    tol: float = param(
        default=0.0, doc="stop when an epoch changes the objective by less than this share", low=0, high=1
    )
    solver: str = param(
        default="auto",
        doc="of each row: exact (cholesky), conjugate gradient (cg), or auto: "
        f"exact up to {MAX_FACTORS_EXACT} factors; above by cg, but long rows up to {MAX_FACTORS_EXACT_LONG_ROWS} factors, and the users at the "
        "end, exactly",
        choices=("auto", "cholesky", "cg"),
    )
    cg_steps: int | None = param(
        default=None,
        doc=f"steps of conjugate gradient (None: {CG_STEPS}, or {EIGENBASIS_CG_STEPS} where empty cells count)",
        kind=int,
        low=1,
        high=1000,
    )
    accelerate: bool = param(default=True, doc="give the items momentum: about half the epochs for the same objective")
    nonnegative: bool = param(
        default=False, doc="hold factors (not biases) at 0 or above; each row is solved by coordinate descent"
    )
    seed: int = param(default=0, doc="of the random starting values", low=0)
    precision: str = param(default="float32", doc="of the arithmetic", choices=("float32", "float64"))

    def _check_params(self) -> None:
        if self.nonnegative and self.solver != "auto":
            raise ParameterError(
                f"solver={self.solver!r} does not hold factors at 0 or above; with nonnegative=True pass solver='auto'."
            )
        if self.cg_steps is not None and self.solver != "cg":
            raise ParameterError(
                f"cg_steps={self.cg_steps} has no effect with solver={self.solver!r}; pass solver='cg'."
            )

    # What a subclass decides

    @abstractmethod
    def global_mean(self, totals: DataSummary) -> float:
        """Return m, fixed during the fit."""

    @abstractmethod
    def weighting(self, mean: float) -> Weighting:
        """Return how values enter the objective."""

    @property
    @abstractmethod
    def _regularization(self) -> tuple[float, float]:
        """Return reg, and nu: how the regularization of a row grows with its entries."""

    def initial_score(self, totals: DataSummary) -> float:
        """Return about what x_u.y_i should be on average; where the factors begin."""
        return 0.0

    # Fitting

    def validate_data(self, data: Interactions) -> None:
        super().validate_data(data)
        self.validate_size(len(data.user_ids), len(data.item_ids))

    def validate_size(self, users: int, items: int) -> None:
        if self.factors > min(users, items):
            raise ParameterError(
                f"factors={self.factors} is more than the data allows: it has {users:,} users and {items:,} items; "
                f"pass at most {min(users, items)}."
            )

    def _fit_factors(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        return run_als(self, LocalSides(self, data, run.threads), run)

    def row_ridge(self, rows: CSR, weighting: Weighting) -> NDArray[Any]:
        reg, nu = self._regularization
        return np.asarray(reg * (rows.counts + weighting.unobserved * rows.n_columns) ** nu, self.precision)

    def initial_factors(self, rng: np.random.Generator, rows: int, scale: float, mean_score: float) -> Side:
        """Draw a side to start from: products of factors begin near `level`, biases at 0."""
        center = np.sqrt(abs(mean_score) / max(self.factors, 1))
        factors = rng.standard_normal((rows, self.factors)) * scale + center
        factors = np.abs(factors) if self.nonnegative else factors
        return Side(factors.astype(self.precision), np.zeros(rows, self.precision) if self.biased else None)

    def initial_scale(
        self, mean_ridge: float, total_weight: float, rows: int, columns: int, weighting: Weighting
    ) -> float:
        """Return the standard deviation of the starting factors with which a side is solved first.

        mean_ridge, observed (weight of all entries), rows, columns: of the side that is solved.
        """
        variance = INITIAL_GRAM_RATIO * mean_ridge / (total_weight / rows + weighting.unobserved * columns)
        return float(np.sqrt(variance or 0.1 / max(self.factors, 1)))  # without a ridge, any small size

    def solve_side(
        self,
        problem: HalfProblem,
        weighting: Weighting,
        fixed: Side,
        solution: Side,
        threads: int,
        steps: int | None = None,
        gram: NDArray[Any] | None = None,
    ) -> float:
        """Solve one side in place, the other fixed; return its loss, with its own regularization.

        steps: of conjugate gradient, 0 to solve exactly (None: as the solver says). gram: of the fixed side, if known.
        """
        gram = unobserved_gram(fixed, weighting, threads) if gram is None else gram
        steps = self.epoch_cg_steps if steps is None else steps
        loss, failed_row = self.half_sweep(
            problem, weighting, eigenbasis_cg.eigenbasis(fixed, gram, steps, threads), solution, steps, threads
        )
        if failed_row >= 0:
            row_name = f"{problem.ids.side} {problem.ids.id_of(failed_row)!r}" if problem.ids else "the visitor"
            raise self.singular_error(row_name, int(problem.entries.counts[failed_row]))
        return loss

    def half_sweep(
        self,
        problem: HalfProblem,
        weighting: Weighting,
        basis: eigenbasis_cg.Basis,
        solution: Side,
        steps: int,
        threads: int,
    ) -> tuple[float, int]:
        """Solve a side, or a block of its rows, in place; return its loss and the first row without solution, or -1."""
        return eigenbasis_cg.eigenbasis_half_sweep(
            *(problem.entries.kernel_rows, weighting, basis, problem.ridge, solution, steps),
            exact_from=self._min_entries_exact,
            threads=threads,
            nonnegative=self.nonnegative,
        )

    def singular_error(self, row_name: str, values: int) -> FitError:
        return FitError(
            f"{row_name} with {pluralize(values, 'value')} has no finite, unique solution at {self.factors} factors and "
            f"reg={self._regularization[0]:g}; raise reg, lower factors, or pass precision='float64'."
        )

    @property
    def epoch_cg_steps(self) -> int:
        """The steps of conjugate gradient with which an epoch solves each row; 0: exactly."""
        if (
            self.nonnegative
            or self.solver == "cholesky"
            or (self.solver == "auto" and self.factors <= MAX_FACTORS_EXACT)
        ):
            return 0
        return self.cg_steps or (EIGENBASIS_CG_STEPS if self.weighting(0.0).unobserved else CG_STEPS)

    @property
    def _min_entries_exact(self) -> int:
        """From how many entries on an epoch solves a row exactly, whatever its steps."""
        if self.solver == "cg" or self.factors > MAX_FACTORS_EXACT_LONG_ROWS:
            return kernels.NO_ROW_IS_AS_LONG
        return CACHE_BYTES // (max(self.factors, 1) * np.dtype(self.precision).itemsize)  # 4,096 at 64 factors

    # Visitors

    def encode_histories(self, history: CSR) -> FactorUserBatch:
        """Solve visitors as a fit solves users, by the same half-sweep over other rows; always exactly."""
        weighting = self.weighting(float(self.mean[0]))
        items = self._item_side
        visitors = zero_side(items, history.n_rows)
        self.solve_side(
            HalfProblem(history, self.row_ridge(history, weighting), None),
            weighting,
            items,
            visitors,
            1,
            steps=0,
            gram=self._item_gram,
        )
        return FactorUserBatch(history, history_rows(history), vectors=visitors.factors, offsets=visitors.bias)

    @cached_property
    def _item_gram(self) -> NDArray[Any] | None:
        """w0 G of the items, which every visitor and every explanation needs; None when w0 is zero.

        Items that attributes place were zeros in the fit, and remain so here: nobody could have chosen them.
        """
        items = self._item_side
        if self.cold_items is not None:
            items = items._replace(factors=np.where(self.cold_items[:, None], 0, items.factors))
        return unobserved_gram(items, self.weighting(float(self.mean[0])))

    @property
    def _item_side(self) -> Side:
        return Side(self.item_factors, self.item_bias)

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Take scores apart. With `nonnegative`, the person's factors that are 0 stay so: the others solve the plain
        regression without them, which has an answer in parts.
        """
        weighting, fixed = self.weighting(float(self.mean[0])), self._item_side
        confidence, target = weighted_entries(history.kernel_rows, weighting, fixed)

        def design_rows(rows: Any) -> NDArray[np.float64]:
            factors = fixed.factors[rows].astype(np.float64)
            return factors if fixed.bias is None else np.column_stack([factors, np.ones(len(rows))])

        f, y = design_rows(history.indices), design_rows(items)
        prior_matrix = self.row_ridge(history, weighting) * np.eye(f.shape[1])
        if self._item_gram is not None:
            prior_matrix += self._item_gram
        if self.nonnegative:
            active = np.ones(f.shape[1], bool)
            active[: self.factors] = self.encode_histories(history).vectors[0] > 0
            f, y, prior_matrix = f[:, active], y[:, active], prior_matrix[np.ix_(active, active)]
        per_entry = regression_contributions(f, confidence - weighting.unobserved, target, prior_matrix, y)
        base = float(self.mean[0]) + (np.zeros(len(items)) if fixed.bias is None else fixed.bias[items])
        return Contributions(base, per_entry)

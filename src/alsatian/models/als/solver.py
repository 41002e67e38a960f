"""Solve one side of an ALS model while the other side is fixed.

It is used by a fit in memory (`fit.py`), a fit on Spark (`alsatian.spark.executor_tasks`) and the fold-in of visitors
(`base.py`). A `HalfSweepSolver` is small and can be pickled, so Spark sends it to the executors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.errors import FitError, pluralize
from alsatian.kernels import Side, Weighting
from alsatian.models.als.eigenbasis_cg import Basis, eigenbasis, eigenbasis_half_sweep
from alsatian.models.als.half_problem import HalfProblem, unobserved_gram

CG_STEPS = 3  # steps of conjugate gradient in an epoch
EIGENBASIS_CG_STEPS = 2  # the same if empty cells count, in the eigenbasis of eigenbasis_cg.py
MAX_FACTORS_EXACT = 32  # above, conjugate gradient is faster: `python -m bench solvers --factors 16 32 64`
CACHE_BYTES = 1 << 20  # a row whose factors take more is read from memory again in every step of conjugate gradient
MAX_FACTORS_EXACT_LONG_ROWS = 128  # up to here, forming the system of a long row costs no more than those reads
INITIAL_GRAM_RATIO = 0.5  # size of a row's Gram matrix of starting factors, relative to its ridge


@dataclass(frozen=True)
class HalfSweepSolver:
    """The regression of a row of users or items, and how it is solved.

    weighting: confidence and target of an entry. reg, reg_exponent: the ridge of a row (`row_ridge`).
    factors, biased, precision: the shape and dtype of a side.
    method: "cholesky" (exact), "cg" (conjugate gradient) or "auto".
    cg_steps: the steps of conjugate gradient (None: 3, or 2 if empty cells count).
    nonnegative: keep factors, but not biases, at 0 or above, by coordinate descent.
    """

    weighting: Weighting
    reg: float
    reg_exponent: float
    factors: int
    biased: bool
    precision: str
    method: str = "auto"
    cg_steps: int | None = None
    nonnegative: bool = False

    @property
    def epoch_steps(self) -> int:
        """Steps of conjugate gradient for each row in an epoch; 0 means that rows are solved exactly."""
        few_factors = self.method == "auto" and self.factors <= MAX_FACTORS_EXACT
        if self.nonnegative or self.method == "cholesky" or few_factors:
            return 0
        return self.cg_steps or (EIGENBASIS_CG_STEPS if self.weighting.unobserved else CG_STEPS)

    @property
    def min_entries_exact(self) -> int:
        """Rows with at least this many entries are solved exactly in an epoch, whatever `epoch_steps` is."""
        if self.method == "cg" or self.factors > MAX_FACTORS_EXACT_LONG_ROWS:
            return kernels.NO_ROW_IS_AS_LONG
        return CACHE_BYTES // (max(self.factors, 1) * np.dtype(self.precision).itemsize)  # 4,096 at 64 factors

    # Starting values

    def initial_factors(self, rng: np.random.Generator, rows: int, scale: float, mean_score: float) -> Side:
        """Draw the starting values of a side: factors from a normal distribution, and biases of 0.

        scale: the standard deviation of the factors. mean_score: the mean product of two rows.
        """
        center = np.sqrt(abs(mean_score) / max(self.factors, 1))
        factors = rng.standard_normal((rows, self.factors)) * scale + center
        factors = np.abs(factors) if self.nonnegative else factors
        return Side(factors.astype(self.precision), np.zeros(rows, self.precision) if self.biased else None)

    def initial_scale(self, mean_ridge: float, total_weight: float, rows: int, columns: int) -> float:
        """Return the standard deviation of the starting factors from which the first side is solved.

        mean_ridge, total_weight (of all entries), rows, columns: those of the side that is solved.
        """
        variance = INITIAL_GRAM_RATIO * mean_ridge / (total_weight / rows + self.weighting.unobserved * columns)
        return float(np.sqrt(variance or 0.1 / max(self.factors, 1)))  # without a ridge, any small size

    # Half-sweeps

    def row_ridge(self, rows: CSR) -> NDArray[Any]:
        """Return r of each row, reg (n + w0 columns)^reg_exponent, where n is the number of its entries."""
        counts = rows.counts + self.weighting.unobserved * rows.n_columns
        return np.asarray(self.reg * counts**self.reg_exponent, self.precision)

    def gram(self, fixed: Side, threads: int | None = None) -> NDArray[Any] | None:
        """Return w0 F'F of a fixed side, or None if empty cells do not count."""
        return unobserved_gram(fixed, self.weighting, threads)

    def basis(self, fixed: Side, gram: NDArray[Any] | None, steps: int, threads: int) -> Basis:
        """Return a fixed side in the form that `half_sweep` takes. gram: the result of `gram` for it, or None."""
        return eigenbasis(fixed, gram, steps, threads)

    def half_sweep(
        self, problem: HalfProblem, basis: Basis, solution: Side, steps: int, threads: int
    ) -> tuple[float, int]:
        """Solve the rows of a problem (a side or a block of it) in place.

        steps: the steps of conjugate gradient, 0 to solve exactly. Returns the loss with the regularization of these
        rows, and the first row without a finite, unique solution, or -1.
        """
        return eigenbasis_half_sweep(
            problem.entries.kernel_rows,
            self.weighting,
            basis,
            problem.ridge,
            solution,
            steps,
            exact_from=self.min_entries_exact,
            threads=threads,
            nonnegative=self.nonnegative,
        )

    def solve_side(
        self,
        problem: HalfProblem,
        fixed: Side,
        solution: Side,
        threads: int,
        steps: int | None = None,
        gram: NDArray[Any] | None = None,
    ) -> float:
        """Solve one side in place with the other side fixed. Returns its loss, with its own regularization.

        steps: the steps of conjugate gradient, 0 to solve exactly (None: `epoch_steps`).
        gram: the result of `gram` for the fixed side, if known.
        Raises FitError for a row without a finite, unique solution.
        """
        gram = self.gram(fixed, threads) if gram is None else gram
        steps = self.epoch_steps if steps is None else steps
        loss, failed_row = self.half_sweep(problem, self.basis(fixed, gram, steps, threads), solution, steps, threads)
        if failed_row >= 0:
            row_name = f"{problem.ids.side} {problem.ids.id_of(failed_row)!r}" if problem.ids else "the visitor"
            raise self.singular_error(row_name, int(problem.entries.counts[failed_row]))
        return loss

    def singular_error(self, row_name: str, values: int) -> FitError:
        """Return the error of a row, such as "user 7", whose regression has no finite, unique solution.

        values: the number of its entries.
        """
        return FitError(
            f"{row_name} with {pluralize(values, 'value')} has no finite, unique solution at {self.factors} factors "
            f"and reg={self.reg:g}; increase reg, lower factors, or pass precision='float64'."
        )

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
from alsatian.errors import FitError, ParameterError, counted
from alsatian.kernels import Side, Weighting, weighted_entries
from alsatian.models.als import eigenbasis_cg
from alsatian.models.als.fit import InMemory, alternate
from alsatian.models.als.half_problem import Half, Totals, weighed_gram, zeros
from alsatian.models.factors.cold_start import PlacingModel
from alsatian.recommender.explanation import Shares, regression_parts
from alsatian.recommender.fit_run import Run
from alsatian.recommender.hyperparameters import param
from alsatian.recommender.topn import Audience

CG_STEPS, AXES_STEPS = (
    3,
    2,
)  # of conjugate gradient; where empty cells count, and its axes are those of models/als/eigenbasis_cg.py
EXACT_FACTORS = 32  # above, conjugate gradient comes sooner to the same objective: bench solvers --factors 16 32 64
CACHED = 1 << 20  # bytes of a row's factors beyond which every step of conjugate gradient must fetch them anew
FORMED = 128  # up to so many factors, forming such a row's system once costs no more than that
START = 0.5  # how large a row's Gram matrix of starting factors is, beside its ridge


class ALS(PlacingModel):
    """The loop, the fold-in and the explanation; the forms say how values become confidences and targets."""

    source: ClassVar[str] = "als"
    iterates: ClassVar[bool] = True
    epochs: int = param(default=15, doc="passes over the data", low=1, high=100_000, search=(5, 50, "linear"))
    tol: float = param(
        default=0.0, doc="stop when an epoch changes the objective by less than this share", low=0, high=1
    )
    solver: str = param(
        default="auto",
        doc="of each row: exact (cholesky), conjugate gradient (cg), or auto: "
        f"exact up to {EXACT_FACTORS} factors; above by cg, but long rows up to {FORMED} factors, and the users at the "
        "end, exactly",
        choices=("auto", "cholesky", "cg"),
    )
    cg_steps: int | None = param(
        default=None,
        doc=f"steps of conjugate gradient (None: {CG_STEPS}, or {AXES_STEPS} where empty cells count)",
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

    # What a form decides

    @abstractmethod
    def _mean(self, totals: Totals) -> float:
        """Return m, fixed during the fit."""

    @abstractmethod
    def _form(self, mean: float) -> Weighting:
        """Return how values enter the objective."""

    @property
    @abstractmethod
    def _regularization(self) -> tuple[float, float]:
        """Return reg, and nu: how the regularization of a row grows with its entries."""

    def _level(self, totals: Totals) -> float:
        """Return about what x_u.y_i should be on average; where the factors begin."""
        return 0.0

    # Fitting

    def _check(self, data: Interactions) -> None:
        super()._check(data)
        self._check_size(len(data.user_ids), len(data.item_ids))

    def _check_size(self, users: int, items: int) -> None:
        if self.factors > min(users, items):
            raise ParameterError(
                f"factors={self.factors} is more than the data allows: it has {users:,} users and {items:,} items; "
                f"pass at most {min(users, items)}."
            )

    def _learn(self, data: Interactions, run: Run) -> dict[str, Any]:
        return alternate(self, InMemory(self, data, run.threads), run)

    def _ridge(self, rows: CSR, form: Weighting) -> NDArray[Any]:
        reg, nu = self._regularization
        return np.asarray(reg * (rows.counts + form.unobserved * rows.columns) ** nu, self.precision)

    def _drawn(self, rng: np.random.Generator, rows: int, spread: float, level: float) -> Side:
        """Draw a side to start from: products of factors begin near `level`, biases at 0."""
        center = np.sqrt(abs(level) / max(self.factors, 1))
        factors = rng.standard_normal((rows, self.factors)) * spread + center
        factors = np.abs(factors) if self.nonnegative else factors
        return Side(factors.astype(self.precision), np.zeros(rows, self.precision) if self.biased else None)

    def _spread(self, mean_ridge: float, observed: float, rows: int, columns: int, form: Weighting) -> float:
        """Return the standard deviation of the starting factors with which a side is solved first.

        mean_ridge, observed (weight of all entries), rows, columns: of the side that is solved.
        """
        variance = START * mean_ridge / (observed / rows + form.unobserved * columns)
        return float(np.sqrt(variance or 0.1 / max(self.factors, 1)))  # without a ridge, any small size

    def _solve(
        self,
        half: Half,
        form: Weighting,
        fixed: Side,
        solution: Side,
        threads: int,
        steps: int | None = None,
        gram: NDArray[Any] | None = None,
    ) -> float:
        """Solve one side in place, the other fixed; return its loss, with its own regularization.

        steps: of conjugate gradient, 0 to solve exactly (None: as the solver says). gram: of the fixed side, if known.
        """
        gram = weighed_gram(fixed, form, threads) if gram is None else gram
        steps = self.epoch_steps if steps is None else steps
        loss, failed = self._sweep(
            half, form, eigenbasis_cg.basis(fixed, gram, steps, threads), solution, steps, threads
        )
        if failed >= 0:
            who = f"{half.ids.what} {half.ids.id_of(failed)!r}" if half.ids else "the visitor"
            raise self._unsolved(who, int(half.entries.counts[failed]))
        return loss

    def _sweep(
        self, half: Half, form: Weighting, basis: eigenbasis_cg.Basis, solution: Side, steps: int, threads: int
    ) -> tuple[float, int]:
        """Solve a side, or a block of its rows, in place; return its loss and the first row without solution, or -1."""
        return eigenbasis_cg.half_sweep(
            *(half.entries.for_kernels, form, basis, half.ridge, solution, steps),
            exact_from=self._exact_from,
            threads=threads,
            nonnegative=self.nonnegative,
        )

    def _unsolved(self, who: str, values: int) -> FitError:
        return FitError(
            f"{who} with {counted(values, 'value')} has no finite, unique solution at {self.factors} factors and "
            f"reg={self._regularization[0]:g}; raise reg, lower factors, or pass precision='float64'."
        )

    @property
    def epoch_steps(self) -> int:
        """The steps of conjugate gradient with which an epoch solves each row; 0: exactly."""
        if self.nonnegative or self.solver == "cholesky" or (self.solver == "auto" and self.factors <= EXACT_FACTORS):
            return 0
        return self.cg_steps or (AXES_STEPS if self._form(0.0).unobserved else CG_STEPS)

    @property
    def _exact_from(self) -> int:
        """From how many entries on an epoch solves a row exactly, whatever its steps."""
        if self.solver == "cg" or self.factors > FORMED:
            return kernels.NO_ROW_IS_AS_LONG
        return CACHED // (max(self.factors, 1) * np.dtype(self.precision).itemsize)  # 4,096 at 64 factors

    # Visitors

    def _fold_in(self, history: CSR) -> Audience:
        """Solve visitors as a fit solves users, by the same half-sweep over other rows; always exactly."""
        form = self._form(float(self.mean[0]))
        items = self._items
        visitors = zeros(items, history.rows)
        self._solve(
            Half(history, self._ridge(history, form), None), form, items, visitors, 1, steps=0, gram=self._item_gram
        )
        return Audience(history, np.arange(history.rows, dtype=np.int32), visitors.factors, visitors.bias)

    @cached_property
    def _item_gram(self) -> NDArray[Any] | None:
        """w0 G of the items, which every visitor and every explanation needs; None when w0 is zero.

        Items that attributes place were zeros in the fit, and remain so here: nobody could have chosen them.
        """
        items = self._items
        if self.placed_items is not None:
            items = items._replace(factors=np.where(self.placed_items[:, None], 0, items.factors))
        return weighed_gram(items, self._form(float(self.mean[0])))

    @property
    def _items(self) -> Side:
        return Side(self.item_factors, self.item_bias)

    def _explain(self, history: CSR, items: list[int]) -> Shares:
        """Take scores apart. With `nonnegative`, the person's factors that are 0 stay so: the others solve the plain
        regression without them, which has an answer in parts.
        """
        form, fixed = self._form(float(self.mean[0])), self._items
        confidence, target = weighted_entries(history.for_kernels, form, fixed)

        def wide(rows: Any) -> NDArray[np.float64]:
            factors = fixed.factors[rows].astype(np.float64)
            return factors if fixed.bias is None else np.column_stack([factors, np.ones(len(rows))])

        f, y = wide(history.indices), wide(items)
        outside = self._ridge(history, form) * np.eye(f.shape[1])
        if self._item_gram is not None:
            outside += self._item_gram
        if self.nonnegative:
            free = np.ones(f.shape[1], bool)
            free[: self.factors] = self._fold_in(history).vectors[0] > 0  # type: ignore[index]
            f, y, outside = f[:, free], y[:, free], outside[np.ix_(free, free)]
        parts = regression_parts(f, confidence - form.unobserved, target, outside, y)
        bases = float(self.mean[0]) + (np.zeros(len(items)) if fixed.bias is None else fixed.bias[items])
        return Shares(bases, parts)

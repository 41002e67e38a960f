"""Alternating least squares: what its explicit and its implicit form share.

    L = sum over observed (u,i) of  c (t - m - b_u - b_i - x_u.y_i)^2  +  w0 sum over unobserved of (x_u.y_i)^2
        + sum_u r_u (|x_u|^2 + b_u^2) + sum_i r_i (|y_i|^2 + b_i^2)

    r_u = reg (n_u + w0 items)^nu,  r_i = reg (n_i + w0 users)^nu

With `nonnegative`, x and y (not the biases) are at least 0, and each row's regression is solved under that bound.

An epoch solves all items with the users fixed, moves them on by a share of their last step (momentum.py), then solves
all users with the items fixed. A fit ends with the users, exactly solved unless solver="cg", so that a user's factors
are exactly what folding in her own history gives.
"""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.errors import FitError, ParameterError, counted
from alsatian.explanation import Explanation
from alsatian.interactions import CSR, Interactions
from alsatian.kernels import Form, Side
from alsatian.kernels.types import entries
from alsatian.models import axes
from alsatian.models.attributes import PlacingModel
from alsatian.models.explaining import explanations, regression_parts
from alsatian.models.lists import Audience
from alsatian.models.momentum import Momentum
from alsatian.models.params import param
from alsatian.models.run import Run
from alsatian.models.sides import Half, penalty, weighed_gram, zeros

CG_STEPS, AXES_STEPS = 3, 2  # of conjugate gradient; where empty cells count, and its axes are those of models/axes.py
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
    def _mean(self, data: Interactions) -> float:
        """Return m, fixed during the fit."""

    @abstractmethod
    def _form(self, mean: float) -> Form:
        """Return how values enter the objective."""

    @property
    @abstractmethod
    def _regularization(self) -> tuple[float, float]:
        """Return reg, and nu: how the regularization of a row grows with its entries."""

    def _level(self, data: Interactions) -> float:
        """Return about what x_u.y_i should be on average; where the factors begin."""
        return 0.0

    # Fitting

    def _check(self, data: Interactions) -> None:
        super()._check(data)
        users, items = len(data.user_ids), len(data.item_ids)
        if self.factors > min(users, items):
            raise ParameterError(
                f"factors={self.factors} is more than the data allows: it has {users:,} users and {items:,} items; "
                f"pass at most {min(users, items)}."
            )

    def _learn(self, data: Interactions, run: Run) -> dict[str, Any]:
        mean = self._mean(data)
        form = self._form(mean)
        by_user, by_item = (
            Half(entries, self._ridge(entries, form), ids)
            for entries, ids in ((data.by_user, data.user_ids), (data.by_item, data.item_ids))
        )
        users, items = self._start(by_user, by_item, form, self._level(data), run)
        momentum, loss = Momentum(), np.inf

        def solve_users(steps: int | None = None) -> float:
            return self._solve(by_user, form, items, users, run.threads, steps) + penalty(by_item, items)

        def learned() -> dict[str, Any]:
            factors = {"user_factors": users.factors, "item_factors": items.factors}
            biases = {"user_bias": users.bias, "item_bias": items.bias}
            return factors | biases | {"mean": np.array([mean], self.precision)}

        for _ in run.epochs(self.epochs, self.name):
            before = loss
            self._solve(by_item, form, users, items, run.threads)
            if self.accelerate:
                momentum.move(items)
                if self.nonnegative:
                    np.maximum(items.factors, 0, out=items.factors)
            loss = solve_users()
            if loss > before and momentum.moved:
                momentum.back(items)  # exactly solved, the users can only lower what the last epoch reached
                loss = solve_users(steps=0)
            if run.finish(loss, self.tol, learned):
                break
        if self.nonnegative:
            users = zeros(users, len(users.factors))  # where a visitor's descent begins, so that the bits are the same
        if self.nonnegative or (self.solver == "auto" and self.epoch_steps):
            run.amend(solve_users(steps=0))
        return learned()

    def _ridge(self, rows: CSR, form: Form) -> NDArray[Any]:
        reg, nu = self._regularization
        return np.asarray(reg * (rows.counts + form.unobserved * rows.columns) ** nu, self.precision)

    def _start(self, by_user: Half, by_item: Half, form: Form, level: float, run: Run) -> tuple[Side, Side]:
        """Seeded starting values: products of factors begin near `level`, and biases are the regularized means that
        they would be without factors (two half-sweeps that have no factors).

        The items are random, and the users solved for them. The other way round needs more epochs, as popular items
        are more telling than busy users. The items spread so that the users meet a Gram matrix about as large as their
        ridge, which weighs the main directions of the data and the ridge alike; much larger or smaller ones need more
        epochs, too.
        """
        rng = np.random.default_rng(self.seed)
        center = np.sqrt(abs(level) / max(self.factors, 1))

        def drawn(half: Half, solved: Half) -> Side:
            rows = half.entries.rows
            factors = rng.standard_normal((rows, self.factors)) * self._spread(solved, form) + center
            factors = np.abs(factors) if self.nonnegative else factors
            return Side(factors.astype(self.precision), np.zeros(rows, self.precision) if self.biased else None)

        users, items = drawn(by_user, by_item), drawn(by_item, by_user)
        if self.biased:
            user_bias, item_bias = (side._replace(factors=side.factors[:, :0].copy()) for side in (users, items))
            self._solve(by_item, form, user_bias, item_bias, run.threads)
            self._solve(by_user, form, item_bias, user_bias, run.threads)
        if self.factors:
            self._solve(by_user, form, items, users, run.threads)
        return users, items

    def _spread(self, solved: Half, form: Form) -> float:
        """Return the standard deviation of the starting factors with which a side is solved first."""
        rows, weights = solved.entries.rows, solved.entries.weights
        observed = len(solved.entries.indices) if weights is None else weights.sum(dtype=np.float64)
        cells = observed / rows + form.unobserved * solved.entries.columns
        variance = START * float(solved.ridge.mean()) / cells
        return float(np.sqrt(variance or 0.1 / max(self.factors, 1)))  # without a ridge, any small size

    def _solve(
        self,
        half: Half,
        form: Form,
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
        loss, failed = axes.half_sweep(
            half.entries.for_kernels,
            form,
            fixed,
            gram,
            half.ridge,
            solution,
            steps,
            exact_from=self._exact_from,
            threads=threads,
            nonnegative=self.nonnegative,
        )
        if failed >= 0:
            count = half.entries.counts[failed]
            who = f"{half.ids.what} {half.ids.id_of(failed)!r}" if half.ids else "the visitor"
            raise FitError(
                f"{who} with {counted(int(count), 'value')} has no finite, unique solution "
                f"at {self.factors} factors and reg={self._regularization[0]:g}; raise reg, lower factors, or pass "
                "precision='float64'."
            )
        return loss

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
            return kernels.NEVER
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

    def _explain(self, history: CSR, items: list[int]) -> list[Explanation]:
        """Take scores apart. With `nonnegative`, the person's factors that are 0 stay so: the others solve the plain
        regression without them, which has an answer in parts.
        """
        form, fixed = self._form(float(self.mean[0])), self._items
        confidence, target = entries(history.for_kernels, form, fixed)

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
        return explanations(self.data, history, items, bases, parts)

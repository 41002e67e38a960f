"""Biased matrix factorization by stochastic gradient descent: predicts the value a user would give."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError, ParameterError
from alsatian.models.factors.cold_start import ColdStartFactorModel
from alsatian.models.factors.factor_model import FactorArray, FactorUserBatch
from alsatian.models.sgd.svdpp import inverse_sqrt_counts
from alsatian.models.sgd.training_state import MOMENTS_PER_OPTIMIZER, EarlyStopping, SgdSettings, SgdState
from alsatian.recommender.explanation import Contributions
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.user_batch import history_rows

DEFAULT_MOMENTUM, DEFAULT_DECAY, DEFAULT_PATIENCE = 0.9, 0.95, 3  # the values of None


class BiasedMF(ColdStartFactorModel):
    """Matrix factorization of explicit ratings with biases, by stochastic gradient descent.

    Loss (Koren, Bell and Volinsky 2009, "Matrix factorization techniques for recommender systems", eq. 5), with w = 1
    or the given weight of a value, m the mean, n the count of a row's values:

        sum of w (value - m - b_u - b_i - x_u.y_i)^2
            + sum_u n_u^nu (reg |x_u|^2 + bias_reg b_u^2) + sum_i n_i^nu (reg |y_i|^2 + bias_reg b_i^2)

    nu is `reg_exponent`. With 1, the plain form, every entry regularizes its rows by the same reg. With 0.5 an entry
    does so by reg / sqrt(n), as in the frequency regularization of MyMediaLite.

    With svdpp, x_u + |N(u)|^-1/2 sum over j in N(u) of z_j stands in the place of x_u, N(u) being the items
    that the user has (SVD++; Koren 2008, "Factorization meets the neighborhood", eq. 15), and the loss gains
    reg sum_j n_j^nu |z_j|^2.

    Learned: user_factors (users, factors), item_factors (items, factors), user_bias, item_bias, mean; implicit_factors
    (items, factors), z, which user_factors already contain, or None.
    Score: the predicted value, in the unit of the data (not clipped to its scale in lists).
    Cost of an epoch: 6 x values x factors multiply-adds and 2 more for the exact objective. Memory: the data twice, 12
    bytes an entry, plus the factors, once more for each moment of the optimizer (momentum 1, adam 2).

    A visitor is solved exactly, by the ridge regression on the item factors that the loss implies. `explain` splits the
    score of that solution, which for a known user is close to, but not equal to, the score that descent reached.

    >>> model = BiasedMF(factors=50, reg_exponent=1, reg=0.1, bias_reg=0.1)
    """

    source_label: ClassVar[str] = "mf"
    iterates: ClassVar[bool] = True
    state_arrays: ClassVar[tuple[str, ...]] = (*ColdStartFactorModel.state_arrays, "implicit_factors")
    predicts_ratings: ClassVar[bool] = True
    factors: int = param(
        default=64,
        doc="how many numbers describe a user or an item; 0: mean and biases",
        low=0,
        search=(8, 256, "log"),
    )
    epochs: int = param(default=30, doc="passes over the data", low=1, high=100_000, search=(10, 100, "linear"))
    tol: float = param(
        default=0.0, doc="stop when an epoch changes the objective by less than this share", low=0, high=1
    )
    optimizer: str = param(
        default="sgd",
        doc="plain steps, momentum, or Adam with moments for each row",
        choices=tuple(MOMENTS_PER_OPTIMIZER),
    )
    momentum: float | None = param(
        default=None,
        doc=f"share of earlier steps that a step keeps (None: {DEFAULT_MOMENTUM})",
        kind=float,
        low=0,
        high=0.999,
    )
    learning_rate: float = param(
        default=0.03, doc="learning rate of the first epoch", low=0, high=10, search=(1e-3, 0.1, "log")
    )
    schedule: str = param(
        default="cosine",
        doc="of the learning rate: as it is, times decay after each epoch, or down to 0 along half a cosine",
        choices=("constant", "exponential", "cosine"),
    )
    decay: float | None = param(
        default=None,
        doc=f"what schedule='exponential' multiplies by (None: {DEFAULT_DECAY})",
        kind=float,
        low=0,
        high=1,
    )
    batch: int = param(
        default=1, doc="entries of a block whose gradients are summed before their rows move", low=1, high=1 << 30
    )
    reg: float = param(default=1.1, doc="regularization of the factors", low=0, search=(1e-3, 10, "log"))
    bias_reg: float = param(default=1.0, doc="regularization of the biases", low=0, search=(1e-3, 10, "log"))
    reg_exponent: float = param(
        default=0.5,
        doc="regularization grows with the count to this power: 1 plain, 0.5 frequency-weighted",
        low=0,
        high=2,
    )
    init: float = param(default=0.03, doc="standard deviation of the starting factors", low=0, high=10)
    validation_share: float = param(
        default=0.0,
        doc="share of the values to hold out, so as to keep the epoch that predicts them best",
        low=0,
        high=0.5,
    )
    patience: int | None = param(
        default=None,
        doc=f"epochs without a better validation that end the fit (None: {DEFAULT_PATIENCE})",
        kind=int,
        low=1,
    )
    svdpp: bool = param(default=False, doc="SVD++: users are described by which items they have, too")
    seed: int = param(default=0, doc="of the starting factors, the order of the blocks and what is held out", low=0)

    def _check_params(self) -> None:
        if self.momentum is not None and self.optimizer == "sgd":
            raise ParameterError(
                f"momentum={self.momentum:g} has no effect with optimizer='sgd'; pass optimizer='momentum' or 'adam'."
            )
        if self.decay is not None and self.schedule != "exponential":
            raise ParameterError(
                f"decay={self.decay:g} has no effect with schedule={self.schedule!r}; pass schedule='exponential'."
            )
        if self.patience is not None and self.validation_share == 0:
            raise ParameterError(
                f"patience={self.patience} has no effect without validation; "
                "pass a share, such as validation_share=0.1."
            )

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        """Raise ValueError for an array that is missing or does not fit the data and the parameters."""
        super().validate_state(data, state)
        if self.svdpp:
            check_shapes(state, {"implicit_factors": (len(data.item_ids), self.factors)})

    def build_caches(self) -> None:
        """Drop what was derived from the arrays of an earlier fit."""
        super().build_caches()
        self.implicit_factors: FactorArray | None

    @property
    def biased(self) -> bool:
        """Whether user and item biases are learned: always."""
        return True

    def sgd_settings(self) -> SgdSettings:
        """Return what a fit needs to know of the hyper-parameters."""
        return SgdSettings(
            factors=self.factors,
            optimizer=self.optimizer,
            momentum=DEFAULT_MOMENTUM if self.momentum is None else self.momentum,
            batch=self.batch,
            reg=self.reg,
            bias_reg=self.bias_reg,
            reg_exponent=self.reg_exponent,
            init=self.init,
            svdpp=self.svdpp,
            seed=self.seed,
        )

    @property
    def epochs_are_nested(self) -> bool:
        """Whether a fit of fewer epochs is the beginning of one of more: not with a cosine or validation."""
        return self.schedule != "cosine" and not self.validation_share

    def learning_rate_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch; the first is 1."""
        if self.schedule == "cosine":
            return self.learning_rate * (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2
        if self.schedule == "exponential":
            return self.learning_rate * (DEFAULT_DECAY if self.decay is None else self.decay) ** (epoch - 1)
        return self.learning_rate

    # Fitting

    def _fit_factors(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        train_rows, validation_rows = self._split_validation(data)
        sgd = SgdState(self.sgd_settings(), train_rows, run.threads)
        early_stopping = (
            None if validation_rows is None else EarlyStopping(sgd, validation_rows, self.patience or DEFAULT_PATIENCE)
        )
        for epoch in run.epochs(self.epochs, self.name):
            sgd.run_epoch(self.learning_rate_at(epoch))
            objective = sgd.objective()
            if not math.isfinite(objective):
                raise FitError(
                    f"the objective is no longer finite after epoch {epoch} at learning_rate={self.learning_rate:g}; "
                    f"pass a smaller one, such as learning_rate={self.learning_rate / 4:g}."
                )
            error = None if early_stopping is None else early_stopping.update()
            if run.finish(objective, self.tol, sgd.state_arrays, error) or (
                early_stopping is not None and early_stopping.should_stop
            ):
                break
        return sgd.state_arrays() if early_stopping is None else early_stopping.best_state

    def _split_validation(self, data: Interactions) -> tuple[CSR, CSR | None]:
        """Return the entries to learn from, and those of validation, drawn at random, or None."""
        if not self.validation_share:
            return data.by_user, None
        held_out = np.random.default_rng([self.seed, 1]).random(len(data)) < self.validation_share
        weights = data.by_user.weights
        has_weight = np.ones(len(data), bool) if weights is None else weights > 0
        if not (has_weight & held_out).any() or not (has_weight & ~held_out).any():
            raise ParameterError(
                f"validation_share={self.validation_share:g} holds {held_out.sum()} of {len(data)} values out; "
                "pass validation_share=0 for so few."
            )
        return data.by_user.where(~held_out), data.by_user.where(held_out)

    # Visitors

    def encode_histories(self, history: CSR) -> FactorUserBatch:
        """Solve visitors, one for each row of a matrix of values: the minimum of the loss, the items fixed."""
        solutions = np.array(
            [self._solve_visitor(history.take(np.array([row]))) for row in range(history.n_rows)], np.float32
        )
        vectors, offsets = np.ascontiguousarray(solutions[:, :-1]), np.ascontiguousarray(solutions[:, -1])
        return FactorUserBatch(history, history_rows(history), vectors=vectors, offsets=offsets)

    def _solve_visitor(self, history: CSR) -> NDArray[np.float64]:
        """Return the factors of a visitor and, last, the bias."""
        f, inverse, target = self._regression(history)
        solution: NDArray[np.float64] = inverse @ (f.T @ target)
        solution[:-1] += self._implicit_offsets(history).sum(axis=0)
        return solution

    def _implicit_offsets(self, history: CSR) -> NDArray[np.float64]:
        """Return what each entry adds to the factors of a user by being there (entries x factors)."""
        if self.implicit_factors is None:
            return np.zeros((len(history.indices), self.factors))
        return self.implicit_factors[history.indices].astype(np.float64) * inverse_sqrt_counts(history.counts)

    def _regression(self, history: CSR) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the ridge regression of a history: f, a row for each entry, A^-1, and w t.

        (sum_e w_e f_e f_e' + R) x = sum_e w_e t_e f_e, with f_e the item's factors and a constant 1, t_e the value less
        the mean, the item's bias and s.y_e, R = n^nu (reg, ..., reg, bias_reg) on the diagonal. Where that is singular,
        as without regularization, the solution is the shortest x.
        """
        items, n = history.indices, len(history.indices)
        f = np.column_stack([self.item_factors[items], np.ones(n)]).astype(np.float64)
        weights = np.ones(n) if history.weights is None else history.weights.astype(np.float64)
        assert self.item_bias is not None
        baseline = float(self.mean[0]) + self.item_bias[items] + f[:, :-1] @ self._implicit_offsets(history).sum(axis=0)
        ridge = n**self.reg_exponent * np.append(np.full(self.factors, self.reg), self.bias_reg)
        system = f.T @ (f * weights[:, None]) + np.diag(ridge)
        inverse: NDArray[np.float64] = np.linalg.pinv(system, hermitian=True).astype(np.float64)
        return f, inverse, weights * (history.values - baseline)

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Split the scores of items (row numbers) into a base and a part for each entry of a history of one row.

        The score of item i is m + b_i + sum over e of (f_i' A^-1 f_e) w_e t_e + y_i.(the part of e in s).
        """
        assert self.item_bias is not None
        f, inverse, target = self._regression(history)
        y = self.item_factors[items].astype(np.float64)
        per_entry = (f @ (inverse @ np.column_stack([y, np.ones(len(items))]).T)) * target[:, None]
        base = float(self.mean[0]) + self.item_bias[items]
        return Contributions(base, per_entry + self._implicit_offsets(history) @ y.T)

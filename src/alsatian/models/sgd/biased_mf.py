"""BiasedMF: biased matrix factorization by stochastic gradient descent, which predicts ratings."""

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
    """Learns user and item factors and biases by stochastic gradient descent; use it to predict ratings.

    With svdpp=True it also learns from which items users rate.

    Loss (Koren, Bell and Volinsky 2009, "Matrix factorization techniques for recommender systems", eq. 5), where w is
    the weight of a value (1 without weights), m the mean, and n the number of a row's values:

        sum of w (value - m - b_u - b_i - x_u.y_i)^2
            + sum_u n_u^reg_exponent (reg |x_u|^2 + bias_reg b_u^2)
            + sum_i n_i^reg_exponent (reg |y_i|^2 + bias_reg b_i^2)

    With reg_exponent=1, the plain form, every entry regularizes its rows by the same reg. With 0.5 it is reg / sqrt(n)
    per entry, as in the frequency regularization of MyMediaLite.

    With svdpp=True, x_u is replaced by x_u + |N(u)|^-1/2 sum over j in N(u) of z_j, where N(u) are the items of the
    user (SVD++; Koren 2008, "Factorization meets the neighborhood", eq. 15). The loss then also has the term
    reg sum_j n_j^reg_exponent |z_j|^2.

    Learned: user_factors (users, factors), item_factors (items, factors), user_bias (users), item_bias (items), mean.
    implicit_factors (items, factors): z, which user_factors already contain, or None.
    Score: the predicted value, in the unit of the data (not clipped to its scale in lists).
    Cost of an epoch, in multiply-adds: 6 x values x factors, and 2 x values x factors for the exact objective. Memory:
    the data twice, at 12 bytes an entry, plus the factors, once more for each moment (momentum 1, adam 2).

    The factors of a visitor are solved exactly, by the ridge regression on the item factors that the loss implies.
    `explain` splits the score of that solution. For a known user it is close to, but not equal to, the score from
    gradient descent.

    >>> model = BiasedMF(factors=50, reg_exponent=1, reg=0.1, bias_reg=0.1)
    """

    source_label: ClassVar[str] = "mf"
    iterates: ClassVar[bool] = True
    state_arrays: ClassVar[tuple[str, ...]] = (*ColdStartFactorModel.state_arrays, "implicit_factors")
    predicts_ratings: ClassVar[bool] = True
    factors: int = param(
        default=64,
        doc="number of factors per user and item (0: only mean and biases)",
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
        doc=f"share of the previous step that is added to each step (None: {DEFAULT_MOMENTUM})",
        kind=float,
        low=0,
        high=0.999,
    )
    learning_rate: float = param(
        default=0.03, doc="learning rate of the first epoch", low=0, high=10, search=(1e-3, 0.1, "log")
    )
    schedule: str = param(
        default="cosine",
        doc="learning rate over the epochs: constant, multiplied by decay, or down to 0 along half a cosine",
        choices=("constant", "exponential", "cosine"),
    )
    decay: float | None = param(
        default=None,
        doc=f"factor of schedule='exponential' per epoch (None: {DEFAULT_DECAY})",
        kind=float,
        low=0,
        high=1,
    )
    batch: int = param(default=1, doc="entries of a block whose gradients are summed per step", low=1, high=1 << 30)
    reg: float = param(default=1.1, doc="regularization of the factors", low=0, search=(1e-3, 10, "log"))
    bias_reg: float = param(default=1.0, doc="regularization of the biases", low=0, search=(1e-3, 10, "log"))
    reg_exponent: float = param(
        default=0.5,
        doc="regularization grows with the number of values to this power (1: plain, 0.5: by frequency)",
        low=0,
        high=2,
    )
    init: float = param(default=0.03, doc="standard deviation of the starting factors", low=0, high=10)
    validation_share: float = param(
        default=0.0,
        doc="share of the values to hold out; the epoch that predicts them best is kept",
        low=0,
        high=0.5,
    )
    patience: int | None = param(
        default=None,
        doc=f"stop after this many epochs without a better validation error (None: {DEFAULT_PATIENCE})",
        kind=int,
        low=1,
    )
    svdpp: bool = param(default=False, doc="SVD++: represent users also by which items they have")
    seed: int = param(default=0, doc="random seed of starting factors, block order and validation values", low=0)

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
                f"patience={self.patience} has no effect without validation; pass validation_share, such as 0.1."
            )

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        """Raise ValueError for a missing array, or one that does not match the data and the parameters."""
        super().validate_state(data, state)
        if self.svdpp:
            check_shapes(state, {"implicit_factors": (len(data.item_ids), self.factors)})

    def build_caches(self) -> None:
        """Drop caches derived from the arrays of an earlier fit."""
        super().build_caches()
        self.implicit_factors: FactorArray | None

    @property
    def biased(self) -> bool:
        """Whether user and item biases are learned: always."""
        return True

    def sgd_settings(self) -> SgdSettings:
        """Return the hyper-parameters that a fit needs."""
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
        """Whether a fit of n epochs equals the first n epochs of a longer fit: not with a cosine or validation."""
        return self.schedule != "cosine" and not self.validation_share

    def learning_rate_at(self, epoch: int) -> float:
        """Return the learning rate of an epoch. Epochs are counted from 1."""
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
                    f"pass a smaller learning rate, such as learning_rate={self.learning_rate / 4:g}."
                )
            error = None if early_stopping is None else early_stopping.update()
            if run.finish(objective, self.tol, sgd.state_arrays, error) or (
                early_stopping is not None and early_stopping.should_stop
            ):
                break
        return sgd.state_arrays() if early_stopping is None else early_stopping.best_state

    def _split_validation(self, data: Interactions) -> tuple[CSR, CSR | None]:
        """Return the training entries, and the random validation entries, or None without validation."""
        if not self.validation_share:
            return data.by_user, None
        held_out = np.random.default_rng([self.seed, 1]).random(len(data)) < self.validation_share
        weights = data.by_user.weights
        has_weight = np.ones(len(data), bool) if weights is None else weights > 0
        if not (has_weight & held_out).any() or not (has_weight & ~held_out).any():
            raise ParameterError(
                f"validation_share={self.validation_share:g} holds out {held_out.sum()} of {len(data)} values, and one "
                "part would have no weight; pass validation_share=0."
            )
        return data.by_user.where(~held_out), data.by_user.where(held_out)

    # Visitors

    def encode_histories(self, history: CSR) -> FactorUserBatch:
        """Return visitors, one per row of histories, which minimize the loss with the items fixed."""
        solutions = np.array(
            [self._solve_visitor(history.take(np.array([row]))) for row in range(history.n_rows)], np.float32
        )
        vectors, offsets = np.ascontiguousarray(solutions[:, :-1]), np.ascontiguousarray(solutions[:, -1])
        return FactorUserBatch(history, history_rows(history), vectors=vectors, offsets=offsets)

    def _solve_visitor(self, history: CSR) -> NDArray[np.float64]:
        """Return the factors of a visitor, followed by the bias (factors + 1,)."""
        f, inverse, target = self._regression(history)
        solution: NDArray[np.float64] = inverse @ (f.T @ target)
        solution[:-1] += self._implicit_offsets(history).sum(axis=0)
        return solution

    def _implicit_offsets(self, history: CSR) -> NDArray[np.float64]:
        """Return the implicit term of each entry, which is added to the factors of a user (entries, factors)."""
        if self.implicit_factors is None:
            return np.zeros((len(history.indices), self.factors))
        return self.implicit_factors[history.indices].astype(np.float64) * inverse_sqrt_counts(history.counts)

    def _regression(self, history: CSR) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Return the ridge regression of a history: f (entries, factors + 1), A^-1, and w t (entries,).

        It is (sum_e w_e f_e f_e' + R) x = sum_e w_e t_e f_e. f_e are the item's factors and a constant 1. t_e is the
        value minus the mean, the item's bias and s.y_e. R = n^reg_exponent (reg, ..., reg, bias_reg) on the diagonal.
        If the system is singular, as without regularization, the solution is the shortest x.
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
        """Return the base of the scores of items (row numbers), and the contribution of each entry of one history.

        The score of item i is m + b_i + sum over e of (f_i' A^-1 f_e) w_e t_e + y_i.(the term of e in s).
        """
        assert self.item_bias is not None
        f, inverse, target = self._regression(history)
        y = self.item_factors[items].astype(np.float64)
        per_entry = (f @ (inverse @ np.column_stack([y, np.ones(len(items))]).T)) * target[:, None]
        base = float(self.mean[0]) + self.item_bias[items]
        return Contributions(base, per_entry + self._implicit_offsets(history) @ y.T)

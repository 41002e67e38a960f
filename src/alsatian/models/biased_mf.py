"""Biased matrix factorization by stochastic gradient descent: predicts the value a user would give."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import FitError, ParameterError
from alsatian.explanation import Explanation
from alsatian.interactions import CSR, Interactions
from alsatian.models.descent import MOMENTS, Descent
from alsatian.models.explaining import explanations
from alsatian.models.factor import FactorModel
from alsatian.models.lists import Audience
from alsatian.models.params import param
from alsatian.models.run import Run

KEPT, DECAY = 0.9, 0.95


class BiasedMF(FactorModel):
    """Matrix factorization of explicit ratings with biases, by stochastic gradient descent.

    Loss (Koren, Bell and Volinsky 2009, "Matrix factorization techniques for recommender systems", eq. 5), with w = 1
    or the given weight of a value, m the mean, n the count of a row's values:

        sum of w (value - m - b_u - b_i - x_u.y_i)^2
            + sum_u n_u^nu (reg |x_u|^2 + bias_reg b_u^2) + sum_i n_i^nu (reg |y_i|^2 + bias_reg b_i^2)

    nu=1 is the plain form, in which every entry pulls its rows by the same reg; with nu=0.5 the pull is reg / sqrt(n),
    as in MyMediaLite's frequency regularization.

    Learned: user_factors (users, factors), item_factors (items, factors), user_bias, item_bias, mean.
    Score: the predicted value, in the unit of the data (not clipped to its scale in lists).
    Cost of an epoch: 6 x values x factors multiply-adds and 2 more for the exact objective. Memory: the data twice, 12
    bytes an entry, plus the factors, once more for each moment of the optimizer (momentum 1, adam 2).

    A visitor is solved exactly, as the ridge regression on the item factors that the loss implies, so `explain` takes
    that score apart, which for a known user is near, not equal, to what descent reached.

    >>> model = BiasedMF(factors=50, nu=1, reg=0.1, bias_reg=0.1)
    """

    source: ClassVar[str] = "mf"
    predicts: ClassVar[bool] = True
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
        default="sgd", doc="plain steps, momentum, or Adam with moments for each row", choices=tuple(MOMENTS)
    )
    momentum: float | None = param(
        default=None, doc=f"share of earlier steps that a step keeps (None: {KEPT})", kind=float, low=0, high=0.999
    )
    lr: float = param(default=0.03, doc="learning rate of the first epoch", low=0, high=10, search=(1e-3, 0.1, "log"))
    schedule: str = param(
        default="cosine",
        doc="of the learning rate: as it is, times decay after each epoch, or down to 0 along half a cosine",
        choices=("constant", "exponential", "cosine"),
    )
    decay: float | None = param(
        default=None, doc=f"what schedule='exponential' multiplies by (None: {DECAY})", kind=float, low=0, high=1
    )
    batch: int = param(
        default=1, doc="entries of a block whose gradients are summed before their rows move", low=1, high=1 << 30
    )
    reg: float = param(default=1.1, doc="regularization of the factors", low=0, search=(1e-3, 10, "log"))
    bias_reg: float = param(default=1.0, doc="regularization of the biases", low=0, search=(1e-3, 10, "log"))
    nu: float = param(
        default=0.5,
        doc="regularization grows with the count to this power: 1 plain, 0.5 frequency-weighted",
        low=0,
        high=2,
    )
    init: float = param(default=0.03, doc="standard deviation of the starting factors", low=0, high=10)
    seed: int = param(default=0, doc="of the starting factors and the order of the blocks", low=0)

    def _check_params(self) -> None:
        if self.momentum is not None and self.optimizer == "sgd":
            raise ParameterError(
                f"momentum={self.momentum:g} has no effect with optimizer='sgd'; pass optimizer='momentum' or 'adam'."
            )
        if self.decay is not None and self.schedule != "exponential":
            raise ParameterError(
                f"decay={self.decay:g} has no effect with schedule={self.schedule!r}; pass schedule='exponential'."
            )

    @property
    def biased(self) -> bool:
        return True

    @property
    def top_value(self) -> float:
        return self.data.scale[1]

    @property
    def kept(self) -> float:
        """The share of earlier steps that a step keeps."""
        return KEPT if self.momentum is None else self.momentum

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, from 1."""
        if self.schedule == "cosine":
            return self.lr * (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2
        if self.schedule == "exponential":
            return self.lr * (DECAY if self.decay is None else self.decay) ** (epoch - 1)
        return self.lr

    # Fitting

    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        descent = Descent(self, data.by_user, run.threads)
        for epoch in run.epochs(self.epochs, self.name):
            descent.epoch(self.rate(epoch))
            objective = descent.objective()
            if not math.isfinite(objective):
                raise FitError(
                    f"the objective is no longer finite after epoch {epoch} at lr={self.lr:g}; "
                    f"pass a smaller one, such as lr={self.lr / 4:g}."
                )
            if run.finish(objective, self.tol):
                break
        return descent.learned()

    # Visitors

    def _fold_in(self, history: CSR) -> Audience:
        """Solve visitors exactly: the minimum of the loss over a new row, the items fixed."""
        solved = np.array([self._solve(history.take(np.array([row]))) for row in range(history.rows)], np.float32)
        vectors, offsets = np.ascontiguousarray(solved[:, :-1]), np.ascontiguousarray(solved[:, -1])
        return Audience(history, np.arange(history.rows, dtype=np.int32), vectors, offsets)

    def _solve(self, history: CSR) -> NDArray[np.float64]:
        """Return a person's factors and, last, her bias."""
        f, inverse, target = self._regression(history)
        return inverse @ (f.T @ target)

    def _regression(self, history: CSR) -> tuple[NDArray[np.float64], ...]:
        """Return a person's ridge regression: f, a row for each entry, A^-1, and w t.

        (sum_e w_e f_e f_e' + R) x = sum_e w_e t_e f_e, with f_e the item's factors and a constant 1, t_e the value less
        the mean and the item's bias, R = n^nu (reg, ..., reg, bias_reg) on the diagonal. Where that is singular, as
        without regularization, the least x is taken.
        """
        items, n = history.indices, len(history.indices)
        f = np.column_stack([self.item_factors[items], np.ones(n)]).astype(np.float64)
        weights = np.ones(n) if history.weights is None else history.weights.astype(np.float64)
        assert self.item_bias is not None
        target = weights * (history.values - float(self.mean[0]) - self.item_bias[items].astype(np.float64))
        ridge = n**self.nu * np.append(np.full(self.factors, self.reg), self.bias_reg)
        return f, np.linalg.pinv(f.T @ (f * weights[:, None]) + np.diag(ridge), hermitian=True), target

    def _explain(self, history: CSR, items: list[int]) -> list[Explanation]:
        """Take scores apart as ALS does: item i's is m + b_i + sum_e (f_i' A^-1 f_e) w_e t_e."""
        assert self.item_bias is not None
        f, inverse, target = self._regression(history)
        asked = np.column_stack([self.item_factors[items], np.ones(len(items))])
        parts = (f @ (inverse @ asked.T)) * target[:, None]
        return explanations(self.data, history, items, float(self.mean[0]) + self.item_bias[items], parts)

"""Mean and biases: what a value is before any taste comes in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError
from alsatian.kernels import Side, Weighting, weighted_entries
from alsatian.models.baselines.non_personalized import Impersonal
from alsatian.recommender.explanation import Shares
from alsatian.recommender.fit_run import Run
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.topn import Audience, Mask, Top

Biases = NDArray[np.float64]


class Baseline(Impersonal):
    """Predicts a value as mean + user bias + item bias: what a model of tastes must beat.

    Loss (Koren 2010, "Factor in the neighbors", eq. 1 and the least squares problem below it), with c = 1 or the given
    weight of a value and m the mean:

        sum of c (value - m - b_u - b_i)^2 + reg_user sum_u b_u^2 + reg_item sum_i b_i^2

    An epoch solves all items with the users fixed, then all users: each is the sum of c (value - m - the other bias)
    over the row, divided by (reg + the sum of c).

    Its lists are not personal: everybody gets the items of the highest bias, less what she has seen.

    Learned: user_bias (users), item_bias (items), mean.
    Score: the predicted value, in the unit of the data (not clipped to its scale in lists).
    Cost of an epoch: two passes over the data.

    >>> model = Baseline(reg_user=5, reg_item=3)
    """

    source: ClassVar[str] = "baseline"
    iterates: ClassVar[bool] = True
    learned: ClassVar[tuple[str, ...]] = ("user_bias", "item_bias", "mean")
    predicts: ClassVar[bool] = True
    reg_user: float = param(
        default=5.0, doc="pulls user biases to 0, like so many values there", low=0, search=(0.5, 50, "log")
    )
    reg_item: float = param(
        default=3.0, doc="pulls item biases to 0, like so many values there", low=0, search=(0.5, 50, "log")
    )
    epochs: int = param(default=10, doc="passes over the data", low=1, high=100_000)

    @property
    def item_scores(self) -> Biases:
        return self.item_bias

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        shapes = {"user_bias": (len(data.user_ids),), "item_bias": (len(data.item_ids),), "mean": (1,)}
        check_shapes(learned, shapes)

    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        mean, users = data.mean, np.zeros(len(data.user_ids))
        items = np.zeros(len(data.item_ids))

        def learned() -> dict[str, Any]:
            return {"user_bias": users, "item_bias": items, "mean": np.array([mean])}

        for _ in run.epochs(self.epochs, self.name):
            items, _ = solved(data.by_item, users, mean, self.reg_item, run.threads)
            users, loss = solved(data.by_user, items, mean, self.reg_user, run.threads)
            if run.finish(loss + self.reg_item * float(items @ items), 0, learned):
                break
        return learned()

    def _prepare(self) -> None:
        self.user_bias: Biases
        self.item_bias: Biases
        self.mean: Biases
        super()._prepare()

    def _known(self, rows: NDArray[np.int32]) -> Audience:
        return Audience(self.data.by_user, rows, None, self.user_bias)

    def _fold_in(self, history: CSR) -> Audience:
        """Solve visitors as the last half of a fit solves users."""
        bias, _ = solved(history, self.item_bias, float(self.mean[0]), self.reg_user, threads=1)
        return super()._fold_in(history)._replace(offsets=bias)

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        assert audience.offsets is not None
        top = super()._best(audience, n, exclude_seen, allowed, threads)
        np.add(top.scores, self.mean[0] + audience.offsets[audience.rows, None], out=top.scores, casting="same_kind")
        return top

    def _predict(self, audience: Audience, items: NDArray[np.int32]) -> NDArray[np.float32]:
        assert audience.offsets is not None
        values = np.full(len(items), self.mean[0])
        for bias, rows in ((audience.offsets, audience.rows), (self.item_bias, items)):
            values[rows >= 0] += bias[rows[rows >= 0]]
        return values.astype(np.float32)

    def _explain(self, history: CSR, items: list[int]) -> Shares:
        """Take the user's bias apart: a value that lies above what its item gets lifts every prediction."""
        mean = float(self.mean[0])
        confidence, above = weighted_entries(history.for_kernels, _form(mean), _side(self.item_bias))
        parts = above / (self.reg_user + confidence.sum())
        return Shares(mean + self.item_bias[items].astype(np.float64), np.repeat(parts[:, None], len(items), axis=1))


def solved(rows: CSR, fixed: Biases, mean: float, reg: float, threads: int) -> tuple[Biases, float]:
    """Return the biases of the rows, those of the columns fixed, and the loss with the rows' regularization."""
    solution = _side(np.zeros(rows.rows))
    ridge = np.full(rows.rows, reg)
    loss, failed = kernels.half_sweep(
        rows.for_kernels, _form(mean), _side(fixed), None, ridge, solution, threads=threads
    )
    if failed >= 0 or solution.bias is None:
        raise FitError(
            "values that all have the weight 0 give no bias without regularization; raise reg_user and reg_item."
        )
    return solution.bias, loss


def _form(mean: float) -> Weighting:
    return Weighting(0.0, 1.0, 1.0, -mean, 0.0)


def _side(bias: Biases) -> Side:
    """Return one side as the half-sweep of ALS takes it, without factors."""
    return Side(np.empty((len(bias), 0)), bias)

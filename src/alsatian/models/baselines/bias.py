"""BiasModel: predicts ratings from the mean and the biases of users and items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError
from alsatian.kernels import Side, Weighting, weighted_entries
from alsatian.models.baselines.non_personalized import NonPersonalizedModel
from alsatian.recommender.explanation import Contributions
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.topn import Mask, TopN
from alsatian.recommender.user_batch import UserBatch, history_rows

BiasArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class BiasUserBatch(UserBatch):
    """Users with their biases `offsets` (users)."""

    offsets: BiasArray


class BiasModel(NonPersonalizedModel[BiasUserBatch]):
    """Learns mean + user bias + item bias; use it as the baseline that a model of ratings must beat.

    Loss (Koren 2010, "Factor in the neighbors", eq. 1 and the least squares problem below it), where c is the weight
    of a value (1 without weights) and m the mean:

        sum of c (value - m - b_u - b_i)^2 + user_reg sum_u b_u^2 + item_reg sum_i b_i^2

    An epoch solves all items with the users fixed, then all users with the items fixed. A bias is the sum of
    c (value - m - the other bias) over the row, divided by (reg + the sum of c).

    Its lists are not personalized: every user gets the items of the highest bias that they have not seen.

    Learned: user_bias (users), item_bias (items), mean.
    Score: the predicted value, in the unit of the data (not clipped to its scale in lists).
    Cost of an epoch: two passes over the data.

    >>> model = BiasModel(user_reg=5, item_reg=3)
    """

    source_label: ClassVar[str] = "bias"
    iterates: ClassVar[bool] = True
    state_arrays: ClassVar[tuple[str, ...]] = ("user_bias", "item_bias", "mean")
    predicts_ratings: ClassVar[bool] = True
    user_reg: float = param(
        default=5.0, doc="regularization of user biases: as many values at bias 0", low=0, search=(0.5, 50, "log")
    )
    item_reg: float = param(
        default=3.0, doc="regularization of item biases: as many values at bias 0", low=0, search=(0.5, 50, "log")
    )
    epochs: int = param(default=10, doc="passes over the data", low=1, high=100_000)

    @property
    def item_scores(self) -> BiasArray:
        return self.item_bias

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        shapes = {"user_bias": (len(data.user_ids),), "item_bias": (len(data.item_ids),), "mean": (1,)}
        check_shapes(state, shapes)

    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        mean, users = data.mean, np.zeros(len(data.user_ids))
        items = np.zeros(len(data.item_ids))

        def get_state() -> dict[str, Any]:
            return {"user_bias": users, "item_bias": items, "mean": np.array([mean])}

        for _ in run.epochs(self.epochs, self.name):
            items, _ = solve_biases(data.by_item, users, mean, self.item_reg, run.threads)
            users, loss = solve_biases(data.by_user, items, mean, self.user_reg, run.threads)
            if run.finish(loss + self.item_reg * float(items @ items), 0, get_state):
                break
        return get_state()

    def build_caches(self) -> None:
        self.user_bias: BiasArray
        self.item_bias: BiasArray
        self.mean: BiasArray
        super().build_caches()

    def encode_users(self, rows: NDArray[np.int32]) -> BiasUserBatch:
        return BiasUserBatch(self.data.by_user, rows, offsets=self.user_bias)

    def encode_histories(self, history: CSR) -> BiasUserBatch:
        """Return visitors with their biases, solved as a fit solves its users in the last step."""
        bias, _ = solve_biases(history, self.item_bias, float(self.mean[0]), self.user_reg, threads=1)
        return BiasUserBatch(history, history_rows(history), offsets=bias)

    def rank(self, batch: BiasUserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        top = super().rank(batch, n, exclude_seen, allowed, threads)
        np.add(top.scores, self.mean[0] + batch.offsets[batch.rows, None], out=top.scores, casting="same_kind")
        return top

    def score_pairs(self, batch: BiasUserBatch, items: NDArray[np.int32]) -> NDArray[np.float32]:
        values = np.full(len(items), self.mean[0])
        for bias, rows in ((batch.offsets, batch.rows), (self.item_bias, items)):
            values[rows >= 0] += bias[rows[rows >= 0]]
        return values.astype(np.float32)

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Return the parts of the user's bias: a value above the item's mean raises the scores of all items."""
        mean = float(self.mean[0])
        confidence, deviations = weighted_entries(
            history.kernel_rows, _bias_weighting(mean), _bias_side(self.item_bias)
        )
        per_entry = deviations / (self.user_reg + confidence.sum())
        return Contributions(
            mean + self.item_bias[items].astype(np.float64), np.repeat(per_entry[:, None], len(items), axis=1)
        )


def solve_biases(rows: CSR, fixed: BiasArray, mean: float, reg: float, threads: int) -> tuple[BiasArray, float]:
    """Return the biases of the rows with the columns fixed, and the loss with the regularization of the rows.

    fixed: the biases of the columns. Raises FitError for a row without a unique solution.
    """
    solution = _bias_side(np.zeros(rows.n_rows))
    ridge = np.full(rows.n_rows, reg)
    loss, failed_row = kernels.half_sweep(
        rows.kernel_rows, _bias_weighting(mean), _bias_side(fixed), None, ridge, solution, threads=threads
    )
    if failed_row >= 0 or solution.bias is None:
        raise FitError(
            "a row whose weights are all 0 has no bias without regularization; increase user_reg and item_reg."
        )
    return solution.bias, loss


def _bias_weighting(mean: float) -> Weighting:
    return Weighting(0.0, 1.0, 1.0, -mean, 0.0)


def _bias_side(bias: BiasArray) -> Side:
    """Return biases as a side of the ALS kernel, without factors."""
    return Side(np.empty((len(bias), 0)), bias)

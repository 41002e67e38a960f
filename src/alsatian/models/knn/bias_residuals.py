"""Koren's shrunk baseline: a prediction from mean, user bias and item bias, and the residuals of values from it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions

ResidualArray = NDArray[np.float32]
ITEM_SHRINKAGE, USER_SHRINKAGE = 5, 10  # chosen on validation parts of MovieLens 100K training folds 1 and 3


class BiasPredictor(NamedTuple):
    """Predicts b_ui = m + b_u + b_i (Koren 2010, "Factor in the neighbors", eq. 1, with shrunk means, section 2.1):

        b_i = sum over the item's values of (r - m) / (5 + n_i)
        b_u = sum over the user's values of (r - m - b_i) / (10 + n_u)

    The bias of a user depends only on their own history. Users and items without values have the bias 0.
    """

    mean: float
    item_bias: ResidualArray

    @classmethod
    def fit(cls, data: Interactions) -> BiasPredictor:
        """Return a predictor with the mean and the item biases of the data."""
        mean = data.mean
        sums = np.bincount(data.items, data.values.astype(np.float64) - mean, minlength=len(data.item_ids))
        return cls(mean, (sums / (ITEM_SHRINKAGE + data.item_counts)).astype(np.float32))

    def user_bias(self, histories: CSR) -> ResidualArray:
        """Return the bias of each user (rows,), one per row of histories."""
        residuals = histories.values.astype(np.float64) - self.mean - self.item_bias[histories.indices]
        sums = np.bincount(histories.row_numbers, residuals, minlength=histories.n_rows)
        return (sums / (USER_SHRINKAGE + histories.counts)).astype(np.float32)

    def residuals(self, histories: CSR) -> ResidualArray:
        """Return r - b_ui of each entry of histories."""
        user_biases = np.repeat(self.user_bias(histories), histories.counts)
        residuals = histories.values - np.float32(self.mean) - user_biases - self.item_bias[histories.indices]
        return residuals.astype(np.float32, copy=False)

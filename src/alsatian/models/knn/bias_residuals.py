"""What one expects of a user and an item that are known by their biases alone: Koren's shrunk baseline."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions

ResidualArray = NDArray[np.float32]
ITEM_SHRINKAGE, USER_SHRINKAGE = 5, 10  # on validation parts of MovieLens 100K training folds 1 and 3


class BiasPredictor(NamedTuple):
    """b_ui = m + b_u + b_i (Koren 2010, "Factor in the neighbors", eq. 1, with shrunk means as in section 2.1):

        b_i = sum over its values of (r - m) / (5 + n_i),   b_u = sum over her values of (r - m - b_i) / (10 + n_u)

    so that a user's bias follows from her own history alone. Who has no values has the bias 0.
    """

    mean: float
    item_bias: ResidualArray

    @classmethod
    def fit(cls, data: Interactions) -> BiasPredictor:
        """Return the predictor of this data: its mean and item biases."""
        mean = data.mean
        sums = np.bincount(data.items, data.values.astype(np.float64) - mean, minlength=len(data.item_ids))
        return cls(mean, (sums / (ITEM_SHRINKAGE + data.item_counts)).astype(np.float32))

    def user_bias(self, histories: CSR) -> ResidualArray:
        """Return the bias of each user, one per row of histories."""
        residuals = histories.values.astype(np.float64) - self.mean - self.item_bias[histories.indices]
        sums = np.bincount(histories.row_numbers, residuals, minlength=histories.n_rows)
        return (sums / (USER_SHRINKAGE + histories.counts)).astype(np.float32)

    def residuals(self, histories: CSR) -> ResidualArray:
        """Return r - b_ui of every entry."""
        user_biases = np.repeat(self.user_bias(histories), histories.counts)
        residuals = histories.values - np.float32(self.mean) - user_biases - self.item_bias[histories.indices]
        return residuals.astype(np.float32, copy=False)

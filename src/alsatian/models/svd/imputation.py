"""Fill the empty cells of a rating matrix without forming the filled matrix."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.models.baselines.bias import BiasModel, solve_biases
from alsatian.recommender.fit_run import FitRun

Float64Array = NDArray[np.float64]
IMPUTE_KINDS = ("zero", "user", "item", "mean", "biases")


class Imputation(NamedTuple):
    """The filling of empty cells: mean + user bias + item bias, or only some of these terms, depending on `kind`.

    The filled matrix minus the filling is zero in every empty cell. This sparse matrix is the one that is decomposed.
    """

    kind: str
    mean: float
    item_bias: Float64Array | None

    @classmethod
    def fit(cls, kind: str, data: Interactions, threads: int) -> Imputation:
        """Return the imputation of this kind, with the means or biases of the data."""
        mean = 0.0 if kind == "zero" else data.mean
        if kind == "item":
            return cls(kind, mean, _key_means(data.items, data.values, len(data.item_ids), mean) - mean)
        if kind == "biases":
            model = BiasModel()
            return cls(kind, mean, model.fit_state(data, FitRun(model, data, threads))["item_bias"])
        return cls(kind, mean, None)

    def user_bias(self, rows: CSR) -> Float64Array | None:
        """Return the user biases (rows,), one per row of histories, or None if the filling has none."""
        if self.kind == "user":
            return _key_means(rows.row_numbers, rows.values, rows.n_rows, self.mean) - self.mean
        if self.kind == "biases" and self.item_bias is not None:
            return solve_biases(rows, self.item_bias, self.mean, BiasModel().user_reg, threads=1)[0]
        return None

    def residuals(self, rows: CSR) -> Any:
        """Return the values minus the filling of their cells, as a scipy.sparse.csr_array."""
        values = rows.values - self.mean
        if (user_bias := self.user_bias(rows)) is not None:
            values -= np.repeat(user_bias, rows.counts)
        if self.item_bias is not None:
            values -= self.item_bias[rows.indices]
        return rows.to_scipy(values.astype(np.float32))


def _key_means(keys: NDArray[np.integer], values: NDArray[np.float32], n_keys: int, default: float) -> Float64Array:
    """Return the mean value of each key, or `default` for a key without values."""
    sums, counts = np.bincount(keys, values, minlength=n_keys), np.bincount(keys, minlength=n_keys)
    means = np.full(n_keys, default)
    np.divide(sums, counts, out=means, where=counts > 0)
    return means

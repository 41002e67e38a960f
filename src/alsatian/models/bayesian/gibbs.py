"""The Gibbs sampler of BayesianMF: each side, its prior and the noise are drawn in turn, given everything else.

    value = m + b_u + b_i + x_u.y_i + noise of precision alpha (times the value's weight)

A row p = (x, b) of a side has the prior N(mu, diag(lambda)^-1). The hyper-priors are Normal-Gamma (Rendle 2012,
"Factorization machines with libFM", section 3.3):

    lambda ~ Gamma(SHAPE, RATE unit^2),  mu | lambda ~ N(0, 1 / lambda),  alpha ~ Gamma(1, s^2)

where s is the standard deviation of the values. The unit of a bias is s, and the unit of a factor is sqrt(s).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError
from alsatian.kernels import Side, Weighting

PRECISION_PRIOR_SHAPE, PRECISION_PRIOR_RATE = 50.0, 1.0  # chosen by `python -m bench bayesian`
INITIAL_FACTOR_SCALE = 0.1  # standard deviation of the items' starting factors, in units
# The noise is at least 1% of the standard deviation of the values. Below, systems are singular in single precision.
MAX_RELATIVE_PRECISION = 1e4

GibbsArray = NDArray[Any]


class Prior(NamedTuple):
    """The prior of the rows (x, b) of one side: mean and precision of each component (factors + 1,)."""

    mean: GibbsArray
    precision: GibbsArray


class GibbsSide:
    """One side: the last draw of its rows, and their prior."""

    def __init__(self, entries: CSR, ids: IdMap, units: GibbsArray) -> None:
        count, factors = entries.n_rows, len(units) - 1
        self.ids = ids
        self.units = units
        self.rows = entries.kernel_rows
        self.side = Side(np.zeros((count, factors), np.float32), np.zeros(count, np.float32))
        self.prior = Prior(np.zeros(len(units)), units**-2.0)
        self._noise = np.empty((count, len(units)), np.float32)
        self._zero_ridge = np.zeros(count, np.float32)

    def draw(self, form: Weighting, fixed: Side, rng: np.random.Generator, threads: int) -> float:
        """Draw all rows given the other side, then their prior given the rows.

        Returns the sum of c (value - prediction)^2. Raises FitError for a row without a finite draw.
        """
        mean, precision = self.prior
        rng.standard_normal(out=self._noise, dtype=np.float32)
        squares, failed_row = kernels.half_sweep(
            self.rows, form, fixed, np.diag(precision).astype(np.float32), self._zero_ridge, self.side,
            threads=threads, rhs_offset=(precision * mean).astype(np.float32), noise=self._noise,
        )  # fmt: skip
        if failed_row >= 0:
            raise FitError(
                f"{self.ids.side} {self.ids.id_of(failed_row)!r} has no finite draw at {len(mean) - 1} factors; the "
                "values may be too large or too small for single precision: rescale them."
            )
        self._draw_prior(*self._moments(), rng)
        return squares

    def _moments(self) -> tuple[GibbsArray, GibbsArray]:
        """Return the sums of all rows and of their squares (factors + 1,)."""
        factors, bias = self.side
        columns = np.empty((len(self.units), len(factors)))  # contiguous columns are summed several times faster
        columns[:-1], columns[-1] = factors.T, bias
        return columns.sum(axis=1), np.square(columns).sum(axis=1)

    def _draw_prior(self, sums: GibbsArray, squares: GibbsArray, rng: np.random.Generator) -> None:
        """Draw lambda, and mu given lambda, of each column (conjugate; the prior of mu counts as one row at zero)."""
        count = len(self.ids)
        rate = PRECISION_PRIOR_RATE * self.units**2 + (squares - sums**2 / (count + 1)) / 2
        precision = rng.standard_gamma(PRECISION_PRIOR_SHAPE + count / 2, len(rate)) / rate
        spread = 1 / np.sqrt((count + 1) * precision)
        self.prior = Prior(sums / (count + 1) + spread * rng.standard_normal(len(rate)), precision)


class GibbsChain:
    """The state of the sampler. All random numbers come from one generator, in a fixed order."""

    def __init__(self, data: Interactions, factors: int, seed: int, threads: int) -> None:
        values, weights = data.values.astype(np.float64), data.by_user.weights
        self.rng, self.threads = np.random.default_rng(seed), threads
        self.mean = data.mean
        variance = float(np.average((values - self.mean) ** 2, weights=weights))
        self.variance = variance if variance > 1e-14 * float(np.square(values).max()) else 1.0  # else only rounding
        self.count = len(values) if weights is None else int(np.count_nonzero(weights))
        self.weight = float(len(values)) if weights is None else float(weights.sum(dtype=np.float64))
        self.noise = 1 / self.variance  # alpha
        units = np.append(np.full(factors, self.variance**0.25), self.variance**0.5)
        self.users = GibbsSide(data.by_user, data.user_ids, units)
        self.items = GibbsSide(data.by_item, data.item_ids, units)
        start = INITIAL_FACTOR_SCALE * units[:-1] * self.rng.standard_normal((len(data.item_ids), factors))
        self.items.side.factors[:] = start

    def sweep(self) -> float:
        """Draw the users, the items and the noise, and return the RMSE on the data."""
        form = Weighting(0.0, self.noise, self.noise, -self.noise * self.mean, 0.0)
        self.users.draw(form, self.items.side, self.rng, self.threads)
        squares = self.items.draw(form, self.users.side, self.rng, self.threads) / self.noise
        noise = self.rng.gamma(1 + self.count / 2, 1 / (self.variance + squares / 2))
        self.noise = min(noise, MAX_RELATIVE_PRECISION / self.variance)
        return float(np.sqrt(squares / self.weight))

    def zero_mean_state(self) -> tuple[float, Side, Side]:
        """Return mean, users and items with the same predictions, shifted so that both priors have mean zero.

        With x = mu_x + x' and y = mu_y + y', x.y = mu_x.mu_y + x'.mu_y + mu_x.y' + x'.y'. The terms are added to the
        mean, the user biases, the item biases and the factors. Zeros then represent an unknown user or item.
        """
        (user_factors, user_bias), (item_factors, item_bias) = self.users.side, self.items.side
        assert user_bias is not None
        assert item_bias is not None
        x_mean, y_mean = self.users.prior.mean[:-1], self.items.prior.mean[:-1]
        x, y = user_factors - x_mean, item_factors - y_mean
        u_mean, i_mean = self.users.prior.mean[-1], self.items.prior.mean[-1]
        users = Side(x, user_bias - u_mean + np.einsum("ij,j->i", x, y_mean))
        items = Side(y, item_bias - i_mean + np.einsum("ij,j->i", y, x_mean))
        return float(self.mean + u_mean + i_mean + (x_mean * y_mean).sum()), users, items

"""BayesianMF: Bayesian matrix factorization, with many draws of the factors and standard deviations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, overload

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.models.bayesian.gibbs import GibbsChain
from alsatian.models.factors.factor_model import FactorModel, FactorUserBatch
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import IdOrIds
from alsatian.recommender.topn import chunks
from alsatian.recommender.user_batch import history_rows

GibbsArray = NDArray[Any]


class BayesianMF(FactorModel):
    """Learns draws of user and item factors by Gibbs sampling; use it for the most accurate ratings and their errors.

    There is no regularization to tune, and every prediction has a standard deviation.

    Model (Salakhutdinov and Mnih 2008, "Bayesian probabilistic matrix factorization using MCMC", eq. 1 to 4; with
    biases as in Rendle, Zhang and Koren 2019, "On the difficulty of evaluating baselines"):

        value = m + b_u + b_i + x_u.y_i + noise,  noise ~ N(0, 1 / alpha), or 1 / (alpha weight)
        (x_u, b_u) ~ N(mu_U, diag(lambda_U)^-1),  (y_i, b_i) ~ N(mu_V, diag(lambda_V)^-1)

    mu, lambda and alpha are drawn, too (their priors are in models/bayesian/gibbs.py). A sweep draws every user given
    the items, every item given the users, and then mu, lambda and alpha. After `burn_in` sweeps, every `thin`-th sweep
    is kept. A prediction is the mean over the kept draws. Its standard deviation combines the spread of the draws and
    the noise of the values around them (at least 1% of the standard deviation of all values).

    Learned: user_factors (users, draws x factors) and item_factors (items, draws x factors), divided by the square root
    of draws, so that x.y is the mean over the draws. user_biases (users, draws), item_biases (items, draws), means
    (draws). noise (draws): alpha. user_prior, item_prior (draws, 2, factors + 1): mu and lambda of factors and bias.
    Factors and biases are relative to the mean of their prior, which is part of `means`, so zeros represent an unknown
    user or item.
    Score: the predicted value, in the unit of the data (not clipped to its scale in lists).
    A visitor is represented by the posterior mean of each draw, given its items, without random numbers.
    history: the RMSE of each sweep on the training data. It settles, but does not converge.
    Cost of a sweep, in multiply-adds: values x factors^2 + (users + items) x factors^3 / 6. There are burn_in + draws x
    thin sweeps. Memory and model file: 4 x draws x (factors + 1) x (users + items) bytes. A list costs as much as one
    by draws x factors factors. More draws are more accurate: on MovieLens 100K (folds u1, u3 and u5, clipped) 50, 100,
    200 and 400 draws reach RMSE 0.901, 0.898, 0.897 and 0.896. The defaults take 2 s and 36 MB there.

    >>> model = BayesianMF(factors=16, draws=300)
    """

    source_label: ClassVar[str] = "bayes"
    iterates: ClassVar[bool] = True
    predicts_ratings: ClassVar[bool] = True
    state_arrays: ClassVar[tuple[str, ...]] = (
        "user_factors", "item_factors", "user_biases", "item_biases", "means", "noise", "user_prior", "item_prior",
    )  # fmt: skip
    factors: int = param(default=16, doc="number of factors per user and item", low=1, search=(4, 64, "log"))
    draws: int = param(default=200, doc="number of draws to keep", low=1, high=100_000)
    burn_in: int = param(default=20, doc="sweeps before the first kept draw", low=0, high=100_000)
    thin: int = param(default=1, doc="sweeps per kept draw; more take longer, but the same memory", low=1, high=1000)
    seed: int = param(default=0, doc="random seed", low=0)

    @property
    def biased(self) -> bool:
        return True

    @overload
    def predict(
        self,
        users: IdOrIds,
        items: IdOrIds,
        *,
        clip: bool = False,
        unknown: Literal["raise", "skip", "bias"] = "raise",
        return_std: Literal[False] = False,
    ) -> NDArray[np.float32]: ...
    @overload
    def predict(
        self,
        users: IdOrIds,
        items: IdOrIds,
        *,
        clip: bool = False,
        unknown: Literal["raise", "skip", "bias"] = "raise",
        return_std: Literal[True],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
    def predict(
        self,
        users: IdOrIds,
        items: IdOrIds,
        *,
        clip: bool = False,
        unknown: Literal["raise", "skip", "bias"] = "raise",
        return_std: bool = False,
    ) -> NDArray[np.float32] | tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the predicted rating of each pair, and with return_std=True also its standard deviation.

        Other arguments and errors are those of `Model.predict`. About 90% of the values lie within 1.645 standard
        deviations of the prediction (not clipped).
        """
        values = super().predict(users, items, clip=clip, unknown=unknown)
        if not return_std:
            return values
        pairs = self._paired_rows(users, items, unknown)
        return values, np.where(np.isnan(values), np.nan, self.deviations(*pairs)).astype(np.float32)

    def deviations(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the standard deviation of the value of each pair of rows. -1 is an unknown user or item."""
        variances = [
            self._variance(users[chunk], items[chunk]) for chunk in chunks(len(users), self.user_factors.shape[1])
        ]
        deviations: NDArray[np.float32] = np.sqrt(np.concatenate([np.zeros(0), *variances])).astype(np.float32)
        return deviations

    def _variance(self, users: NDArray[np.int32], items: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the variance of the predictions over the draws, plus the mean variance within a draw.

        The variance within a draw is that of the noise and, for an unknown user or item, that of its prior.
        """
        x, user_bias = self._draws_of(users, self.user_factors, self.user_biases)
        y, item_bias = self._draws_of(items, self.item_factors, self.item_biases)
        predictions = self.means + user_bias + item_bias + np.einsum("pdk,pdk->pd", x, y)
        variance: GibbsArray = predictions.var(axis=1, dtype=np.float64) + (1 / self.noise).mean(dtype=np.float64)
        new_users, new_items = users < 0, items < 0
        # The variance of x.y + b, (x, b) from the prior and y including its mean: sum y^2 / lambda_x + 1 / lambda_b.
        for is_new, other_factors, prior, other_prior in (
            (new_users, y, self.user_prior, self.item_prior),
            (new_items, x, self.item_prior, self.user_prior),
        ):
            raw_factors = other_factors[is_new] + other_prior[:, 0, :-1]
            prior_variance = (raw_factors**2 / prior[:, 1, :-1]).sum(axis=2) + 1 / prior[:, 1, -1]
            variance[is_new] += prior_variance.mean(axis=1, dtype=np.float64)
        prior_products = 1 / (self.user_prior[:, 1, :-1] * self.item_prior[:, 1, :-1])
        variance[new_users & new_items] += prior_products.sum(axis=1).mean(dtype=np.float64)
        return variance

    def _draws_of(
        self, rows: NDArray[np.int32], factors: GibbsArray, biases: GibbsArray
    ) -> tuple[GibbsArray, GibbsArray]:
        """Return the factors (rows, draws, factors) and biases (rows, draws) of rows, zeros for row -1."""
        draws, is_known = len(self.noise), rows >= 0
        draw_factors = factors[rows].reshape(len(rows), draws, self.factors) * np.sqrt(draws, dtype=np.float32)
        return draw_factors * is_known[:, None, None], biases[rows] * is_known[:, None]

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        draws = len(state["noise"]) if "noise" in state else 0
        if not 1 <= draws <= self.draws:
            raise ValueError(f"it has {draws} draws, not 1 to {self.draws}")
        check_shapes(state, self._shapes(data, draws))

    def _shapes(self, data: Interactions, draws: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the learned arrays."""
        sides, k = {"user": len(data.user_ids), "item": len(data.item_ids)}, self.factors
        return (
            {f"{side}_factors": (rows, draws * k) for side, rows in sides.items()}
            | {f"{side}_biases": (rows, draws) for side, rows in sides.items()}
            | {f"{side}_prior": (draws, 2, k + 1) for side in sides}
            | {"means": (draws,), "noise": (draws,)}
        )

    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        chain = GibbsChain(data, self.factors, self.seed, run.threads)
        state = {name: np.empty(shape, np.float32) for name, shape in self._shapes(data, self.draws).items()}
        stored = 0

        def current_state() -> dict[str, Any]:
            if not stored:  # a draw of the burn-in, which the first kept draw replaces
                self._store_draw(chain, state, 0)
            shapes = self._shapes(data, max(stored, 1))
            arrays = {
                name: np.ascontiguousarray(array[tuple(map(slice, shapes[name]))]) for name, array in state.items()
            }
            if stored < self.draws:
                for name in ("user_factors", "item_factors"):
                    arrays[name] = arrays[name] * np.sqrt(self.draws / max(stored, 1), dtype=np.float32)
            return arrays

        for sweep in run.epochs(self.burn_in + self.draws * self.thin, self.name):
            error = chain.sweep()
            if sweep > self.burn_in and (sweep - self.burn_in) % self.thin == 0:
                self._store_draw(chain, state, stored)
                stored += 1
            if run.finish(error, 0.0, current_state):
                break
        return current_state()

    def _store_draw(self, chain: GibbsChain, state: dict[str, GibbsArray], draw: int) -> None:
        """Store the last draw at its position, with the factors divided by the square root of `draws`."""
        mean, users, items = chain.zero_mean_state()
        columns = slice(draw * self.factors, (draw + 1) * self.factors)
        for name, (factors, bias), prior in (
            ("user", users, chain.users.prior),
            ("item", items, chain.items.prior),
        ):
            state[f"{name}_factors"][:, columns] = factors.astype(np.float32) / np.sqrt(self.draws, dtype=np.float32)
            state[f"{name}_biases"][:, draw] = bias
            state[f"{name}_prior"][draw] = prior
        state["means"][draw], state["noise"][draw] = mean, chain.noise

    def build_caches(self) -> None:
        super().build_caches()
        self.user_biases: GibbsArray
        self.item_biases: GibbsArray
        self.means: GibbsArray
        self.noise: GibbsArray
        self.user_prior: GibbsArray
        self.item_prior: GibbsArray
        self.user_bias, self.item_bias = (
            biases.mean(axis=1, dtype=np.float64).astype(np.float32) for biases in (self.user_biases, self.item_biases)
        )
        self.mean = self.means.mean(keepdims=True, dtype=np.float64).astype(np.float32)

    def encode_histories(self, history: CSR) -> FactorUserBatch:
        """Return visitors with the posterior means of their factors and biases, from each draw."""
        draws = len(self.noise)
        vectors = np.empty((history.n_rows, self.user_factors.shape[1]), np.float32)
        offsets = np.empty(history.n_rows, np.float32)
        for row in range(history.n_rows):
            means = self._posterior_means(history.take(np.array([row])))
            vectors[row] = means[:, :-1].ravel() / np.sqrt(draws)
            offsets[row] = means[:, -1].mean()
        return FactorUserBatch(history, history_rows(history), vectors=vectors, offsets=offsets)

    def _posterior_means(self, history: CSR) -> NDArray[np.float64]:
        """Return the posterior mean of a visitor's factors and bias, given a history, per draw (draws, factors + 1).

        With f = (y, 1) of an item, c = alpha or alpha weight, and t = value - mean - b_i, it is A^-1 sum of c t f,
        where A = sum of c f f' + diag(lambda_x, 0) + lambda_b g g'. The bias is relative to mu_b - mu_y.x, so its term
        in the prior is lambda_b (g'p)^2 with g = (-mu_y, 1).
        """
        y, biases = self._draws_of(history.indices, self.item_factors, self.item_biases)
        weights = np.ones(len(y)) if history.weights is None else history.weights.astype(np.float64)
        means = np.empty((len(self.noise), self.factors + 1))
        for draw, (alpha, (_, precision), (item_mean, _)) in enumerate(
            zip(self.noise.astype(np.float64), self.user_prior.astype(np.float64), self.item_prior, strict=True)
        ):
            f = np.column_stack([y[:, draw].astype(np.float64), np.ones(len(y))])
            g = np.append(-item_mean[:-1].astype(np.float64), 1.0)
            c = alpha * weights
            system = (f.T * c) @ f + np.diag(np.append(precision[:-1], 0)) + precision[-1] * np.outer(g, g)
            means[draw] = np.linalg.solve(system, f.T @ (c * (history.values - self.means[draw] - biases[:, draw])))
        return means

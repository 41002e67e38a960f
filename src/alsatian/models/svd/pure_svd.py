"""PureSVD: singular value decomposition of the rating matrix with its empty cells filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, FitError, ParameterError
from alsatian.models.factors.cold_start import ColdStartFactorModel
from alsatian.models.factors.factor_model import FactorArray, FactorUserBatch
from alsatian.models.svd.imputation import IMPUTE_KINDS, Imputation
from alsatian.models.svd.truncated_svd import (
    MAX_DENSE_CELLS,
    ROUNDING_SHARE,
    largest_singular,
    max_factors,
    rank_for_energy,
)
from alsatian.recommender import resolve
from alsatian.recommender.explanation import Contributions
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import IdOrIds
from alsatian.recommender.topn import Mask, TopN
from alsatian.recommender.user_batch import history_rows

DEFAULT_RANKING_FACTORS, DEFAULT_RATING_FACTORS = 16, 8  # without factors and energy; from `python -m bench defaults`

# The extra factor of every item, by which the filling of a user is multiplied. It is a power of two, so that nothing is
# rounded. It is as small as item factors are compared to user factors, so that the lengths of items still differ, which
# the bounds of kernels/item_panels.py need.
_FILLING_FACTOR = np.float32(2**-4)


class PureSVD(ColdStartFactorModel):
    """Learns the largest singular vectors of the whole rating matrix; use it to rank items with few settings to tune.

    It is the best approximation of the matrix with this number of factors (Cremonesi, Koren and Turrin 2010).

    The matrix R has the values minus the filling of empty cells (below), and 0 in empty cells. Its singular value
    decomposition U S V', cut to the largest singular values, has the smallest squared error of any X Y' with the same
    number of factors (Eckart and Young 1936):

        sum over all (u,i) of (R_ui - x_u.y_i)^2,   y_i = V_i,   x_u = U_u S = (R V)_u

    impute: how empty cells are filled. "zero" is the PureSVD of the paper: R are the values, and scores only rank.
    With "user", "item" or "mean" (the mean of the user's, the item's or all values) or "biases" (those of
    BiasModel()), scores are filling + x_u.y_i, which are predicted ratings.

    Learned: user_factors (users, factors), item_factors (items, factors: orthonormal columns), singular_values
    (factors). The filling: mean, user_bias (users), item_bias (items), or None where `impute` does not use them.
    Score: the approximated cell, in the unit of the data. With impute="zero" it is far below the values, because most
    cells are empty.
    Cost: some tens to hundreds of passes over the data on one thread, by Lanczos iterations (ARPACK). Memory: 24 bytes
    a value, and 8 x 2 factors x the smaller side. R is formed (8 bytes a cell) only for at least a third of all factors
    and up to 25,000,000 cells. A larger R does not allow all factors, nor an `energy` that needs more than 512.

    >>> model = PureSVD(factors=20)
    >>> model = PureSVD(energy=0.95, impute="user")
    """

    source_label: ClassVar[str] = "svd"
    state_arrays: ClassVar[tuple[str, ...]] = (*ColdStartFactorModel.state_arrays, "singular_values")
    factors: int | None = param(  # type: ignore[assignment]  # unlike other models, this one can choose
        default=None,
        doc="number of factors per user and item (None: set by energy, else up to "
        f"{DEFAULT_RANKING_FACTORS}, or {DEFAULT_RATING_FACTORS} if ratings are predicted)",
        kind=int,
        low=1,
        search=(4, 128, "log"),
    )
    energy: float | None = param(
        default=None, doc="share of the squared norm to keep, by as few factors as possible", kind=float, low=0, high=1
    )
    impute: str = param(default="zero", doc="how empty cells are filled", choices=IMPUTE_KINDS)

    def _check_params(self) -> None:
        if self.factors is not None and self.energy is not None:
            raise ParameterError(
                f"energy={self.energy:g} and factors={self.factors} both set the number of factors; drop one."
            )

    @property
    def predicts_ratings(self) -> bool:
        return self.impute != "zero"

    @property
    def default_like_value(self) -> float:
        return self.data.scale[1]

    @property
    def fit_note(self) -> str:
        return f"{len(self.singular_values)} factors keep {self.energy_kept:.1%} of the energy"

    @property
    def energy_kept(self) -> float:
        """The share of R's squared norm that the factors keep."""
        total = (self._imputation.residuals(self.fitted.data.by_user).data.astype(np.float64) ** 2).sum()
        return float((self.singular_values**2).sum() / total)

    def transform(self, users: IdOrIds | Mapping[Id, float] | Iterable[Mapping[Id, float]]) -> NDArray[np.float32]:
        """Return the factors of users (users, factors), in the order given.

        users: ids, or histories, each a mapping from items to values. Raises UnknownUser, UnknownItem, DataError.
        """
        data = self.fitted.data
        queries: list[Any] = [users] if isinstance(users, Mapping) else resolve.as_list(users)
        if any(isinstance(query, Mapping) for query in queries):
            return np.vstack([np.asarray(self.fold_in(query).batch.vectors) for query in queries])
        _, rows = resolve.user_rows(data, queries, "raise", self.cold_users)
        return np.asarray(self.user_factors[rows])

    # Fitting

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        users, items, k = len(data.user_ids), len(data.item_ids), len(state["singular_values"])
        shapes = {"user_factors": (users, k), "item_factors": (items, k), "singular_values": (k,), "mean": (1,)}
        shapes |= {"user_bias": (users,)} if self.impute in ("user", "biases") else {}
        shapes |= {"item_bias": (items,)} if self.impute in ("item", "biases") else {}
        check_shapes(state, shapes)

    def validate_data(self, data: Interactions) -> None:
        super().validate_data(data)
        if data.by_user.weights is not None:
            raise DataError(
                "the values have weights, which a singular value decomposition does not support; read without weight=, "
                "or use explicit-als."
            )
        users, items = len(data.user_ids), len(data.item_ids)
        if self.factors is not None and self.factors > (max_rank := max_factors(users, items)):
            size = (
                f", more than {MAX_DENSE_CELLS:,} cells, which does not allow all factors"
                if max_rank < min(users, items)
                else ""
            )
            raise ParameterError(
                f"factors={self.factors} is more than the data allows: it has {users:,} users and {items:,} items"
                f"{size}; pass at most {max_rank}."
            )

    def _fit_factors(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        imputation = Imputation.fit(self.impute, data, run.threads)
        matrix = imputation.residuals(data.by_user)
        if np.abs(matrix.data).max() <= ROUNDING_SHARE * np.abs(data.values).max():
            hint = "pass impute='zero'" if self.predicts_ratings else "check which column was read"
            raise DataError(
                f"all values equal the filling of impute={self.impute!r}, so there is nothing to decompose; {hint}."
            )
        if self.energy is not None:
            values, vectors = rank_for_energy(matrix, self.energy)
        else:
            default_factors = DEFAULT_RATING_FACTORS if self.predicts_ratings else DEFAULT_RANKING_FACTORS
            values, vectors = largest_singular(matrix, self.factors or min(default_factors, max_factors(*matrix.shape)))
        items = np.ascontiguousarray(vectors, np.float32)
        users = matrix @ items
        if not np.isfinite(users).all():
            raise FitError("the values are too large for single precision; scale them down.")
        return {
            "user_factors": users,
            "item_factors": items,
            "user_bias": imputation.user_bias(data.by_user),
            "item_bias": imputation.item_bias,
            "mean": np.array([imputation.mean]),
            "singular_values": values,
        }

    def build_caches(self) -> None:
        super().build_caches()
        self.singular_values: NDArray[np.float64]

    @property
    def _imputation(self) -> Imputation:
        item_bias = None if self.item_bias is None else np.asarray(self.item_bias, np.float64)
        return Imputation(self.impute, float(self.mean[0]), item_bias)

    def item_points(self, rows: NDArray[np.int32] | slice = slice(None)) -> FactorArray:
        """Return V S: the angle between two items is that between their columns of the approximated R."""
        return self.item_factors[rows] * self.singular_values.astype(np.float32)

    @cached_property
    def _panels(self) -> kernels.Panels:
        """The items, packed for the scoring kernel, with an extra factor for the filling of a user's empty cells."""
        factors = np.column_stack([self.item_factors, np.full(len(self.item_factors), _FILLING_FACTOR, np.float32)])
        return kernels.pack_items(factors, None if self.item_bias is None else np.asarray(self.item_bias, np.float32))

    def rank(self, batch: FactorUserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        """Rank by scores that include the filling. Adding it later would round many close scores to ties."""
        filling = np.full(len(batch.vectors), self.mean[0]) + (0 if batch.offsets is None else batch.offsets)
        vectors = np.column_stack([batch.vectors, filling.astype(np.float32) / _FILLING_FACTOR])
        exclusions = batch.exclusions(exclude_seen)
        return TopN(*kernels.top_k(self._panels, vectors, batch.rows, n, exclusions, allowed, threads))

    # Visitors

    def encode_histories(self, history: CSR) -> FactorUserBatch:
        """Return visitors, projected as the fit projects users: x_u = (R V)_u."""
        vectors = self._imputation.residuals(history) @ self.item_factors
        return FactorUserBatch(
            history, history_rows(history), vectors=vectors, offsets=self._imputation.user_bias(history)
        )

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Return the filling of each cell, and R_uj (y_j . y_i) for each entry j of the history."""
        imputation, item_factors = self._imputation, self.item_factors.astype(np.float64)
        per_entry = (item_factors[history.indices] @ item_factors[items].T) * imputation.residuals(history).data[
            :, None
        ]
        user_bias = imputation.user_bias(history)
        base = imputation.mean + (0.0 if user_bias is None else float(user_bias[0]))
        bases = [base + (0.0 if self.item_bias is None else float(self.item_bias[item])) for item in items]
        return Contributions(np.array(bases), per_entry)

"""Singular value decomposition of the rating matrix, its empty cells filled."""

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

DEFAULT_RANKING_FACTORS, DEFAULT_RATING_FACTORS = (
    16,
    8,
)  # factors where neither they nor energy are given; chosen by `python -m bench defaults`


# The factor of every item that a person's filling is multiplied by: a power of two, so that nothing is rounded, and as
# small as items are beside people, so that it does not make all items about equally long (kernels/item_panels.py).
_FILLING_FACTOR = np.float32(2**-4)


class PureSVD(ColdStartFactorModel):
    """The best approximation of the whole rating matrix by so many factors (Cremonesi, Koren and Turrin 2010).

    The matrix R holds the values less what fills empty cells (below), and 0 in those. Its singular value decomposition
    U S V', cut to the largest singular values, has the least squared error that any X Y' of so many factors can have
    (Eckart and Young 1936):

        sum over all (u,i) of (R_ui - x_u.y_i)^2,   y_i = V_i,   x_u = U_u S = (R V)_u

    impute: what empty cells are filled with. "zero" is the PureSVD of the paper: R are the values, and
    scores rank. With "user", "item" or "mean" (of the user's, the item's or all values) or "biases" (those of
    BiasModel()), scores are filling + x_u.y_i: predicted values.

    Learned: user_factors (users, factors), item_factors (items, factors: orthonormal columns), singular_values
    (factors), and the filling: mean, user_bias (users), item_bias (items), each where there is one.
    Score: the approximated cell, in the unit of the data; with impute="zero" far below it, as most cells are empty.
    Cost: by Lanczos iterations (ARPACK), some tens to hundreds of passes over the data on one thread; memory 24 bytes a
    value and 8 x 2 factors x the smaller side. R is only written out (8 bytes a cell) for a third of all factors and
    more, and up to 25,000,000 cells; beyond, all factors are refused, as is an `energy` that takes more than 512.

    >>> model = PureSVD(factors=20)
    >>> model = PureSVD(energy=0.95, impute="user")
    """

    source_label: ClassVar[str] = "svd"
    state_arrays: ClassVar[tuple[str, ...]] = (*ColdStartFactorModel.state_arrays, "singular_values")
    factors: int | None = param(  # type: ignore[assignment]  # unlike other models, this one can choose
        default=None,
        doc="how many numbers describe a user or an item (None: as energy says, else up to "
        f"{DEFAULT_RANKING_FACTORS}, or {DEFAULT_RATING_FACTORS} "
        "where values are predicted)",
        kind=int,
        low=1,
        search=(4, 128, "log"),
    )
    energy: float | None = param(
        default=None, doc="the share of R's squared norm to keep, by as few factors as do", kind=float, low=0, high=1
    )
    impute: str = param(default="zero", doc="what fills empty cells", choices=IMPUTE_KINDS)

    def _check_params(self) -> None:
        if self.factors is not None and self.energy is not None:
            raise ParameterError(
                f"energy={self.energy:g} chooses the number of factors, and factors={self.factors} gives it; drop one."
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
        """Return people as points (people, factors): users by id, or histories, each a mapping from items to values.

        Raises UnknownUser, UnknownItem, DataError.
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
                "the values have weights, which a singular value decomposition cannot take; read without weight=, or "
                "use explicit-als."
            )
        users, items = len(data.user_ids), len(data.item_ids)
        if self.factors is not None and self.factors > (max_rank := max_factors(users, items)):
            size = (
                f", more cells than the {MAX_DENSE_CELLS:,} that are decomposed whole"
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
                f"all values are what impute={self.impute!r} fills empty cells with, so that nothing is left to "
                f"decompose; {hint}."
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
        """The items as the scoring kernel wants them, with one more factor for what fills a person's empty cells."""
        factors = np.column_stack([self.item_factors, np.full(len(self.item_factors), _FILLING_FACTOR, np.float32)])
        return kernels.pack_items(factors, None if self.item_bias is None else np.asarray(self.item_bias, np.float32))

    def rank(self, batch: FactorUserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        """Rank by scores that hold the filling: most differ so little that adding it afterwards would make ties."""
        filling = np.full(len(batch.vectors), self.mean[0]) + (0 if batch.offsets is None else batch.offsets)
        vectors = np.column_stack([batch.vectors, filling.astype(np.float32) / _FILLING_FACTOR])
        exclusions = batch.exclusions(exclude_seen)
        return TopN(*kernels.top_k(self._panels, vectors, batch.rows, n, exclusions, allowed, threads))

    # Visitors

    def encode_histories(self, history: CSR) -> FactorUserBatch:
        """Project visitors as the fit projects users: row by row of R V."""
        vectors = self._imputation.residuals(history) @ self.item_factors
        return FactorUserBatch(
            history, history_rows(history), vectors=vectors, offsets=self._imputation.user_bias(history)
        )

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Take scores apart: the cell's filling, and R_uj (y_j . y_i) for each entry j of the history."""
        imputation, item_factors = self._imputation, self.item_factors.astype(np.float64)
        per_entry = (item_factors[history.indices] @ item_factors[items].T) * imputation.residuals(history).data[
            :, None
        ]
        user_bias = imputation.user_bias(history)
        base = imputation.mean + (0.0 if user_bias is None else float(user_bias[0]))
        bases = [base + (0.0 if self.item_bias is None else float(self.item_bias[item])) for item in items]
        return Contributions(np.array(bases), per_entry)

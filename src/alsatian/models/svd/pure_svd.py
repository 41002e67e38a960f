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
from alsatian.models.factors.cold_start import PlacingModel
from alsatian.models.factors.factor_model import Floats
from alsatian.models.svd.imputation import KINDS, Imputation
from alsatian.models.svd.truncated_svd import DENSE, NOISE, enough, largest, most_factors
from alsatian.recommender import resolve
from alsatian.recommender.explanation import Shares
from alsatian.recommender.fit_run import Run
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Some
from alsatian.recommender.topn import Audience, Mask, Top

LISTS, RATINGS = 16, 8  # factors where neither they nor energy are given; chosen by bench/defaults.py


# The factor of every item that a person's filling is multiplied by: a power of two, so that nothing is rounded, and as
# small as items are beside people, so that it does not make all items about equally long (kernels/item_panels.py).
_FILLED = np.float32(2**-4)


class PureSVD(PlacingModel):
    """The best approximation of the whole rating matrix by so many factors (Cremonesi, Koren and Turrin 2010).

    The matrix R holds the values less what fills empty cells (below), and 0 in those. Its singular value decomposition
    U S V', cut to the largest singular values, has the least squared error that any X Y' of so many factors can have
    (Eckart and Young 1936):

        sum over all (u,i) of (R_ui - x_u.y_i)^2,   y_i = V_i,   x_u = U_u S = (R V)_u

    impute: what empty cells are filled with. "zero" is the PureSVD of the paper: R are the values, and
    scores rank. With "user", "item" or "mean" (of the user's, the item's or all values) or "biases" (those of
    Baseline()), scores are filling + x_u.y_i: predicted values.

    Learned: user_factors (users, factors), item_factors (items, factors: orthonormal columns), singular_values
    (factors), and the filling: mean, user_bias (users), item_bias (items), each where there is one.
    Score: the approximated cell, in the unit of the data; with impute="zero" far below it, as most cells are empty.
    Cost: by Lanczos iterations (ARPACK), some tens to hundreds of passes over the data on one thread; memory 24 bytes a
    value and 8 x 2 factors x the smaller side. R is only written out (8 bytes a cell) for a third of all factors and
    more, and up to 25,000,000 cells; beyond, all factors are refused, as is an `energy` that takes more than 512.

    >>> model = PureSVD(factors=20)
    >>> model = PureSVD(energy=0.95, impute="user")
    """

    source: ClassVar[str] = "svd"
    learned: ClassVar[tuple[str, ...]] = (*PlacingModel.learned, "singular_values")
    factors: int | None = param(  # type: ignore[assignment]  # unlike other models, this one can choose
        default=None,
        doc=f"how many numbers describe a user or an item (None: as energy says, else up to {LISTS}, or {RATINGS} "
        "where values are predicted)",
        kind=int,
        low=1,
        search=(4, 128, "log"),
    )
    energy: float | None = param(
        default=None, doc="the share of R's squared norm to keep, by as few factors as do", kind=float, low=0, high=1
    )
    impute: str = param(default="zero", doc="what fills empty cells", choices=KINDS)

    def _check_params(self) -> None:
        if self.factors is not None and self.energy is not None:
            raise ParameterError(
                f"energy={self.energy:g} chooses the number of factors, and factors={self.factors} gives it; drop one."
            )

    @property
    def predicts(self) -> bool:
        return self.impute != "zero"

    @property
    def top_value(self) -> float:
        return self.data.scale[1]

    @property
    def remark(self) -> str:
        return f"{len(self.singular_values)} factors keep {self.energy_kept:.1%} of the energy"

    @property
    def energy_kept(self) -> float:
        """The share of R's squared norm that the factors keep."""
        total = (self._imputation.residuals(self.fitted.data.by_user).data.astype(np.float64) ** 2).sum()
        return float((self.singular_values**2).sum() / total)

    def transform(self, people: Some | Mapping[Id, float] | Iterable[Mapping[Id, float]]) -> NDArray[np.float32]:
        """Return people as points (people, factors): users by id, or histories, each a mapping from items to values.

        Raises UnknownUser, UnknownItem, DataError.
        """
        data = self.fitted.data
        asked: list[Any] = [people] if isinstance(people, Mapping) else resolve.listed(people)
        if any(isinstance(one, Mapping) for one in asked):
            return np.vstack([np.asarray(self.fold_in(one).audience.vectors) for one in asked])
        _, rows = resolve.user_rows(data, asked, "raise", self.placed_users)
        return np.asarray(self.user_factors[rows])

    # Fitting

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        users, items, k = len(data.user_ids), len(data.item_ids), len(learned["singular_values"])
        shapes = {"user_factors": (users, k), "item_factors": (items, k), "singular_values": (k,), "mean": (1,)}
        shapes |= {"user_bias": (users,)} if self.impute in ("user", "biases") else {}
        shapes |= {"item_bias": (items,)} if self.impute in ("item", "biases") else {}
        check_shapes(learned, shapes)

    def _check(self, data: Interactions) -> None:
        super()._check(data)
        if data.by_user.weights is not None:
            raise DataError(
                "the values have weights, which a singular value decomposition cannot take; read without weight=, or "
                "use explicit-als."
            )
        users, items = len(data.user_ids), len(data.item_ids)
        if self.factors is not None and self.factors > (most := most_factors(users, items)):
            size = f", more cells than the {DENSE:,} that are decomposed whole" if most < min(users, items) else ""
            raise ParameterError(
                f"factors={self.factors} is more than the data allows: it has {users:,} users and {items:,} items"
                f"{size}; pass at most {most}."
            )

    def _learn(self, data: Interactions, run: Run) -> dict[str, Any]:
        imputation = Imputation.learn(self.impute, data, run.threads)
        matrix = imputation.residuals(data.by_user)
        if np.abs(matrix.data).max() <= NOISE * np.abs(data.values).max():
            hint = "pass impute='zero'" if self.predicts else "check which column was read"
            raise DataError(
                f"all values are what impute={self.impute!r} fills empty cells with, so that nothing is left to "
                f"decompose; {hint}."
            )
        if self.energy is not None:
            values, vectors = enough(matrix, self.energy)
        else:
            usual = RATINGS if self.predicts else LISTS
            values, vectors = largest(matrix, self.factors or min(usual, most_factors(*matrix.shape)))
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

    def _prepare(self) -> None:
        super()._prepare()
        self.singular_values: NDArray[np.float64]

    @property
    def _imputation(self) -> Imputation:
        item_bias = None if self.item_bias is None else np.asarray(self.item_bias, np.float64)
        return Imputation(self.impute, float(self.mean[0]), item_bias)

    def _item_points(self, rows: NDArray[np.int32] | slice = slice(None)) -> Floats:
        """Return V S: the angle between two items is that between their columns of the approximated R."""
        return self.item_factors[rows] * self.singular_values.astype(np.float32)

    @cached_property
    def _panels(self) -> kernels.Panels:
        """The items as the scoring kernel wants them, with one more factor for what fills a person's empty cells."""
        factors = np.column_stack([self.item_factors, np.full(len(self.item_factors), _FILLED, np.float32)])
        return kernels.pack_items(factors, None if self.item_bias is None else np.asarray(self.item_bias, np.float32))

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        """Rank by scores that hold the filling: most differ so little that adding it afterwards would make ties."""
        assert audience.vectors is not None
        filling = np.full(len(audience.vectors), self.mean[0]) + (0 if audience.offsets is None else audience.offsets)
        vectors = np.column_stack([audience.vectors, filling.astype(np.float32) / _FILLED])
        seen = audience.left_out(exclude_seen)
        return Top(*kernels.top_k(self._panels, vectors, audience.rows, n, seen, allowed, threads))

    # Visitors

    def _fold_in(self, history: CSR) -> Audience:
        """Project visitors as the fit projects users: row by row of R V."""
        vectors = self._imputation.residuals(history) @ self.item_factors
        return super()._fold_in(history)._replace(vectors=vectors, offsets=self._imputation.user_bias(history))

    def _explain(self, history: CSR, items: list[int]) -> Shares:
        """Take scores apart: the cell's filling, and R_uj (y_j . y_i) for each entry j of the history."""
        imputation, wide = self._imputation, self.item_factors.astype(np.float64)
        parts = (wide[history.indices] @ wide[items].T) * imputation.residuals(history).data[:, None]
        user_bias = imputation.user_bias(history)
        base = imputation.mean + (0.0 if user_bias is None else float(user_bias[0]))
        bases = [base + (0.0 if self.item_bias is None else float(self.item_bias[item])) for item in items]
        return Shares(np.array(bases), parts)

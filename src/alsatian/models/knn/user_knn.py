"""Neighbours among users: what people of the same taste have."""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.kernels import Sparse
from alsatian.models.knn.base import Neighborhood, table
from alsatian.models.knn.bias_residuals import Expected
from alsatian.models.knn.similarity_vectors import cells
from alsatian.recommender.topn import Audience, Mask, Top


class UserKNN(Neighborhood):
    """Scores an item by those of the user's k nearest users who have it, with similarities s > 0.

    - Lists (the default; Herlocker et al. 1999): score = sum of s_uv x_vi over the neighbours v of u who have i, x the
      value. Only the order means something.
    - baselines=True: score = b_ui + sum of s_uv (r_vi - b_vi) / (damping + sum of s_uv), b_ui = mean + user bias +
      item bias: the predicted value, in the unit of the data.

    It is you who says which, by `baselines`: the model does not guess from the values. Similarities, shrinkage and
    weighting are those of ItemKNN with users and items in each other's place. A visitor's neighbours are found as a
    user's are. A user with exactly the visitor's history is taken to be the visitor: her list has nothing to tell.

    Learned: neighbors, similarities (users, k); with baselines mean, item_bias (items), user_bias (users).
    Usual settings: cosine, k=100, shrinkage=0; with baselines adjusted-cosine, k=200, shrinkage=10, damping=0.5.
    Cost: half the sum over items of the square of how many have each, in multiply-adds; memory the data three times,
    8 bytes an entry each, plus 8 k bytes a user.

    >>> model = UserKNN(similarity="pearson", shrinkage=30, baselines=True)
    """

    usual: ClassVar[dict[bool, dict[str, Any]]] = {
        False: {"similarity": "cosine", "k": 100, "shrinkage": 0.0},
        True: {"similarity": "adjusted-cosine", "k": 200, "shrinkage": 10.0, "damping": 0.5},
    }

    def _compared(self, data: Interactions) -> CSR:
        return data.by_user

    def _ids(self, data: Interactions) -> Any:
        return data.user_ids

    def _residuals(self, data: Interactions, expected: Expected) -> NDArray[np.float32]:
        return expected.residuals(data.by_user)

    def _known(self, rows: NDArray[np.int32]) -> Audience:
        return super()._known(rows)._replace(neighbors=self.neighbors, similarities=self.similarities)

    def _fold_in(self, history: CSR) -> Audience:
        residuals = self.expected.residuals(history) if self.expected else None
        asked, sizes = self._vectors.of(history, residuals)
        users, k = len(self.neighbors), self.neighbors.shape[1]
        near = kernels.neighbors_for(
            asked, sizes, *self._by_column, self._vectors.measure, self._setting("shrinkage"), min(k + 1, users), 1
        )
        found, similarities = (_without(which, self._selves(history, near[0])) for which in near)
        return super()._fold_in(history)._replace(neighbors=found, similarities=similarities)

    @cached_property
    def _by_column(self) -> tuple[Sparse, NDArray[np.float32]]:
        """The users' vectors item by item, and their sizes."""
        by_user, columns = self.data.by_user, self.data.by_user.columns
        vectors, sizes = self._vectors.of(by_user, self.expected.residuals(by_user) if self.expected else None)
        indptr, (users, values) = kernels.transpose(*vectors[:2], [vectors.values], columns)
        return Sparse(indptr, users, values), sizes

    def _selves(self, history: CSR, found: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the place in each list of a user who is the visitor herself, or else the last place."""
        return np.array([self._self(*history.row(row), near) for row, near in enumerate(found)], np.int64)

    def _self(self, items: NDArray[np.int32], values: NDArray[np.float32], near: NDArray[np.int32]) -> int:
        for place, user in enumerate(near):
            hers = self.data.by_user.row(int(user))
            if user >= 0 and np.array_equal(hers[0], items) and np.array_equal(hers[1], values):
                return place
        return len(near) - 1

    @cached_property
    def _parts(self) -> Sparse:
        """What each user tells of her items."""
        by_user = self.data.by_user
        return Sparse(by_user.indptr, by_user.indices, self._told_values(by_user))

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        assert audience.neighbors is not None
        assert audience.similarities is not None
        history = audience.seen.take(audience.rows)
        weights = table(audience.neighbors[audience.rows], audience.similarities[audience.rows])
        order, seen = np.arange(history.rows, dtype=np.int32), (history.indptr, history.indices)
        divide = "weights" if self.baselines else "nothing"
        return Top(
            *kernels.top_n_sums(
                weights, self._parts, history.columns, order, n, self._start(audience), self.item_bias,
                divide, self._setting("damping"), seen if exclude_seen else None, allowed, threads,
            )
        )  # fmt: skip

    def _met(self, audience: Audience, items: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        assert audience.neighbors is not None
        assert audience.similarities is not None
        near, known = audience.neighbors[audience.rows], audience.rows[:, None] >= 0
        entries, there = cells(self.data.by_user, near, items[:, None])
        there &= known
        return audience.similarities[audience.rows] * there, self._parts.values[entries] * there


def _without(lists: NDArray[Any], places: NDArray[np.int64]) -> NDArray[Any]:
    """Return each list without one of its places."""
    kept = np.arange(lists.shape[1]) != places[:, None]
    shortened: NDArray[Any] = lists[kept].reshape(len(lists), lists.shape[1] - 1)
    return shortened

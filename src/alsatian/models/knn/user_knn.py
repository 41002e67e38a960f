"""UserKNN: recommends the items of users with a similar taste."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.kernels import Sparse
from alsatian.models.knn.base import KNNModel, KNNUserBatch, neighbor_csr
from alsatian.models.knn.bias_residuals import BiasPredictor
from alsatian.models.knn.similarity_vectors import find_entries
from alsatian.recommender.topn import Mask, TopN
from alsatian.recommender.user_batch import history_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class UserKNNBatch(KNNUserBatch):
    """Users with their nearest users: `neighbors` and `similarities` (users, k), best first, -1 past the end."""

    neighbors: NDArray[np.int32]
    similarities: NDArray[np.float32]


class UserKNN(KNNModel[UserKNNBatch]):
    """Finds the k most similar users of each user; use it for a fast model when users have long histories to compare.

    An item is scored by those of the user's k nearest users who have it, with similarities s > 0:

    - Lists (the default; Herlocker et al. 1999): score = sum of s_uv x_vi over the neighbors v of user u who have item
      i, where x is the value. Only the order is meaningful.
    - subtract_bias=True: score = b_ui + sum of s_uv (r_vi - b_vi) / (damping + sum of s_uv), with b_ui = mean + user
      bias + item bias. It is the predicted value, in the unit of the data.

    `subtract_bias` selects the form; it is not guessed from the values. Similarity, shrinkage and weighting are those
    of ItemKNN, with users and items exchanged. The neighbors of a visitor are found in the same way as those of a
    user. A user with exactly the same history as the visitor is taken to be the visitor, and is left out.

    Learned: neighbors, similarities (users, k); with subtract_bias mean, item_bias (items), user_bias (users).
    Defaults of None: cosine, k=100, shrinkage=0. With subtract_bias: adjusted-cosine, k=200, shrinkage=10, damping=0.5.
    Cost, in multiply-adds: half the sum over items of their squared number of users. Memory: the data three times, at 8
    bytes an entry, plus 8 k bytes a user.

    >>> model = UserKNN(similarity="pearson", shrinkage=30, subtract_bias=True)
    """

    default_settings: ClassVar[dict[bool, dict[str, Any]]] = {
        False: {"similarity": "cosine", "k": 100, "shrinkage": 0.0},
        True: {"similarity": "adjusted-cosine", "k": 200, "shrinkage": 10.0, "damping": 0.5},
    }

    def _compared_entries(self, data: Interactions) -> CSR:
        return data.by_user

    def _ids(self, data: Interactions) -> Any:
        return data.user_ids

    def _residuals(self, data: Interactions, bias_predictor: BiasPredictor) -> NDArray[np.float32]:
        return bias_predictor.residuals(data.by_user)

    def encode_users(self, rows: NDArray[np.int32]) -> UserKNNBatch:
        return UserKNNBatch(
            self.data.by_user, rows,
            offsets=self.user_bias, neighbors=self.neighbors, similarities=self.similarities,
        )  # fmt: skip

    def encode_histories(self, history: CSR) -> UserKNNBatch:
        residuals = self.bias_predictor.residuals(history) if self.bias_predictor else None
        visitor_vectors, sizes = self._vectors.transform(history, residuals)
        users, k = len(self.neighbors), self.neighbors.shape[1]
        nearest = kernels.neighbors_for(
            visitor_vectors,
            sizes,
            *self._item_vectors,
            self._vectors.measure,
            self.effective_value("shrinkage"),
            min(k + 1, users),
            1,
        )
        places = self._duplicate_places(history, nearest[0])
        neighbors, similarities = (_drop_places(lists, places) for lists in nearest)
        return UserKNNBatch(
            history, history_rows(history),
            offsets=self._bias_of_histories(history), neighbors=neighbors, similarities=similarities,
        )  # fmt: skip

    @cached_property
    def _item_vectors(self) -> tuple[Sparse, NDArray[np.float32]]:
        """The vectors of the users, by item, and their sizes."""
        by_user, columns = self.data.by_user, self.data.by_user.n_columns
        vectors, sizes = self._vectors.transform(
            by_user, self.bias_predictor.residuals(by_user) if self.bias_predictor else None
        )
        indptr, (users, values) = kernels.transpose(*vectors[:2], [vectors.values], columns)
        return Sparse(indptr, users, values), sizes

    def _duplicate_places(self, history: CSR, neighbors: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return the place of a user with the visitor's history in each list, or the last place if there is none."""
        return np.array(
            [self._duplicate_place(*history.row(row), user_list) for row, user_list in enumerate(neighbors)], np.int64
        )

    def _duplicate_place(
        self, items: NDArray[np.int32], values: NDArray[np.float32], neighbors: NDArray[np.int32]
    ) -> int:
        for place, user in enumerate(neighbors):
            user_row = self.data.by_user.row(int(user))
            if user >= 0 and np.array_equal(user_row[0], items) and np.array_equal(user_row[1], values):
                return place
        return len(neighbors) - 1

    @cached_property
    def _score_terms(self) -> Sparse:
        """The values that each user contributes, by item."""
        by_user = self.data.by_user
        return Sparse(by_user.indptr, by_user.indices, self._neighbor_values(by_user))

    def rank(self, batch: UserKNNBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        history = batch.histories.take(batch.rows)
        weights = neighbor_csr(batch.neighbors[batch.rows], batch.similarities[batch.rows])
        order, seen_items = np.arange(history.n_rows, dtype=np.int32), (history.indptr, history.indices)
        divisor = "weights" if self.subtract_bias else "nothing"
        return TopN(
            *kernels.top_n_sums(
                weights, self._score_terms, history.n_columns, order, n, self._base_scores(batch), self.item_bias,
                divisor, self.effective_value("damping"), seen_items if exclude_seen else None, allowed, threads,
            )
        )  # fmt: skip

    def _overlap(
        self, batch: UserKNNBatch, items: NDArray[np.int32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        neighbors, valid = batch.neighbors[batch.rows], batch.rows[:, None] >= 0
        entries, present = find_entries(self.data.by_user, neighbors, items[:, None])
        present &= valid
        return batch.similarities[batch.rows] * present, self._score_terms.values[entries] * present


def _drop_places(lists: NDArray[Any], places: NDArray[np.int64]) -> NDArray[Any]:
    """Return each list without one of its places."""
    keep_mask = np.arange(lists.shape[1]) != places[:, None]
    shortened: NDArray[Any] = lists[keep_mask].reshape(len(lists), lists.shape[1] - 1)
    return shortened

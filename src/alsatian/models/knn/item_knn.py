"""ItemKNN: recommends items that are similar to the items of a user."""

from __future__ import annotations

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
from alsatian.recommender.explanation import Contributions
from alsatian.recommender.topn import Mask, TopN
from alsatian.recommender.user_batch import history_rows


class ItemKNN(KNNModel[KNNUserBatch]):
    """Finds the k most similar items of each item; use it for a fast model whose recommendations are easy to explain.

    An item is scored by those of its k nearest items that the user has, with similarities s > 0:

    - Lists (the default; Deshpande and Karypis 2004, section 4): score = sum of s_ij x_uj over the neighbors j of i
      that user u has, where x is the value. Only the order is meaningful.
    - subtract_bias=True (Koren 2010, "Factor in the neighbors", eq. 3): score = b_ui + sum of s_ij (r_uj - b_uj) /
      (damping + sum of s_ij), with b_ui = mean + user bias + item bias. It is the predicted value, in the unit of the
      data.

    `subtract_bias` selects the form; it is not guessed from the values. There is no loss, because similarities are
    computed and not learned.

    similarity: of the vectors of two items over all users. "cosine" is that of Sarwar et al. 2001, section 3.1.
    "adjusted-cosine" takes the deviations of values from the user's mean, or from b_ui with subtract_bias. "pearson"
    takes the users of both items alone. "jaccard" is the number of users of both items by the users of either.
    weighting: of the values before the cosine. "tf-idf" multiplies them by log(1 + items / number of the user's items).
    "bm25" also bounds the values (k1 = 1.2, b = 0.75).

    Learned: neighbors, similarities (items, k); with subtract_bias mean, item_bias (items), user_bias (users).
    Defaults of None: cosine, k=200, shrinkage=20. With subtract_bias: adjusted-cosine, k=100, shrinkage=10,
    damping=0.5.
    Cost, in multiply-adds: half the sum over users of their squared number of items. Memory: the data three times, at 8
    bytes an entry, plus 8 k bytes an item. No matrix of items x items is formed.

    >>> model = ItemKNN(similarity="jaccard", k=50)
    """

    default_settings: ClassVar[dict[bool, dict[str, Any]]] = {
        False: {"similarity": "cosine", "k": 200, "shrinkage": 20.0},
        True: {"similarity": "adjusted-cosine", "k": 100, "shrinkage": 10.0, "damping": 0.5},
    }

    def _compared_entries(self, data: Interactions) -> CSR:
        return data.by_item

    def _ids(self, data: Interactions) -> Any:
        return data.item_ids

    def _residuals(self, data: Interactions, bias_predictor: BiasPredictor) -> NDArray[np.float32]:
        by_user = data.by_user
        residuals = bias_predictor.residuals(by_user)
        _, (_, transposed) = kernels.transpose(by_user.indptr, by_user.indices, [residuals], by_user.n_columns)
        return transposed

    @cached_property
    def _score_terms(self) -> Sparse:
        """The items i that have item j as a neighbor, with s_ij, for each j."""
        neighbor_rows = neighbor_csr(self.neighbors, self.similarities)
        indptr, (items, similarities) = kernels.transpose(
            *neighbor_rows[:2], [neighbor_rows.values], len(self.neighbors)
        )
        return Sparse(indptr, items, similarities)

    def encode_users(self, rows: NDArray[np.int32]) -> KNNUserBatch:
        return KNNUserBatch(self.data.by_user, rows, offsets=self.user_bias)

    def encode_histories(self, history: CSR) -> KNNUserBatch:
        return KNNUserBatch(history, history_rows(history), offsets=self._bias_of_histories(history))

    def rank(self, batch: KNNUserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        history = batch.histories.take(batch.rows)
        weights = Sparse(history.indptr, history.indices, self._neighbor_values(history))
        order, seen_items = np.arange(history.n_rows, dtype=np.int32), (history.indptr, history.indices)
        divisor = "parts" if self.subtract_bias else "nothing"
        return TopN(
            *kernels.top_n_sums(
                weights, self._score_terms, len(self.neighbors), order, n, self._base_scores(batch), self.item_bias,
                divisor, self.effective_value("damping"), seen_items if exclude_seen else None, allowed, threads,
            )
        )  # fmt: skip

    def rank_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> TopN:
        indptr, order = np.arange(len(rows) + 1), np.arange(len(rows), dtype=np.int32)
        queries = Sparse(indptr, order, np.ones(len(rows), np.float32))
        similar = neighbor_csr(self.neighbors[rows], self.similarities[rows])
        return TopN(
            *kernels.top_n_sums(
                queries, similar, len(self.neighbors), order, n, seen=(indptr, rows), allowed=allowed, threads=threads
            )
        )

    def _overlap(
        self, batch: KNNUserBatch, items: NDArray[np.int32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        users, history_positions = np.unique(batch.rows, return_inverse=True)
        history = batch.histories.take(users[users >= 0])
        if len(history.indices) == 0:  # no user has a history
            zeros = np.zeros((len(items), self.neighbors.shape[1]), np.float32)
            return zeros, zeros
        history_positions = history_positions - int(users[0] < 0)  # the row in `history`, -1 for an unknown user
        entries, present = find_entries(history, history_positions[:, None], self.neighbors[items])
        present &= items[:, None] >= 0
        return self.similarities[items] * present, self._neighbor_values(history)[entries] * present

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Return s_ij x_uj of each item j of the history, or its share of the deviation with subtract_bias."""
        values = self._neighbor_values(history).astype(np.float64)
        base, per_entry = np.zeros(len(items)), np.zeros((len(values), len(items)))
        for position, item in enumerate(items):
            similarity = np.zeros(len(self.neighbors))
            neighbors = self.neighbors[item]
            similarity[neighbors[neighbors >= 0]] = self.similarities[item][neighbors >= 0]
            weights = similarity[history.indices]
            if self.bias_predictor:
                weights = weights / (weights.sum() + self.effective_value("damping") or 1.0)
                user_bias = self.bias_predictor.user_bias(history)[0]
                base[position] = self.bias_predictor.mean + float(user_bias + self.bias_predictor.item_bias[item])
            per_entry[:, position] = weights * values
        return Contributions(base, per_entry)

"""Neighbours among items: what is like the things that somebody has."""

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
from alsatian.recommender.explanation import Shares
from alsatian.recommender.topn import Audience, Mask, Top


class ItemKNN(Neighborhood):
    """Scores an item by those of its k nearest items that the user has, with similarities s > 0.

    - Lists (the default; Deshpande and Karypis 2004, section 4): score = sum of s_ij x_uj over the neighbours j of i
      that u has, x the value. Only the order means something.
    - baselines=True (Koren 2010, "Factor in the neighbors", eq. 3): score = b_ui + sum of s_ij (r_uj - b_uj) /
      (damping + sum of s_ij), b_ui = mean + user bias + item bias: the predicted value, in the unit of the data.

    It is you who says which, by `baselines`: the model does not guess from the values. There is no loss: similarities
    are computed, not learned. Of the vectors of two items over all users: cosine (Sarwar et al. 2001, section 3.1),
    adjusted-cosine (of what values deviate from their user's mean, or with baselines from b_ui), pearson (over the
    users of both alone), jaccard (users of both by users of either). weighting: the values before the cosine, tf-idf
    times log(1 + items / what the user has), bm25 also bounded in the value (k1 1.2, b 0.75).

    Learned: neighbors, similarities (items, k); with baselines mean, item_bias (items), user_bias (users).
    Usual settings: cosine, k=200, shrinkage=20; with baselines adjusted-cosine, k=100, shrinkage=10, damping=0.5.
    Cost: half the sum over users of the square of what each has, in multiply-adds; memory the data three times,
    8 bytes an entry each, plus 8 k bytes an item: never items x items.

    >>> model = ItemKNN(similarity="jaccard", k=50)
    """

    usual: ClassVar[dict[bool, dict[str, Any]]] = {
        False: {"similarity": "cosine", "k": 200, "shrinkage": 20.0},
        True: {"similarity": "adjusted-cosine", "k": 100, "shrinkage": 10.0, "damping": 0.5},
    }

    def _compared(self, data: Interactions) -> CSR:
        return data.by_item

    def _ids(self, data: Interactions) -> Any:
        return data.item_ids

    def _residuals(self, data: Interactions, expected: Expected) -> NDArray[np.float32]:
        by_user = data.by_user
        residuals = expected.residuals(by_user)
        _, (_, moved) = kernels.transpose(by_user.indptr, by_user.indices, [residuals], by_user.columns)
        return moved

    @cached_property
    def _parts(self) -> Sparse:
        """For each item j, the items i that have it as a neighbour, with s_ij."""
        of_items = table(self.neighbors, self.similarities)
        indptr, (items, similarities) = kernels.transpose(*of_items[:2], [of_items.values], len(self.neighbors))
        return Sparse(indptr, items, similarities)

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        history = audience.seen.take(audience.rows)
        weights = Sparse(history.indptr, history.indices, self._told_values(history))
        order, seen = np.arange(history.rows, dtype=np.int32), (history.indptr, history.indices)
        divide = "parts" if self.baselines else "nothing"
        return Top(
            *kernels.top_n_sums(
                weights, self._parts, len(self.neighbors), order, n, self._start(audience), self.item_bias,
                divide, self._setting("damping"), seen if exclude_seen else None, allowed, threads,
            )
        )  # fmt: skip

    def _most_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> Top:
        own, order = np.arange(len(rows) + 1), np.arange(len(rows), dtype=np.int32)
        asked = Sparse(own, order, np.ones(len(rows), np.float32))
        similar = table(self.neighbors[rows], self.similarities[rows])
        return Top(
            *kernels.top_n_sums(
                asked, similar, len(self.neighbors), order, n, seen=(own, rows), allowed=allowed, threads=threads
            )
        )

    def _met(self, audience: Audience, items: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        users, place = np.unique(audience.rows, return_inverse=True)
        history = audience.seen.take(users[users >= 0])
        if len(history.indices) == 0:  # nobody of whom anything is known
            nothing = np.zeros((len(items), self.neighbors.shape[1]), np.float32)
            return nothing, nothing
        place = place - int(users[0] < 0)  # the place of a user in the history, -1 for an unknown one
        entries, there = cells(history, place[:, None], self.neighbors[items])
        there &= items[:, None] >= 0
        return self.similarities[items] * there, self._told_values(history)[entries] * there

    def _explain(self, history: CSR, items: list[int]) -> Shares:
        """Each of the person's items j speaks for i by s_ij times its value, or by its share of the deviation."""
        values = self._told_values(history).astype(np.float64)
        bases, parts = np.zeros(len(items)), np.zeros((len(values), len(items)))
        for at, item in enumerate(items):
            similarity = np.zeros(len(self.neighbors))
            near = self.neighbors[item]
            similarity[near[near >= 0]] = self.similarities[item][near >= 0]
            weights = similarity[history.indices]
            if self.expected:
                weights = weights / (weights.sum() + self._setting("damping") or 1.0)
                user_bias = self.expected.user_bias(history)[0]
                bases[at] = self.expected.mean + float(user_bias + self.expected.item_bias[item])
            parts[:, at] = weights * values
        return Shares(bases, parts)

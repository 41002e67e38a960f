"""`FactorModel`: users and items are described by factors, and a score is mean + user bias + item bias + x . y."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.interactions import Interactions
from alsatian.models.factors.ann_index import SimilarIndex, build_similar_index, unit_vectors
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Mask, TopN
from alsatian.recommender.user_batch import UserBatch

FactorArray = NDArray[np.floating]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorUserBatch(UserBatch):
    """Users as factors: `vectors` (users, factors) and `offsets` (users), their biases, or None without biases."""

    vectors: FactorArray
    offsets: FactorArray | None


class FactorModel(Model[FactorUserBatch]):
    """The base of all factor models: scores, lists and similar items from the learned arrays.

    user_factors (users, factors), item_factors (items, factors). user_bias (users), item_bias (items): or None.
    mean: an array of one number.
    """

    state_arrays: ClassVar[tuple[str, ...]] = ("user_factors", "item_factors", "user_bias", "item_bias", "mean")
    index: SimilarIndex | None = None
    factors: int = param(default=64, doc="number of factors per user and item", low=1, search=(8, 256, "log"))

    @property
    def biased(self) -> bool:
        """Whether user and item biases are learned."""
        return False

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        users, items, k = len(data.user_ids), len(data.item_ids), self.factors
        shapes = {"user_factors": (users, k), "item_factors": (items, k), "mean": (1,)}
        shapes |= {"user_bias": (users,), "item_bias": (items,)} if self.biased else {}
        check_shapes(state, shapes)

    def build_caches(self) -> None:
        self.user_factors: FactorArray
        self.item_factors: FactorArray
        self.user_bias: FactorArray | None
        self.item_bias: FactorArray | None
        self.mean: FactorArray
        self.index = None
        for cache in ("_panels", "item_directions"):
            self.__dict__.pop(cache, None)

    def item_points(self, rows: NDArray[np.int32] | slice = slice(None)) -> FactorArray:
        """Return items as points (rows, factors): the smaller the angle between two, the more similar they are."""
        return self.item_factors[rows]

    @cached_property
    def _panels(self) -> kernels.Panels:
        """The items, packed for the scoring kernel."""
        bias = None if self.item_bias is None else np.asarray(self.item_bias, np.float32)
        return kernels.pack_items(np.ascontiguousarray(self.item_factors, np.float32), bias)

    @cached_property
    def item_directions(self) -> tuple[NDArray[np.float32], kernels.Panels]:
        """The item points, scaled to unit length so that their products are cosines: an array, and packed."""
        vectors = unit_vectors(self.item_points())
        return vectors, kernels.pack_items(vectors, None)

    def encode_users(self, rows: NDArray[np.int32]) -> FactorUserBatch:
        return FactorUserBatch(self.data.by_user, rows, vectors=self.user_factors, offsets=self.user_bias)

    def rank(self, batch: FactorUserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        exclusions = batch.exclusions(exclude_seen)
        vectors = np.ascontiguousarray(batch.vectors, np.float32)
        top = TopN(*kernels.top_k(self._panels, vectors, batch.rows, n, exclusions, allowed, threads))
        offset = self.mean[0] + (0 if batch.offsets is None else batch.offsets[batch.rows, None])
        np.add(top.scores, offset, out=top.scores, casting="same_kind")
        return top

    def rank_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> TopN:
        if self.index is None or not self.index.can_rank(len(rows), n, allowed):
            return self.rank_similar_exact(rows, n, allowed, threads)
        top = self.index.rank_similar(self, rows, n)
        incomplete = np.flatnonzero((top.items < 0).any(axis=1))  # the searched cells contain too few items
        if len(incomplete):
            top.items[incomplete], top.scores[incomplete], _ = self.rank_similar_exact(
                rows[incomplete], n, allowed, threads
            )
        return top

    @property
    def supports_index(self) -> bool:
        return True

    def build_index(self, *, recall: float = 0.95, threads: int | None = None, progress: bool | None = None) -> Self:
        self.index = build_similar_index(self.fitted, recall, threads, progress)
        return self

    def rank_similar_exact(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> TopN:
        """Return the n items with the largest cosine to each given item, without the index."""
        vectors, panels = self.item_directions
        self_exclusions = (np.arange(len(rows) + 1), rows)  # an item is not similar to itself
        order = np.arange(len(rows), dtype=np.int32)
        return TopN(*kernels.top_k(panels, vectors[rows], order, n, self_exclusions, allowed, threads))

    def score_pairs(self, batch: FactorUserBatch, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the score of each pair (batch.rows[i], items[i]). Row -1 has the zero vector and no bias."""
        valid = (batch.rows >= 0) & (items >= 0)
        user_vectors = batch.vectors.astype(np.float32, copy=False)
        item_vectors = self.item_factors.astype(np.float32, copy=False)
        values = np.full(len(items), self.mean[0], np.float32)
        values[valid] += kernels.pair_scores(user_vectors, batch.rows[valid], item_vectors, items[valid])
        for bias, rows in ((batch.offsets, batch.rows), (self.item_bias, items)):
            if bias is not None:
                values[rows >= 0] += bias[rows[rows >= 0]].astype(np.float32)
        return values

"""Models that describe users and items by factors: a score is mean + user bias + item bias + x . y."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.interactions import Interactions
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Audience, Mask, Top

Floats = NDArray[np.floating]


class FactorModel(Model):
    """What all factor models share: scoring, lists and similar items from the learned arrays.

    user_factors (users, factors), item_factors (items, factors); user_bias (users), item_bias (items) or None;
    mean: one number, in an array of one.
    """

    learned: ClassVar[tuple[str, ...]] = ("user_factors", "item_factors", "user_bias", "item_bias", "mean")
    factors: int = param(default=64, doc="how many numbers describe a user or an item", low=1, search=(8, 256, "log"))

    @property
    def biased(self) -> bool:
        """Whether user and item biases are learned."""
        return False

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        users, items, k = len(data.user_ids), len(data.item_ids), self.factors
        shapes = {"user_factors": (users, k), "item_factors": (items, k), "mean": (1,)}
        shapes |= {"user_bias": (users,), "item_bias": (items,)} if self.biased else {}
        check_shapes(learned, shapes)

    def _prepare(self) -> None:
        self.user_factors: Floats
        self.item_factors: Floats
        self.user_bias: Floats | None
        self.item_bias: Floats | None
        self.mean: Floats
        self.index = None
        for cache in ("_panels", "_directions", "_item_gram"):
            self.__dict__.pop(cache, None)

    def _item_points(self, rows: NDArray[np.int32] | slice = slice(None)) -> Floats:
        """Return items as points: the smaller the angle between two, the more alike they are."""
        return self.item_factors[rows]

    @cached_property
    def _panels(self) -> kernels.Panels:
        """The items as the scoring kernel wants them."""
        bias = None if self.item_bias is None else np.asarray(self.item_bias, np.float32)
        return kernels.pack_items(np.ascontiguousarray(self.item_factors, np.float32), bias)

    @cached_property
    def _directions(self) -> tuple[NDArray[np.float32], kernels.Panels]:
        """The points of the items at length one, plain and packed: their products are cosines."""
        plain = directions(self._item_points())
        return plain, kernels.pack_items(plain, None)

    def _known(self, rows: NDArray[np.int32]) -> Audience:
        return Audience(self.data.by_user, rows, self.user_factors, self.user_bias)

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        assert audience.vectors is not None
        seen = audience.left_out(exclude_seen)
        vectors = np.ascontiguousarray(audience.vectors, np.float32)
        top = Top(*kernels.top_k(self._panels, vectors, audience.rows, n, seen, allowed, threads))
        shift = self.mean[0] + (0 if audience.offsets is None else audience.offsets[audience.rows, None])
        np.add(top.scores, shift, out=top.scores, casting="same_kind")
        return top

    def _most_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> Top:
        if self.index is None or not self.index.answers(len(rows), n, allowed):
            return self._exactly_similar(rows, n, allowed, threads)
        top = self.index.most_similar(self, rows, n)
        short = np.flatnonzero((top.best < 0).any(axis=1))  # the cells that were searched hold too few
        if len(short):
            top.best[short], top.scores[short], _ = self._exactly_similar(rows[short], n, allowed, threads)
        return top

    def _exactly_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> Top:
        plain, packed = self._directions
        own = (np.arange(len(rows) + 1), rows)  # an item is not similar to itself
        order = np.arange(len(rows), dtype=np.int32)
        return Top(*kernels.top_k(packed, plain[rows], order, n, own, allowed, threads))

    def _predict(self, audience: Audience, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """Predict (audience.rows[i], items[i]); row -1 stands for the zero vector and no bias."""
        assert audience.vectors is not None
        known = (audience.rows >= 0) & (items >= 0)
        left, right = (
            audience.vectors.astype(np.float32, copy=False),
            self.item_factors.astype(np.float32, copy=False),
        )
        values = np.full(len(items), self.mean[0], np.float32)
        values[known] += kernels.pair_scores(left, audience.rows[known], right, items[known])
        for bias, rows in ((audience.offsets, audience.rows), (self.item_bias, items)):
            if bias is not None:
                values[rows >= 0] += bias[rows[rows >= 0]].astype(np.float32)
        return values


def directions(points: Floats) -> NDArray[np.float32]:
    """Return points at length one, so that their products are cosines; zero stays zero."""
    lengths = np.linalg.norm(points, axis=-1, keepdims=True)
    unit = np.divide(points, lengths, out=np.zeros_like(points), where=lengths > 0)
    return np.ascontiguousarray(unit, np.float32)

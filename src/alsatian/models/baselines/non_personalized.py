"""`NonPersonalizedModel`: ranks the items in the same order for every user."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Mask, TopN
from alsatian.recommender.user_batch import BatchT


class NonPersonalizedModel(Model[BatchT]):
    """The base of models with one score per item. A list has the highest scores, without the items of the user."""

    @property
    @abstractmethod
    def item_scores(self) -> NDArray[Any]:
        """The score of each item (items,)."""

    def build_caches(self) -> None:
        self.__dict__.pop("_panels", None)

    @cached_property
    def _panels(self) -> kernels.Panels:
        no_factors = np.empty((len(self.item_scores), 0), np.float32)
        return kernels.pack_items(no_factors, self.item_scores.astype(np.float32))

    def rank(self, batch: BatchT, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        no_vectors = np.empty((batch.histories.n_rows, 0), np.float32)
        exclusions = batch.exclusions(exclude_seen)
        return TopN(*kernels.top_k(self._panels, no_vectors, batch.rows, n, exclusions, allowed, threads))

"""Models that rank items alike for everyone: by one number an item."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Audience, Mask, Top


class Impersonal(Model):
    """What they share: the list of the highest numbers, without what each person has seen."""

    @property
    @abstractmethod
    def item_scores(self) -> NDArray[Any]:
        """The number of each item."""

    def _prepare(self) -> None:
        self.__dict__.pop("_panels", None)

    @cached_property
    def _panels(self) -> kernels.Panels:
        no_factors = np.empty((len(self.item_scores), 0), np.float32)
        return kernels.pack_items(no_factors, self.item_scores.astype(np.float32))

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        nobody = np.empty((audience.seen.rows, 0), np.float32)
        seen = audience.left_out(exclude_seen)
        return Top(*kernels.top_k(self._panels, nobody, audience.rows, n, seen, allowed, threads))

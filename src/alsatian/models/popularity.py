"""The baseline that every model must beat: the same list for everyone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.interactions import Interactions
from alsatian.models.base import Model
from alsatian.models.lists import Audience, Mask, Top
from alsatian.models.run import Run


class Popularity(Model):
    """Ranks items by how many users have them. A score is that count; it costs nothing to fit.

    item_counts: (items) the learned array. It has no parameters and no freedom, so its figure in an
    evaluation also proves the evaluator.
    """

    source: ClassVar[str] = "popular"
    learned: ClassVar[tuple[str, ...]] = ("item_counts",)

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        if "item_counts" not in learned or learned["item_counts"].shape != (len(data.item_ids),):
            raise ValueError("item_counts is missing or does not have one number an item")

    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        return {"item_counts": data.item_counts}

    def _prepare(self) -> None:
        self.item_counts: NDArray[np.int64]
        no_factors = np.empty((len(self.item_counts), 0), np.float32)
        self._panels = kernels.pack_items(no_factors, self.item_counts.astype(np.float32))

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        items = len(self.item_counts)
        nobody = np.empty((audience.seen.rows, 0), np.float32)
        seen = (audience.seen.indptr, audience.seen.indices) if exclude_seen else None
        return Top(*kernels.top_k(self._panels, items, nobody, audience.rows, n, seen, allowed, threads))

"""A person who was not in the data, known by a few items: the same questions as for a user."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from alsatian.data.id_map import Id
from alsatian.data.item_lookup import item_row
from alsatian.recommender import resolve
from alsatian.recommender.explanation import Explanation
from alsatian.recommender.options import RecommendOptions
from alsatian.recommender.pipeline import recommend_to_visitor
from alsatian.recommender.recommendations import Recommendations
from alsatian.recommender.scorer import Scorer
from alsatian.recommender.topn import Mask
from alsatian.recommender.user_batch import BatchT


class Visitor(Generic[BatchT]):
    """What `fold_in` returns; the model itself is not changed."""

    def __init__(self, model: Scorer[BatchT], batch: BatchT) -> None:
        self.model = model
        self.batch = batch

    @property
    def likes(self) -> list[str | Id]:
        """The titles (or ids) of the visitor's items."""
        data = self.model.data
        return [
            data.catalog.title_of(int(row)) or data.item_ids.id_of(int(row)) for row in self.batch.histories.indices
        ]

    def __repr__(self) -> str:
        return f"Visitor({', '.join(map(str, self.likes))})"

    def recommend(
        self,
        n: int = 10,
        *,
        exclude_seen: bool = True,
        allow: Iterable[Id] | None = None,
        deny: Iterable[Id] | None = None,
        where: str | Mask | None = None,
        novelty: float = 0.0,
        reasons: bool = False,
        threads: int | None = None,
    ) -> Recommendations:
        """Return the visitor's n best items, as `Model.recommend` does for a user."""
        options = RecommendOptions(n, exclude_seen, allow, deny, where, novelty, reasons=reasons)
        return recommend_to_visitor(self.model, self.batch, self.likes, options, threads)

    def predict(self, items: Id | Iterable[Id], *, clip: bool = False) -> NDArray[np.float32]:
        """Return the predicted value of each item (ids or titles)."""
        self.model.validate_clip(clip)
        rows = resolve.item_rows(self.model.data, items)
        batch = self.batch.with_rows(np.zeros(len(rows), np.int32))
        values = self.model.score_pairs(batch, rows)
        return np.clip(values, *self.model.data.scale) if clip else values

    def explain(self, item: Id) -> Explanation:
        """Return which of the visitor's items speak for this one, and how much."""
        return self.model.explanations(self.batch, 0, [item_row(self.model.data, item)])[0]

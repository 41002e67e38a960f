"""A user who was not in the training data, represented by a history."""

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
    """A visitor, as returned by `Model.fold_in`, with the methods `recommend`, `predict` and `explain`.

    model: the model, which a fold-in does not change. batch: the history in the form that the model uses.
    """

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
        """Return the n items with the highest scores; options as in `Model.recommend`."""
        options = RecommendOptions(n, exclude_seen, allow, deny, where, novelty, reasons=reasons)
        return recommend_to_visitor(self.model, self.batch, self.likes, options, threads)

    def predict(self, items: Id | Iterable[Id], *, clip: bool = False) -> NDArray[np.float32]:
        """Return the score of each item (ids or titles), as `Model.predict` does. Raises UnknownItem, Unsupported."""
        self.model.validate_clip(clip)
        rows = resolve.item_rows(self.model.data, items)
        batch = self.batch.with_rows(np.zeros(len(rows), np.int32))
        values = self.model.score_pairs(batch, rows)
        return np.clip(values, *self.model.data.scale) if clip else values

    def explain(self, item: Id) -> Explanation:
        """Return what each item of the history contributes to the score of `item` (an id or title).

        Raises UnknownItem, Unsupported.
        """
        return self.model.explanations(self.batch, 0, [item_row(self.model.data, item)])[0]

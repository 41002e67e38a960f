"""Fallback: one model for users with enough history, and another for all other users."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alsatian.models.ensemble.base import EnsembleModel, EnsembleUserBatch
from alsatian.models.ensemble.model_parameters import model_param
from alsatian.recommender.explanation import Explanation
from alsatian.recommender.hyperparameters import param
from alsatian.recommender.model import Model
from alsatian.recommender.present import ATTRIBUTES_SOURCE, row_source_labels
from alsatian.recommender.recommendations import SourceLabels
from alsatian.recommender.topn import Mask, TopN


class Fallback(EnsembleModel):
    """Fits two models on the same data; use it to serve new users with a simpler model, or to fill short lists.

    The first model scores users with at least `min_history` items, and the second model all other users. The second
    also fills lists that the first leaves too short.

    A user without values is scored by the first model if it represents them by attributes. Items that only the second
    model can score come after those of the first. The `source` of an item is the model that scored it, or "attributes".
    Similar items come from the first model, unless only the second can score the item.

    Learned: the arrays of both models, "0.item_factors", "1.item_counts" and so on.
    Score: that of the model in `source`.
    Cost: that of both fits.

    >>> fallback = Fallback(first="implicit-als", then="popularity", min_history=5)
    """

    first: Model = model_param(default="implicit-als", doc="the model for users with enough history")
    then: Model = model_param(default="popularity", doc="the model for all other users, and to fill short lists")
    min_history: int = param(default=1, doc="minimum number of items of a user for the first model", low=1)

    @property
    def members(self) -> Sequence[Model]:
        return self.first, self.then

    @property
    def source_label(self) -> str:  # type: ignore[override]
        """The label of the first model, which scores most users."""
        return self.first.source_label

    @property
    def predicts_ratings(self) -> bool:
        """Whether both models predict ratings."""
        return self.first.predicts_ratings and self.then.predicts_ratings

    def _uses_first(self, batch: EnsembleUserBatch) -> Mask:
        """Return the mask of the histories that the first model scores."""
        has_history = batch.histories.counts >= self.min_history
        from_attributes = batch.member_batches[0].from_attributes
        return has_history if from_attributes is None else has_history | from_attributes

    @cached_property
    def _second_only_items(self) -> Mask:
        """The mask of the items that only the second model can score, from their attributes."""
        first_cold, second_cold = self.first.cold_items, self.then.cold_items
        no_items = np.zeros(len(self.data.item_ids), bool)
        return no_items if second_cold is None else second_cold & ~(no_items if first_cold is None else first_cold)

    def build_caches(self) -> None:
        self.__dict__.pop("_second_only_items", None)
        super().build_caches()

    def rank(self, batch: EnsembleUserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        shape = len(batch.rows), n
        top = TopN(np.full(shape, -1, np.int32), np.zeros(shape, np.float32), np.zeros(shape, np.int8))

        def rank_member(member: int, positions: NDArray[np.intp], allowed: Mask | None) -> TopN:
            member_batch = batch.batches_of_members(batch.rows[positions])[member]
            return self.members[member].rank(member_batch, n, exclude_seen, allowed, threads)

        known_positions = np.flatnonzero(self._uses_first(batch)[batch.rows])
        first_allowed = (
            ~self._second_only_items & (True if allowed is None else allowed)
            if self._second_only_items.any()
            else allowed
        )
        top.items[known_positions], top.scores[known_positions], _ = rank_member(0, known_positions, first_allowed)
        incomplete = np.flatnonzero(top.items[:, -1] < 0)
        second = rank_member(1, incomplete, allowed)
        for position, items, scores in zip(incomplete, second.items, second.scores, strict=True):
            _fill_list(top, int(position), items, scores)
        return top

    def source_labels(self, top: TopN, labels: Sequence[str]) -> Sequence[SourceLabels]:
        if top.member is None:  # similar items
            return super().source_labels(top, labels)
        rankings = zip(top.items, top.member, labels, strict=True)
        return [
            self._list_source_labels(items, members, label == ATTRIBUTES_SOURCE) for items, members, label in rankings
        ]

    def _list_source_labels(
        self, items: NDArray[np.int32], members: NDArray[np.int8], from_attributes: bool
    ) -> list[str]:
        """Return the source of each place; from_attributes: whether the user is scored from attributes."""
        labels = [
            ATTRIBUTES_SOURCE if from_attributes and member.cold_users is not None else member.source_label
            for member in self.members
        ]
        labels_by_member = [
            row_source_labels(items, member.cold_items, label)
            for member, label in zip(self.members, labels, strict=True)
        ]
        return [labels_by_member[member][position] for position, member in enumerate(members.tolist())]

    @property
    def supports_similar(self) -> bool:
        if not self.first.supports_similar or self.then.supports_similar or not self.is_fitted:
            return self.first.supports_similar
        return not self._second_only_items.any()

    @property
    def supports_predict(self) -> bool:
        return self.first.supports_predict and self.then.supports_predict

    @property
    def supports_explain(self) -> bool:
        return self.first.supports_explain or self.then.supports_explain

    def rank_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> TopN:
        top = TopN(np.empty((len(rows), n), np.int32), np.empty((len(rows), n), np.float32))
        for member, in_member in enumerate((~self._second_only_items[rows], self._second_only_items[rows])):
            if in_member.any():
                similar = self.members[member].rank_similar(rows[in_member], n, allowed, threads)
                top.items[in_member], top.scores[in_member] = similar.items, similar.scores
        return top

    def score_pairs(self, batch: EnsembleUserBatch, items: NDArray[np.int32]) -> NDArray[np.float32]:
        uses_first = (batch.rows >= 0) & self._uses_first(batch)[batch.rows]
        member_batches = zip(self.members, batch.batches_of_members(batch.rows), strict=True)
        first_scores, second_scores = (
            member.score_pairs(member_batch, items) for member, member_batch in member_batches
        )
        return np.where(uses_first & ~((items >= 0) & self._second_only_items[items]), first_scores, second_scores)

    def explanations(
        self, batch: EnsembleUserBatch, row: int, items: list[int], limit: int | None = None
    ) -> list[Explanation]:
        explanations: dict[int, Explanation] = {}
        uses_first = self._uses_first(batch)[row]
        members = [0 if uses_first and not self._second_only_items[item] else 1 for item in items]
        for member in set(members):
            member_items = [item for item, item_member in zip(items, members, strict=True) if item_member == member]
            explanations |= dict(
                zip(
                    member_items,
                    self.members[member].explanations(batch.member_batches[member], row, member_items, limit),
                    strict=True,
                )
            )
        return [explanations[item] for item in items]


def _fill_list(top: TopN, row: int, items: NDArray[np.int32], scores: NDArray[np.float32]) -> None:
    """Fill the free places of a list with the best items of the second model."""
    assert top.member is not None
    length = np.count_nonzero(top.items[row] >= 0)
    positions = np.flatnonzero((items >= 0) & ~np.isin(items, top.items[row, :length]))[: top.items.shape[1] - length]
    places = slice(length, length + len(positions))
    top.items[row, places], top.scores[row, places], top.member[row, places] = items[positions], scores[positions], 1

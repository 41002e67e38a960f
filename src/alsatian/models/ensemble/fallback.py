"""One model where it knows a person well enough, else another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alsatian.models.ensemble.base import Combined, views
from alsatian.models.ensemble.model_parameters import model_param
from alsatian.recommender.explanation import Explanation
from alsatian.recommender.hyperparameters import param
from alsatian.recommender.model import Model
from alsatian.recommender.present import ATTRIBUTES, sources_of
from alsatian.recommender.recommendations import Source
from alsatian.recommender.topn import Audience, Mask, Top


class Fallback(Combined):
    """Two models fitted on the same data: the first answers for people of whom it has `min_history` values or more, the
    second for the others; and where the first's list is shorter than asked for, the second's best fill it up.

    Whoever has no value but is placed by attributes belongs to the first if that one places her. Items that the second
    alone places are the second's: they come after the first's. Every row of a list names as its `source` the model it
    came from, or "attributes". Similar items are the first's, but those of an item that the second alone places.

    Learned: what both learn, "0.item_factors", "1.item_counts" and so on. Score: that of the model that is named.
    Cost: that of both fits.

    >>> fallback = Fallback(first="implicit-als", then="popularity", min_history=5)
    """

    first: Model = model_param(default="implicit-als", doc="the model that answers for whom it knows well enough")
    then: Model = model_param(default="popularity", doc="the model for the others, and for places left over")
    min_history: int = param(default=1, doc="how many values of a person the first model needs", low=1)

    @property
    def models(self) -> Sequence[Model]:
        return self.first, self.then

    @property
    def source(self) -> str:  # type: ignore[override]
        return self.first.source

    @property
    def predicts(self) -> bool:
        return self.first.predicts and self.then.predicts

    def _well_known(self, audience: Audience) -> Mask:
        """Return for which rows of the audience's histories the first model answers."""
        enough, placed = audience.seen.counts >= self.min_history, audience.views[0].placed
        return enough if placed is None else enough | placed

    @cached_property
    def _left(self) -> Mask:
        """Which items are left to the second model, as it alone places them."""
        first, then = self.first.placed_items, self.then.placed_items
        nothing = np.zeros(len(self.data.item_ids), bool)
        return nothing if then is None else then & ~(nothing if first is None else first)

    def _prepare(self) -> None:
        self.__dict__.pop("_left", None)
        super()._prepare()

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        places = len(audience.rows), n
        top = Top(np.full(places, -1, np.int32), np.zeros(places, np.float32), np.zeros(places, np.int8))

        def ask(part: int, people: NDArray[np.intp], allowed: Mask | None) -> Top:
            view = views(audience, audience.rows[people])[part]
            return self.models[part]._best(view, n, exclude_seen, allowed, threads)

        well = np.flatnonzero(self._well_known(audience)[audience.rows])
        of_first = ~self._left & (True if allowed is None else allowed) if self._left.any() else allowed
        top.best[well], top.scores[well], _ = ask(0, well, of_first)
        short = np.flatnonzero(top.best[:, -1] < 0)
        others = ask(1, short, allowed)
        for person, best, scores in zip(short, others.best, others.scores, strict=True):
            _fill(top, int(person), best, scores)
        return top

    def _sources(self, top: Top, own: Sequence[str]) -> Sequence[Source]:
        if top.origin is None:  # similar items
            return super()._sources(top, own)
        lists_of = zip(top.best, top.origin, own, strict=True)
        return [self._sources_of_list(best, origin, word == ATTRIBUTES) for best, origin, word in lists_of]

    def _sources_of_list(self, best: NDArray[np.int32], origin: NDArray[np.int8], is_placed: bool) -> list[str]:
        """Return what each place names; is_placed: whether the person is placed, by parts that place people."""
        words = [ATTRIBUTES if is_placed and part.placed_users is not None else part.source for part in self.models]
        by_part = [sources_of(best, part.placed_items, word) for part, word in zip(self.models, words, strict=True)]
        return [by_part[part][place] for place, part in enumerate(origin.tolist())]

    @property
    def _knows_similar(self) -> bool:
        return self.first._knows_similar and (self.then._knows_similar or not self._left.any())

    def _most_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> Top:
        top = Top(np.empty((len(rows), n), np.int32), np.empty((len(rows), n), np.float32))
        for part, asked in enumerate((~self._left[rows], self._left[rows])):
            if asked.any():
                found = self.models[part]._most_similar(rows[asked], n, allowed, threads)
                top.best[asked], top.scores[asked] = found.best, found.scores
        return top

    def _predict(self, audience: Audience, items: NDArray[np.int32]) -> NDArray[np.float32]:
        well = (audience.rows >= 0) & self._well_known(audience)[audience.rows]
        people = zip(self.models, views(audience, audience.rows), strict=True)
        first, then = (part._predict(view, items) for part, view in people)
        return np.where(well & ~((items >= 0) & self._left[items]), first, then)

    def _told(self, audience: Audience, row: int, items: list[int], most: int | None = None) -> list[Explanation]:
        told: dict[int, Explanation] = {}
        well = self._well_known(audience)[row]
        of = [0 if well and not self._left[item] else 1 for item in items]
        for part in set(of):
            some = [item for item, its in zip(items, of, strict=True) if its == part]
            told |= dict(zip(some, self.models[part]._told(audience.views[part], row, some, most), strict=True))
        return [told[item] for item in items]


def _fill(top: Top, person: int, best: NDArray[np.int32], scores: NDArray[np.float32]) -> None:
    """Put another model's best at the places of a list that are left."""
    assert top.origin is not None
    have = np.count_nonzero(top.best[person] >= 0)
    new = np.flatnonzero((best >= 0) & ~np.isin(best, top.best[person, :have]))[: top.best.shape[1] - have]
    places = slice(have, have + len(new))
    top.best[person, places], top.scores[person, places], top.origin[person, places] = best[new], scores[new], 1

"""One model where it knows a person well enough, else another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian.explanation import Explanation
from alsatian.interactions import CSR
from alsatian.models.base import Model
from alsatian.models.combined import Combined, views
from alsatian.models.lists import Audience, Mask, Top
from alsatian.models.nested import model_param
from alsatian.models.params import param
from alsatian.ranking import Source


class Fallback(Combined):
    """Two models fitted on the same data: the first answers for people of whom it has `min_history` values or more, the
    second for the others; and where the first's list is shorter than asked for, the second's best fill it up.

    Every row of a list names as its `source` the model it came from. Similar items are the first's.

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

    def _well_known(self, history: CSR) -> NDArray[np.bool_]:
        return history.counts >= self.min_history

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        places = len(audience.rows), n
        top = Top(np.full(places, -1, np.int32), np.zeros(places, np.float32), np.zeros(places, np.int8))

        def ask(part: int, people: NDArray[np.intp]) -> Top:
            view = views(audience, audience.rows[people])[part]
            return self.models[part]._best(view, n, exclude_seen, allowed, threads)

        well = np.flatnonzero(self._well_known(audience.seen)[audience.rows])
        top.best[well], top.scores[well], _ = ask(0, well)
        short = np.flatnonzero(top.best[:, -1] < 0)
        others = ask(1, short)
        for person, best, scores in zip(short, others.best, others.scores, strict=True):
            _fill(top, int(person), best, scores)
        return top

    def _sources(self, top: Top, own: Sequence[str]) -> Sequence[Source]:
        names = [part.source for part in self.models]
        if top.origin is None:  # similar items, which the first one names
            return self.first._sources(top, [names[0]] * len(own))
        return [[names[part] for part in places] for places in top.origin.tolist()]

    def _most_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> Top:
        return self.first._most_similar(rows, n, allowed, threads)

    def _predict(self, audience: Audience, items: NDArray[np.int32]) -> NDArray[np.float32]:
        well = (audience.rows >= 0) & self._well_known(audience.seen)[audience.rows]
        people = zip(self.models, views(audience, audience.rows), strict=True)
        first, then = (part._predict(view, items) for part, view in people)
        return np.where(well, first, then)

    def _explain(self, history: CSR, items: list[int]) -> list[Explanation]:
        return self.models[0 if self._well_known(history)[0] else 1]._explain(history, items)


def _fill(top: Top, person: int, best: NDArray[np.int32], scores: NDArray[np.float32]) -> None:
    """Put another model's best at the places of a list that are left."""
    assert top.origin is not None
    have = np.count_nonzero(top.best[person] >= 0)
    new = np.flatnonzero((best >= 0) & ~np.isin(best, top.best[person, :have]))[: top.best.shape[1] - have]
    places = slice(have, have + len(new))
    top.best[person, places], top.scores[person, places], top.origin[person, places] = best[new], scores[new], 1

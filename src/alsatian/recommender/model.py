"""The contract of every model: what users call checks and translates; the hooks below it do the mathematics."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, NotFitted, ParameterError, Unsupported
from alsatian.recommender import present, resolve, topn
from alsatian.recommender.explanation import Explanation, Shares, explanations
from alsatian.recommender.fit_run import Callback, Epoch, Run
from alsatian.recommender.hyperparameters import Parameters
from alsatian.recommender.novelty import best
from alsatian.recommender.recommendations import Reasons, Recommendations, Source
from alsatian.recommender.topn import Audience, Mask, Top
from alsatian.recommender.user_history import History, visitor_history
from alsatian.recommender.visitor import Visitor

if TYPE_CHECKING:
    from alsatian.models.factors.ann_index import SimilarIndex

Some = Id | Iterable[Id]  # one id, or several


class Model(Parameters):
    """A recommender: hyper-parameters go to the constructor, data to `fit`; a fitted model needs nothing else.

    data: the interactions it was fitted on: ids, catalog, and what each user has seen.
    history: one Epoch per pass, for models that iterate.
    training: a summary of the fit (counts, seconds, digest of the data), kept in the model file.
    """

    source: ClassVar[str]  # what an answer row names as where it came from
    learned: ClassVar[tuple[str, ...]]  # the arrays that a fit sets and a model file keeps
    iterates: ClassVar[bool] = False  # whether a fit goes by epochs
    placed_users: Mask | None = None  # who has factors from attributes alone (models/factors/cold_start.py)
    placed_items: Mask | None = None
    index: SimilarIndex | None = None  # of similar items (models/factors/ann_index.py); without one all is exact

    # What users call

    def fit(
        self,
        data: Interactions,
        *,
        threads: int | None = None,
        progress: bool | None = None,
        callbacks: Iterable[Callback] = (),
    ) -> Self:
        """Learn from interactions and return the model itself. A fit that fails leaves the model as it was.

        threads: how many to use (None: all processors); the result is the same bits with any number.
        progress: draw a bar on stderr (None: only on a terminal).
        callbacks: called with each Epoch, whose `model` is the model as it is then; one that returns True ends the
        fit. `LearningCurves` is one.
        Raises ParameterError for settings that the data does not allow, FitError where the numbers fail.
        """
        if not isinstance(data, Interactions):
            raise ParameterError(f"fit takes what al.read gives, not a {type(data).__name__}; pass al.read(...).")
        self._check(data)
        run = Run(self, data, threads, progress, callbacks)
        learned = self._fit(data, run)
        self.restore(replace(data, times=None), learned, run.history, run.summary)  # a copy drops `data`'s caches
        return self

    def restore(
        self, data: Interactions, learned: Mapping[str, Any], history: list[Epoch], training: dict[str, Any]
    ) -> None:
        """Take over the outcome of a fit, made now or read from a model file."""
        for name in self.learned:
            setattr(self, name, learned.get(name))
        self.data: Interactions = data
        self.history: list[Epoch] = history
        self.training: dict[str, Any] = training
        self._prepare()

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        """Raise ValueError where arrays read from a model file do not fit the data and the parameters."""

    def recommend(
        self,
        users: Some | None = None,
        n: int = 10,
        *,
        exclude_seen: bool = True,
        allow: Iterable[Id] | None = None,
        deny: Iterable[Id] | None = None,
        where: str | Mask | None = None,
        novelty: float = 0.0,
        unknown: Literal["raise", "skip", "popular"] = "raise",
        because: bool = False,
        threads: int | None = None,
    ) -> Recommendations:
        """Return the n best items of one user, of several, or of all (None), best first.

        allow, deny: items (ids or titles) to choose from, or to leave out. where: a condition on the catalog's
        columns, such as "year >= 1990", or a mask of all items. A list is shorter than n only when fewer items remain.
        novelty: from 0 (the n best) to 1 (the least known of the person's best, see recommender/novelty.py).
        unknown: what an unknown user gets: an error, no list ("skip"), or the most popular items ("popular").
        because: give with each item the seen items that speak most for it.
        Raises UnknownUser, UnknownItem, ParameterError.
        """
        asked, rows = resolve.user_rows(self.fitted.data, users, unknown, self.placed_users)
        allowed = resolve.allowed_items(self.data, allow, deny, where)
        n = resolve.check_n(n, len(self.data.item_ids))
        known = np.flatnonzero(rows >= 0)
        audience = self._known(rows[known])
        top = best(self, audience, n, exclude_seen, allowed, novelty, kernels.usable_threads(threads))
        reasons = self.reasons(audience, top) if because else None
        told = iter(self._sources(top, present.sources_of(audience.rows, audience.placed, self.source)))
        sources = [next(told) if row >= 0 else "popular" for row in rows]
        if len(known) < len(rows):
            top = topn.spread(top, known, len(rows), topn.popular(self.data, n, allowed))
            reasons = present.spread_reasons(reasons, rows, n)
        return present.arrange("user", asked, top, sources, self.data, reasons)

    def similar(
        self,
        items: Some,
        n: int = 10,
        *,
        allow: Iterable[Id] | None = None,
        deny: Iterable[Id] | None = None,
        where: str | Mask | None = None,
        threads: int | None = None,
    ) -> Recommendations:
        """Return the n items most like each given one (an id, or a title of the catalog), without itself.

        Filters as in `recommend`. Raises UnknownItem, ParameterError, Unsupported.
        """
        data = self.fitted.data
        rows = np.array([resolve.rated_row(data, item, self.placed_items) for item in resolve.listed(items)], np.int32)
        allowed = resolve.allowed_items(data, allow, deny, where)
        n = resolve.check_n(n, len(data.item_ids))
        top = self._most_similar(rows, n, allowed, kernels.usable_threads(threads))
        sources = self._sources(top, present.sources_of(rows, self.placed_items, self.source))
        return present.arrange("item", data.item_ids.take(rows), top, sources, data)

    def predict(
        self,
        users: Some,
        items: Some,
        *,
        clip: bool = False,
        unknown: Literal["raise", "skip", "baseline"] = "raise",
    ) -> NDArray[np.float32]:
        """Return the score of each pair of user and item; explicit-als predicts the value, in the unit of the data.

        clip: into the scale of the data, where values are predicted.
        unknown: an unknown id raises, gives NaN ("skip"), or is predicted without it ("baseline": by the mean and the
        other side's bias); so does one without values, unless attributes place it.
        Raises UnknownUser, UnknownItem, ParameterError, Unsupported for models without a score for a pair.
        """
        user_rows, item_rows = self._pairs(users, items, unknown)
        values = self.predict_rows(user_rows, item_rows, clip=clip)
        if unknown == "skip":
            values[(user_rows < 0) | (item_rows < 0)] = np.nan
        return values

    def _pairs(self, users: Some, items: Some, unknown: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the rows of pairs, as `lists.pairs` does."""
        return resolve.pairs(self.fitted.data, users, items, unknown, self.placed_users, self.placed_items)

    def predict_rows(
        self, users: NDArray[np.int32], items: NDArray[np.int32], *, clip: bool = False
    ) -> NDArray[np.float32]:
        """Predict pairs given by row number (for evaluation); -1 is a user or item of whom nothing is known."""
        self.check_clip(clip)
        values = self._predict(self._known(users), items)
        return np.clip(values, *self.data.scale, out=values) if clip else values

    def fold_in(self, history: History, *, unknown: Literal["raise", "skip"] = "raise") -> Visitor:
        """Return a visitor who was not in the data, from the items (ids or titles) of a history.

        A mapping gives their values, or events; a bare list means the top of the scale where values are ratings,
        else 1. Rows of raw data become values as those of users did: (item, value or event), with a third part for
        the time, or records {"item": ..., "event": ..., "time": ...}, also by the names of the model's own columns.
        unknown: what becomes of an item that the model does not know: an error, or it is left out ("skip").
        Raises UnknownItem, DataError, ParameterError.
        """
        data = self.fitted.data
        row = visitor_history(data, history, self.top_value, self.bounds, unknown)
        self._check_values(row.values)
        return Visitor(self, self._fold_in(row))

    def explain(self, user: Id, item: Id) -> Explanation:
        """Return which of the user's items speak for this one, and how much: the parts add up to the score.

        Raises UnknownUser, UnknownItem, Unsupported.
        """
        data = self.fitted.data
        _, rows = resolve.user_rows(data, user, "raise", self.placed_users)
        return self._told(self._known(rows), int(rows[0]), [resolve.item_row(data, item)])[0]

    @property
    def predicts(self) -> bool:
        """Whether a score is a value in the unit of the data."""
        return False

    @property
    def epochs_nest(self) -> bool:
        """Whether a fit of fewer epochs is the beginning of one of more, so that one fit tries all their numbers."""
        return "epochs" in self.declared

    @property
    def remark(self) -> str | None:
        """What is worth knowing of the fit beside its epochs and seconds, in a few words."""
        return None

    @property
    def fitted(self) -> Self:
        """The model itself; raises NotFitted before `fit`."""
        if not hasattr(self, "data"):
            raise NotFitted(f"this {self.name} model has learned nothing yet; call fit(data) first.")
        return self

    def check_clip(self, clip: bool) -> None:
        """Refuse to clip scores that are no values of the data."""
        if clip and not self.predicts:
            raise ParameterError(f"clip has no effect on scores of {self.name}, which are no ratings; leave it out.")

    @property
    def top_value(self) -> float:
        """What a favourite is worth when a visitor gives no value: the top of the scale where values are predicted."""
        return self.data.scale[1] if self.predicts else 1.0

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Between which numbers a visitor's values must lie, or None."""
        return self.data.scale if self.predicts else None

    def reasons(self, audience: Audience, top: Top, most: int = 3) -> list[list[Reasons]]:
        """Return, for each item of each list, the items of the person that speak most for it."""
        answer = []
        for row, items in zip(audience.rows, top.best, strict=True):
            told = self._told(audience, row, items[items >= 0].tolist(), most)
            answer.append([[(r.title or r.item, r.contribution) for r in one.reasons] for one in told])
        return answer

    def _told(self, audience: Audience, row: int, items: list[int], most: int | None = None) -> list[Explanation]:
        """Explain items to one person of an audience, by so many reasons each."""
        history = audience.seen.take(np.array([row]))
        return explanations(self.data, history, items, self._explain(history, items), most)

    # The hooks: one model's mathematics, on row numbers

    def _check(self, data: Interactions) -> None:
        """Raise ParameterError or DataError where this data does not suit these settings."""
        if len(data) == 0:
            raise DataError("there are no values to learn from; check what was held out or left out.")
        self._check_values(data.values)

    def _check_values(self, values: NDArray[np.float32]) -> None:
        """Raise DataError for values that mean nothing to this model."""

    @abstractmethod
    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        """Return the learned arrays by name."""

    def _prepare(self) -> None:
        """Renew what is derived from the learned arrays."""

    def _known(self, rows: NDArray[np.int32]) -> Audience:
        """Return these users as an audience."""
        return Audience(self.data.by_user, rows)

    def _fold_in(self, history: CSR) -> Audience:
        """Return visitors, one per row of histories, as an audience."""
        return Audience(history, np.arange(history.rows, dtype=np.int32))

    @abstractmethod
    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        """Return the n best items of each row of the audience."""

    def _sources(self, top: Top, own: Sequence[str]) -> Sequence[Source]:
        """Return what each list, or each of its places, names as where it comes from; `own` is a word for each list."""
        return present.sources_by_place(top, self.placed_items, own)

    @property
    def _knows_similar(self) -> bool:
        """Whether there are similar items."""
        return type(self)._most_similar is not Model._most_similar

    def _most_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> Top:
        raise Unsupported(f"{self.name} knows no similar items; explicit-als and implicit-als do.")

    def _predict(self, audience: Audience, items: NDArray[np.int32]) -> NDArray[np.float32]:
        raise Unsupported(f"{self.name} ranks items and predicts no values; explicit-als does.")

    def _explain(self, history: CSR, items: list[int]) -> Shares:
        raise Unsupported(f"{self.name} has no reasons to give; explicit-als and implicit-als have.")

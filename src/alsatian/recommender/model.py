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
from alsatian.recommender.explanation import Contributions, Explanation, build_explanations
from alsatian.recommender.fit_run import Callback, Epoch, FitRun
from alsatian.recommender.hyperparameters import Hyperparameters
from alsatian.recommender.novelty import rank_with_novelty
from alsatian.recommender.recommendations import Reasons, Recommendations, SourceLabels
from alsatian.recommender.topn import Mask, TopN, UserBatch
from alsatian.recommender.user_history import History, history_to_csr
from alsatian.recommender.visitor import Visitor

if TYPE_CHECKING:
    from alsatian.models.factors.ann_index import SimilarIndex

IdOrIds = Id | Iterable[Id]  # one id, or several


class Model(Hyperparameters):
    """A recommender: hyper-parameters go to the constructor, data to `fit`; a fitted model needs nothing else.

    data: the interactions it was fitted on: ids, catalog, and what each user has seen.
    history: one Epoch per pass, for models that iterate.
    training: a summary of the fit (counts, seconds, digest of the data), kept in the model file.
    """

    source_label: ClassVar[str]  # what an answer row names as where it came from
    state_arrays: ClassVar[tuple[str, ...]]  # the arrays that a fit sets and a model file keeps
    iterates: ClassVar[bool] = False  # whether a fit goes by epochs
    cold_users: Mask | None = None  # who has factors from attributes alone (models/factors/cold_start.py)
    cold_items: Mask | None = None
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
        self.validate_data(data)
        run = FitRun(self, data, threads, progress, callbacks)
        state = self.fit_state(data, run)
        self.set_state(replace(data, times=None), state, run.history, run.summary)  # a copy drops `data`'s caches
        return self

    def set_state(
        self, data: Interactions, state: Mapping[str, Any], history: list[Epoch], training: dict[str, Any]
    ) -> None:
        """Take over the outcome of a fit, made now or read from a model file."""
        for name in self.state_arrays:
            setattr(self, name, state.get(name))
        self.data: Interactions = data
        self.history: list[Epoch] = history
        self.training: dict[str, Any] = training
        self.build_caches()

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        """Raise ValueError where arrays read from a model file do not fit the data and the parameters."""

    def recommend(
        self,
        users: IdOrIds | None = None,
        n: int = 10,
        *,
        exclude_seen: bool = True,
        allow: Iterable[Id] | None = None,
        deny: Iterable[Id] | None = None,
        where: str | Mask | None = None,
        novelty: float = 0.0,
        unknown: Literal["raise", "skip", "popular"] = "raise",
        reasons: bool = False,
        threads: int | None = None,
    ) -> Recommendations:
        """Return the n best items of one user, of several, or of all (None), best first.

        allow, deny: items (ids or titles) to choose from, or to leave out. where: a condition on the catalog's
        columns, such as "year >= 1990", or a mask of all items. A list is shorter than n only when fewer items remain.
        novelty: from 0 (the n best) to 1 (the least known of the person's best, see recommender/novelty.py).
        unknown: what an unknown user gets: an error, no list ("skip"), or the most popular items ("popular").
        reasons: give with each item the seen items that speak most for it.
        Raises UnknownUser, UnknownItem, ParameterError.
        """
        user_ids, rows = resolve.user_rows(self.fitted.data, users, unknown, self.cold_users)
        allowed = resolve.allowed_items(self.data, allow, deny, where)
        n = resolve.validate_n(n, len(self.data.item_ids))
        known_positions = np.flatnonzero(rows >= 0)
        batch = self.encode_users(rows[known_positions])
        top = rank_with_novelty(self, batch, n, exclude_seen, allowed, novelty, kernels.usable_threads(threads))
        item_reasons = self.reasons(batch, top) if reasons else None
        labels = iter(
            self.source_labels(top, present.row_source_labels(batch.rows, batch.from_attributes, self.source_label))
        )
        sources = [next(labels) if row >= 0 else "popular" for row in rows]
        if len(known_positions) < len(rows):
            top = topn.scatter(top, known_positions, len(rows), topn.most_popular(self.data, n, allowed))
            item_reasons = present.scatter_reasons(item_reasons, rows, n)
        return present.to_recommendations("user", user_ids, top, sources, self.data, item_reasons)

    def similar(
        self,
        items: IdOrIds,
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
        rows = np.array(
            [resolve.rated_item_row(data, item, self.cold_items) for item in resolve.as_list(items)], np.int32
        )
        allowed = resolve.allowed_items(data, allow, deny, where)
        n = resolve.validate_n(n, len(data.item_ids))
        top = self.rank_similar(rows, n, allowed, kernels.usable_threads(threads))
        sources = self.source_labels(top, present.row_source_labels(rows, self.cold_items, self.source_label))
        return present.to_recommendations("item", data.item_ids.take(rows), top, sources, data)

    def predict(
        self,
        users: IdOrIds,
        items: IdOrIds,
        *,
        clip: bool = False,
        unknown: Literal["raise", "skip", "bias"] = "raise",
    ) -> NDArray[np.float32]:
        """Return the score of each pair of user and item; explicit-als predicts the value, in the unit of the data.

        clip: into the scale of the data, where values are predicted.
        unknown: an unknown id raises, gives NaN ("skip"), or is predicted without it ("bias": by the mean and the
        other side's bias); so does one without values, unless attributes place it.
        Raises UnknownUser, UnknownItem, ParameterError, Unsupported for models without a score for a pair.
        """
        user_rows, item_rows = self._paired_rows(users, items, unknown)
        values = self.predict_rows(user_rows, item_rows, clip=clip)
        if unknown == "skip":
            values[(user_rows < 0) | (item_rows < 0)] = np.nan
        return values

    def _paired_rows(self, users: IdOrIds, items: IdOrIds, unknown: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the rows of pairs, as `lists.pairs` does."""
        return resolve.paired_rows(self.fitted.data, users, items, unknown, self.cold_users, self.cold_items)

    def predict_rows(
        self, users: NDArray[np.int32], items: NDArray[np.int32], *, clip: bool = False
    ) -> NDArray[np.float32]:
        """Predict pairs given by row number (for evaluation); -1 is a user or item of whom nothing is known."""
        self.check_clip(clip)
        values = self.score_pairs(self.encode_users(users), items)
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
        row = history_to_csr(data, history, self.default_like_value, self.value_range, unknown)
        self.validate_values(row.values)
        return Visitor(self, self.encode_histories(row))

    def explain(self, user: Id, item: Id) -> Explanation:
        """Return which of the user's items speak for this one, and how much: the parts add up to the score.

        Raises UnknownUser, UnknownItem, Unsupported.
        """
        data = self.fitted.data
        _, rows = resolve.user_rows(data, user, "raise", self.cold_users)
        return self.explanations(self.encode_users(rows), int(rows[0]), [resolve.item_row(data, item)])[0]

    @property
    def predicts_ratings(self) -> bool:
        """Whether a score is a value in the unit of the data."""
        return False

    @property
    def epochs_are_nested(self) -> bool:
        """Whether a fit of fewer epochs is the beginning of one of more, so that one fit tries all their numbers."""
        return "epochs" in self.hyperparameters

    @property
    def fit_note(self) -> str | None:
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
        if clip and not self.predicts_ratings:
            raise ParameterError(f"clip has no effect on scores of {self.name}, which are no ratings; leave it out.")

    @property
    def default_like_value(self) -> float:
        """What a favourite is worth when a visitor gives no value: the top of the scale where values are predicted."""
        return self.data.scale[1] if self.predicts_ratings else 1.0

    @property
    def value_range(self) -> tuple[float, float] | None:
        """Between which numbers a visitor's values must lie, or None."""
        return self.data.scale if self.predicts_ratings else None

    def reasons(self, batch: UserBatch, top: TopN, limit: int = 3) -> list[list[Reasons]]:
        """Return, for each item of each list, the items of the person that speak most for it."""
        reasons_by_list = []
        for row, items in zip(batch.rows, top.items, strict=True):
            explanations = self.explanations(batch, row, items[items >= 0].tolist(), limit)
            reasons_by_list.append(
                [
                    [(reason.title or reason.item, reason.contribution) for reason in explanation.reasons]
                    for explanation in explanations
                ]
            )
        return reasons_by_list

    def explanations(self, batch: UserBatch, row: int, items: list[int], limit: int | None = None) -> list[Explanation]:
        """Explain items to one person of an audience, by so many reasons each."""
        history = batch.histories.take(np.array([row]))
        return build_explanations(self.data, history, items, self.contributions(history, items), limit)

    # The hooks: one model's mathematics, on row numbers

    def validate_data(self, data: Interactions) -> None:
        """Raise ParameterError or DataError where this data does not suit these settings."""
        if len(data) == 0:
            raise DataError("there are no values to learn from; check what was held out or left out.")
        self.validate_values(data.values)

    def validate_values(self, values: NDArray[np.float32]) -> None:
        """Raise DataError for values that mean nothing to this model."""

    @abstractmethod
    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        """Return the learned arrays by name."""

    def build_caches(self) -> None:
        """Renew what is derived from the learned arrays."""

    def encode_users(self, rows: NDArray[np.int32]) -> UserBatch:
        """Return these users as an audience."""
        return UserBatch(self.data.by_user, rows)

    def encode_histories(self, history: CSR) -> UserBatch:
        """Return visitors, one per row of histories, as an audience."""
        return UserBatch(history, np.arange(history.n_rows, dtype=np.int32))

    @abstractmethod
    def rank(self, batch: UserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        """Return the n best items of each row of the audience."""

    def source_labels(self, top: TopN, labels: Sequence[str]) -> Sequence[SourceLabels]:
        """Return what each list, or each of its places, names as where it comes from; `own` is a word for each list."""
        return present.list_source_labels(top, self.cold_items, labels)

    @property
    def supports_similar(self) -> bool:
        """Whether there are similar items."""
        return type(self).rank_similar is not Model.rank_similar

    def rank_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> TopN:
        raise Unsupported(f"{self.name} knows no similar items; explicit-als and implicit-als do.")

    def score_pairs(self, batch: UserBatch, items: NDArray[np.int32]) -> NDArray[np.float32]:
        raise Unsupported(f"{self.name} ranks items and predicts no values; explicit-als does.")

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        raise Unsupported(f"{self.name} has no reasons to give; explicit-als and implicit-als have.")

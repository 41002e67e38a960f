"""The public methods of every model: they take ids, and call the hooks of `Scorer` with row numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.data.item_lookup import item_row
from alsatian.errors import ParameterError
from alsatian.recommender import present, registry, resolve
from alsatian.recommender.explanation import Explanation
from alsatian.recommender.fit_run import Callback, FitRun
from alsatian.recommender.options import RecommendOptions, UnknownUserPolicy
from alsatian.recommender.pipeline import recommend_to_users
from alsatian.recommender.recommendations import Recommendations
from alsatian.recommender.scorer import Scorer
from alsatian.recommender.topn import Mask
from alsatian.recommender.user_batch import BatchT
from alsatian.recommender.user_history import History, history_to_csr
from alsatian.recommender.visitor import Visitor

IdOrIds = Id | Iterable[Id]  # one id, or several


class Model(Scorer[BatchT]):
    """A recommender: hyper-parameters go to the constructor, data to `fit`; a fitted model needs nothing else.

    data: the interactions it was fitted on: ids, catalog, and what each user has seen.
    history: one Epoch per pass over the data, for models that iterate.
    training: a summary of the fit (counts, seconds, digest of the data), kept in the model file.
    index: the approximate index of similar items that `build_index` makes, or None: `similar` is exact.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Enter a concrete model into the registry; one with abstract methods is a base of others."""
        super().__init_subclass__(**kwargs)
        if not any(getattr(getattr(cls, name, None), "__isabstractmethod__", False) for name in dir(cls)):
            registry.register(cls)

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
        unknown: UnknownUserPolicy = "raise",
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
        options = RecommendOptions(n, exclude_seen, allow, deny, where, novelty, unknown, reasons)
        return recommend_to_users(self, users, options, threads)

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
        """Return the row numbers of pairs of users and items (see `resolve.paired_rows`)."""
        return resolve.paired_rows(self.fitted.data, users, items, unknown, self.cold_users, self.cold_items)

    def predict_rows(
        self, users: NDArray[np.int32], items: NDArray[np.int32], *, clip: bool = False
    ) -> NDArray[np.float32]:
        """Predict pairs given by row number (for evaluation); -1 is a user or item of whom nothing is known."""
        self.validate_clip(clip)
        values = self.score_pairs(self.encode_users(users), items)
        return np.clip(values, *self.data.scale, out=values) if clip else values

    def fold_in(self, history: History, *, unknown: Literal["raise", "skip"] = "raise") -> Visitor[BatchT]:
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
        return self.explanations(self.encode_users(rows), int(rows[0]), [item_row(data, item)])[0]

    def build_index(self, *, recall: float = 0.95, threads: int | None = None, progress: bool | None = None) -> Self:
        """Build an approximate index for `similar`, for a large catalog, and return the model itself.

        `save` keeps the index; a new fit drops it. Lists with filters, lists longer than 100, and lists for more than
        8 items at once stay exact. `index.benchmark` holds the measured recall and time, and `is_worthwhile`.
        recall: the share of the true ten most similar items to find, above 0 and at most 1.
        threads: how many to use (None: all processors); pass 1 in a forked process. progress: as in `fit`.
        Raises ParameterError, Unsupported for models without item factors or with few items, DependencyError
        without faiss.
        """
        raise registry.unsupported("build_index", self.name, "supports_index")

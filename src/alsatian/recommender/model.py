"""`Model`: the public methods of every model, which take ids and call the hooks of `Scorer` with row numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian._util.html_table import HtmlRepr
from alsatian._util.text_table import TextTable
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


class Model(Scorer[BatchT], HtmlRepr):
    """The base class of all models: pass hyper-parameters to the constructor and interactions to `fit`.

    A fitted model is self-contained: it recommends, explains and can be saved without the original data.

    data: the interactions that the model was fitted on: ids, catalog and the items of each user.
    history: one Epoch per pass over the data, for models that iterate.
    training: a summary of the fit (counts, seconds, digest of the data), stored in the model file.
    index: the approximate index from `build_index`, or None if `similar` is exact.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register a concrete model. A class with abstract methods is a base of models and is not registered."""
        super().__init_subclass__(**kwargs)
        if not any(getattr(getattr(cls, name, None), "__isabstractmethod__", False) for name in dir(cls)):
            registry.register(cls)

    def _html_table(self) -> TextTable:
        """Return the hyper-parameters, the defaults of those that differ from them, and a note on the fit."""
        columns = {"parameter": list(self.hyperparameters)} if self.hyperparameters else {}
        if columns:
            columns["value"] = [repr(getattr(self, name)) for name in self.hyperparameters]
        if self.non_default:
            columns["default"] = [
                repr(declaration.default) if name in self.non_default else ""
                for name, declaration in self.hyperparameters.items()
            ]
        note = f"fitted on {self.data!r}\n{self.fit_description}" if self.is_fitted else "not fitted"
        return TextTable(repr(self), columns, frozenset({"value", "default"}), note)

    def fit(
        self,
        data: Interactions,
        *,
        threads: int | None = None,
        progress: bool | None = None,
        callbacks: Iterable[Callback] = (),
    ) -> Self:
        """Fit the model to interactions and return it. If the fit fails, the model is unchanged.

        threads: how many to use (None: all processors). The result is bit-identical for any number.
        progress: show a progress bar, on stderr or in the notebook (None: only on a terminal and in a notebook).
        callbacks: functions that take an Epoch, whose `model` is the model after that epoch. A callback that returns
        True stops the fit. `LearningCurves` is such a callback.
        Raises ParameterError for settings that are not valid for the data, DataError for values that the model cannot
        use, and FitError if the numbers diverge.
        """
        if not isinstance(data, Interactions):
            raise ParameterError(
                f"fit takes Interactions, not a {type(data).__name__}; pass the result of al.read(...)."
            )
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
        """Return the n items with the highest scores for one user, several, or all (None), best first.

        A list is shorter than n only if fewer items remain.

        exclude_seen: leave out the items of the user's history.
        allow, deny: items (ids or titles) to choose from, or to leave out.
        where: a condition on the item attributes, such as "year >= 1990", or a boolean mask of all items.
        novelty: from 0 (the highest scores) to 1 (the least known of the best candidates, see recommender/novelty.py).
        unknown: what an unknown user gets: an error ("raise"), no list ("skip"), or the most popular items ("popular").
        reasons: add to each item the items of the history that contribute most to its score.
        threads: how many to use (None: all processors).
        Raises UnknownUser, UnknownItem, ParameterError, and Unsupported if the model cannot give reasons.
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
        """Return the n items most similar to each given item (id or title), without the item itself.

        Filters and threads are those of `recommend`. Raises UnknownItem, ParameterError, Unsupported.
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
        """Return the score of each user-item pair, an array (pairs,). A model of ratings returns predicted ratings.

        A single user is paired with every item, and a single item with every user.

        clip: clip the predicted ratings to the scale of the data.
        unknown: for an unknown user or item raise an error, return NaN ("skip"), or predict from the mean and the
        bias of the other side ("bias"). A user or item without values and attributes counts as unknown.
        Raises UnknownUser, UnknownItem, ParameterError, Unsupported for models without a score for a pair.
        """
        user_rows, item_rows = self._paired_rows(users, items, unknown)
        values = self.predict_rows(user_rows, item_rows, clip=clip)
        if unknown == "skip":
            values[(user_rows < 0) | (item_rows < 0)] = np.nan
        return values

    def _paired_rows(self, users: IdOrIds, items: IdOrIds, unknown: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the row numbers of user-item pairs (see `resolve.paired_rows`)."""
        return resolve.paired_rows(self.fitted.data, users, items, unknown, self.cold_users, self.cold_items)

    def predict_rows(
        self, users: NDArray[np.int32], items: NDArray[np.int32], *, clip: bool = False
    ) -> NDArray[np.float32]:
        """Return the score of each pair of row numbers, as evaluation needs it. -1 is an unknown user or item."""
        self.validate_clip(clip)
        values = self.score_pairs(self.encode_users(users), items)
        return np.clip(values, *self.data.scale, out=values) if clip else values

    def fold_in(self, history: History, *, unknown: Literal["raise", "skip"] = "raise") -> Visitor[BatchT]:
        """Return a visitor: a user who was not in the training data, represented by a history of items.

        history: a list of items (ids or titles), a mapping from items to values or events, or rows of raw data.
        An item without a value gets the top of the scale if values are ratings, else 1.
        A row is (item, value or event), (item, value or event, time), or {"item": ..., "event": ..., "time": ...}.
        A record may also use the column names of the training data. The recipe of the data turns rows into values.
        unknown: an unknown item raises an error ("raise") or is left out ("skip").
        Raises UnknownItem, DataError, ParameterError.
        """
        data = self.fitted.data
        row = history_to_csr(data, history, self.default_like_value, self.value_range, unknown)
        self.validate_values(row.values)
        return Visitor(self, self.encode_histories(row))

    def explain(self, user: Id, item: Id) -> Explanation:
        """Return what each item of the user's history contributes to the score of `item` (an id or title).

        The score is the sum of a base and the contributions. Raises UnknownUser, UnknownItem, Unsupported.
        """
        data = self.fitted.data
        _, rows = resolve.user_rows(data, user, "raise", self.cold_users)
        return self.explanations(self.encode_users(rows), int(rows[0]), [item_row(data, item)])[0]

    def build_index(self, *, recall: float = 0.95, threads: int | None = None, progress: bool | None = None) -> Self:
        """Build an approximate nearest neighbor index for `similar`, and return the model itself.

        It pays off for large catalogs. `save` stores the index; a new fit drops it. Lists with filters, lists longer
        than 100, and lists for more than 8 items at once stay exact. `index.benchmark` has the measured recall and
        time, and `is_worthwhile`.

        recall: the share of the true ten most similar items to find, above 0 and at most 1.
        threads: how many to use (None: all processors); pass 1 in a forked process. progress: as in `fit`.
        Raises ParameterError, Unsupported for models without item factors or with few items, DependencyError
        without faiss.
        """
        raise registry.unsupported("build_index", self.name, "supports_index")

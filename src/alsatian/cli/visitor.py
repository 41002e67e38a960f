"""A visitor who is not in the training data: folded in, or added to the data for a new fit."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from alsatian._util.formatting import format_duration
from alsatian.cli.item_lookup import find_item, parse_like
from alsatian.cli.reread import drop_user_attributes, reread_source
from alsatian.cli.terminal import note_stderr
from alsatian.errors import DataError, pluralize

if TYPE_CHECKING:
    from alsatian.data.id_map import Id
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model
    from alsatian.recommender.recommendations import Recommendations
    from alsatian.recommender.visitor import Visitor

LikeHistory = dict["Id", float | str | None]


def parse_history(data: Interactions, like_texts: list[str]) -> LikeHistory:
    """Parse the texts of --like to item -> value or event (None: the highest value).

    If an item is repeated, the last text wins. Raises DataError if no item is a like, UnknownItem, ParameterError.
    """
    history: LikeHistory = {}
    non_likes: list[str] = []
    for text in like_texts:
        item, _, event = (part.strip() for part in text.rpartition("="))
        if item and event in data.recipe.events:
            if data.recipe.value_of(data.recipe.events[event]) is None:
                non_likes.append(text)
            else:
                history[find_item(data, item)] = event
            continue
        like_option = parse_like(text)
        if like_option.value is None or data.recipe.value_of(like_option.value) is not None:
            history[find_item(data, like_option.item_text)] = like_option.value
        else:
            non_likes.append(f"{like_option.item_text}={like_option.value:g}")
    if non_likes:
        verb = "is not a like" if len(non_likes) == 1 else "are not likes"
        message = f"{' and '.join(non_likes)} {verb} (the model takes {data.recipe.min_rating:g} or more as likes)"
        if not history:
            raise DataError(f"{message}, and no other item is given; pass another --like.")
        note_stderr(f"{message}; ignored")
    return history


@dataclass(frozen=True)
class RefittedVisitor:
    """A visitor who was added to the data before a new fit; has the `recommend` of a folded-in Visitor."""

    model: Model
    user: Id

    def recommend(self, n: int, **options: Any) -> Recommendations:
        """Return the n best items for the visitor; options as for `Model.recommend`."""
        data = self.model.data
        items, _ = data.by_user.row(data.user_ids.row(self.user))
        titles = [data.catalog.title_of(row) or data.item_ids.id_of(row) for row in items.tolist()]
        return replace(self.model.recommend([self.user], n, **options), query_kind="like", queries=[titles])


def fold_in(model: Model, like_texts: list[str]) -> Visitor:
    """Fold a visitor into the model; print a note with the time that it took.

    Raises DataError if no item is a like, UnknownItem, ParameterError.
    """
    history = parse_history(model.data, like_texts)
    start = time.perf_counter()
    visitor = model.fold_in(cast(Any, history))
    note_stderr(f"folded in {pluralize(len(history), 'item')} in {format_duration(time.perf_counter() - start)}")
    return visitor


def refit_with_visitor(model: Model, source: str, like_texts: list[str], threads: int | None) -> RefittedVisitor:
    """Reread the source, add the visitor as a new user, and fit again with the settings of the model."""
    start = time.perf_counter()
    data = reread_source(model, source)
    read_end = time.perf_counter()
    data, visitor = add_visitor(data, parse_history(data, like_texts), model.default_like_value)
    fitted = type(model)(**drop_user_attributes(model.params)).fit(data, threads=threads)
    seconds, read_duration = format_duration(time.perf_counter() - start), format_duration(read_end - start)
    note_stderr(f"fitted {model.name} again with the visitor in {seconds} ({read_duration} to read {source})")
    return RefittedVisitor(fitted, visitor)


def add_visitor(data: Interactions, history: LikeHistory, top_value: float) -> tuple[Interactions, Id]:
    """Append a user to the data, with the newest time for all values; return the data and the user's id."""
    import numpy as np

    from alsatian.data.catalog import Catalog
    from alsatian.data.id_map import IdMap
    from alsatian.recommender.user_history import history_to_csr

    row, old_rows = history_to_csr(data, cast(Any, history), top_value), data.by_user
    last_id = data.user_ids.id_of(len(data.user_ids) - 1)
    visitor: Id = last_id + "+" if isinstance(last_id, str) else last_id + 1
    weights = (
        None if old_rows.weights is None else np.concatenate([old_rows.weights, np.ones(len(row.values), np.float32)])
    )
    by_user = replace(
        old_rows,
        indptr=np.append(old_rows.indptr, old_rows.indptr[-1] + len(row.indices)),
        indices=np.concatenate([old_rows.indices, row.indices]),
        values=np.concatenate([old_rows.values, row.values]),
        weights=weights,
    )
    user_ids = IdMap.from_ids([*data.user_ids.tolist(), visitor], "user")
    times = None if data.times is None else np.append(data.times, np.repeat(data.times.max(), len(row.indices)))
    return replace(data, user_ids=user_ids, by_user=by_user, times=times, user_table=Catalog()), visitor

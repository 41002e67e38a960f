"""A visitor who is not in the data: folded in, or added to the data for a new fit."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from alsatian._util.formatting import duration
from alsatian.cli.item_lookup import find_item, parse_like
from alsatian.cli.reread import read_again, without_users
from alsatian.cli.terminal import aside
from alsatian.errors import DataError, counted

if TYPE_CHECKING:
    from alsatian.data.id_map import Id
    from alsatian.data.interactions import Interactions
    from alsatian.models import Model
    from alsatian.recommender.recommendations import Recommendations
    from alsatian.recommender.visitor import Visitor

History = dict["Id", float | str | None]


def history_of(data: Interactions, likes: list[str]) -> History:
    """Return item -> value or event (None: the top of the scale) for what --like names; of several the last counts."""
    history: History = {}
    dropped: list[str] = []
    for text in likes:
        item, _, event = (part.strip() for part in text.rpartition("="))
        if item and event in data.recipe.events:
            if data.recipe.value_of(data.recipe.events[event]) is None:
                dropped.append(text)
            else:
                history[find_item(data, item)] = event
            continue
        liked = parse_like(text)
        if liked.value is None or data.recipe.value_of(liked.value) is not None:
            history[find_item(data, liked.written)] = liked.value
        else:
            dropped.append(f"{liked.written}={liked.value:g}")
    if dropped:
        are = "is no like" if len(dropped) == 1 else "are no likes"
        told = f"{' and '.join(dropped)} {are} here (likes are {data.recipe.at_least:g} and more)"
        if not history:
            raise DataError(f"{told}, and nothing else was named; give another --like.")
        aside(f"{told}; left out")
    return history


@dataclass(frozen=True)
class Joined:
    """A visitor who was made a user of a model of her own; answers as a visitor who was folded in does."""

    model: Model
    user: Id

    def recommend(self, n: int, **options: Any) -> Recommendations:
        data = self.model.data
        items, _ = data.by_user.row(data.user_ids.row(self.user))
        titles = [data.catalog.title_of(row) or data.item_ids.id_of(row) for row in items.tolist()]
        return replace(self.model.recommend([self.user], n, **options), asked="like", queries=[titles])


def fold_in(model: Model, likes: list[str]) -> Visitor:
    """Fold a visitor into the model, and say how long it took."""
    history = history_of(model.data, likes)
    begun = time.perf_counter()
    visitor = model.fold_in(cast(Any, history))
    aside(f"folded in {counted(len(history), 'item')} in {duration(time.perf_counter() - begun)}")
    return visitor


def retrain_with(model: Model, source: str, likes: list[str], threads: int | None) -> Joined:
    """Read the source as the model's was, add the visitor as a new user, and fit anew with the same settings."""
    begun = time.perf_counter()
    data = read_again(model, source)
    read = time.perf_counter()
    data, visitor = with_visitor(data, history_of(data, likes), model.top_value)
    fitted = type(model)(**without_users(model.params)).fit(data, threads=threads)
    seconds, reading = duration(time.perf_counter() - begun), duration(read - begun)
    aside(f"fitted {model.name} anew with the visitor in {seconds}, of which {reading} to read {source}")
    return Joined(fitted, visitor)


def with_visitor(data: Interactions, history: History, top_value: float) -> tuple[Interactions, Id]:
    """Return the data with one more user, the last, whose values are as new as the newest, and that user's id."""
    import numpy as np

    from alsatian.data.catalog import Catalog
    from alsatian.data.id_map import Ids
    from alsatian.recommender.user_history import visitor_history

    row, old = visitor_history(data, cast(Any, history), top_value), data.by_user
    last = data.user_ids.id_of(len(data.user_ids) - 1)
    visitor: Id = last + "+" if isinstance(last, str) else last + 1
    weights = None if old.weights is None else np.concatenate([old.weights, np.ones(len(row.values), np.float32)])
    by_user = replace(
        old,
        indptr=np.append(old.indptr, old.indptr[-1] + len(row.indices)),
        indices=np.concatenate([old.indices, row.indices]),
        values=np.concatenate([old.values, row.values]),
        weights=weights,
    )
    user_ids = Ids.of([*data.user_ids.tolist(), visitor], "user")
    times = None if data.times is None else np.append(data.times, np.repeat(data.times.max(), len(row.indices)))
    return replace(data, user_ids=user_ids, by_user=by_user, times=times, profiles=Catalog()), visitor

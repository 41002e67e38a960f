"""The questions, asked of the model in service. What goes in is checked JSON, what comes out is JSON; no HTTP here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian.data.id_map import Id, Ids
from alsatian.data.interactions import Interactions
from alsatian.errors import AlsatianError, UnknownUser
from alsatian.models import Model
from alsatian.recommender.explanation import Explanation
from alsatian.recommender.present import arrange
from alsatian.recommender.recommendations import Recommendations, json_id
from alsatian.recommender.resolve import allowed_items, item_row
from alsatian.recommender.topn import popular
from alsatian.recommender.visitor import Visitor
from alsatian.serving.event_log.store import Events, Gone
from alsatian.serving.prometheus import Counters
from alsatian.serving.service.live_model import Current, Served
from alsatian.serving.service.user_updates import carried_on

Unknown = Literal["raise", "skip", "popular"]
Row = dict[str, Any]  # of raw data: item, and value, event, time or signals


@dataclass(frozen=True)
class Wishes:
    """How a list is to be: the words of `Model.recommend`."""

    n: int = 10
    exclude_seen: bool = True
    allow: Sequence[Id] | None = None
    deny: Sequence[Id] | None = None
    where: str | None = None
    novelty: float = 0.0
    because: bool = False

    def options(self, served: Served) -> dict[str, Any]:
        """Return the arguments for `recommend` of a model or a visitor."""
        return filters(served, self.allow, self.deny, self.where) | {
            "n": self.n, "exclude_seen": self.exclude_seen, "novelty": self.novelty, "because": self.because,
            "threads": 1,
        }  # fmt: skip


def filters(served: Served, allow: Iterable[Id] | None, deny: Iterable[Id] | None, where: str | None) -> dict[str, Any]:
    """Return the arguments that say which items may be listed."""
    data = served.model.data
    return {
        "allow": None if allow is None else [item_of(data, item) for item in allow],
        "deny": None if deny is None else [item_of(data, item) for item in deny],
        "where": None if where is None else served.matching(where),
    }


class Engine:
    """Answers from the model that is in service when the question comes."""

    def __init__(self, current: Current, events: Events | None = None, counters: Counters | None = None) -> None:
        self.current, self.events, self.counters = current, events, counters

    @property
    def served(self) -> Served:
        return self.current.served

    @property
    def waits(self) -> bool:
        """Whether a question may wait for another machine: the events database."""
        return self.events is not None and not self.events.local

    def for_user(self, user: Id, wishes: Wishes, unknown: Unknown = "raise") -> dict[str, Any]:
        """Return the list of a user: with what she did since the model was trained, if she did anything."""
        served = self.served
        asked = user_of(served.model.data.user_ids, user)
        return self._list_of(served, asked, self._since(served.model, asked), wishes, unknown)

    def _list_of(
        self, served: Served, asked: Id, rows: Sequence[Row], wishes: Wishes, unknown: Unknown
    ) -> dict[str, Any]:
        """Return the list of a user, with rows of hers folded in."""
        options = wishes.options(served)
        if rows:
            if self.counters:
                self.counters.folded.inc()
            visitor, touched = carried_on(served.model, asked, rows)
            options = _without(options, touched, served) if wishes.exclude_seen else options
            if visitor is not None:
                return one(as_user(visitor, asked, options), "user", asked) | {"events": len(rows)}
            if has_values(served.model.data, asked):  # she took back all that the model learned of her
                return _popular(served, asked, options) | {"events": len(rows)}
        answer = served.model.recommend([asked], unknown=unknown, **options)
        return one(answer, "user", asked) | {"events": len(rows)}

    def for_users(self, users: Sequence[str], wishes: Wishes) -> list[dict[str, Any] | None]:
        """Return the lists of several users, None for one who gets an error.

        One pass over the items serves all of whom there is nothing new: half the time of one for each.
        """
        served, ids = self.served, self.served.model.data.user_ids
        asked = [_as_id(ids, user) for user in users]
        since = {user: self._since(served.model, user) for user in asked}
        old = [user for user, rows in since.items() if ids.find(user) >= 0 and not rows]
        lists = served.model.recommend(old, unknown="skip", **wishes.options(served)).to_dicts()
        found: dict[Any, dict[str, Any] | None] = {told["user"]: {**told, "events": 0} for told in lists}
        for user, rows in since.items():
            if json_id(user) not in found:
                try:
                    found[json_id(user)] = self._list_of(served, user, rows, wishes, "raise")
                except AlsatianError:
                    found[json_id(user)] = None
        return [found[json_id(user)] for user in asked]

    def _since(self, model: Model, user: Id) -> list[Row]:
        """Return what the database has of a user, but for what the model learned from. Out of reach, it is left out."""
        if self.events is None:
            return []
        learned = model.training.get("events", {})
        after = learned.get("through", 0) if learned.get("database") == self.events.name else 0
        try:
            found = self.events.of_user(str(user), after)
        except Gone:
            if self.counters:
                self.counters.without_events.inc()
            return []
        return [event.row | {"item": _as_id(model.data.item_ids, event.item)} for event in found]

    def for_visitor(self, history: Sequence[Row], wishes: Wishes, unknown: Literal["raise", "skip"]) -> dict[str, Any]:
        """Return the list of somebody who says what he likes, or did."""
        served = self.served
        visitor = visitor_of(served.model, history, unknown)
        return one(visitor.recommend(**wishes.options(served)), "like", visitor.likes)

    def popular(self, wishes: Wishes) -> dict[str, Any]:
        """Return what most people have, for somebody of whom nothing is known."""
        return _popular(self.served, "", wishes.options(self.served))

    def seen(self, user: Id, n: int) -> list[str]:
        """Return the ids of what a user has, the best first, what is new before it."""
        model = self.served.model
        asked = user_of(model.data.user_ids, user)
        new = [str(row["item"]) for row in self._since(model, asked)][::-1]
        old: list[str] = []
        if (row := model.data.user_ids.find(asked)) >= 0:
            items, values = model.data.by_user.row(row)
            best = items[np.lexsort((-model.data.item_counts[items], -values))]
            old = [str(item) for item in model.data.item_ids.take(best[:n])]
        return list(dict.fromkeys(new + old))[:n]

    def similar(
        self, item: Id, n: int, allow: Sequence[Id] | None, deny: Sequence[Id] | None, where: str | None
    ) -> dict[str, Any]:
        """Return what is like an item."""
        served = self.served
        asked = item_of(served.model.data, item)
        return one(served.model.similar([asked], n, threads=1, **filters(served, allow, deny, where)), "item", asked)

    def explain_user(self, user: Id, item: Id) -> dict[str, Any]:
        """Say which of a user's items speak for an item."""
        model = self.served.model
        asked = user_of(model.data.user_ids, user)
        if rows := self._since(model, asked):
            visitor, _ = carried_on(model, asked, rows)
            if visitor is not None:
                return {"user": json_id(asked)} | told(visitor.explain(item_of(model.data, item)))
            if has_values(model.data, asked):
                raise UnknownUser(f"user {asked!r} took back all that the model knows; nothing speaks for an item now.")
        return {"user": json_id(asked)} | told(model.explain(asked, item_of(model.data, item)))

    def explain_visitor(self, history: Sequence[Row], item: Id, unknown: Literal["raise", "skip"]) -> dict[str, Any]:
        """Say which items of a history speak for an item."""
        model = self.served.model
        visitor = visitor_of(model, history, unknown)
        return {"like": json_id(visitor.likes)} | told(visitor.explain(item_of(model.data, item)))

    def search(self, query: str, n: int) -> list[dict[str, Any]]:
        """Return the items whose titles are most like what somebody types; of items without titles, by id."""
        data = self.served.model.data
        if not data.catalog.titles:
            rows = [row] if (row := _row_by_id(data, query)) >= 0 else []
            return [described(data, row) for row in rows]
        found = data.catalog.search(query, data.item_counts, limit=n)
        return [described(data, match.row) | {"match": match.score} for match in found]

    def item(self, item: Id) -> dict[str, Any]:
        """Return what is known of an item."""
        data = self.served.model.data
        return described(data, data.item_ids.row(item_of(data, item)))

    def about(self) -> dict[str, Any]:
        """Return what is in service."""
        served, model = self.served, self.served.model
        data = model.data
        return {
            "model": model.name,
            "params": model.params,
            "users": len(data.user_ids),
            "items": len(data.item_ids),
            "values": len(data),
            "scale": list(data.scale) if model.predicts else None,
            "events": data.recipe.events,
            "attributes": {name: column.type for name, column in data.catalog.columns.items()},
            "ids": {"user": data.user_ids.kind, "item": data.item_ids.kind},
            "training": model.training,
            "index": None if model.index is None else model.index.to_json(),
            "since": served.since,
            "swaps": self.current.swaps,
            "trouble": self.current.trouble,
        }


def one(answer: Recommendations, asked: str, query: Any) -> dict[str, Any]:
    """Return the one list of an answer; a user who was skipped has an empty one."""
    found = next(answer.to_dicts(), None)
    return {asked: json_id(query), "items": found["items"] if found else []}


def _popular(served: Served, user: Id, options: dict[str, Any]) -> dict[str, Any]:
    data = served.model.data
    allowed = allowed_items(data, options["allow"], options["deny"], options["where"])
    return one(arrange("user", [user], popular(data, options["n"], allowed), ["popular"], data), "user", user)


def has_values(data: Interactions, user: Id) -> bool:
    row = data.user_ids.find(user)
    return row >= 0 and bool(data.by_user.counts[row])


def as_user(visitor: Visitor, user: Id, options: dict[str, Any]) -> Recommendations:
    """Answer a user by what is folded in."""
    return replace(visitor.recommend(**options), asked="user", queries=[user])


def _without(options: dict[str, Any], touched: NDArray[np.int32], served: Served) -> dict[str, Any]:
    """Leave out what a user has rated since, also what does not count as a value."""
    where = options["where"]
    mask = np.ones(len(served.model.data.item_ids), np.bool_) if where is None else where.copy()
    mask[touched] = False
    return options | {"where": mask}


def _as_id(ids: Ids, written: str) -> Id:
    """Return an id as this numbering has ids; what cannot be one is unknown."""
    try:
        return ids.parse(written)
    except AlsatianError:
        return written


def visitor_of(model: Model, history: Sequence[Row], unknown: Literal["raise", "skip"]) -> Visitor:
    """Fold in rows of raw data, whose items are ids or titles."""
    data = model.fitted.data
    return model.fold_in([row | {"item": _known_item(data, row["item"])} for row in history], unknown=unknown)


def user_of(ids: Ids, given: Id) -> Id:
    """Return a user's id as this model has ids: JSON and URLs may write an integer as text."""
    return ids.parse(given) if isinstance(given, str) else given


def item_of(data: Interactions, given: Id) -> Id:
    """Return the id of an item that is written as an id or a title. Raises UnknownItem."""
    row = _row_by_id(data, given)
    return data.item_ids.id_of(row if row >= 0 else item_row(data, given))


def _known_item(data: Interactions, given: Id) -> Id:
    """Return an item's id, or what is given where it is unknown, for the library to say so."""
    return data.item_ids.id_of(row) if (row := _row_by_id(data, given)) >= 0 else given


def _row_by_id(data: Interactions, given: Id) -> int:
    try:
        return data.item_ids.find(data.item_ids.parse(given) if isinstance(given, str) else given)
    except AlsatianError:  # ids are integers, and this is none
        return -1


def described(data: Interactions, row: int) -> dict[str, Any]:
    """Return an item: its id, title and attributes, and how many people have it."""
    catalog = data.catalog
    return {
        "item": json_id(data.item_ids.id_of(row)),
        "title": catalog.title_of(row),
        "attributes": catalog.attributes(row),
        "count": int(data.item_counts[row]),
    }


def told(answer: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON holds it."""
    record = answer.to_json()
    record["item"] = json_id(record["item"])
    record["reasons"] = [reason | {"item": json_id(reason["item"])} for reason in record["reasons"]]
    return record

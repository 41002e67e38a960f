"""The questions, asked of the model in service. What goes in is checked JSON, what comes out is JSON; no HTTP here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian.data.id_map import Id, IdMap
from alsatian.data.interactions import Interactions
from alsatian.data.item_lookup import item_row, match_item
from alsatian.errors import AlsatianError, UnknownUser
from alsatian.models import Model
from alsatian.recommender.explanation import Explanation
from alsatian.recommender.present import to_recommendations
from alsatian.recommender.recommendations import Recommendations, to_json_id
from alsatian.recommender.resolve import allowed_items
from alsatian.recommender.topn import most_popular
from alsatian.recommender.visitor import Visitor
from alsatian.serving.event_log.store import DatabaseUnavailable, EventStore
from alsatian.serving.prometheus import Counters
from alsatian.serving.service.live_model import LiveModel, LoadedModel
from alsatian.serving.service.user_updates import apply_events

UnknownUserPolicy = Literal["raise", "skip", "popular"]
RawRow = dict[str, Any]  # of raw data: item, and value, event, time or signals


@dataclass(frozen=True)
class RecommendOptions:
    """How a list is to be: the words of `Model.recommend`."""

    n: int = 10
    exclude_seen: bool = True
    allow: Sequence[Id] | None = None
    deny: Sequence[Id] | None = None
    where: str | None = None
    novelty: float = 0.0
    reasons: bool = False

    def arguments(self, loaded_model: LoadedModel) -> dict[str, Any]:
        """Return the arguments for `recommend` of a model or a visitor."""
        return filter_arguments(loaded_model, self.allow, self.deny, self.where) | {
            "n": self.n, "exclude_seen": self.exclude_seen, "novelty": self.novelty, "reasons": self.reasons,
            "threads": 1,
        }  # fmt: skip


def filter_arguments(
    loaded_model: LoadedModel, allow: Iterable[Id] | None, deny: Iterable[Id] | None, where: str | None
) -> dict[str, Any]:
    """Return the arguments that say which items may be listed."""
    data = loaded_model.model.data
    return {
        "allow": None if allow is None else [resolve_item(data, item) for item in allow],
        "deny": None if deny is None else [resolve_item(data, item) for item in deny],
        "where": None if where is None else loaded_model.where_mask(where),
    }


class RecommendationService:
    """Answers from the model that is in service when the question comes."""

    def __init__(
        self, live_model: LiveModel, events: EventStore | None = None, counters: Counters | None = None
    ) -> None:
        self.live_model, self.events, self.counters = live_model, events, counters

    @property
    def loaded_model(self) -> LoadedModel:
        return self.live_model.loaded_model

    @property
    def may_block(self) -> bool:
        """Whether a question may wait for another machine: the events database."""
        return self.events is not None and not self.events.is_sqlite

    def recommend_to_user(
        self, user: Id, options: RecommendOptions, unknown: UnknownUserPolicy = "raise"
    ) -> dict[str, Any]:
        """Return the list of a user: with what she did since the model was trained, if she did anything."""
        loaded_model = self.loaded_model
        user_id = parse_user_id(loaded_model.model.data.user_ids, user)
        return self._recommend_with_rows(
            loaded_model, user_id, self._new_rows(loaded_model.model, user_id), options, unknown
        )

    def _recommend_with_rows(
        self,
        loaded_model: LoadedModel,
        user_id: Id,
        rows: Sequence[RawRow],
        options: RecommendOptions,
        unknown: UnknownUserPolicy,
    ) -> dict[str, Any]:
        """Return the list of a user, with rows of hers folded in."""
        arguments = options.arguments(loaded_model)
        if rows:
            if self.counters:
                self.counters.fold_ins.inc()
            visitor, event_items = apply_events(loaded_model.model, user_id, rows)
            arguments = _exclude_items(arguments, event_items, loaded_model) if options.exclude_seen else arguments
            if visitor is not None:
                return single_list(user_recommendations(visitor, user_id, arguments), "user", user_id) | {
                    "events": len(rows)
                }
            if has_values(loaded_model.model.data, user_id):  # she took back all that the model learned of her
                return _popular_list(loaded_model, user_id, arguments) | {"events": len(rows)}
        recommendations = loaded_model.model.recommend([user_id], unknown=unknown, **arguments)
        return single_list(recommendations, "user", user_id) | {"events": len(rows)}

    def recommend_to_users(self, users: Sequence[str], options: RecommendOptions) -> list[dict[str, Any] | None]:
        """Return the lists of several users, None for one who gets an error.

        One pass over the items serves all of whom there is nothing new: half the time of one for each.
        """
        loaded_model, ids = self.loaded_model, self.loaded_model.model.data.user_ids
        user_ids = [_parse_id(ids, user) for user in users]
        new_rows = {user: self._new_rows(loaded_model.model, user) for user in user_ids}
        unchanged_users = [user for user, rows in new_rows.items() if ids.find(user) >= 0 and not rows]
        lists = loaded_model.model.recommend(
            unchanged_users, unknown="skip", **options.arguments(loaded_model)
        ).to_dicts()
        lists_by_user: dict[Any, dict[str, Any] | None] = {record["user"]: {**record, "events": 0} for record in lists}
        for user, rows in new_rows.items():
            if to_json_id(user) not in lists_by_user:
                try:
                    lists_by_user[to_json_id(user)] = self._recommend_with_rows(
                        loaded_model, user, rows, options, "raise"
                    )
                except AlsatianError:
                    lists_by_user[to_json_id(user)] = None
        return [lists_by_user[to_json_id(user)] for user in user_ids]

    def _new_rows(self, model: Model, user: Id) -> list[RawRow]:
        """Return what the database has of a user, but for what the model learned from. Out of reach, it is left out."""
        if self.events is None:
            return []
        trained_events = model.training.get("events", {})
        after = trained_events.get("through", 0) if trained_events.get("database") == self.events.database_id else 0
        try:
            events = self.events.user_events(str(user), after)
        except DatabaseUnavailable:
            if self.counters:
                self.counters.lists_without_events.inc()
            return []
        return [event.raw_row | {"item": _parse_id(model.data.item_ids, event.item)} for event in events]

    def recommend_to_visitor(
        self, history: Sequence[RawRow], options: RecommendOptions, unknown: Literal["raise", "skip"]
    ) -> dict[str, Any]:
        """Return the list of somebody who says what he likes, or did."""
        loaded_model = self.loaded_model
        visitor = fold_in_history(loaded_model.model, history, unknown)
        return single_list(visitor.recommend(**options.arguments(loaded_model)), "like", visitor.likes)

    def popular_items(self, options: RecommendOptions) -> dict[str, Any]:
        """Return what most people have, for somebody of whom nothing is known."""
        return _popular_list(self.loaded_model, "", options.arguments(self.loaded_model))

    def seen_items(self, user: Id, n: int) -> list[str]:
        """Return the ids of what a user has, the best first, what is new before it."""
        model = self.loaded_model.model
        user_id = parse_user_id(model.data.user_ids, user)
        new_items = [str(row["item"]) for row in self._new_rows(model, user_id)][::-1]
        old_items: list[str] = []
        if (row := model.data.user_ids.find(user_id)) >= 0:
            items, values = model.data.by_user.row(row)
            ranked_items = items[np.lexsort((-model.data.item_counts[items], -values))]
            old_items = [str(item) for item in model.data.item_ids.take(ranked_items[:n])]
        return list(dict.fromkeys(new_items + old_items))[:n]

    def similar(
        self, item: Id, n: int, allow: Sequence[Id] | None, deny: Sequence[Id] | None, where: str | None
    ) -> dict[str, Any]:
        """Return what is like an item."""
        loaded_model = self.loaded_model
        item_id = resolve_item(loaded_model.model.data, item)
        return single_list(
            loaded_model.model.similar([item_id], n, threads=1, **filter_arguments(loaded_model, allow, deny, where)),
            "item",
            item_id,
        )

    def explain_user(self, user: Id, item: Id) -> dict[str, Any]:
        """Say which of a user's items speak for an item."""
        model = self.loaded_model.model
        user_id = parse_user_id(model.data.user_ids, user)
        if rows := self._new_rows(model, user_id):
            visitor, _ = apply_events(model, user_id, rows)
            if visitor is not None:
                return {"user": to_json_id(user_id)} | explanation_json(visitor.explain(resolve_item(model.data, item)))
            if has_values(model.data, user_id):
                raise UnknownUser(
                    f"user {user_id!r} took back all that the model knows; nothing speaks for an item now."
                )
        return {"user": to_json_id(user_id)} | explanation_json(model.explain(user_id, resolve_item(model.data, item)))

    def explain_visitor(self, history: Sequence[RawRow], item: Id, unknown: Literal["raise", "skip"]) -> dict[str, Any]:
        """Say which items of a history speak for an item."""
        model = self.loaded_model.model
        visitor = fold_in_history(model, history, unknown)
        return {"like": to_json_id(visitor.likes)} | explanation_json(visitor.explain(resolve_item(model.data, item)))

    def search(self, query: str, n: int) -> list[dict[str, Any]]:
        """Return the items whose titles are most like what somebody types; of items without titles, by id."""
        data = self.loaded_model.model.data
        if not data.catalog.titles:
            rows = [row] if (row := match_item(data, query, "exact", parse=True).row) >= 0 else []
            return [describe_item(data, row) for row in rows]
        matches = data.catalog.search(query, data.item_counts, limit=n)
        return [describe_item(data, match.row) | {"match": match.score} for match in matches]

    def item(self, item: Id) -> dict[str, Any]:
        """Return what is known of an item."""
        data = self.loaded_model.model.data
        return describe_item(data, data.item_ids.row(resolve_item(data, item)))

    def describe_model(self) -> dict[str, Any]:
        """Return what is in service."""
        loaded_model, model = self.loaded_model, self.loaded_model.model
        data = model.data
        return {
            "model": model.name,
            "params": model.params,
            "users": len(data.user_ids),
            "items": len(data.item_ids),
            "values": len(data),
            "scale": list(data.scale) if model.predicts_ratings else None,
            "events": data.recipe.events,
            "attributes": {name: column.type for name, column in data.catalog.columns.items()},
            "ids": {"user": data.user_ids.kind, "item": data.item_ids.kind},
            "training": model.training,
            "index": None if model.index is None else model.index.to_json(),
            "since": loaded_model.loaded_at,
            "swaps": self.live_model.reloads,
            "trouble": self.live_model.last_error,
        }


def single_list(recommendations: Recommendations, key: str, query: Any) -> dict[str, Any]:
    """Return the one list of an answer; a user who was skipped has an empty one."""
    record = next(recommendations.to_dicts(), None)
    return {key: to_json_id(query), "items": record["items"] if record else []}


def _popular_list(loaded_model: LoadedModel, user: Id, arguments: dict[str, Any]) -> dict[str, Any]:
    data = loaded_model.model.data
    allowed_mask = allowed_items(data, arguments["allow"], arguments["deny"], arguments["where"])
    return single_list(
        to_recommendations("user", [user], most_popular(data, arguments["n"], allowed_mask), ["popular"], data),
        "user",
        user,
    )


def has_values(data: Interactions, user: Id) -> bool:
    row = data.user_ids.find(user)
    return row >= 0 and bool(data.by_user.counts[row])


def user_recommendations(visitor: Visitor, user: Id, arguments: dict[str, Any]) -> Recommendations:
    """Answer a user by what is folded in."""
    return replace(visitor.recommend(**arguments), query_kind="user", queries=[user])


def _exclude_items(
    arguments: dict[str, Any], item_rows: NDArray[np.int32], loaded_model: LoadedModel
) -> dict[str, Any]:
    """Leave out what a user has rated since, also what does not count as a value."""
    where = arguments["where"]
    mask = np.ones(len(loaded_model.model.data.item_ids), np.bool_) if where is None else where.copy()
    mask[item_rows] = False
    return arguments | {"where": mask}


def _parse_id(ids: IdMap, text: str) -> Id:
    """Return an id as this numbering has ids; what cannot be one is unknown."""
    try:
        return ids.parse(text)
    except AlsatianError:
        return text


def fold_in_history(model: Model, history: Sequence[RawRow], unknown: Literal["raise", "skip"]) -> Visitor:
    """Fold in rows of raw data, whose items are ids or titles."""
    data = model.fitted.data
    return model.fold_in([row | {"item": _resolve_known_item(data, row["item"])} for row in history], unknown=unknown)


def parse_user_id(ids: IdMap, user: Id) -> Id:
    """Return a user's id as this model has ids: JSON and URLs may write an integer as text."""
    return ids.parse(user) if isinstance(user, str) else user


def resolve_item(data: Interactions, item: Id) -> Id:
    """Return the id of an item that a request gives as an id or a title. Raises UnknownItem."""
    return data.item_ids.id_of(item_row(data, item, "title", parse=True))


def _resolve_known_item(data: Interactions, item: Id) -> Id:
    """Return the id of an item; an unknown one is returned unchanged, for the library to report."""
    return data.item_ids.id_of(row) if (row := match_item(data, item, "exact", parse=True).row) >= 0 else item


def describe_item(data: Interactions, row: int) -> dict[str, Any]:
    """Return an item: its id, title and attributes, and how many people have it."""
    catalog = data.catalog
    return {
        "item": to_json_id(data.item_ids.id_of(row)),
        "title": catalog.title_of(row),
        "attributes": catalog.attributes(row),
        "count": int(data.item_counts[row]),
    }


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON holds it."""
    record = explanation.to_json()
    record["item"] = to_json_id(record["item"])
    record["reasons"] = [reason | {"item": to_json_id(reason["item"])} for reason in record["reasons"]]
    return record

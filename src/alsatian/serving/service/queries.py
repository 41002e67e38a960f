"""Requests to the loaded model: validated JSON in, JSON out, without HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian.data.id_map import Id, IdMap
from alsatian.data.interactions import Interactions
from alsatian.data.item_lookup import item_row, match_item, parse_id
from alsatian.errors import AlsatianError, UnknownUser
from alsatian.models import Model
from alsatian.recommender.explanation import Explanation
from alsatian.recommender.options import RecommendOptions
from alsatian.recommender.pipeline import popular_recommendations, recommend_to_users, recommend_to_visitor
from alsatian.recommender.recommendations import Recommendations, to_json_id
from alsatian.recommender.visitor import Visitor
from alsatian.serving.event_log.store import DatabaseUnavailable, EventStore
from alsatian.serving.prometheus import Counters
from alsatian.serving.service.live_model import LiveModel, LoadedModel
from alsatian.serving.service.user_updates import apply_events

RawRow = dict[str, Any]  # a row of raw data: item, and value, event, time or signals


def resolve_options(loaded_model: LoadedModel, options: RecommendOptions) -> RecommendOptions:
    """Return options with `where` as a mask, and with ids for items that were given by id or title."""
    data = loaded_model.model.data
    return replace(
        options,
        allow=None if options.allow is None else [resolve_item(data, item) for item in options.allow],
        deny=None if options.deny is None else [resolve_item(data, item) for item in options.deny],
        where=loaded_model.where_mask(options.where) if isinstance(options.where, str) else options.where,
    )


class RecommendationService:
    """Answers requests from the model that is loaded when a request arrives."""

    def __init__(
        self, live_model: LiveModel, event_store: EventStore | None = None, counters: Counters | None = None
    ) -> None:
        self.live_model, self.event_store, self.counters = live_model, event_store, counters

    @property
    def loaded_model(self) -> LoadedModel:
        """The model that is loaded now."""
        return self.live_model.loaded_model

    @property
    def may_block(self) -> bool:
        """Whether a request may wait for the event log on another machine."""
        return self.event_store is not None and not self.event_store.is_sqlite

    def recommend_to_user(self, user: Id, options: RecommendOptions) -> dict[str, Any]:
        """Return the list of a user, with the events since the training folded in."""
        loaded_model = self.loaded_model
        user_id = parse_user_id(loaded_model.model.data.user_ids, user)
        options = resolve_options(loaded_model, options)
        return self._recommend_with_rows(loaded_model, user_id, self._new_rows(loaded_model.model, user_id), options)

    def _recommend_with_rows(
        self, loaded_model: LoadedModel, user_id: Id, rows: Sequence[RawRow], options: RecommendOptions
    ) -> dict[str, Any]:
        """Return the list of a user, with new rows folded in."""
        model = loaded_model.model
        if rows:
            if self.counters:
                self.counters.fold_ins.inc()
            visitor, event_items = apply_events(model, user_id, rows)
            options = _exclude_items(options, event_items, model.data) if options.exclude_seen else options
            if visitor is not None:
                recommendations = user_recommendations(visitor, user_id, options)
                return single_list(recommendations, "user", user_id) | {"events": len(rows)}
            if has_values(model.data, user_id):  # the user retracted all stored values
                recommendations = popular_recommendations(model, user_id, options)
                return single_list(recommendations, "user", user_id) | {"events": len(rows)}
        recommendations = recommend_to_users(model, [user_id], options, threads=1)
        return single_list(recommendations, "user", user_id) | {"events": len(rows)}

    def recommend_to_users(self, users: Sequence[str], options: RecommendOptions) -> list[dict[str, Any] | None]:
        """Return the lists of several users, None for one who gets an error.

        One pass over the items serves all users without new events, in half the time of single passes.
        """
        loaded_model = self.loaded_model
        ids = loaded_model.model.data.user_ids
        user_ids = [_parse_id(ids, user) for user in users]
        new_rows = {user: self._new_rows(loaded_model.model, user) for user in user_ids}
        unchanged_users = [user for user, rows in new_rows.items() if ids.find(user) >= 0 and not rows]
        options = resolve_options(loaded_model, options)
        lists = recommend_to_users(
            loaded_model.model, unchanged_users, replace(options, unknown="skip"), threads=1
        ).to_dicts()
        lists_by_user: dict[Any, dict[str, Any] | None] = {record["user"]: {**record, "events": 0} for record in lists}
        for user, rows in new_rows.items():
            if to_json_id(user) not in lists_by_user:
                try:
                    lists_by_user[to_json_id(user)] = self._recommend_with_rows(loaded_model, user, rows, options)
                except AlsatianError:
                    lists_by_user[to_json_id(user)] = None
        return [lists_by_user[to_json_id(user)] for user in user_ids]

    def _new_rows(self, model: Model, user: Id) -> list[RawRow]:
        """Return the events of a user since the training; none while the event log is unavailable."""
        if self.event_store is None:
            return []
        trained_events = model.training.get("events", {})
        after = (
            trained_events.get("through", 0) if trained_events.get("database") == self.event_store.database_id else 0
        )
        try:
            events = self.event_store.user_events(str(user), after)
        except DatabaseUnavailable:
            if self.counters:
                self.counters.lists_without_events.inc()
            return []
        return [event.raw_row | {"item": _parse_id(model.data.item_ids, event.item)} for event in events]

    def recommend_to_visitor(
        self, history: Sequence[RawRow], options: RecommendOptions, unknown: Literal["raise", "skip"]
    ) -> dict[str, Any]:
        """Return the list of a visitor, from a history. unknown: whether its unknown items raise or are skipped."""
        loaded_model = self.loaded_model
        visitor = fold_in_history(loaded_model.model, history, unknown)
        options = resolve_options(loaded_model, options)
        recommendations = recommend_to_visitor(visitor.model, visitor.batch, visitor.likes, options, threads=1)
        return single_list(recommendations, "like", visitor.likes)

    def popular_items(self, options: RecommendOptions) -> dict[str, Any]:
        """Return the most popular items, for a visitor without a history."""
        loaded_model = self.loaded_model
        options = resolve_options(loaded_model, options)
        return single_list(popular_recommendations(loaded_model.model, "", options), "user", "")

    def seen_items(self, user: Id, n: int) -> list[str]:
        """Return the ids of a user's n items: new events first, then stored items by value and popularity."""
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
        """Return the n items most similar to an item. Raises UnknownItem, Unsupported."""
        loaded_model = self.loaded_model
        item_id = resolve_item(loaded_model.model.data, item)
        filters = resolve_options(loaded_model, RecommendOptions(n, allow=allow, deny=deny, where=where))
        recommendations = loaded_model.model.similar(
            [item_id], n, allow=filters.allow, deny=filters.deny, where=filters.where, threads=1
        )
        return single_list(recommendations, "item", item_id)

    def explain_user(self, user: Id, item: Id) -> dict[str, Any]:
        """Return which of a user's items contribute to the score of an item. Raises UnknownUser, UnknownItem."""
        model = self.loaded_model.model
        user_id = parse_user_id(model.data.user_ids, user)
        if rows := self._new_rows(model, user_id):
            visitor, _ = apply_events(model, user_id, rows)
            if visitor is not None:
                return {"user": to_json_id(user_id)} | explanation_json(visitor.explain(resolve_item(model.data, item)))
            if has_values(model.data, user_id):
                raise UnknownUser(f"user {user_id!r} has no remaining interactions, so there is nothing to explain.")
        return {"user": to_json_id(user_id)} | explanation_json(model.explain(user_id, resolve_item(model.data, item)))

    def explain_visitor(self, history: Sequence[RawRow], item: Id, unknown: Literal["raise", "skip"]) -> dict[str, Any]:
        """Return which items of a history contribute to the score of an item."""
        model = self.loaded_model.model
        visitor = fold_in_history(model, history, unknown)
        return {"like": to_json_id(visitor.likes)} | explanation_json(visitor.explain(resolve_item(model.data, item)))

    def search(self, query: str, n: int) -> list[dict[str, Any]]:
        """Return the n items whose titles match a query best; the item of this id if items have no titles."""
        data = self.loaded_model.model.data
        if not data.catalog.titles:
            rows = [row] if (row := match_item(data, query, "exact", parse=True).row) >= 0 else []
            return [describe_item(data, row) for row in rows]
        matches = data.catalog.search(query, data.item_counts, limit=n)
        return [describe_item(data, match.row) | {"match": match.score} for match in matches]

    def item(self, item: Id) -> dict[str, Any]:
        """Return an item with its attributes. Raises UnknownItem."""
        data = self.loaded_model.model.data
        return describe_item(data, data.item_ids.row(resolve_item(data, item)))

    def describe_model(self) -> dict[str, Any]:
        """Return the loaded model: its settings, sizes and training, and the state of its file."""
        loaded_model = self.loaded_model
        model = loaded_model.model
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
            "loaded_at": loaded_model.loaded_at,
            "reloads": self.live_model.reloads,
            "last_error": self.live_model.last_error,
        }


def single_list(recommendations: Recommendations, key: str, query: Any) -> dict[str, Any]:
    """Return a result that has one list as JSON; a skipped user has an empty list."""
    record = next(recommendations.to_dicts(), None)
    return {key: to_json_id(query), "items": record["items"] if record else []}


def has_values(data: Interactions, user: Id) -> bool:
    """Return whether a user has values in the training data."""
    row = data.user_ids.find(user)
    return row >= 0 and bool(data.by_user.counts[row])


def user_recommendations(visitor: Visitor, user: Id, options: RecommendOptions) -> Recommendations:
    """Return the list of a user of the model whose new events were folded in."""
    recommendations = recommend_to_visitor(visitor.model, visitor.batch, visitor.likes, options, threads=1)
    return replace(recommendations, query_kind="user", queries=[user])


def _exclude_items(options: RecommendOptions, item_rows: NDArray[np.int32], data: Interactions) -> RecommendOptions:
    """Exclude the items that a user rated since training, even if the recipe gives them no value."""
    mask = options.where.copy() if isinstance(options.where, np.ndarray) else np.ones(len(data.item_ids), np.bool_)
    mask[item_rows] = False
    return replace(options, where=mask)


def _parse_id(ids: IdMap, text: str) -> Id:
    """Return an id in the type of an id map; a text that is not a valid id stays text, and is unknown."""
    parsed = parse_id(ids, text)
    return text if parsed is None else parsed


def fold_in_history(model: Model, history: Sequence[RawRow], unknown: Literal["raise", "skip"]) -> Visitor:
    """Fold in rows of raw data, whose items are ids or titles."""
    data = model.fitted.data
    return model.fold_in([row | {"item": _resolve_known_item(data, row["item"])} for row in history], unknown=unknown)


def parse_user_id(ids: IdMap, user: Id) -> Id:
    """Return a user id in the type of an id map: JSON and URLs may contain an integer as text."""
    return ids.parse(user) if isinstance(user, str) else user


def resolve_item(data: Interactions, item: Id) -> Id:
    """Return the id of an item that is given by id or title. Raises UnknownItem."""
    return data.item_ids.id_of(item_row(data, item, "title", parse=True))


def _resolve_known_item(data: Interactions, item: Id) -> Id:
    """Return the id of an item; an unknown one is returned unchanged, and the model reports it."""
    return data.item_ids.id_of(row) if (row := match_item(data, item, "exact", parse=True).row) >= 0 else item


def describe_item(data: Interactions, row: int) -> dict[str, Any]:
    """Return an item: its id, title and attributes, and the number of its users."""
    catalog = data.catalog
    return {
        "item": to_json_id(data.item_ids.id_of(row)),
        "title": catalog.title_of(row),
        "attributes": catalog.attributes(row),
        "count": int(data.item_counts[row]),
    }


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """Return an explanation as JSON values."""
    record = explanation.to_json()
    record["item"] = to_json_id(record["item"])
    record["reasons"] = [reason | {"item": to_json_id(reason["item"])} for reason in record["reasons"]]
    return record

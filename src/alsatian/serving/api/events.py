"""Endpoints that store events. An event is on disk before the response is sent."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from alsatian.data.id_map import IdMap
from alsatian.errors import AlsatianError, DataError
from alsatian.models import Model
from alsatian.recommender.recommendations import to_json_id
from alsatian.recommender.user_history import history_to_csr, parse_record
from alsatian.serving.api.problem_json import Refused, Unavailable, error_responses
from alsatian.serving.api.request_guard import authorize_write
from alsatian.serving.api.schemas import HistoryEntry, JsonId, RequestBody
from alsatian.serving.event_log.store import DatabaseUnavailable, Event, EventConflict, EventStore, now
from alsatian.serving.prometheus import Counters
from alsatian.serving.service.queries import RecommendationService, parse_user_id, resolve_item

MAX_EVENTS, MAX_CLOCK_SKEW = 1_000, 86_400
events_router = APIRouter(
    prefix="/api/events", tags=["events"], dependencies=[Depends(authorize_write)],
    responses=error_responses(401, 409, 413, 421, 422, 503),
)  # fmt: skip


class EventIn(HistoryEntry):
    """An event of a user: a row of raw data and the user's id."""

    model_config = ConfigDict(
        extra="allow", allow_inf_nan=False,
        json_schema_extra={
            "examples": [{"id": "9f8e-1", "user": 42, "item": 59315, "value": 4.5, "time": 1700000000}]
        },
    )  # fmt: skip

    id: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Your id of the event; an event sent twice is stored once. Generated if missing."
    )
    user: JsonId = Field(description="The id of the user; it may be new.")


class EventBatch(RequestBody):
    """Several events, stored together or not at all."""

    events: Annotated[list[EventIn], Field(min_length=1, max_length=MAX_EVENTS)]


class AcceptedEvents(BaseModel):
    """The result of storing events; they are on disk."""

    accepted: int = Field(description="Number of new events.")
    known: list[str] = Field(description="Ids of events that were stored before.")
    ids: list[str] = Field(description="Ids of all events, in order.")
    unknown_items: list[str | int] = Field(description="Items that the model does not know until the next training.")


@events_router.post(
    "", response_model=AcceptedEvents, status_code=202, summary="Store an event", operation_id="keep_event"
)
def post_event(request: Request, body: EventIn) -> Response:
    """The next list of the user reflects the event, and the next `alsatian retrain` trains on it."""
    return store_events(request, [body])


@events_router.post(
    "/batch", response_model=AcceptedEvents, status_code=202, summary="Store several events", operation_id="keep_events"
)
def post_events(request: Request, body: EventBatch) -> Response:
    """All events are stored, or none. An error names the first invalid event."""
    return store_events(request, body.events)


def store_events(request: Request, events_in: list[EventIn]) -> Response:
    """Store events; when this returns, they are on disk. Raises DataError, Refused, Unavailable."""
    events: EventStore = request.app.state.event_store
    counters: Counters = request.app.state.counters
    service: RecommendationService = request.app.state.service
    model, unknown_items, rows = service.loaded_model.model, list[Any](), list[Event]()
    for index, event_in in enumerate(events_in):
        try:
            rows.append(_parse_event(model, event_in, unknown_items))
        except AlsatianError as error:
            prefix = f"event {index + 1}: " if len(events_in) > 1 else ""
            raise type(error)(f"{prefix}{error}") from None
    events_by_id = {row.id: row for row in rows}
    for row in rows:
        if events_by_id[row.id]._replace(time=row.time) != row:
            raise _conflict_error(row.id)
    try:
        stored = events.add(list(events_by_id.values()))
    except EventConflict as conflict:
        raise _conflict_error(str(conflict)) from None
    except DatabaseUnavailable as outage:
        counters.events.labels("refused").inc(len(events_in))
        raise Unavailable(outage.public_message) from None
    counters.events.labels("new").inc(stored.new_count)
    counters.events.labels("known").inc(len(events_in) - stored.new_count)
    body = {
        "accepted": stored.new_count,
        "known": stored.duplicate_ids,
        "ids": [row.id for row in rows],
        "unknown_items": unknown_items,
    }
    return JSONResponse(body, 202)


def _conflict_error(event_id: str) -> Refused:
    return Refused(409, f"the id {event_id!r} belongs to another event; use a different id for each event.")


def _parse_event(model: Model, event_in: EventIn, unknown_items: list[Any]) -> Event:
    """Return an event as it is stored. Raises an AlsatianError if the model cannot use it."""
    fields = event_in.to_raw_row()
    event_id = fields.pop("id", None) or uuid.uuid4().hex
    user = str(parse_user_id(model.data.user_ids, fields.pop("user")))
    data, recipe = model.data, model.data.recipe
    try:
        fields["item"] = resolve_item(data, fields["item"])
    except AlsatianError:
        unknown_items.append(to_json_id(fields["item"]))
        fields["item"] = data.item_ids.parse(str(fields["item"]))  # a new item needs a valid id
    row = parse_record(fields, recipe)
    _check_id(data.user_ids, user)
    _check_id(data.item_ids, str(row.item))
    if recipe.events and row.event is None:
        raise DataError(f"this model learns from events; name one of {', '.join(recipe.events)}.")
    if "\x00" in event_id + (row.event or ""):
        raise DataError("ids and event names must not contain zero bytes; remove them.")
    _check_value(model, fields)
    time = now() if row.time is None else row.time
    # Values fade relative to the newest time, so a time in the far future would fade all others to nothing.
    if not 0 <= time <= now() + MAX_CLOCK_SKEW:
        raise DataError(f"time={time} is not between 1970 and now; send the time of the event, or leave it out.")
    return Event(event_id, user, str(row.item), row.value, row.event, time, row.signals)


def _check_id(ids: IdMap, text: str) -> None:
    """Raise DataError for an id that no data source can contain, which would break the next training."""
    if not text.strip() or "\x00" in text:
        raise DataError(f"{text!r} is not a valid {ids.side} id; send one that is not blank and has no zero byte.")
    if ids.kind == "int" and not -(2**63) <= int(text) < 2**63:
        raise DataError(f"{text[:40]} is not a valid {ids.side} id; send an integer below 2^63.")


def _check_value(model: Model, row: dict[str, Any]) -> None:
    """Raise DataError for a value that the model cannot use. A value that its recipe drops is stored for later models.

    The next training includes unknown items, so their values are checked like those of known items.
    """
    min_rating, ids = model.data.recipe.min_rating, model.data.item_ids
    known_row = row if ids.find(row["item"]) >= 0 else row | {"item": ids.id_of(0)}
    try:
        values = history_to_csr(model.data, [known_row], model.default_like_value, model.value_range, "skip").values
    except DataError:
        if min_rating is None and model.data.recipe.unknown_events != "ignore":
            raise
    else:
        model.validate_values(values)

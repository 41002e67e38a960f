"""The calls that tell what users did. An event is on the disk before the answer leaves."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from alsatian.data.id_map import Ids
from alsatian.errors import AlsatianError, DataError
from alsatian.models import Model
from alsatian.recommender.recommendations import json_id
from alsatian.recommender.user_history import read_row, visitor_history
from alsatian.serving.api.problem_json import Refused, Unavailable, answers
from alsatian.serving.api.request_guard import may_write
from alsatian.serving.api.schemas import Id, Row, Shape
from alsatian.serving.event_log.store import Conflict, Event, Events, Gone, now
from alsatian.serving.prometheus import Counters
from alsatian.serving.service.queries import Engine, item_of, user_of

MOST, DAY = 1_000, 86_400
router = APIRouter(
    prefix="/api/events", tags=["events"], dependencies=[Depends(may_write)],
    responses=answers(401, 409, 413, 421, 422, 503),
)  # fmt: skip


class Told(Row):
    """Something that a user did: a row of raw data, and whose it is."""

    model_config = ConfigDict(
        extra="allow", allow_inf_nan=False,
        json_schema_extra={
            "examples": [{"id": "9f8e-1", "user": 42, "item": 59315, "value": 4.5, "time": 1700000000}]
        },
    )  # fmt: skip

    id: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="A name of your own: an event that is sent again under it is stored once. Else one is made."
    )
    user: Id = Field(description="A user's id; it may be new.")


class Batch(Shape):
    events: Annotated[list[Told], Field(min_length=1, max_length=MOST)]


class Accepted(BaseModel):
    """All of them are on the disk."""

    accepted: int = Field(description="How many are new.")
    known: list[str] = Field(description="Ids of those that were stored before; they count once.")
    ids: list[str] = Field(description="The ids of all, in order.")
    unknown_items: list[str | int] = Field(description="Items that the model does not know; the next training will.")


@router.post("", response_model=Accepted, status_code=202, summary="Keep an event", operation_id="keep_event")
def keep_one(request: Request, body: Told) -> Response:
    """It is felt in the user's next list, and learned from by the next `alsatian retrain`."""
    return keep(request, [body])


@router.post(
    "/batch", response_model=Accepted, status_code=202, summary="Keep several events", operation_id="keep_events"
)
def keep_several(request: Request, body: Batch) -> Response:
    """All are kept, or none: an error names the first that is wrong."""
    return keep(request, body.events)


def keep(request: Request, told: list[Told]) -> Response:
    """Keep events; when this returns, they are on the disk."""
    events: Events = request.app.state.events
    counters: Counters = request.app.state.counters
    engine: Engine = request.app.state.engine
    model, strangers, rows = engine.served.model, list[Any](), list[Event]()
    for place, one in enumerate(told):
        try:
            rows.append(_event(model, one, strangers))
        except AlsatianError as error:
            at = f"event {place + 1}: " if len(told) > 1 else ""
            raise type(error)(f"{at}{error}") from None
    unique = {row.id: row for row in rows}
    for row in rows:
        if unique[row.id]._replace(time=row.time) != row:
            raise _conflict(row.id)
    try:
        kept = events.keep(list(unique.values()))
    except Conflict as conflict:
        raise _conflict(str(conflict)) from None
    except Gone as gone:
        counters.events.labels("refused").inc(len(told))
        raise Unavailable(gone.public) from None
    counters.events.labels("new").inc(kept.new)
    counters.events.labels("known").inc(len(told) - kept.new)
    body = {"accepted": kept.new, "known": kept.known, "ids": [row.id for row in rows], "unknown_items": strangers}
    return JSONResponse(body, 202)


def _conflict(id: str) -> Refused:
    return Refused(409, f"the id {id!r} belongs to another event; give every event an id of its own.")


def _event(model: Model, told: Told, strangers: list[Any]) -> Event:
    """Return an event as it is stored. Raises DataError and the like where the model could make nothing of it."""
    given = told.raw()
    id, user = given.pop("id", None) or uuid.uuid4().hex, str(user_of(model.data.user_ids, given.pop("user")))
    data, recipe = model.data, model.data.recipe
    try:
        given["item"] = item_of(data, given["item"])
    except AlsatianError:
        strangers.append(json_id(given["item"]))
        given["item"] = data.item_ids.parse(str(given["item"]))  # may become an item, if it is written as one
    row = read_row(given, recipe)
    _check_id(data.user_ids, user)
    _check_id(data.item_ids, str(row.item))
    if recipe.events and row.event is None:
        raise DataError(f"this model learns from events; name one of {', '.join(recipe.events)}.")
    if "\x00" in id + (row.event or ""):
        raise DataError("ids and events hold no zero bytes; leave them out.")
    _check_value(model, given)
    time = now() if row.time is None else row.time
    if not 0 <= time <= now() + DAY:  # values that decay do so from the latest time on: one far ahead empties all
        raise DataError(f"time={time} is not between 1970 and now; send when it happened, or leave it out.")
    return Event(id, user, str(row.item), row.value, row.event, time, row.signals)


def _check_id(ids: Ids, id: str) -> None:
    """Refuse an id that no source can hold: the next training would stumble over it."""
    if not id.strip() or "\x00" in id:
        raise DataError(f"{id!r} is no id of a {ids.what}; send one that can be read.")
    if ids.kind == "int" and not -(2**63) <= int(id) < 2**63:
        raise DataError(f"{ids.what} ids are integers below 2^63 here, and {id[:40]} is none; correct it.")


def _check_value(model: Model, given: dict[str, Any]) -> None:
    """Refuse a value that the model cannot take; one that it leaves out is kept for what a later one may learn.

    An item that the model does not know will be learned like the others, so its values are checked as theirs.
    """
    bound, ids = model.data.recipe.at_least, model.data.item_ids
    known = given if ids.find(given["item"]) >= 0 else given | {"item": ids.id_of(0)}
    try:
        values = visitor_history(model.data, [known], model.top_value, model.bounds, "skip").values
    except DataError:
        if bound is None and model.data.recipe.unknown_events != "ignore":
            raise
    else:
        model._check_values(values)

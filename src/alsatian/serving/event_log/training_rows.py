"""Stored events as training rows, for `alsatian retrain`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from alsatian.errors import SourceError
from alsatian.serving.event_log.store import DatabaseUnavailable, Event, open_event_store
from alsatian.serving.settings import ServiceSettings

if TYPE_CHECKING:
    from alsatian.ingest.extra_rows import ExtraRows
    from alsatian.models import Model


class TrainingEvents(NamedTuple):
    """Events as rows to add to a source, and the summary of them that the new model stores."""

    extra_rows: ExtraRows
    summary: dict[str, Any]


def training_events(model: Model, path: Path, url: str | None) -> TrainingEvents:
    """Return all stored events of the service of a model file. Raises SourceError without an event log."""
    store = open_event_store(ServiceSettings(path, event_log=url).event_log_url, create=False)
    try:
        last_number = store.last_number()
        events = store.events_through(last_number)
    except DatabaseUnavailable as error:
        raise SourceError(str(error)) from None
    finally:
        store.close()
    return TrainingEvents(
        _extra_rows(model, events), {"database": store.database_id, "through": last_number, "count": len(events)}
    )


def _extra_rows(model: Model, events: Sequence[Event]) -> ExtraRows:
    from alsatian.ingest.extra_rows import ExtraRows

    recipe = model.data.recipe
    like_value = (
        float(model.default_like_value)
        if model.predicts_ratings
        else 1.0
        if recipe.min_rating is None
        else recipe.min_rating
    )
    return ExtraRows(
        "the event log",
        [event.user for event in events],
        [event.item for event in events],
        [like_value if event.value is None and event.event is None else _value_or_one(event.value) for event in events],
        [event.event or "" for event in events],
        [event.time for event in events],
        {name: [(event.signals or {}).get(name, 0.0) for event in events] for name in recipe.signals},
    )


def _value_or_one(value: float | None) -> float:
    return 1.0 if value is None else value

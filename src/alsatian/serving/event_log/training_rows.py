"""What the events of a service add to the data that a model is trained on anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from alsatian.errors import SourceError
from alsatian.serving.event_log.store import Event, Gone, opened
from alsatian.serving.settings import Settings

if TYPE_CHECKING:
    from alsatian.ingest.extra_rows import Beside
    from alsatian.models import Model


class Learned(NamedTuple):
    """Events as rows to read beside a source, and what the new model remembers of them."""

    beside: Beside
    remembered: dict[str, Any]


def events_for(model: Model, path: Path, url: str | None) -> Learned:
    """Return all events that the service of a model file has kept. Raises SourceError where there is no database."""
    database = opened(Settings(path, events=url).events_url, making=False)
    try:
        through = database.last()
        found = database.all(through)
    except Gone as gone:
        raise SourceError(str(gone)) from None
    finally:
        database.close()
    return Learned(_beside(model, found), {"database": database.name, "through": through, "count": len(found)})


def _beside(model: Model, events: Sequence[Event]) -> Beside:
    from alsatian.ingest.extra_rows import Beside

    recipe = model.data.recipe
    top = float(model.top_value) if model.predicts else 1.0 if recipe.at_least is None else recipe.at_least
    return Beside(
        "the events database",
        [event.user for event in events],
        [event.item for event in events],
        [top if event.value is None and event.event is None else _or_one(event.value) for event in events],
        [event.event or "" for event in events],
        [event.time for event in events],
        {name: [(event.signals or {}).get(name, 0.0) for event in events] for name in recipe.signals},
    )


def _or_one(value: float | None) -> float:
    return 1.0 if value is None else value

"""A model as an HTTP service with a page: `alsatian serve movies.model`.

running       processes: one listens, several answer; signals
app           the application (FastAPI): everything below, put together
  guard       what every request passes: limits, who may write, headers, counting
  problems    errors as problem+json
  answers     recommendations, similar items, explanations, search    shapes   the JSON that goes in and out
  intake      events                                                  operations   model, health, metrics
  visit       the page
engine        the questions, asked of the model in service: no HTTP here
  current     which model that is: the file is watched, and swapped
  conditions  `where` for strangers: comparisons, nothing else
  events      the database      news   what it says of a user since the model was trained
settings      what a service is told when it starts        workplace  the folder in which it works
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alsatian.serving.application import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    if name == "create_app":  # FastAPI is loaded on first use
        from alsatian.serving.application import create_app

        return create_app
    raise AttributeError(f"module 'alsatian.serving' has no attribute {name!r}")

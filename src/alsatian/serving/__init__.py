"""A model as an HTTP service with a web page: `alsatian serve movies.model`.

processes     the server: worker processes and signals
application   the FastAPI application: routes, middleware and shared state
settings      settings and log        prometheus   metrics
api/          recommend_routes, events, operations: the endpoints     schemas: request and response bodies
              request_guard: limits, tokens, headers                  problem_json: errors
              fast_path: fast path and micro-batching of the most common request
service/      queries: requests to the loaded model, without HTTP     live_model: hot reload of the model file
              user_updates: new events merged into a user's history   run_directory: temporary files
event_log/    store, database: the events                             training_rows: events as training data
page/         the page for visitors
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

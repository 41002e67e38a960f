"""The FastAPI application: routes, middleware, and the state they share."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from alsatian._version import __version__
from alsatian.serving.api import problem_json
from alsatian.serving.api.events import events_router
from alsatian.serving.api.fast_path import FastPath
from alsatian.serving.api.operations import operations_router
from alsatian.serving.api.recommend_routes import recommendations_router
from alsatian.serving.api.request_guard import RequestGuard
from alsatian.serving.event_log.store import open_event_store
from alsatian.serving.page.routes import Page, page_router
from alsatian.serving.prometheus import Counters
from alsatian.serving.service.live_model import POLL_SECONDS, LiveModel
from alsatian.serving.service.queries import RecommendationService
from alsatian.serving.settings import ServiceSettings

_DESCRIPTION = """
Recommendations from an Alsatian model, with the names of the Python interface. The web page is at `/`.
Ids are numbers or text, as in the data; integers beyond 2^53 are text in JSON. Errors are `application/problem+json`.
"""
_OPENAPI_TAGS = [
    {"name": "answers", "description": "Recommendations, similar items, explanations and title search."},
    {"name": "events", "description": "Store what users do. The next lists reflect it, and the next training uses it."},
    {"name": "operations", "description": "For operators: the loaded model, reload, health checks and metrics."},
]


def create_app(model_path: str | Path, *, live_model: LiveModel | None = None, **settings: Any) -> FastAPI:
    """Return the application that serves a model file.

    settings: the other fields of `ServiceSettings`, such as event_log and token.
    live_model: the model, if it is loaded already. Raises ModelFileError, ParameterError.
    """
    service_settings = ServiceSettings(Path(model_path), **settings)
    app = FastAPI(
        title="Alsatian", version=__version__, description=_DESCRIPTION, openapi_tags=_OPENAPI_TAGS, lifespan=_lifespan,
        docs_url=None, redoc_url=None, separate_input_output_schemas=False,
    )  # fmt: skip
    app.state.settings, app.state.counters = service_settings, Counters()
    app.state.live_model = live_model or LiveModel(service_settings.model)
    app.state.reload_requested = asyncio.Event()  # set to reload the model file
    app.state.event_store = open_event_store(service_settings.event_log_url)
    app.state.service = RecommendationService(app.state.live_model, app.state.event_store, app.state.counters)
    app.state.page = Page(app.state.service, service_settings)
    problem_json.install_error_handlers(app)
    for router in (recommendations_router, events_router, operations_router, page_router):
        app.include_router(router)
    app.add_middleware(FastPath, service=app.state.service)
    app.add_middleware(RequestGuard, settings=service_settings, counters=app.state.counters)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    watch_task = asyncio.create_task(_watch_model_file(app))
    try:
        yield
    finally:
        watch_task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch_task
        app.state.event_store.close()
        app.state.live_model.close()


async def _watch_model_file(app: FastAPI) -> None:
    """Reload the model when its file changes, or when a reload is requested."""
    live_model: LiveModel = app.state.live_model
    counters: Counters = app.state.counters
    counters.loaded_at.set(live_model.loaded_model.loaded_at)
    await run_in_threadpool(live_model.loaded_model.build_caches)  # requests are answered meanwhile
    while True:
        await asyncio.sleep(POLL_SECONDS)
        refusals, is_forced = live_model.refusals, app.state.reload_requested.is_set()
        app.state.reload_requested.clear()
        if await run_in_threadpool(live_model.refresh, force=is_forced):
            counters.reloads.inc()
            counters.loaded_at.set(live_model.loaded_model.loaded_at)
        elif live_model.refusals > refusals:
            counters.refusals.inc()

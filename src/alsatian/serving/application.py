"""The application: the calls, the guard around them, and what lives as long as they do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from alsatian._version import __version__
from alsatian.serving.api import events, operations, problem_json, recommend_routes
from alsatian.serving.api.fast_path import Quick
from alsatian.serving.api.request_guard import Guard
from alsatian.serving.event_log.store import opened
from alsatian.serving.page import routes
from alsatian.serving.prometheus import Counters
from alsatian.serving.service.live_model import PAUSE, Current
from alsatian.serving.service.queries import Engine
from alsatian.serving.settings import Settings

_ABOUT = """
Recommendations from a model of [Alsatian](/), in the words of its Python interface. Ids are numbers or text, as in
the data; integers beyond 2^53 are text in JSON. Errors are `application/problem+json`.
"""
_TAGS = [
    {"name": "answers", "description": "Recommendations, similar items, explanations, titles."},
    {"name": "events", "description": "What users did since the model was trained."},
    {"name": "operations", "description": "For those who run the service."},
]


def create_app(model_path: str | Path, *, current: Current | None = None, **settings: Any) -> FastAPI:
    """Return the application that serves a model file.

    settings: the fields of `Settings`: events, token, and the limits. current: the model, where it is loaded already.
    Raises ModelFileError, ParameterError.
    """
    told = Settings(Path(model_path), **settings)
    app = FastAPI(
        title="Alsatian", version=__version__, description=_ABOUT, openapi_tags=_TAGS, lifespan=_lifespan,
        docs_url=None, redoc_url=None, separate_input_output_schemas=False,
    )  # fmt: skip
    app.state.settings, app.state.counters = told, Counters()
    app.state.current = current or Current(told.model)
    app.state.look = asyncio.Event()  # set to try the model file again
    app.state.events = opened(told.events_url)
    app.state.engine = Engine(app.state.current, app.state.events, app.state.counters)
    app.state.page = routes.Page(app.state.engine, told)
    problem_json.install(app)
    for part in (recommend_routes, events, operations, routes):
        app.include_router(part.router)
    app.add_middleware(Quick, engine=app.state.engine)
    app.add_middleware(Guard, settings=told, counters=app.state.counters)
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    watching = asyncio.create_task(_watch(app))
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        app.state.events.close()
        app.state.current.close()


async def _watch(app: FastAPI) -> None:
    """Take a new model into service as soon as there is one."""
    current: Current = app.state.current
    counters: Counters = app.state.counters
    counters.since.set(current.served.since)
    await run_in_threadpool(current.served.prepare)  # the service answers meanwhile
    while True:
        await asyncio.sleep(PAUSE)
        refused, asked = current.refusals, app.state.look.is_set()
        app.state.look.clear()
        if await run_in_threadpool(current.refresh, again=asked):
            counters.swaps.inc()
            counters.since.set(current.served.since)
        elif current.refusals > refused:
            counters.refusals.inc()

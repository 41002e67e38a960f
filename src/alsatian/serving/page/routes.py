"""The routes of the page: HTML from templates, static files and posters. Every state of the page has a URL."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, Response

from alsatian.posters import Film, Poster, Posters
from alsatian.posters.gallery import TMDB_NOTICE
from alsatian.serving.api.events import EventIn, store_events
from alsatian.serving.api.problem_json import Refused
from alsatian.serving.api.request_guard import authorize_write
from alsatian.serving.page.url_state import PageState
from alsatian.serving.page.view import PageView
from alsatian.serving.service.queries import RecommendationService, resolve_item
from alsatian.serving.settings import ServiceSettings
from alsatian.visual import html as pages

STATIC_FOLDER = Path(pages.__file__).parent / "static"
STATIC_FILES = ("htmx.min.js", "icon.svg", "visit.css", "visit.js")
DAY_SECONDS = 86_400

page_router = APIRouter(include_in_schema=False)
_poster_executor = ThreadPoolExecutor(2, "posters")  # so a slow TMDB delays only posters


class Page:
    """The page of a service: its view, its settings and the source of posters."""

    def __init__(
        self, service: RecommendationService, settings: ServiceSettings, posters: Posters | None = None
    ) -> None:
        self.service, self.view, self.settings = service, PageView(service), settings
        self.posters = posters or Posters()

    def render(self, template: str, state: PageState, **values: Any) -> HTMLResponse:
        """Return a template as a response; `values` are further variables of the template."""
        notice = "" if self.posters.unavailable_reason else TMDB_NOTICE
        can_rate = bool(state.user) and self.settings.token is None
        text = pages.render_template(
            template, state=state, static_url=_static_url, notice=notice, can_rate=can_rate, **values
        )
        return HTMLResponse(text, headers={"Vary": "HX-Request", "Cache-Control": "no-store"})

    def poster(self, item: str) -> Poster:
        """Return the poster of an item. Raises UnknownItem."""
        data = self.service.loaded_model.model.data
        row = data.item_ids.row(resolve_item(data, item))
        return self.posters.of(Film.from_catalog(data.catalog, row, data.item_ids.id_of(row)))


def get_page(request: Request) -> Page:
    """Return the page of the application that received a request."""
    page: Page = request.app.state.page
    return page


@page_router.get("/")
def show_page(request: Request) -> Response:
    """The whole page, for the state in its URL."""
    page, state = get_page(request), PageState.parse(request.query_params.multi_items())
    query = request.query_params.get("q", "")[:200]
    context = page.view.template_context(state) | {"matches": page.view.search(query), "query": query}
    return page.render("visit.html", state, **context)


@page_router.get("/search")
def show_search(request: Request) -> Response:
    """The titles that match the text typed so far: a fragment of the page."""
    page, state = get_page(request), PageState.parse(request.query_params.multi_items())
    query = request.query_params.get("q", "")[:200]
    capabilities = page.view.capabilities(page.service.loaded_model)
    return page.render("matches.html", state, matches=page.view.search(query), query=query, capabilities=capabilities)


@page_router.post("/rate", dependencies=[Depends(authorize_write)])
def rate_item(request: Request) -> Response:
    """Store a rating of a known user as an event, and return the updated page."""
    if request.headers.get("hx-request") != "true":  # pages of other sites cannot send this header
        raise Refused(403, "only the page itself may send this; use POST /api/events.")
    page, state = get_page(request), PageState.parse(request.query_params.multi_items())
    recipe = page.service.loaded_model.model.data.recipe
    stars, item = request.query_params.get("value", ""), request.query_params.get("item", "")
    strongest_event = max(recipe.events, key=lambda name: recipe.events[name]) if recipe.events else None
    body = {"user": state.user, "item": item, "value": _parse_stars(stars), "event": strongest_event}
    try:
        event = EventIn.model_validate(body)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    store_events(request, [event])
    context = page.view.template_context(state) | {"matches": [], "query": ""}
    return page.render("visit.html", state, **context)


@page_router.get("/posters/{item:path}")
async def get_poster(request: Request, item: str) -> Response:
    """The poster of an item, or a drawn placeholder; browsers may cache it."""
    poster = await asyncio.get_running_loop().run_in_executor(_poster_executor, get_page(request).poster, item)
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}  # for a drawing opened alone
    age = {"Cache-Control": f"private, max-age={DAY_SECONDS // 24 if poster.is_placeholder else DAY_SECONDS}"}
    return Response(poster.content, media_type=poster.kind, headers=policy | age)


@page_router.get("/static/{name}")
async def get_static_file(name: str) -> Response:
    """A script, style or icon of the page; its URL changes with its content."""
    if name not in STATIC_FILES:
        raise Refused(404, "there is no such file.")
    kind = mimetypes.guess_type(name)[0]
    content = await run_in_threadpool(_static_content, name)
    return Response(
        content, media_type=kind, headers={"Cache-Control": f"public, max-age={365 * DAY_SECONDS}, immutable"}
    )


def _parse_stars(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@cache
def _static_content(name: str) -> bytes:
    content = (STATIC_FOLDER / name).read_bytes()
    return (pages.TEMPLATES / "base.css").read_bytes() + content if name.endswith(".css") else content


@cache
def _static_url(name: str) -> str:
    """Return the URL of a static file. It contains a hash of the content, so browsers may cache the file."""
    return f"/static/{name}?{hashlib.sha256(_static_content(name)).hexdigest()[:12]}"

"""The page: HTML from templates, its two scripts, its style and its pictures. Every state of it has an address."""

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
from alsatian.serving.api.events import Told, keep
from alsatian.serving.api.problem_json import Refused
from alsatian.serving.api.request_guard import may_write
from alsatian.serving.page.url_state import State
from alsatian.serving.page.view import Showing
from alsatian.serving.service.queries import Engine, item_of
from alsatian.serving.settings import Settings
from alsatian.visual import html as pages

STATIC = Path(pages.__file__).parent / "static"
FILES = ("htmx.min.js", "icon.svg", "visit.css", "visit.js")
DAY = 86_400

router = APIRouter(include_in_schema=False)
_pictures = ThreadPoolExecutor(2, "posters")  # a slow TMDB holds up pictures, and nothing else


class Page:
    """What the page needs beside the engine."""

    def __init__(self, engine: Engine, settings: Settings, posters: Posters | None = None) -> None:
        self.engine, self.showing, self.settings = engine, Showing(engine), settings
        self.posters = posters or Posters()

    def html(self, template: str, state: State, **values: Any) -> HTMLResponse:
        notice = "" if self.posters.trouble else TMDB_NOTICE
        writes = bool(state.user) and self.settings.token is None
        text = pages.render(template, state=state, asset=_address, notice=notice, writes=writes, **values)
        return HTMLResponse(text, headers={"Vary": "HX-Request", "Cache-Control": "no-store"})

    def poster(self, item: str) -> Poster:
        data = self.engine.served.model.data
        row = data.item_ids.row(item_of(data, item))
        return self.posters.of(Film.of(data.catalog, row, data.item_ids.id_of(row)))


def page_of(request: Request) -> Page:
    page: Page = request.app.state.page
    return page


@router.get("/")
def visit(request: Request) -> Response:
    page, state = page_of(request), State.read(request.query_params.multi_items())
    query = request.query_params.get("q", "")[:200]
    shown = page.showing.visit(state) | {"found": page.showing.found(query), "query": query}
    return page.html("visit.html", state, **shown)


@router.get("/search")
def search(request: Request) -> Response:
    """What is like the words typed so far: a part of the page."""
    page, state = page_of(request), State.read(request.query_params.multi_items())
    query = request.query_params.get("q", "")[:200]
    able = page.showing.abilities(page.engine.served)
    return page.html("found.html", state, found=page.showing.found(query), query=query, able=able)


@router.post("/rate", dependencies=[Depends(may_write)])
def rate(request: Request) -> Response:
    """Keep what a user of the model thinks of an item, as an event, and show the page as it is then."""
    if request.headers.get("hx-request") != "true":  # no other site can send this header
        raise Refused(403, "only the page itself may send this; use POST /api/events.")
    page, state = page_of(request), State.read(request.query_params.multi_items())
    recipe = page.engine.served.model.data.recipe
    stars, item = request.query_params.get("value", ""), request.query_params.get("item", "")
    strongest = max(recipe.events, key=lambda name: recipe.events[name]) if recipe.events else None
    told = {"user": state.user, "item": item, "value": _number(stars), "event": strongest}
    try:
        event = Told.model_validate(told)
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    keep(request, [event])
    shown = page.showing.visit(state) | {"found": [], "query": ""}
    return page.html("visit.html", state, **shown)


@router.get("/posters/{item:path}")
async def poster(request: Request, item: str) -> Response:
    found = await asyncio.get_running_loop().run_in_executor(_pictures, page_of(request).poster, item)
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}  # of a drawing opened alone
    age = {"Cache-Control": f"private, max-age={DAY // 24 if found.drawn else DAY}"}
    return Response(found.content, media_type=found.kind, headers=policy | age)


@router.get("/static/{name}")
async def static(name: str) -> Response:
    if name not in FILES:
        raise Refused(404, "there is no such file.")
    kind = mimetypes.guess_type(name)[0]
    content = await run_in_threadpool(_content, name)
    return Response(content, media_type=kind, headers={"Cache-Control": f"public, max-age={365 * DAY}, immutable"})


def _number(written: str) -> float | None:
    try:
        return float(written)
    except ValueError:
        return None


@cache
def _content(name: str) -> bytes:
    own = (STATIC / name).read_bytes()
    return (pages.TEMPLATES / "base.css").read_bytes() + own if name.endswith(".css") else own


@cache
def _address(name: str) -> str:
    """Return where a file is: another address for other content, so that browsers may keep it."""
    return f"/static/{name}?{hashlib.sha256(_content(name)).hexdigest()[:12]}"

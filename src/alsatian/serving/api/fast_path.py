"""The call that most requests are: the list of a user, without further wishes.

It passes by FastAPI, whose reading of parameters takes longer than the model's answer; and requests that have arrived
together are answered together, in one pass over the items. Whatever is not plain goes on to the application, which
knows all wishes and all errors; both ask the same engine.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from alsatian.errors import AlsatianError
from alsatian.recommender.options import RecommendOptions
from alsatian.serving.api.recommend_routes import recommendations_router
from alsatian.serving.api.schemas import MAX_N
from alsatian.serving.service.queries import RecommendationService

_RECOMMEND_PATH = re.compile(r"/api/users/([^/]{1,500})/recommendations")
_RECOMMEND_QUERY = re.compile(rb"(?:n=([1-9][0-9]{0,3}))?")
_RECOMMEND_ROUTE = next(
    route for route in recommendations_router.routes if getattr(route, "operation_id", "") == "recommend"
)
_LISTS_PER_PASS = 16  # lists of one pass; beyond, it gains nothing more

ResponseBody = bytes | None  # None where there is something else to say than a list


class FastPath:
    """Middleware between the guard and the application."""

    def __init__(self, app: ASGIApp, service: RecommendationService) -> None:
        self.app, self.service = app, service
        self.pending: list[tuple[str, int, asyncio.Future[ResponseBody]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (request := _parse_plain_request(scope)) is not None:
            scope["route"] = _RECOMMEND_ROUTE  # for the guard, which counts
        if request is None or (body := await self.get_body(*request)) is None:
            await self.app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def get_body(self, user: str, n: int) -> ResponseBody:
        """Return a list. A thread takes as long as the answer, so there is one only where that may have to wait."""
        if self.service.may_block:
            return (await run_in_threadpool(self.get_bodies, [user], n))[0]
        loop = asyncio.get_running_loop()
        if not self.pending:
            loop.call_soon(self.answer_pending)  # after those that have arrived already
        future: asyncio.Future[ResponseBody] = loop.create_future()
        self.pending.append((user, n, future))
        return await future

    def answer_pending(self) -> None:
        """Answer who waits, all of one length together."""
        batch, self.pending = self.pending[:_LISTS_PER_PASS], self.pending[_LISTS_PER_PASS:]
        if self.pending:
            asyncio.get_running_loop().call_soon(self.answer_pending)
        for n in {n for _, n, _ in batch}:
            group = [(user, future) for user, length, future in batch if length == n]
            try:
                bodies = self.get_bodies([user for user, _ in group], n)
            except Exception as error:
                _resolve_futures([future for _, future in group], error)
            else:
                _resolve_futures([future for _, future in group], bodies)

    def get_bodies(self, users: Sequence[str], n: int) -> list[ResponseBody]:
        """Return the lists of users."""
        try:
            lists = self.service.recommend_to_users(users, RecommendOptions(n))
        except AlsatianError:  # each of them is told by the application
            return [None] * len(users)
        return [None if record is None else orjson.dumps(record) for record in lists]


def _resolve_futures(
    futures: Sequence[asyncio.Future[ResponseBody]], outcome: Sequence[ResponseBody] | Exception
) -> None:
    """Pass bodies, or what went wrong, to those who wait; a client may have gone."""
    for index, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[index])


def _parse_plain_request(scope: Scope) -> tuple[str, int] | None:
    """Return the user and the length of a list that is asked for without further wishes."""
    if (
        scope["type"] != "http"
        or scope["method"] != "GET"
        or (path := _RECOMMEND_PATH.fullmatch(scope["path"])) is None
    ):
        return None
    if (query := _RECOMMEND_QUERY.fullmatch(scope["query_string"])) is None:
        return None
    n = int(query[1] or 10)
    return (path[1], n) if n <= MAX_N else None

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
from alsatian.serving.api.recommend_routes import router
from alsatian.serving.api.schemas import MOST_N
from alsatian.serving.service.queries import Engine, Wishes

_PATH = re.compile(r"/api/users/([^/]{1,500})/recommendations")
_QUERY = re.compile(rb"(?:n=([1-9][0-9]{0,3}))?")
_ROUTE = next(route for route in router.routes if getattr(route, "operation_id", "") == "recommend")
_TOGETHER = 16  # lists of one pass; beyond, it gains nothing more

Body = bytes | None  # None where there is something else to say than a list


class Quick:
    """Middleware between the guard and the application."""

    def __init__(self, app: ASGIApp, engine: Engine) -> None:
        self.app, self.engine = app, engine
        self.waiting: list[tuple[str, int, asyncio.Future[Body]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (asked := _plain(scope)) is not None:
            scope["route"] = _ROUTE  # for the guard, which counts
        if asked is None or (body := await self.answer(*asked)) is None:
            await self.app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def answer(self, user: str, n: int) -> Body:
        """Return a list. A thread takes as long as the answer, so there is one only where that may have to wait."""
        if self.engine.waits:
            return (await run_in_threadpool(self.bodies, [user], n))[0]
        loop = asyncio.get_running_loop()
        if not self.waiting:
            loop.call_soon(self.answer_waiting)  # after those that have arrived already
        future: asyncio.Future[Body] = loop.create_future()
        self.waiting.append((user, n, future))
        return await future

    def answer_waiting(self) -> None:
        """Answer who waits, all of one length together."""
        some, self.waiting = self.waiting[:_TOGETHER], self.waiting[_TOGETHER:]
        if self.waiting:
            asyncio.get_running_loop().call_soon(self.answer_waiting)
        for n in {n for _, n, _ in some}:
            same = [(user, future) for user, length, future in some if length == n]
            try:
                bodies = self.bodies([user for user, _ in same], n)
            except Exception as error:
                _tell([future for _, future in same], error)
            else:
                _tell([future for _, future in same], bodies)

    def bodies(self, users: Sequence[str], n: int) -> list[Body]:
        """Return the lists of users."""
        try:
            lists = self.engine.for_users(users, Wishes(n))
        except AlsatianError:  # each of them is told by the application
            return [None] * len(users)
        return [None if told is None else orjson.dumps(told) for told in lists]


def _tell(futures: Sequence[asyncio.Future[Body]], outcome: Sequence[Body] | Exception) -> None:
    """Pass bodies, or what went wrong, to those who wait; a client may have gone."""
    for at, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[at])


def _plain(scope: Scope) -> tuple[str, int] | None:
    """Return the user and the length of a list that is asked for without further wishes."""
    if scope["type"] != "http" or scope["method"] != "GET" or (path := _PATH.fullmatch(scope["path"])) is None:
        return None
    if (query := _QUERY.fullmatch(scope["query_string"])) is None:
        return None
    n = int(query[1] or 10)
    return (path[1], n) if n <= MOST_N else None

"""Fast path and micro-batching for the most common request: the list of a user with no option but `n`.

Such a request bypasses FastAPI, which takes longer to parse the parameters than the model takes to answer.
Requests that have arrived together form a micro-batch, answered in one pass over the items.
All other requests, and all errors, go to the application; both use the same `RecommendationService`.
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
_LISTS_PER_PASS = 16  # lists of one pass; more are not faster

ResponseBody = bytes | None  # None if the application has to answer


class FastPath:
    """Middleware between RequestGuard and the application."""

    def __init__(self, app: ASGIApp, service: RecommendationService) -> None:
        self.app, self.service = app, service
        self.pending: list[tuple[str, int, asyncio.Future[ResponseBody]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (request := _parse_plain_request(scope)) is not None:
            scope["route"] = _RECOMMEND_ROUTE  # for the metrics of RequestGuard
        if request is None or (body := await self.get_body(*request)) is None:
            await self.app(scope, receive, send)
            return
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def get_body(self, user: str, n: int) -> ResponseBody:
        """Return a list as JSON. A thread costs as much as the list, so it is used only if the service may block."""
        if self.service.may_block:
            return (await run_in_threadpool(self.get_bodies, [user], n))[0]
        loop = asyncio.get_running_loop()
        if not self.pending:
            loop.call_soon(self.answer_pending)  # after the requests that have already arrived
        future: asyncio.Future[ResponseBody] = loop.create_future()
        self.pending.append((user, n, future))
        return await future

    def answer_pending(self) -> None:
        """Answer a batch of pending requests, those of equal length in one pass."""
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
        """Return the lists of users as JSON; None for a user whose request ends in an error."""
        try:
            lists = self.service.recommend_to_users(users, RecommendOptions(n))
        except AlsatianError:  # the application answers each of them with its error
            return [None] * len(users)
        return [None if record is None else orjson.dumps(record) for record in lists]


def _resolve_futures(
    futures: Sequence[asyncio.Future[ResponseBody]], outcome: Sequence[ResponseBody] | Exception
) -> None:
    """Pass bodies, or an error, to the waiting requests; a client may have disconnected."""
    for index, future in enumerate(futures):
        if future.done():
            continue
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome[index])


def _parse_plain_request(scope: Scope) -> tuple[str, int] | None:
    """Return user and length if a request sets no other option."""
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

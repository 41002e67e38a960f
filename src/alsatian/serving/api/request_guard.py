"""What every request passes before anything is done for it, and every answer on its way out.

A body may not be large, nor take for ever to arrive; nobody waits for ever for an answer; who may write is checked in
constant time; answers carry a strict policy; and what was asked is counted by its kind, never by whom.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from typing import Any

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alsatian.serving.api.problem_json import Refused, problem, unforeseen
from alsatian.serving.settings import Settings, is_loopback

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Guard:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: Settings, counters: Any) -> None:
        self.app, self.settings, self.counters = app, settings, counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = _Passage(self.settings, receive, send)
        begun = time.perf_counter()
        try:
            if _length(scope) > self.settings.largest_body:
                passage.refused = passage.too_large()
            else:
                async with asyncio.timeout(self.settings.patience + self.settings.seconds):
                    await self.app(scope, passage.receive, passage.send)
        except TimeoutError:
            late = f"no answer within {self.settings.seconds:g} s; ask for less, or again later."
            passage.refused = Refused(503, late, {"Retry-After": "5"})
        except Exception as error:  # told here: whoever it came to next would log it with its message
            passage.refused = passage.refused or unforeseen(error)
        finally:
            await passage.close(scope)
            route = getattr(scope.get("route"), "path_format", "none")
            self.counters.answered(scope["method"], route, passage.status, time.perf_counter() - begun)


class _Passage:
    """One request and its answer on their way through. refused: why there is to be no other answer than this."""

    refused: Refused | None = None

    def __init__(self, settings: Settings, receive: Receive, send: Send) -> None:
        self.settings, self._receive, self._send = settings, receive, send
        self.arrived, self.whole, self.status = 0, False, 0
        self.deadline = asyncio.get_running_loop().time() + settings.patience

    async def receive(self) -> Message:
        """Take in a part of the body; who sends too much, or too slowly, is refused."""
        if self.whole:
            return await self._receive()  # it says when the client goes away
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self._receive()
        except TimeoutError:
            slow = f"the request did not arrive within {self.settings.patience:g} s; send it faster."
            self.refused = Refused(408, slow, {"Connection": "close"})
            raise self.refused from None
        self.arrived += len(message.get("body", b""))
        self.whole = not message.get("more_body", False)
        if self.arrived > self.settings.largest_body:
            self.refused = self.too_large()
            raise self.refused
        return message

    def too_large(self) -> Refused:
        most = f"the body is larger than {self.settings.largest_body:,} bytes; send less at once."
        return Refused(413, most, {"Connection": "close"})

    async def send(self, message: Message) -> None:
        if self.refused is not None and not self.status:
            return  # what the application makes of a body that broke off
        await self.pass_on(message)

    async def pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(pair for pair in _HEADERS if pair[0] not in given)]
        await self._send(message)

    async def close(self, scope: Scope) -> None:
        """Answer a request that was refused; an answer that has begun can only break off."""
        if (why := self.refused) is not None and not self.status:
            await problem(why.status, why.error, why.detail, why.headers)(scope, self._receive, self.pass_on)


def _length(scope: Scope) -> int:
    """Return how long a body says it is; 0 where it says nothing that can be read."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(said) if said.isdigit() else 0


def may_write(request: Request) -> None:
    """Refuse who has not shown the token; where there is none, only this machine may write, by its own name.

    A page of another site that its name server points to this machine (DNS rebinding) calls it by that site's name;
    any other page says where it is from, as browsers do for whatever they post.
    """
    settings: Settings = request.app.state.settings
    if settings.token is None:
        if not is_loopback(_host(request.headers.get("host", ""))):
            raise Refused(421, "without a token, only this machine may write; call it by localhost or 127.0.0.1.")
        if _foreign(request):
            raise Refused(403, "without a token, pages of other sites may not write; send it from this one.")
        return
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    given = shown.strip() if scheme.lower() == "bearer" else ""
    if not hmac.compare_digest(given.encode(), settings.token.encode()):
        told = "this needs the token of the service; send it as 'Authorization: Bearer TOKEN'."
        raise Refused(401, told, {"WWW-Authenticate": "Bearer"})


def _foreign(request: Request) -> bool:
    """Tell whether a page of another site sent this."""
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _host(header: str) -> str:
    """Return the name in a Host header, without the port."""
    return header[: header.rfind("]") + 1] if header.startswith("[") else header.partition(":")[0]

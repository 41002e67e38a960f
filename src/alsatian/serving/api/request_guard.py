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

from alsatian.serving.api.problem_json import Refused, internal_error, problem_response
from alsatian.serving.settings import ServiceSettings, is_loopback

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_SECURITY_HEADERS = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class RequestGuard:
    """Middleware around the whole application."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, counters: Any) -> None:
        self.app, self.settings, self.counters = app, settings, counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _GuardedExchange(self.settings, receive, send)
        start = time.perf_counter()
        try:
            if _content_length(scope) > self.settings.max_body_bytes:
                exchange.refusal = exchange.too_large_error()
            else:
                async with asyncio.timeout(self.settings.request_timeout + self.settings.response_timeout):
                    await self.app(scope, exchange.receive, exchange.send)
        except TimeoutError:
            detail = f"no answer within {self.settings.response_timeout:g} s; ask for less, or again later."
            exchange.refusal = Refused(503, detail, {"Retry-After": "5"})
        except Exception as error:  # told here: whoever it came to next would log it with its message
            exchange.refusal = exchange.refusal or internal_error(error)
        finally:
            await exchange.close(scope)
            route = getattr(scope.get("route"), "path_format", "none")
            self.counters.count_request(scope["method"], route, exchange.status, time.perf_counter() - start)


class _GuardedExchange:
    """One request and its answer on their way through. refused: why there is to be no other answer than this."""

    refusal: Refused | None = None

    def __init__(self, settings: ServiceSettings, receive: Receive, send: Send) -> None:
        self.settings, self._receive, self._send = settings, receive, send
        self.received_bytes, self.is_complete, self.status = 0, False, 0
        self.deadline = asyncio.get_running_loop().time() + settings.request_timeout

    async def receive(self) -> Message:
        """Take in a part of the body; who sends too much, or too slowly, is refused."""
        if self.is_complete:
            return await self._receive()  # it says when the client goes away
        try:
            async with asyncio.timeout_at(self.deadline):
                message = await self._receive()
        except TimeoutError:
            detail = f"the request did not arrive within {self.settings.request_timeout:g} s; send it faster."
            self.refusal = Refused(408, detail, {"Connection": "close"})
            raise self.refusal from None
        self.received_bytes += len(message.get("body", b""))
        self.is_complete = not message.get("more_body", False)
        if self.received_bytes > self.settings.max_body_bytes:
            self.refusal = self.too_large_error()
            raise self.refusal
        return message

    def too_large_error(self) -> Refused:
        detail = f"the body is larger than {self.settings.max_body_bytes:,} bytes; send less at once."
        return Refused(413, detail, {"Connection": "close"})

    async def send(self, message: Message) -> None:
        if self.refusal is not None and not self.status:
            return  # what the application makes of a body that broke off
        await self.forward(message)

    async def forward(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            names = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *(header for header in _SECURITY_HEADERS if header[0] not in names),
            ]
        await self._send(message)

    async def close(self, scope: Scope) -> None:
        """Answer a request that was refused; an answer that has begun can only break off."""
        if (refusal := self.refusal) is not None and not self.status:
            await problem_response(refusal.status, refusal.error, refusal.detail, refusal.headers)(
                scope, self._receive, self.forward
            )


def _content_length(scope: Scope) -> int:
    """Return how long a body says it is; 0 where it says nothing that can be read."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


def authorize_write(request: Request) -> None:
    """Refuse who has not shown the token; where there is none, only this machine may write, by its own name.

    A page of another site that its name server points to this machine (DNS rebinding) calls it by that site's name;
    any other page says where it is from, as browsers do for whatever they post.
    """
    settings: ServiceSettings = request.app.state.settings
    if settings.token is None:
        if not is_loopback(_host_name(request.headers.get("host", ""))):
            raise Refused(421, "without a token, only this machine may write; call it by localhost or 127.0.0.1.")
        if _is_cross_site(request):
            raise Refused(403, "without a token, pages of other sites may not write; send it from this one.")
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer_token = token.strip() if scheme.lower() == "bearer" else ""
    if not hmac.compare_digest(bearer_token.encode(), settings.token.encode()):
        detail = "this needs the token of the service; send it as 'Authorization: Bearer TOKEN'."
        raise Refused(401, detail, {"WWW-Authenticate": "Bearer"})


def _is_cross_site(request: Request) -> bool:
    """Tell whether a page of another site sent this."""
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _host_name(header: str) -> str:
    """Return the name in a Host header, without the port."""
    return header[: header.rfind("]") + 1] if header.startswith("[") else header.partition(":")[0]

"""Middleware for every request and response: size limits, timeouts, security headers, tokens and metrics.

The size and the arrival time of bodies are limited, and so is the time of a response. Tokens are compared in constant
time. Requests are counted by route, never by user.
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
    """Middleware around the application: size limits, timeouts, security headers and metrics."""

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
            detail = f"no response within {self.settings.response_timeout:g} s; request less, or retry later."
            exchange.refusal = Refused(503, detail, {"Retry-After": "5"})
        except Exception as error:  # handled here: the server would log its message
            exchange.refusal = exchange.refusal or internal_error(error)
        finally:
            await exchange.close(scope)
            route = getattr(scope.get("route"), "path_format", "none")
            self.counters.count_request(scope["method"], route, exchange.status, time.perf_counter() - start)


class _GuardedExchange:
    """A request and its response. refusal: the error to send instead of the response, or None."""

    refusal: Refused | None = None

    def __init__(self, settings: ServiceSettings, receive: Receive, send: Send) -> None:
        self.settings, self._receive, self._send = settings, receive, send
        self.received_bytes, self.is_complete, self.status = 0, False, 0
        self.deadline = asyncio.get_running_loop().time() + settings.request_timeout

    async def receive(self) -> Message:
        """Receive a part of the body. Raises Refused for a body that is too large or too slow."""
        if self.is_complete:
            return await self._receive()  # it reports when the client disconnects
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
            return  # the application's response to an incomplete body
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
        """Send the error of a rejected request, unless a response has already started."""
        if (refusal := self.refusal) is not None and not self.status:
            await problem_response(refusal.status, refusal.error, refusal.detail, refusal.headers)(
                scope, self._receive, self.forward
            )


def _content_length(scope: Scope) -> int:
    """Return the declared length of a body; 0 if it is missing or not valid."""
    length = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return int(length) if length.isdigit() else 0


def authorize_write(request: Request) -> None:
    """Raise Refused unless a request may write: it has the token or, without a token, is local and of this origin.

    Without a token, the Host header must be local: in DNS rebinding, a page of another site resolves to this machine
    but still sends its own host name. Cross-origin requests are rejected by the Origin header, which browsers send with
    every POST (CSRF protection).
    """
    settings: ServiceSettings = request.app.state.settings
    if settings.token is None:
        if not is_loopback(_host_name(request.headers.get("host", ""))):
            raise Refused(421, "without a token, writes need a local Host header; call the service as localhost.")
        if _is_cross_site(request):
            raise Refused(
                403, "without a token, cross-origin writes are rejected; send it from the page of this service."
            )
        return
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer_token = token.strip() if scheme.lower() == "bearer" else ""
    if not hmac.compare_digest(bearer_token.encode(), settings.token.encode()):
        detail = "a token is required; send it as 'Authorization: Bearer TOKEN'."
        raise Refused(401, detail, {"WWW-Authenticate": "Bearer"})


def _is_cross_site(request: Request) -> bool:
    """Return whether a page of another origin sent the request."""
    origin = request.headers.get("origin")
    return origin is not None and origin.partition("://")[2] != request.headers.get("host")


def _host_name(header: str) -> str:
    """Return the host name in a Host header, without the port."""
    return header[: header.rfind("]") + 1] if header.startswith("[") else header.partition(":")[0]

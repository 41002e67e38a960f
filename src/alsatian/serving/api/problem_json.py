"""Errors as problem+json (RFC 9457), with the one-line messages of the library and without tracebacks."""

from __future__ import annotations

import traceback
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from alsatian.errors import AlsatianError, DataError, ParameterError, UnknownId, Unsupported
from alsatian.serving.settings import service_log

PROBLEM_MEDIA_TYPE = "application/problem+json"

_STATUS_TITLES = {
    400: "Bad request", 401: "Unauthorized", 403: "Forbidden", 404: "Not found", 405: "Method not allowed",
    408: "Request timeout", 409: "Conflict", 413: "Content too large", 415: "Unsupported media type",
    421: "Misdirected request", 422: "Unprocessable content", 500: "Internal server error", 503: "Service unavailable",
}  # fmt: skip
_ERROR_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (UnknownId, 404), (ParameterError, 422), (DataError, 422), (Unsupported, 422),
)  # fmt: skip


class Problem(BaseModel):
    """The body of every error response."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank", "title": "Not found", "status": 404, "error": "UnknownUser",
                    "detail": "no user 7777 (int) in this model; it has 610 users, such as 1, 2, 3.",
                }
            ]
        }
    )  # fmt: skip

    type: str = Field(description="Always about:blank: the status says what kind of problem it is.")
    title: str = Field(description="The name of the status.")
    status: int
    error: str = Field(description="The name of the exception in Python, such as UnknownUser or ParameterError.")
    detail: str = Field(description="One line: what was wrong, the value, the bound or nearest choice, the next step.")


class Refused(Exception):
    """The error of a request that is rejected, or that cannot be answered now."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers
        self.error = type(self).__name__


class Unavailable(Refused):
    """The error while something that the response needs is unavailable; the client may retry."""

    def __init__(self, detail: str) -> None:
        super().__init__(503, detail, {"Retry-After": "2"})


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the errors of an endpoint for its OpenAPI description."""
    return {status: {"model": Problem, "description": _STATUS_TITLES[status]} for status in statuses}


def problem_response(status: int, error: str, detail: str, headers: dict[str, str] | None = None) -> Response:
    """Return an error response."""
    title = _STATUS_TITLES.get(status, "Error")
    body = {"type": "about:blank", "title": title, "status": status, "error": error, "detail": " ".join(detail.split())}
    return JSONResponse(body, status, headers, PROBLEM_MEDIA_TYPE)


def install_error_handlers(app: FastAPI) -> None:
    """Make an application report every error as problem+json."""
    app.add_exception_handler(AlsatianError, _handle_library_error)
    app.add_exception_handler(Refused, _handle_refused)
    app.add_exception_handler(RequestValidationError, _handle_validation_error)
    app.add_exception_handler(HTTPException, _handle_http_error)
    make_schema = app.openapi

    def openapi() -> dict[str, Any]:
        return _use_problem_schema(make_schema())

    app.openapi = openapi  # type: ignore[method-assign]


def _use_problem_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe every error as a `Problem` in the OpenAPI schema, and drop the error schemas of FastAPI."""
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in schema["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "4":
                    response["content"] = content
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    return schema


def _handle_library_error(_: Request, error: Exception) -> Response:
    status = next((status for kind, status in _ERROR_STATUSES if isinstance(error, kind)), 500)
    if status == 500:
        service_log.error("%s: %s", type(error).__name__, _error_location(error))
        return problem_response(500, type(error).__name__, "the model failed; see the log of the service.")
    return problem_response(status, type(error).__name__, str(error))


def _handle_refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return problem_response(error.status, error.error, error.detail, error.headers)


def _handle_validation_error(_: Request, error: Exception) -> Response:
    """Report the first invalid field, and the number of others."""
    assert isinstance(error, RequestValidationError)
    first, *others = error.errors()
    location = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path")) or "the body"
    suffix = f" (and {len(others)} more)" if others else ""
    message = str(first["msg"]).removeprefix("Value error, ")
    return problem_response(
        422, "ParameterError", f"{location[:100]}: {message[:1].lower()}{message[1:300]}{suffix}; see /openapi.json."
    )


def _handle_http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if error.status_code != 404 else "there is nothing at this path; see /openapi.json."
    return problem_response(error.status_code, "HTTPException", str(detail), dict(error.headers or {}))


def internal_error(error: Exception) -> Refused:
    """Log the location of an unexpected error, and return an error without its details."""
    service_log.error("%s: %s", type(error).__name__, _error_location(error))
    refusal = Refused(500, "internal error; see the log of the service.")
    refusal.error = type(error).__name__
    return refusal


def _error_location(error: BaseException) -> str:
    """Return where an error was raised, without its message, which may contain values."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(
        f"{frame.name} ({frame.filename.rsplit('/', 1)[-1]}:{frame.lineno})" for frame in reversed(frames)
    )

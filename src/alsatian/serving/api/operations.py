"""The calls of those who run the service: what is in service, its health, its figures, a new model at once."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from alsatian.recommender.recommendations import json_id
from alsatian.serving.api.problem_json import answers, problem
from alsatian.serving.api.request_guard import may_write
from alsatian.serving.service.live_model import Current

router = APIRouter(tags=["operations"])
PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


class About(BaseModel):
    """What is in service."""

    model_config = ConfigDict(protected_namespaces=())

    model: str = Field(examples=["implicit-als"])
    params: dict[str, Any]
    users: int
    items: int
    values: int
    scale: list[float] | None = Field(description="The bounds of predicted values, where scores are such.")
    events: dict[str, float] = Field(description="The weight of each event that the model knows.")
    attributes: dict[str, str] = Field(description="The columns of the catalog, for where.")
    ids: dict[str, str] = Field(description='Whether ids of users and items are "int" or "text".')
    training: dict[str, Any]
    index: dict[str, float] | None = Field(description="What the index of similar items is worth; null without one.")
    since: float = Field(description="When it was taken into service, in seconds since 1970.")
    swaps: int = Field(description="How many new models this worker took into service.")
    trouble: str | None = Field(description="Why the file that lies there now is not in service; null where it is.")


class Health(BaseModel):
    status: str = Field(examples=["ready"])


class Reloaded(BaseModel):
    taken: bool = Field(description="Whether another model is in service now.")
    trouble: str | None


@router.get("/api/model", response_model=About, summary="What is in service", operation_id="model")
def model(request: Request) -> Response:
    return JSONResponse(_plain(request.app.state.engine.about()))


@router.post(
    "/api/model/reload",
    response_model=Reloaded,
    summary="Look at the model file now",
    operation_id="reload",
    dependencies=[Depends(may_write)],
    responses=answers(401, 421),
)
async def reload(request: Request) -> Response:
    """The service looks by itself four times a second; this tries also a file that was refused."""
    current: Current = request.app.state.current
    taken = await run_in_threadpool(current.refresh, again=True)
    return JSONResponse({"taken": taken, "trouble": current.trouble})


@router.get("/health/live", response_model=Health, summary="Whether the process answers", operation_id="live")
async def live() -> Response:
    return JSONResponse({"status": "live"})


@router.get(
    "/health/ready",
    response_model=Health,
    summary="Whether requests can be answered, and events kept",
    operation_id="ready",
    responses=answers(503),
)
def ready(request: Request) -> Response:
    if trouble := request.app.state.events.trouble():
        return problem(503, "Unavailable", trouble, {"Retry-After": "2"})
    return JSONResponse({"status": "ready"})


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    summary="Figures for Prometheus",
    operation_id="metrics",
)
def metrics(request: Request) -> Response:
    return Response(request.app.state.counters.text(), media_type=PROMETHEUS)


def _plain(value: Any) -> Any:
    """Return what JSON can hold of settings and summaries."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and value - value != 0:  # no number that JSON has
        return None
    return json_id(value) if isinstance(value, int | float | str | bool | None) else str(value)

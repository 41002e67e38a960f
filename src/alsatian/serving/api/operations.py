"""Endpoints for operators: the loaded model, reload, health checks and metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response

from alsatian.recommender.recommendations import to_json_id
from alsatian.serving.api.problem_json import error_responses, problem_response
from alsatian.serving.api.request_guard import authorize_write
from alsatian.serving.service.live_model import LiveModel

operations_router = APIRouter(tags=["operations"])
PROMETHEUS_MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ModelInfo(BaseModel):
    """The loaded model, and the state of its file."""

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
    loaded_at: float = Field(description="When the model was loaded, in seconds since 1970.")
    reloads: int = Field(description="How many times this worker has loaded a new model file.")
    last_error: str | None = Field(description="Why the present model file was rejected; null if it is in service.")


class Health(BaseModel):
    """The state of the process: "live" or "ready"."""

    status: str = Field(examples=["ready"])


class ReloadResult(BaseModel):
    """What a request to reload the model file did."""

    reloaded: bool = Field(description="Whether the model file was loaded and is in service now.")
    last_error: str | None = Field(description="Why the model file was rejected; null if it is in service.")


@operations_router.get("/api/model", response_model=ModelInfo, summary="What is in service", operation_id="model")
def get_model(request: Request) -> Response:
    """Describe the loaded model and the state of its file."""
    return JSONResponse(_to_json(request.app.state.service.describe_model()))


@operations_router.post(
    "/api/model/reload",
    response_model=ReloadResult,
    summary="Look at the model file now",
    operation_id="reload",
    dependencies=[Depends(authorize_write)],
    responses=error_responses(401, 421),
)
async def reload_model(request: Request) -> Response:
    """The service checks the file four times a second; this also tries a file that was rejected before."""
    live_model: LiveModel = request.app.state.live_model
    is_reloaded = await run_in_threadpool(live_model.refresh, force=True)
    return JSONResponse({"reloaded": is_reloaded, "last_error": live_model.last_error})


@operations_router.get(
    "/health/live", response_model=Health, summary="Whether the process answers", operation_id="live"
)
async def get_liveness() -> Response:
    """Answer as long as the process runs, whatever else is out of reach."""
    return JSONResponse({"status": "live"})


@operations_router.get(
    "/health/ready",
    response_model=Health,
    summary="Whether requests can be answered, and events kept",
    operation_id="ready",
    responses=error_responses(503),
)
def get_readiness(request: Request) -> Response:
    """Answer 503 while events cannot be stored."""
    if reason := request.app.state.event_store.unavailable_reason():
        return problem_response(503, "Unavailable", reason, {"Retry-After": "2"})
    return JSONResponse({"status": "ready"})


@operations_router.get(
    "/metrics",
    response_class=PlainTextResponse,
    summary="Figures for Prometheus",
    operation_id="metrics",
)
def get_metrics(request: Request) -> Response:
    """Return the counters of all workers in the text format of Prometheus."""
    return Response(request.app.state.counters.to_prometheus(), media_type=PROMETHEUS_MEDIA_TYPE)


def _to_json(value: Any) -> Any:
    """Return what JSON can hold of settings and summaries."""
    if isinstance(value, dict):
        return {str(name): _to_json(element) for name, element in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(element) for element in value]
    if isinstance(value, float) and value - value != 0:  # no number that JSON has
        return None
    return to_json_id(value) if isinstance(value, int | float | str | bool | None) else str(value)

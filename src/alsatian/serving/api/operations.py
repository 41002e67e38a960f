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
    scale: list[float] | None = Field(description="The range of predicted ratings; null if scores are not ratings.")
    events: dict[str, float] = Field(description="The events of the recipe, with their weights.")
    attributes: dict[str, str] = Field(description="The columns of the catalog, with their types, for `where`.")
    ids: dict[str, str] = Field(description='Whether ids of users and items are "int" or "text".')
    training: dict[str, Any]
    index: dict[str, float] | None = Field(
        description="Recall and speed of the index of similar items; null without one."
    )
    loaded_at: float = Field(description="When the model was loaded, in seconds since 1970.")
    reloads: int = Field(description="Number of new model files that this worker has loaded.")
    last_error: str | None = Field(description="Why the current model file was rejected; null if it is loaded.")


class Health(BaseModel):
    """The state of the process: "live" or "ready"."""

    status: str = Field(examples=["ready"])


class ReloadResult(BaseModel):
    """The result of a reload request."""

    reloaded: bool = Field(description="Whether the model file was loaded.")
    last_error: str | None = Field(description="Why the model file was rejected; null if it is loaded.")


@operations_router.get(
    "/api/model", response_model=ModelInfo, summary="Describe the loaded model", operation_id="model"
)
def get_model(request: Request) -> Response:
    """Return settings, sizes, training and index of the loaded model, and the state of its file."""
    return JSONResponse(_to_json(request.app.state.service.describe_model()))


@operations_router.post(
    "/api/model/reload",
    response_model=ReloadResult,
    summary="Reload the model file",
    operation_id="reload",
    dependencies=[Depends(authorize_write)],
    responses=error_responses(401, 421),
)
async def reload_model(request: Request) -> Response:
    """Load the model file now, also one that was rejected. The service checks for changes four times a second."""
    live_model: LiveModel = request.app.state.live_model
    is_reloaded = await run_in_threadpool(live_model.refresh, force=True)
    return JSONResponse({"reloaded": is_reloaded, "last_error": live_model.last_error})


@operations_router.get(
    "/health/live", response_model=Health, summary="Check that the process answers", operation_id="live"
)
async def get_liveness() -> Response:
    """Return 200 as long as the process runs, even if the event log is unavailable."""
    return JSONResponse({"status": "live"})


@operations_router.get(
    "/health/ready",
    response_model=Health,
    summary="Check that events can be stored",
    operation_id="ready",
    responses=error_responses(503),
)
def get_readiness(request: Request) -> Response:
    """Return 200 if requests can be answered and events stored, 503 while events cannot be stored."""
    if reason := request.app.state.event_store.unavailable_reason():
        return problem_response(503, "Unavailable", reason, {"Retry-After": "2"})
    return JSONResponse({"status": "ready"})


@operations_router.get(
    "/metrics",
    response_class=PlainTextResponse,
    summary="Get metrics for Prometheus",
    operation_id="metrics",
)
def get_metrics(request: Request) -> Response:
    """Return the metrics of all workers in the text format of Prometheus."""
    return Response(request.app.state.counters.to_prometheus(), media_type=PROMETHEUS_MEDIA_TYPE)


def _to_json(value: Any) -> Any:
    """Return settings and summaries as JSON values."""
    if isinstance(value, dict):
        return {str(name): _to_json(element) for name, element in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(element) for element in value]
    if isinstance(value, float) and value - value != 0:  # NaN and infinity are not JSON
        return None
    return to_json_id(value) if isinstance(value, int | float | str | bool | None) else str(value)

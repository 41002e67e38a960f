"""Endpoints for recommendations, similar items, explanations and title search."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from alsatian.errors import ParameterError
from alsatian.recommender.options import RecommendOptions, UnknownUserPolicy, option_help
from alsatian.serving.api import schemas
from alsatian.serving.api.problem_json import error_responses
from alsatian.serving.api.schemas import (
    MAX_ITEMS,
    MAX_N,
    MAX_WHERE_LENGTH,
    N_HELP,
    NOVELTY_HELP,
    UNKNOWN_HELP,
    WHERE_HELP,
)
from alsatian.serving.service.queries import RecommendationService

recommendations_router = APIRouter(prefix="/api", tags=["answers"], responses=error_responses(404, 422, 503))

ItemPath = Annotated[str, Path(max_length=500, description="An item, by its id or title.", examples=["Up (2009)"])]
ListLength = Annotated[int, Query(ge=1, le=MAX_N, description=N_HELP)]
AllowQuery = Annotated[
    list[str] | None, Query(max_length=MAX_ITEMS, description="Restrict the list to allowed items; repeat for more.")
]
DenyQuery = Annotated[list[str] | None, Query(max_length=MAX_ITEMS, description="Exclude this item; repeat for more.")]
WhereQuery = Annotated[
    str | None, Query(max_length=MAX_WHERE_LENGTH, description=WHERE_HELP, examples=["year >= 1990"])
]


def get_service(request: Request) -> RecommendationService:
    """Return the service of the application that received a request."""
    service: RecommendationService = request.app.state.service
    return service


@recommendations_router.get(
    "/users/{user:path}/recommendations",
    response_model=schemas.UserList,
    summary="Recommend items to a user",
    operation_id="recommend",
)
async def get_user_recommendations(
    request: Request,
    user: Annotated[str, Path(max_length=500, description="A user's id.", examples=["42"])],
    n: ListLength = 10,
    exclude_seen: Annotated[bool, Query(description=option_help("exclude_seen"))] = True,
    allow: AllowQuery = None,
    deny: DenyQuery = None,
    where: WhereQuery = None,
    novelty: Annotated[float, Query(ge=0, le=1, description=NOVELTY_HELP)] = 0.0,
    unknown: Annotated[UnknownUserPolicy, Query(description=UNKNOWN_HELP)] = "raise",
    reasons: Annotated[bool, Query(description=option_help("reasons"))] = False,
) -> Response:
    """Events since the training are folded in; `events` in the response is their number."""
    options = RecommendOptions(n, exclude_seen, allow, deny, where, novelty, unknown, reasons)
    return JSONResponse(await run_in_threadpool(get_service(request).recommend_to_user, user, options))


@recommendations_router.post(
    "/recommendations",
    response_model=schemas.VisitorList,
    summary="Recommend items to a visitor",
    operation_id="recommend_to_visitor",
)
def post_visitor_recommendations(request: Request, body: schemas.VisitorRequest) -> Response:
    """The model's recipe is applied to the history as to the training data. The history is not stored."""
    service = get_service(request)
    return JSONResponse(
        service.recommend_to_visitor(schemas.history_rows(body.history), body.recommend_options(), body.unknown)
    )


@recommendations_router.get(
    "/items", response_model=schemas.SearchResponse, summary="Search items by title", operation_id="search"
)
def search_items(
    request: Request,
    q: Annotated[
        str, Query(min_length=1, max_length=200, description="The text to search for.", examples=["iron man"])
    ],
    n: Annotated[int, Query(ge=1, le=100, description="Maximum number of items.")] = 10,
) -> Response:
    """Exact matches come first, then titles that begin with the query, then similar titles."""
    return JSONResponse({"items": get_service(request).search(q, n)})


@recommendations_router.get(
    "/items/{item:path}/similar",
    response_model=schemas.SimilarList,
    summary="List the items most similar to an item",
    operation_id="similar",
)
def get_similar_items(
    request: Request,
    item: ItemPath,
    n: ListLength = 10,
    allow: AllowQuery = None,
    deny: DenyQuery = None,
    where: WhereQuery = None,
) -> Response:
    """Items are ranked by the similarity measure of the model, the most similar first."""
    return JSONResponse(get_service(request).similar(item, n, allow, deny, where))


@recommendations_router.get(
    "/items/{item:path}", response_model=schemas.ItemResponse, summary="Get an item", operation_id="item"
)
def get_item(
    request: Request,
    item: ItemPath,
) -> Response:
    """Return title and attributes of an item, and the number of users who have it."""
    return JSONResponse(get_service(request).item(item))


@recommendations_router.post(
    "/explanations",
    response_model=schemas.ExplanationResponse,
    summary="Explain the score of an item",
    operation_id="explain",
)
def post_explanation(request: Request, body: schemas.ExplainRequest) -> Response:
    """Return what each item of a user or of a history adds to the score of an item."""
    if (body.user is None) == (body.history is None):
        raise ParameterError("pass exactly one of 'user' and 'history'.")
    service = get_service(request)
    if body.history is None:
        assert body.user is not None
        return JSONResponse(service.explain_user(body.user, body.item))
    return JSONResponse(service.explain_visitor(schemas.history_rows(body.history), body.item, body.unknown))

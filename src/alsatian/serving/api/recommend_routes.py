"""The calls that ask: recommendations, similar items, explanations, titles."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from alsatian.errors import ParameterError
from alsatian.serving.api import schemas
from alsatian.serving.api.problem_json import answers
from alsatian.serving.api.schemas import (
    LONGEST_WHERE,
    MOST_ITEMS,
    MOST_N,
    N_TOLD,
    NOVELTY_TOLD,
    UNKNOWN_TOLD,
    WHERE_TOLD,
)
from alsatian.serving.service.queries import Engine, Unknown, Wishes

router = APIRouter(prefix="/api", tags=["answers"], responses=answers(404, 422, 503))

ItemName = Annotated[str, Path(max_length=500, description="An item, by its id or title.", examples=["Up (2009)"])]
Length = Annotated[int, Query(ge=1, le=MOST_N, description=N_TOLD)]
Allow = Annotated[
    list[str] | None, Query(max_length=MOST_ITEMS, description="Choose from this item and others allowed only; repeat.")
]
Deny = Annotated[list[str] | None, Query(max_length=MOST_ITEMS, description="Leave this item out; repeat for more.")]
Where = Annotated[str | None, Query(max_length=LONGEST_WHERE, description=WHERE_TOLD, examples=["year >= 1990"])]


def engine_of(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


@router.get(
    "/users/{user:path}/recommendations",
    response_model=schemas.UserList,
    summary="The best items for a user",
    operation_id="recommend",
)
async def recommend(
    request: Request,
    user: Annotated[str, Path(max_length=500, description="A user's id.", examples=["42"])],
    n: Length = 10,
    exclude_seen: Annotated[bool, Query(description="Leave out what the user has seen.")] = True,
    allow: Allow = None,
    deny: Deny = None,
    where: Where = None,
    novelty: Annotated[float, Query(ge=0, le=1, description=NOVELTY_TOLD)] = 0.0,
    unknown: Annotated[Unknown, Query(description=UNKNOWN_TOLD)] = "raise",
    because: Annotated[bool, Query(description="Say of each item which of the user's items speak for it.")] = False,
) -> Response:
    """Events of the user that came after the model was trained are folded in; they say so by `events`."""
    wishes = Wishes(n, exclude_seen, allow, deny, where, novelty, because)
    return JSONResponse(await run_in_threadpool(engine_of(request).for_user, user, wishes, unknown))


@router.post(
    "/recommendations",
    response_model=schemas.VisitorList,
    summary="The best items for somebody who is in no data",
    operation_id="recommend_to_visitor",
)
def recommend_to_visitor(request: Request, body: schemas.ForVisitor) -> Response:
    """The history passes through the model's recipe as the rows of its data did; nothing of it is kept."""
    engine = engine_of(request)
    return JSONResponse(engine.for_visitor(schemas.rows(body.history), body.wishes(), body.unknown))


@router.get("/items", response_model=schemas.Found, summary="Search items by title", operation_id="search")
def search(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=200, description="What somebody types.", examples=["iron man"])],
    n: Annotated[int, Query(ge=1, le=100, description="How many to list.")] = 10,
) -> Response:
    """The same title comes first, then titles that begin with the query, then titles like it."""
    return JSONResponse({"items": engine_of(request).search(q, n)})


@router.get(
    "/items/{item:path}/similar",
    response_model=schemas.SimilarList,
    summary="The items most like an item",
    operation_id="similar",
)
def similar(
    request: Request,
    item: ItemName,
    n: Length = 10,
    allow: Allow = None,
    deny: Deny = None,
    where: Where = None,
) -> Response:
    return JSONResponse(engine_of(request).similar(item, n, allow, deny, where))


@router.get("/items/{item:path}", response_model=schemas.Item, summary="An item", operation_id="item")
def item(
    request: Request,
    item: ItemName,
) -> Response:
    return JSONResponse(engine_of(request).item(item))


@router.post(
    "/explanations",
    response_model=schemas.Explained,
    summary="Why an item scores as it does",
    operation_id="explain",
)
def explain(request: Request, body: schemas.ToExplain) -> Response:
    """For a user or a history: what each of their items adds to the score of this one."""
    if (body.user is None) == (body.history is None):
        raise ParameterError("whose score is it? Pass either user or history.")
    engine = engine_of(request)
    if body.history is None:
        assert body.user is not None
        return JSONResponse(engine.explain_user(body.user, body.item))
    return JSONResponse(engine.explain_visitor(schemas.rows(body.history), body.item, body.unknown))

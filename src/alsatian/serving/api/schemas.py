"""Request and response bodies, with the limits, descriptions and examples of OpenAPI."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from alsatian.data.where_grammar import REQUEST_LIMITS
from alsatian.recommender.options import RecommendOptions, option_help

JsonId = StrictInt | Annotated[StrictStr, Field(max_length=500)]
MAX_N, MAX_ITEMS, MAX_WHERE_LENGTH = 1_000, 1_000, REQUEST_LIMITS.characters
ItemIds = Annotated[list[JsonId], Field(max_length=MAX_ITEMS)]
FiniteNumber = Annotated[float, Field(allow_inf_nan=False, strict=True)]

N_HELP = option_help("n")
WHERE_HELP = (
    "A condition on the columns of the catalog: comparisons (=, <>, <, <=, >, >=), in (...), between, like, ilike, "
    "has, is null; combined by and, or, not and parentheses."
)
NOVELTY_HELP = option_help("novelty")
UNKNOWN_HELP = option_help("unknown")


class RequestBody(BaseModel):
    """A request body. Unknown fields are rejected, so that a misspelt option is an error."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class HistoryEntry(BaseModel):
    """A row of a history, in the form of the raw data; the model's recipe computes its value.

    Further fields are the signals of the recipe, if it has any.
    """

    model_config = ConfigDict(
        extra="allow", allow_inf_nan=False, json_schema_extra={"examples": [{"item": "Iron Man (2008)", "value": 5}]}
    )

    item: JsonId = Field(description="An item, by its id or title.")
    value: FiniteNumber | None = Field(
        None, description="The rating or amount. Without a value and an event, the item counts as a favorite."
    )
    event: Annotated[str, Field(max_length=200)] | None = Field(None, description="The name of an event of the recipe.")
    time: StrictInt | Annotated[StrictStr, Field(max_length=40)] | None = Field(
        None, description="The time: seconds (or milliseconds) since 1970, or an ISO 8601 date and time."
    )

    def to_raw_row(self) -> dict[str, Any]:
        """Return the fields that are set, as a row of raw data."""
        return self.model_dump(exclude_none=True)


VisitorHistory = Annotated[list[JsonId | HistoryEntry], Field(min_length=1, max_length=MAX_ITEMS)]


def history_rows(history: list[Any]) -> list[dict[str, Any]]:
    """Return a history as rows of raw data; a bare item is a favorite."""
    return [entry.to_raw_row() if isinstance(entry, HistoryEntry) else {"item": entry} for entry in history]


class ListRequest(RequestBody):
    """Options of a recommendation request; same names as `Model.recommend`."""

    n: int = Field(10, ge=1, le=MAX_N, description=N_HELP)
    exclude_seen: bool = Field(True, description=option_help("exclude_seen"))
    allow: ItemIds | None = Field(None, description=option_help("allow"))
    deny: ItemIds | None = Field(None, description=option_help("deny"))
    where: Annotated[str, Field(max_length=MAX_WHERE_LENGTH)] | None = Field(
        None, description=WHERE_HELP, examples=["year >= 1990"]
    )
    novelty: float = Field(0.0, ge=0, le=1, description=NOVELTY_HELP)
    reasons: bool = Field(False, description=option_help("reasons"))

    def recommend_options(self) -> RecommendOptions:
        """Return the options for the model."""
        return RecommendOptions(
            self.n, self.exclude_seen, self.allow, self.deny, self.where, self.novelty, reasons=self.reasons
        )


class VisitorRequest(ListRequest):
    """A recommendation request for a visitor, who is not in the training data."""

    history: VisitorHistory = Field(
        description="What the visitor likes or did: items, or rows with a value or an event.",
        examples=[["Iron Man (2008)", {"item": "Up (2009)", "value": 4.5}]],
    )
    unknown: Literal["raise", "skip"] = Field(
        "raise", description="Whether unknown items of the history are an error (raise), or skipped."
    )


class ExplainRequest(RequestBody):
    """A request to explain the score of an item, for a user or for a history."""

    item: JsonId = Field(description="An item, by its id or title.", examples=["Iron Man 2 (2010)"])
    user: JsonId | None = Field(None, description="A user of the model.")
    history: VisitorHistory | None = Field(
        None, description="The history of a visitor, instead of a user.", examples=[["Iron Man (2008)"]]
    )
    unknown: Literal["raise", "skip"] = "raise"


class ItemReason(BaseModel):
    """An item of the history, and its contribution to a score."""

    item: str | int = Field(description="Title (or id) of an item of the history.")
    contribution: float = Field(description="What it adds to the score.")


class ListItem(BaseModel):
    """One line of a ranking: rank, item, score and source."""

    rank: int
    item: str | int
    title: str | None
    score: float
    source: str = Field(description='How the item was scored: "als", "fold_in", "popular", "attributes" ...')
    reasons: list[ItemReason] | None = None


_EXAMPLE_LIST_ITEM: dict[str, Any] = {
    "rank": 1,
    "item": 59315,
    "title": "Iron Man (2008)",
    "score": 4.7,
    "source": "als",
}


class UserList(BaseModel):
    """The best items for a user, and the number of events that were folded in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user": 42, "events": 0, "items": [_EXAMPLE_LIST_ITEM]}]}
    )

    user: str | int
    events: int = Field(description="Number of events since the training that were folded in.")
    items: list[ListItem]


class VisitorList(BaseModel):
    """The best items for a visitor, and the history that they are based on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"like": ["Up (2009)"], "items": [_EXAMPLE_LIST_ITEM | {"source": "fold_in"}]}]}
    )

    like: list[str | int]
    items: list[ListItem]


class SimilarList(BaseModel):
    """The items most similar to an item."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"item": 68358, "items": [_EXAMPLE_LIST_ITEM]}]})

    item: str | int
    items: list[ListItem]


class ExplanationReason(BaseModel):
    """An item of the history, its value, and its contribution to a score."""

    item: str | int
    title: str | None
    value: float
    contribution: float


class ExplanationResponse(BaseModel):
    """An explained score: the sum of the base and the contributions."""

    user: str | int | None = None
    like: list[str | int] | None = None
    item: str | int
    title: str | None
    score: float
    base: float
    reasons: list[ExplanationReason]
    placed_by: dict[str, list[str]] = Field(
        description="Attribute columns that replace missing values of the user or the item."
    )


class ItemResponse(BaseModel):
    """An item of the catalog."""

    item: str | int
    title: str | None
    attributes: dict[str, Any]
    count: int = Field(description="Number of users who have the item.")
    match: float | None = Field(None, description="How well the title matches the search, at most 100.")


class SearchResponse(BaseModel):
    """The items that match a search, best first."""

    items: list[ItemResponse]

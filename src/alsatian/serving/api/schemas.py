"""The JSON that goes in and out: its bounds, its words and its examples, as OpenAPI tells them."""

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
    "A condition on the catalog's columns: comparisons (=, <>, <, <=, >, >=), in (...), between, like, ilike, has, "
    "is null, joined by and, or, not and brackets."
)
NOVELTY_HELP = option_help("novelty")
UNKNOWN_HELP = option_help("unknown")


class RequestBody(BaseModel):
    """A body: what is not known is refused, as a misspelt option would be."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class HistoryEntry(BaseModel):
    """Something that somebody did, as the raw data has it; the model's recipe makes a value of it.

    Further fields are the columns that the recipe makes values of (its signals).
    """

    model_config = ConfigDict(
        extra="allow", allow_inf_nan=False, json_schema_extra={"examples": [{"item": "Iron Man (2008)", "value": 5}]}
    )

    item: JsonId = Field(description="An item, by its id or title.")
    value: FiniteNumber | None = Field(
        None, description="What it is worth; without it, and without an event, a favourite."
    )
    event: Annotated[str, Field(max_length=200)] | None = Field(None, description="The name of an event with a weight.")
    time: StrictInt | Annotated[StrictStr, Field(max_length=40)] | None = Field(
        None, description="When: seconds (or milliseconds) since 1970, or a date and time in ISO form."
    )

    def to_raw_row(self) -> dict[str, Any]:
        """Return the fields that are set, as a row of raw data."""
        return self.model_dump(exclude_none=True)


VisitorHistory = Annotated[list[JsonId | HistoryEntry], Field(min_length=1, max_length=MAX_ITEMS)]


def history_rows(history: list[Any]) -> list[dict[str, Any]]:
    """Return a history as rows of raw data; a bare item is a favourite."""
    return [entry.to_raw_row() if isinstance(entry, HistoryEntry) else {"item": entry} for entry in history]


class ListRequest(RequestBody):
    """How a list is to be."""

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
    """A list for somebody who is in no data."""

    history: VisitorHistory = Field(
        description="What the visitor likes or did: items, or rows with value or event.",
        examples=[["Iron Man (2008)", {"item": "Up (2009)", "value": 4.5}]],
    )
    unknown: Literal["raise", "skip"] = Field(
        "raise", description="What becomes of items that the model does not know."
    )


class ExplainRequest(RequestBody):
    """Whose score for which item is to be taken apart: a user's, or that of a history."""

    item: JsonId = Field(description="An item, by its id or title.", examples=["Iron Man 2 (2010)"])
    user: JsonId | None = Field(None, description="A user of the model.")
    history: VisitorHistory | None = Field(None, description="Or what a visitor likes.", examples=[["Iron Man (2008)"]])
    unknown: Literal["raise", "skip"] = "raise"


class ItemReason(BaseModel):
    """An item of the history, and what it contributes to a score."""

    item: str | int = Field(description="Title, or id, of an item of the history.")
    contribution: float = Field(description="What it adds to the score.")


class ListItem(BaseModel):
    """One place of a list."""

    rank: int
    item: str | int
    title: str | None
    score: float
    source: str = Field(description='Where it comes from: "als", "fold_in", "popular", "attributes" ...')
    reasons: list[ItemReason] | None = None


_EXAMPLE_LIST_ITEM: dict[str, Any] = {
    "rank": 1,
    "item": 59315,
    "title": "Iron Man (2008)",
    "score": 4.7,
    "source": "als",
}


class UserList(BaseModel):
    """The best items of a known user, and how many events since the training were folded in."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"user": 42, "events": 0, "items": [_EXAMPLE_LIST_ITEM]}]}
    )

    user: str | int
    events: int = Field(description="How many events since the model was trained went into this list.")
    items: list[ListItem]


class VisitorList(BaseModel):
    """The best items of a visitor, and the history by which they were ranked."""

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
    """An item of the history, its value, and what it contributes to a score."""

    item: str | int
    title: str | None
    value: float
    contribution: float


class ExplanationResponse(BaseModel):
    """A score taken apart: the base and the contributions add up to it."""

    user: str | int | None = None
    like: list[str | int] | None = None
    item: str | int
    title: str | None
    score: float
    base: float
    reasons: list[ExplanationReason]
    placed_by: dict[str, list[str]] = Field(description="Attributes that stand in where there are no values.")


class ItemResponse(BaseModel):
    """An item of the catalog."""

    item: str | int
    title: str | None
    attributes: dict[str, Any]
    count: int = Field(description="How many people have it.")
    match: float | None = Field(None, description="How well the title fits a search, at most 100.")


class SearchResponse(BaseModel):
    """The items that match a search, best first."""

    items: list[ItemResponse]

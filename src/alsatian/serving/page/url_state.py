"""The choices of a visitor. They are part of the URL of the page, so a link shares them; none are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

MAX_PICKS = 100
PAGE_ITEMS = 18  # items of the list


@dataclass(frozen=True)
class Pick:
    """A favorite: the id of an item, as text, and its rating (None: not rated)."""

    item: str
    value: float | None = None

    @property
    def query_value(self) -> str:
        """The favorite as a URL parameter. "=" always separates the rating, so that an id may contain "=", too."""
        return f"{self.item}={'' if self.value is None else f'{self.value:g}'}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a favorite, `ITEM=VALUE` or `ITEM`; a value that is not a number is part of the item."""
        item, _, value = text.rpartition("=")
        try:
            return cls(item or text, float(value) if item and value else None)
        except ValueError:
            return cls(text)


@dataclass(frozen=True)
class PageState:
    """The choices of a visitor.

    user: the user whose list is shown, or "". filters: pairs of name and value.
    similar_item: the item whose similar items are shown, or "".
    """

    picks: tuple[Pick, ...] = ()
    hidden_items: tuple[str, ...] = ()
    user: str = ""
    novelty: float = 0.0
    filters: tuple[tuple[str, str], ...] = ()
    similar_item: str = ""

    @classmethod
    def parse(cls, parameters: Sequence[tuple[str, str]]) -> PageState:
        """Parse the parameters of a URL; those that are not valid are ignored."""
        values = dict(parameters)
        picks = {pick.item: pick for name, value in parameters if name == "like" and (pick := Pick.parse(value)).item}
        return cls(
            tuple(picks.values())[:MAX_PICKS],
            tuple(dict.fromkeys(value for name, value in parameters if name == "hide"))[:MAX_PICKS],
            values.get("user", "").strip()[:200],
            _parse_share(values.get("novelty", "")),
            tuple((name, value[:200]) for name, value in parameters if name.startswith("by-") and value)[:20],
            values.get("similar", "")[:500],
        )

    @property
    def query_parameters(self) -> list[tuple[str, str]]:
        """The parameters of the URL, without `similar`, which is shown only until the next choice."""
        parameters = [("like", like.query_value) for like in self.picks] + [
            ("hide", item) for item in self.hidden_items
        ]
        parameters += [("user", self.user)] if self.user else []
        parameters += [("novelty", f"{self.novelty:g}")] if self.novelty else []
        return parameters + list(self.filters)

    @property
    def url(self) -> str:
        """The URL of this state."""
        parameters = self.query_parameters + ([("similar", self.similar_item)] if self.similar_item else [])
        return f"/?{urlencode(parameters)}" if parameters else "/"

    def pick_value(self, item: str) -> float | None:
        """Return the rating of a favorite; None if it has none."""
        return next((like.value for like in self.picks if like.item == item), None)

    def with_pick(self, item: str, value: float | None = None) -> PageState:
        """Return the state with one more favorite, or with another rating of one."""
        pick = Pick(item, value)
        picks = tuple(pick if like.item == item else like for like in self.picks)
        all_picks = picks if pick in picks else (*picks, pick)
        return replace(
            self,
            picks=all_picks,
            hidden_items=tuple(hidden_item for hidden_item in self.hidden_items if hidden_item != item),
            similar_item="",
        )

    def without_pick(self, item: str) -> PageState:
        """Return the state without a favorite."""
        return replace(self, picks=tuple(pick for pick in self.picks if pick.item != item), similar_item="")

    def with_hidden(self, item: str) -> PageState:
        """Return the state with an item excluded from the lists."""
        return replace(self.without_pick(item), hidden_items=(*self.hidden_items, item))

    def with_similar(self, item: str) -> PageState:
        """Return the state that shows the items similar to an item; "" shows none."""
        return replace(self, similar_item=item)


def _parse_share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        return 0.0
    return min(max(share, 0.0), 1.0) if share == share else 0.0

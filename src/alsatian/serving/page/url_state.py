"""What a visitor has chosen. It is all in the address of the page, so a link shares it, and nothing of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlencode

MOST_LIKES = 100
LISTED = 18  # items of a page


@dataclass(frozen=True)
class Like:
    """A favourite: an item's id, as text, and how it was rated (None: it was only picked)."""

    item: str
    value: float | None = None

    @property
    def written(self) -> str:
        """As in an address; an id that ends like a rating has an empty one after it."""
        return f"{self.item}={'' if self.value is None else f'{self.value:g}'}"

    @classmethod
    def read(cls, written: str) -> Self:
        item, _, value = written.rpartition("=")
        try:
            return cls(item or written, float(value) if item and value else None)
        except ValueError:
            return cls(written)


@dataclass(frozen=True)
class State:
    """The choices of a visit.

    user: a user of the model, in whose name it is. chosen: filters, (name, value).
    similar: the item whose like are shown.
    """

    likes: tuple[Like, ...] = ()
    hidden: tuple[str, ...] = ()
    user: str = ""
    novelty: float = 0.0
    chosen: tuple[tuple[str, str], ...] = ()
    similar: str = ""

    @classmethod
    def read(cls, pairs: Sequence[tuple[str, str]]) -> State:
        """Read the parameters of an address; what cannot be read is as if it were left out."""
        given = dict(pairs)
        likes = {like.item: like for name, value in pairs if name == "like" and (like := Like.read(value)).item}
        return cls(
            tuple(likes.values())[:MOST_LIKES],
            tuple(dict.fromkeys(value for name, value in pairs if name == "hide"))[:MOST_LIKES],
            given.get("user", "").strip()[:200],
            _share(given.get("novelty", "")),
            tuple((name, value[:200]) for name, value in pairs if name.startswith("by-") and value)[:20],
            given.get("similar", "")[:500],
        )

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of the address, apart from what is only shown for a moment."""
        pairs = [("like", like.written) for like in self.likes] + [("hide", item) for item in self.hidden]
        pairs += [("user", self.user)] if self.user else []
        pairs += [("novelty", f"{self.novelty:g}")] if self.novelty else []
        return pairs + list(self.chosen)

    @property
    def url(self) -> str:
        pairs = self.pairs + ([("similar", self.similar)] if self.similar else [])
        return f"/?{urlencode(pairs)}" if pairs else "/"

    def value_of(self, item: str) -> float | None:
        return next((like.value for like in self.likes if like.item == item), None)

    def liking(self, item: str, value: float | None = None) -> State:
        """Return the choices with one more favourite, or with another rating of one."""
        new = Like(item, value)
        others = tuple(new if like.item == item else like for like in self.likes)
        likes = others if new in others else (*others, new)
        return replace(self, likes=likes, hidden=tuple(each for each in self.hidden if each != item), similar="")

    def without(self, item: str) -> State:
        return replace(self, likes=tuple(like for like in self.likes if like.item != item), similar="")

    def hiding(self, item: str) -> State:
        return replace(self.without(item), hidden=(*self.hidden, item))

    def showing(self, item: str) -> State:
        return replace(self, similar=item)


def _share(written: str) -> float:
    try:
        share = float(written)
    except ValueError:
        return 0.0
    return min(max(share, 0.0), 1.0) if share == share else 0.0

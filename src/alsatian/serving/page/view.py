"""What the page shows of a visit: favourites, lists as cards with their reasons, and every choice as an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from alsatian.data.id_map import Id
from alsatian.data.title_search import name_of
from alsatian.errors import AlsatianError, DataError, Unsupported
from alsatian.models import Model
from alsatian.posters.film import Film
from alsatian.serving.page.facets import condition, facets_of
from alsatian.serving.page.url_state import LISTED, State
from alsatian.serving.service.live_model import Served
from alsatian.serving.service.queries import Engine, Wishes, item_of

_SOURCES = {"popular": "popular", "attributes": "placed by its attributes"}
STARS = 5


@dataclass(frozen=True)
class Card:
    """An item as the page shows it."""

    item: str
    name: str
    year: int | None
    rank: int = 0
    score: str = ""
    note: str = ""
    because: tuple[tuple[str, int], ...] = ()  # a name, and how much it speaks for the item, 0 to 100


class Abilities:
    """What a model can do for the page, found out once."""

    def __init__(self, served: Served) -> None:
        self.model: Model = served.model
        self.facets = facets_of(served.model.data.catalog)

    @cached_property
    def similar(self) -> bool:
        """Whether it knows similar items."""
        try:
            self.model.similar([self.model.data.item_ids.id_of(int(self.model.data.item_counts.argmax()))], 1)
        except Unsupported:
            return False
        return True

    @cached_property
    def reasons(self) -> bool:
        """Whether it can say why."""
        data = self.model.data
        try:
            self.model.fold_in([data.item_ids.id_of(int(data.item_counts.argmax()))]).recommend(1, because=True)
        except Unsupported:
            return False
        return True

    @cached_property
    def values(self) -> list[float]:
        """What one to five stars are worth; none where the model does not rate."""
        if not self.model.predicts:
            return []
        low, high = self.model.data.scale
        whole = [float(star) for star in range(1, STARS + 1)]
        return whole if low <= 1 and high == STARS else np.linspace(low, high, STARS).tolist()


class Showing:
    """Makes what the page shows, from the model in service."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._known: tuple[Served, Abilities] | None = None

    def abilities(self, served: Served) -> Abilities:
        if self._known is None or self._known[0] is not served:
            self._known = served, Abilities(served)
        return self._known[1]

    def visit(self, state: State) -> dict[str, Any]:
        """Return what the template needs."""
        served = self.engine.served
        able, trouble = self.abilities(served), ""
        favourites = [card for like in state.likes if (card := self.card(served, like.item))]
        try:
            heading, cards = self._listed(state, favourites, able)
        except AlsatianError as error:
            heading, cards, trouble = "", [], str(error)
        return {
            "able": able, "favourites": favourites, "heading": heading, "cards": cards,
            "trouble": trouble, "like": self._similar(state, able), "seen": self._seen(served, state),
            "lost": len(state.likes) - len(favourites),
        }  # fmt: skip

    def found(self, query: str) -> list[Card]:
        """Return the items that somebody types."""
        served = self.engine.served
        found = (self.card(served, str(item["item"])) for item in self.engine.search(query, 8)) if query.strip() else ()
        return [card for card in found if card]

    def card(self, served: Served, item: str, **more: Any) -> Card | None:
        """Return an item as a card, None where the model does not know it."""
        data = served.model.data
        try:
            row = data.item_ids.row(item_of(data, item))
        except AlsatianError:
            return None
        id: Id = data.item_ids.id_of(row)
        film = Film.of(data.catalog, row, id)
        return Card(str(id), film.name, film.released, **more)

    def _listed(self, state: State, favourites: Sequence[Card], able: Abilities) -> tuple[str, list[Card]]:
        """Return the list for a user, for a visitor, or for somebody of whom nothing is known, and what it is."""
        known = [item for item in state.hidden if self.card(self.engine.served, item)]
        wishes = Wishes(
            LISTED, deny=known or None, where=condition(able.facets, state.chosen), novelty=state.novelty,
            because=able.reasons,
        )  # fmt: skip
        if state.user:
            return f"For user {state.user}", self._cards(self.engine.for_user(state.user, wishes), able)
        if not favourites:
            return "Popular here", self._cards(self.engine.popular(wishes), able)
        history = [{"item": like.item} | ({} if like.value is None else {"value": like.value}) for like in state.likes]
        try:
            answer = self.engine.for_visitor(history, wishes, "skip")
        except DataError:  # nothing that was rated counts as a like
            return "Popular here", self._cards(self.engine.popular(wishes), able)
        return "For you", self._cards(answer, able)

    def _similar(self, state: State, able: Abilities) -> dict[str, Any] | None:
        """Return the item whose like are asked for, and these."""
        card = self.card(self.engine.served, state.similar) if state.similar and able.similar else None
        if card is None:
            return None
        try:
            found = self.engine.similar(card.item, 6, None, None, None)
        except AlsatianError:
            return None
        return {"card": card, "cards": self._cards(found, able)}

    def _seen(self, served: Served, state: State) -> list[Card]:
        """Return some of what a user of the model has, best first."""
        if not state.user:
            return []
        best = self.engine.seen(state.user, 12)
        return [card for item in best if (card := self.card(served, item))]

    def _cards(self, answer: dict[str, Any], able: Abilities) -> list[Card]:
        served = self.engine.served
        cards = []
        for place in answer["items"]:
            score = (
                f"{place['score']:.1f}" if able.values and place["source"] != "popular" and "item" not in answer else ""
            )
            more = {
                "rank": place["rank"], "score": score, "note": _SOURCES.get(place["source"], ""),
                "because": _because(place.get("because") or []),
            }  # fmt: skip
            cards.append(self.card(served, str(place["item"]), **more))
        return [card for card in cards if card]


def _because(reasons: list[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    """Return what speaks for an item, by how much of the largest reason."""
    for_it = [reason for reason in reasons if reason["contribution"] > 0]
    most = max((reason["contribution"] for reason in for_it), default=1.0)
    return tuple(
        (name_of(str(reason["item"])), max(4, round(100 * reason["contribution"] / most))) for reason in for_it
    )

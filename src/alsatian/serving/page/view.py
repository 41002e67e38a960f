"""The content of the page: favorites, and lists as cards with reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from alsatian.data.title_search import title_without_year
from alsatian.errors import AlsatianError, DataError, Unsupported
from alsatian.models import Model
from alsatian.posters.film import Film
from alsatian.recommender.options import RecommendOptions
from alsatian.serving.page.facets import build_facets, facets_to_where
from alsatian.serving.page.url_state import PAGE_ITEMS, PageState
from alsatian.serving.service.live_model import LoadedModel
from alsatian.serving.service.queries import RecommendationService, resolve_item

_SOURCE_NOTES = {"popular": "popular", "attributes": "scored from its attributes"}
STAR_COUNT = 5


@dataclass(frozen=True)
class ItemCard:
    """An item on the page. reasons: names of items, and their contribution in percent of the largest one."""

    item: str
    name: str
    year: int | None
    rank: int = 0
    score: str = ""
    note: str = ""
    reasons: tuple[tuple[str, int], ...] = ()


class ModelCapabilities:
    """What the page can offer for a model: filters, similar items, reasons and ratings."""

    def __init__(self, loaded_model: LoadedModel) -> None:
        self.model: Model = loaded_model.model
        self.facets = build_facets(loaded_model.model.data.catalog)

    @property
    def supports_similar(self) -> bool:
        """Whether the model has similar items."""
        return self.model.supports_similar

    @property
    def supports_reasons(self) -> bool:
        """Whether the model explains its lists."""
        return self.model.supports_explain

    @cached_property
    def star_values(self) -> list[float]:
        """The ratings of one to five stars; empty if the model does not predict ratings."""
        if not self.model.predicts_ratings:
            return []
        low, high = self.model.data.scale
        stars = [float(star) for star in range(1, STAR_COUNT + 1)]
        return stars if low <= 1 and high == STAR_COUNT else np.linspace(low, high, STAR_COUNT).tolist()


class PageView:
    """Builds the content of the page from the loaded model."""

    def __init__(self, service: RecommendationService) -> None:
        self.service = service
        self._capabilities: tuple[LoadedModel, ModelCapabilities] | None = None

    def capabilities(self, loaded_model: LoadedModel) -> ModelCapabilities:
        """Return what the page can offer for a model, computed once for each loaded model."""
        if self._capabilities is None or self._capabilities[0] is not loaded_model:
            self._capabilities = loaded_model, ModelCapabilities(loaded_model)
        return self._capabilities[1]

    def template_context(self, state: PageState) -> dict[str, Any]:
        """Return the variables of the template."""
        loaded_model = self.service.loaded_model
        capabilities, error_message = self.capabilities(loaded_model), ""
        favorites = [card for pick in state.picks if (card := self.card(loaded_model, pick.item))]
        try:
            heading, cards = self._recommend(state, favorites, capabilities)
        except AlsatianError as error:
            heading, cards, error_message = "", [], str(error)
        return {
            "capabilities": capabilities, "favorites": favorites, "heading": heading, "cards": cards,
            "error": error_message, "similar": self._similar_section(state, capabilities),
            "seen": self._seen_cards(loaded_model, state), "unknown_picks": len(state.picks) - len(favorites),
        }  # fmt: skip

    def search(self, query: str) -> list[ItemCard]:
        """Return the items that match a query."""
        loaded_model = self.service.loaded_model
        cards = (
            (self.card(loaded_model, str(item["item"])) for item in self.service.search(query, 8))
            if query.strip()
            else ()
        )
        return [card for card in cards if card]

    def card(self, loaded_model: LoadedModel, item: str, **fields: Any) -> ItemCard | None:
        """Return an item as a card, or None if the model does not know it."""
        data = loaded_model.model.data
        try:
            row = data.item_ids.row(resolve_item(data, item))
        except AlsatianError:
            return None
        item_id = data.item_ids.id_of(row)
        film = Film.from_catalog(data.catalog, row, item_id)
        return ItemCard(str(item_id), film.name, film.release_year, **fields)

    def _recommend(
        self, state: PageState, favorites: Sequence[ItemCard], capabilities: ModelCapabilities
    ) -> tuple[str, list[ItemCard]]:
        """Return the heading and the list of a user, of a visitor with favorites, or of popular items."""
        hidden_items = [item for item in state.hidden_items if self.card(self.service.loaded_model, item)]
        options = RecommendOptions(
            PAGE_ITEMS, deny=hidden_items or None, where=facets_to_where(capabilities.facets, state.filters),
            novelty=state.novelty, reasons=capabilities.supports_reasons,
        )  # fmt: skip
        try:
            heading, recommendations = self._make_list(state, favorites, options)
        except Unsupported:  # a member of an ensemble has no reasons
            heading, recommendations = self._make_list(state, favorites, replace(options, reasons=False))
        return heading, self._make_cards(recommendations, capabilities)

    def _make_list(
        self, state: PageState, favorites: Sequence[ItemCard], options: RecommendOptions
    ) -> tuple[str, dict[str, Any]]:
        """Return the heading and the list as the API returns it. Raises Unsupported if this list has no reasons."""
        if state.user:
            return f"For user {state.user}", self.service.recommend_to_user(state.user, options)
        if not favorites:
            return "Popular items", self.service.popular_items(options)
        history = [{"item": pick.item} | ({} if pick.value is None else {"value": pick.value}) for pick in state.picks]
        try:
            return "For you", self.service.recommend_to_visitor(history, options, "skip")
        except DataError:  # no favorite counts as a like
            return "Popular items", self.service.popular_items(options)

    def _similar_section(self, state: PageState, capabilities: ModelCapabilities) -> dict[str, Any] | None:
        """Return the selected item and the items similar to it."""
        card = (
            self.card(self.service.loaded_model, state.similar_item)
            if state.similar_item and capabilities.supports_similar
            else None
        )
        if card is None:
            return None
        try:
            recommendations = self.service.similar(card.item, 6, None, None, None)
        except AlsatianError:
            return None
        return {"card": card, "cards": self._make_cards(recommendations, capabilities)}

    def _seen_cards(self, loaded_model: LoadedModel, state: PageState) -> list[ItemCard]:
        """Return the newest and the highest rated items of a user."""
        if not state.user:
            return []
        item_ids = self.service.seen_items(state.user, 12)
        return [card for item in item_ids if (card := self.card(loaded_model, item))]

    def _make_cards(self, recommendations: dict[str, Any], capabilities: ModelCapabilities) -> list[ItemCard]:
        loaded_model = self.service.loaded_model
        cards = []
        for list_item in recommendations["items"]:
            score = (
                f"{list_item['score']:.1f}"
                if capabilities.star_values and list_item["source"] != "popular" and "item" not in recommendations
                else ""
            )
            fields = {
                "rank": list_item["rank"], "score": score, "note": _SOURCE_NOTES.get(list_item["source"], ""),
                "reasons": _reason_bars(list_item.get("reasons") or []),
            }  # fmt: skip
            cards.append(self.card(loaded_model, str(list_item["item"]), **fields))
        return [card for card in cards if card]


def _reason_bars(reasons: list[dict[str, Any]]) -> tuple[tuple[str, int], ...]:
    """Return the items with a positive contribution, in percent of the largest one."""
    positive_reasons = [reason for reason in reasons if reason["contribution"] > 0]
    largest = max((reason["contribution"] for reason in positive_reasons), default=1.0)
    return tuple(
        (title_without_year(str(reason["item"])), max(4, round(100 * reason["contribution"] / largest)))
        for reason in positive_reasons
    )

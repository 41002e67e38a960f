"""Sample lists: the liked items of a few users, what each model recommends to them, and similar items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.data.item_lookup import item_row
from alsatian.errors import UnknownItem, Unsupported, pluralize
from alsatian.posters import Film, Posters
from alsatian.posters.gallery import TMDB_NOTICE
from alsatian.recommender import resolve
from alsatian.reporting.fitted_models import FittedModel
from alsatian.split import Split

CARDS_PER_ROW = 8
USER_QUANTILES = (0.25, 0.5, 0.9)  # of the users by activity: those to show
ITEM_QUANTILES = (0.05, 0.35, 0.65)  # of the values by item popularity: the items to show


class SampleCard(NamedTuple):
    """An item: name, year, CSS class of its poster, whether it is a held-out item of the user, and tooltip."""

    name: str
    year: int | None
    poster: str
    hit: bool
    tip: str


class CardFactory:
    """Makes cards, and collects the posters of a page, each stored once."""

    def __init__(self, data: Interactions, posters: Posters) -> None:
        self.data, self.posters = data, posters
        self.classes: dict[str, str] = {}
        self.uris: dict[str, str] = {}
        self.all_placeholders = True

    def card(self, row: int, hit: bool = False, tip: str = "") -> SampleCard:
        """Return an item as a card."""
        film = Film.from_catalog(self.data.catalog, row, self.data.item_ids.id_of(row))
        if film.key not in self.classes:
            self.classes[film.key] = f"p{len(self.classes)}"
            poster = self.posters.of(film)
            self.uris[self.classes[film.key]] = poster.uri
            self.all_placeholders &= poster.is_placeholder
        return SampleCard(film.name, film.release_year, self.classes[film.key], hit, tip or film.title)

    @property
    def notice(self) -> str:
        """The notice that TMDB requires; "" if all posters are drawn."""
        return "" if self.all_placeholders else TMDB_NOTICE


def choose_users(split: Split, user_ids: Iterable[Id] | None) -> NDArray[np.int32]:
    """Return the rows of the users to show: the requested ones, or some of low, medium and high activity.

    Raises UnknownUser.
    """
    if user_ids is not None:
        return np.array([split.train.user_ids.row(user) for user in resolve.as_list(user_ids)], np.int32)
    known_counts = split.train.by_user.counts + (0 if split.fold_in is None else split.fold_in.by_user.counts)
    rows = np.flatnonzero((split.held_out.by_user.counts > 0) & (known_counts > 0))
    order = rows[np.argsort(known_counts[rows], kind="stable")]
    choice = [order[int(share * (len(order) - 1))] for share in USER_QUANTILES] if len(order) else []
    return np.array(list(dict.fromkeys(choice)), np.int32)


def choose_items(data: Interactions, queries: Iterable[Id] | None) -> list[int]:
    """Return the rows of the items to show: the requested ones (ids or titles), or some of different popularity.

    Raises UnknownItem.
    """
    if queries is not None:
        return [item_row(data, item) for item in resolve.as_list(queries)]
    order = np.argsort(-data.item_counts, kind="stable")
    shares = np.cumsum(data.item_counts[order]) / len(data)
    return list(dict.fromkeys(order[np.searchsorted(shares, ITEM_QUANTILES)].tolist()))


def user_lists(
    fitted_models: Sequence[FittedModel],
    split: Split,
    ranking_split: Split,
    users: Any,
    card_factory: CardFactory,
    threads: int,
) -> list[Any]:
    """Return for each user the liked items and the list of each model, with held-out items marked."""
    rows_by_label = {entry.label: entry.top_items(users, CARDS_PER_ROW, threads) for entry in fitted_models}
    contexts = []
    for index, user in enumerate(users.tolist()):
        held_out, _ = ranking_split.held_out.by_user.row(user)
        rows = [
            (label, [row for row in top_items[index].tolist() if row >= 0])
            for label, top_items in rows_by_label.items()
        ]
        items, values = _known_history(split, user)
        contexts.append(
            {
                "id": split.train.user_ids.id_of(user),
                "known": pluralize(len(items), "value"),
                "held_out": pluralize(len(held_out), "held-out value"),
                "liked": [
                    card_factory.card(row, tip=_value_text(card_factory.data, row, value))
                    for row, value in _top_rated(card_factory.data, items, values)
                ],
                "lists": [
                    (label, [card_factory.card(row, row in held_out) for row in top_items]) for label, top_items in rows
                ],
            }
        )
    return contexts


def _known_history(split: Split, user: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the items and values of a user that the models know."""
    items, values = split.train.by_user.row(user)
    return split.fold_in.by_user.row(user) if split.fold_in is not None and not len(items) else (items, values)


def _top_rated(data: Interactions, items: NDArray[np.int32], values: NDArray[np.float32]) -> list[tuple[int, float]]:
    """Return the highest rated items of a user; among equal ratings, the most popular first."""
    order = np.lexsort((-data.item_counts[items], -values))[:CARDS_PER_ROW]
    return list(zip(items[order].tolist(), values[order].tolist(), strict=True))


def _value_text(data: Interactions, row: int, value: float) -> str:
    return f"{data.catalog.title_of(row) or data.item_ids.id_of(row)}: {value:g}"


def similar_items(
    fitted_models: Sequence[FittedModel], rows: Sequence[int], card_factory: CardFactory, threads: int
) -> list[Any]:
    """Return for each item the similar items of each model that supports `similar`."""
    return [
        {
            "item": card_factory.card(row),
            "known": pluralize(int(card_factory.data.item_counts[row]), "value"),
            "lists": [
                (fitted_model.label, cards)
                for fitted_model in fitted_models
                if (cards := _similar_cards(fitted_model, row, card_factory, threads))
            ],
        }
        for row in rows
    ]


def _similar_cards(fitted_model: FittedModel, row: int, card_factory: CardFactory, threads: int) -> list[SampleCard]:
    try:
        recommendations = fitted_model.model.similar(
            [card_factory.data.item_ids.id_of(row)], CARDS_PER_ROW, threads=threads
        )
    except (Unsupported, UnknownItem):
        return []
    return [card_factory.card(int(similar_row)) for similar_row in recommendations.rows]

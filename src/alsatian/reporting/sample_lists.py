"""The eye test: what a few people liked beside what each model recommends, and a few items beside similar ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.errors import UnknownItem, Unsupported, counted
from alsatian.posters import Film, Posters
from alsatian.posters.gallery import TMDB_NOTICE
from alsatian.recommender import resolve
from alsatian.reporting.fitted_models import Entry
from alsatian.split import Split

SHOWN = 8  # items of a row
USERS = (0.25, 0.5, 0.9)  # who is shown: those with as many values as this share of the users has at most
ITEMS = (0.05, 0.35, 0.65)  # what is shown: where this share of the values falls on more popular items


class Card(NamedTuple):
    """An item: its row, its name and year, the class of its poster, and whether it was held out."""

    name: str
    year: int | None
    poster: str
    hit: bool
    tip: str


class Shelf:
    """The posters of a page, each kept once however often it is shown."""

    def __init__(self, data: Interactions, posters: Posters) -> None:
        self.data, self.posters = data, posters
        self.classes: dict[str, str] = {}
        self.uris: dict[str, str] = {}
        self.drawn = True

    def card(self, row: int, hit: bool = False, tip: str = "") -> Card:
        """Return an item as it is shown."""
        film = Film.of(self.data.catalog, row, self.data.item_ids.id_of(row))
        if film.key not in self.classes:
            self.classes[film.key] = f"p{len(self.classes)}"
            poster = self.posters.of(film)
            self.uris[self.classes[film.key]] = poster.uri
            self.drawn &= poster.drawn
        return Card(film.name, film.released, self.classes[film.key], hit, tip or film.title)

    @property
    def notice(self) -> str:
        """What the source of the posters asks to be said."""
        return "" if self.drawn else TMDB_NOTICE


def users_of(split: Split, asked: Iterable[Id] | None) -> NDArray[np.int32]:
    """Return the rows of the users to show: those asked for, or some who are as active as few, half and most are.

    Raises UnknownUser.
    """
    if asked is not None:
        return np.array([split.train.user_ids.row(user) for user in resolve.listed(asked)], np.int32)
    known = split.train.by_user.counts + (0 if split.fold_in is None else split.fold_in.by_user.counts)
    rows = np.flatnonzero((split.held_out.by_user.counts > 0) & (known > 0))
    order = rows[np.argsort(known[rows], kind="stable")]
    chosen = [order[int(share * (len(order) - 1))] for share in USERS] if len(order) else []
    return np.array(list(dict.fromkeys(chosen)), np.int32)


def items_of(data: Interactions, asked: Iterable[Id] | None) -> list[int]:
    """Return the rows of the items to show: those asked for (ids or titles), or some of different popularity.

    Raises UnknownItem.
    """
    if asked is not None:
        return [resolve.item_row(data, item) for item in resolve.listed(asked)]
    order = np.argsort(-data.item_counts, kind="stable")
    shares = np.cumsum(data.item_counts[order]) / len(data)
    return list(dict.fromkeys(order[np.searchsorted(shares, ITEMS)].tolist()))


def people(entries: Sequence[Entry], split: Split, liked: Split, users: Any, shelf: Shelf, threads: int) -> list[Any]:
    """Return for each user what she liked, and the list of each model, with what was held out and is in it."""
    found = {entry.label: entry.lists(users, SHOWN, threads) for entry in entries}
    told = []
    for at, user in enumerate(users.tolist()):
        held, _ = liked.held_out.by_user.row(user)
        rows = [(label, [row for row in best[at].tolist() if row >= 0]) for label, best in found.items()]
        items, values = _known(split, user)
        told.append(
            {
                "id": split.train.user_ids.id_of(user),
                "known": counted(len(items), "value"),
                "held_out": counted(len(held), "held-out value"),
                "liked": [shelf.card(row, tip=_valued(shelf.data, row, value)) for row, value in
                          _favourites(shelf.data, items, values)],
                "lists": [(label, [shelf.card(row, row in held) for row in best]) for label, best in rows],
            }
        )  # fmt: skip
    return told


def _known(split: Split, user: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return what models know of a user: items and values."""
    items, values = split.train.by_user.row(user)
    return split.fold_in.by_user.row(user) if split.fold_in is not None and not len(items) else (items, values)


def _favourites(data: Interactions, items: NDArray[np.int32], values: NDArray[np.float32]) -> list[tuple[int, float]]:
    """Return what somebody values most; of equals what most people know."""
    order = np.lexsort((-data.item_counts[items], -values))[:SHOWN]
    return list(zip(items[order].tolist(), values[order].tolist(), strict=True))


def _valued(data: Interactions, row: int, value: float) -> str:
    return f"{data.catalog.title_of(row) or data.item_ids.id_of(row)}: {value:g}"


def alike(entries: Sequence[Entry], rows: Sequence[int], shelf: Shelf, threads: int) -> list[Any]:
    """Return for each item what each model finds similar; models that know nothing similar are left out."""
    return [
        {
            "item": shelf.card(row),
            "known": counted(int(shelf.data.item_counts[row]), "value"),
            "lists": [(entry.label, cards) for entry in entries if (cards := _similar(entry, row, shelf, threads))],
        }
        for row in rows
    ]


def _similar(entry: Entry, row: int, shelf: Shelf, threads: int) -> list[Card]:
    try:
        found = entry.model.similar([shelf.data.item_ids.id_of(row)], SHOWN, threads=threads)
    except (Unsupported, UnknownItem):
        return []
    return [shelf.card(int(other)) for other in found.rows]

"""Resolve ids, titles and filters, as users write them, to row numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.id_map import Id, Ids
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, UnknownItem, UnknownUser
from alsatian.recommender.topn import Mask


def listed(asked: object) -> list[Id]:
    """Return one id as a list of one, several as a list."""
    if isinstance(asked, str) or not isinstance(asked, Iterable):
        return [asked]  # type: ignore[list-item]
    return asked.tolist() if isinstance(asked, np.ndarray) else list(asked)


def check_n(n: int, items: int) -> int:
    """Return how many places a list needs."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ParameterError(f"n={n!r} is not the length of a list; pass 1 or more.")
    return min(int(n), items)


def rows_of(ids: Ids, asked: object, unknown: str) -> NDArray[np.int32]:
    """Return the row of each id, -1 where it is unknown and that is no error."""
    wanted = listed(asked)
    rows = ids.rows(wanted)
    if unknown == "raise" and (rows < 0).any():
        raise ids.unknown(wanted[int(np.argmax(rows < 0))])
    return rows


def are_known(rows: Any, counts: NDArray[np.integer], placed: Mask | None) -> Any:
    """Return which of these rows have values, or are placed without by their attributes."""
    known = counts[rows] > 0
    return known if placed is None else known | placed[rows]


def known_users(data: Interactions, users: object, unknown: str, placed: Mask | None) -> NDArray[np.int32]:
    """Return the rows of users, -1 for one without values who is not placed, where that is no error."""
    rows = rows_of(data.user_ids, users, unknown)
    rows[~are_known(rows, data.by_user.counts, placed)] = -1
    if unknown == "raise" and (rows < 0).any():
        raise UnknownUser(
            f"user {listed(users)[int(np.argmax(rows < 0))]!r} has no values in the data that the model was fitted on; "
            "fold in a history (fold_in, --like), or pass unknown='popular' to recommend, 'baseline' to predict."
        )
    return rows


def user_rows(
    data: Interactions, users: object, unknown: str, placed: Mask | None = None
) -> tuple[list[Id], NDArray[np.int32]]:
    """Return the users asked for (None: all) and their rows; -1 for an unknown one who gets what is popular.

    Known are those who have values and those who are placed without.
    """
    if unknown not in ("raise", "skip", "popular"):
        raise ParameterError(f"unknown={unknown!r} is not a word of recommend; choose raise, skip or popular.")
    counts = data.by_user.counts
    if users is None:  # all of whom anything is known
        rows = np.flatnonzero(are_known(slice(None), counts, placed)).astype(np.int32)
        return data.user_ids.take(rows), rows
    asked = listed(users)
    rows = known_users(data, asked, unknown, placed)
    if unknown != "skip":
        return asked, rows
    return [user for user, row in zip(asked, rows, strict=True) if row >= 0], rows[rows >= 0]


def item_row(data: Interactions, item: Id) -> int:
    """Return the row of an item given as an id or, if there is no such id, as a title of the catalog."""
    row = data.item_ids.find(item)
    if row < 0 and isinstance(item, str):
        row = -1 if (found := data.catalog.find(item)) is None else found
    if row < 0:
        raise _unknown_item(data, item)
    return row


def item_rows(data: Interactions, items: Id | Iterable[Id], unknown: str = "raise") -> NDArray[np.int32]:
    """Return the rows of items (ids or titles); -1 for an unknown one where that is no error."""
    asked = listed(items)
    rows = data.item_ids.rows(asked)
    for at in np.flatnonzero(rows < 0):
        try:
            rows[at] = item_row(data, asked[at])
        except UnknownItem:
            if unknown == "raise":
                raise
    return rows


def known_items(data: Interactions, items: object, unknown: str, placed: Mask | None) -> NDArray[np.int32]:
    """Return the rows of items, -1 for one without values that is not placed, where that is no error."""
    rows = item_rows(data, items, unknown)  # type: ignore[arg-type]
    rows[~are_known(rows, data.item_counts, placed)] = -1
    if unknown == "raise" and (rows < 0).any():
        raise _valueless(listed(items)[int(np.argmax(rows < 0))], "pass unknown='baseline', or 'skip'")
    return rows


def pairs(
    data: Interactions, users: object, items: object, unknown: str, placed_users: Mask | None, placed_items: Mask | None
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the rows of pairs, one of either side going with all of the other; -1 where nothing is known of a side."""
    if unknown not in ("raise", "skip", "baseline"):
        raise ParameterError(f"unknown={unknown!r} is not a word of predict; choose raise, skip or baseline.")
    found = known_users(data, users, unknown, placed_users), known_items(data, items, unknown, placed_items)
    if min(map(len, found)) != 1 and len(found[0]) != len(found[1]):
        raise ParameterError(
            f"predict takes pairs, and {len(found[0]):,} users do not pair with {len(found[1]):,} items; "
            "pass as many of both, or one of either."
        )
    user_rows, item_rows = np.broadcast_arrays(*found)
    return np.ascontiguousarray(user_rows), np.ascontiguousarray(item_rows)


def _valueless(item: Id, step: str) -> UnknownItem:
    return UnknownItem(f"item {item!r} has no values in the data that the model was fitted on; {step}.")


def _unknown_item(data: Interactions, item: Id) -> Exception:
    if not isinstance(item, str) or not data.catalog.titles:
        return data.item_ids.unknown(item)
    near = [match.title for match in data.catalog.search(item, data.item_counts, limit=3)]
    hint = f"the nearest titles are {', '.join(map(repr, near))}." if near else "no title is like it."
    return UnknownItem(f"no item {item!r} in this model, neither as an id nor as a title; {hint}")


def allowed_items(
    data: Interactions, allow: Iterable[Id] | None, deny: Iterable[Id] | None, where: str | Mask | None
) -> Mask | None:
    """Return which items may be listed, or None when all may."""
    if allow is None and deny is None and where is None:
        return None
    if isinstance(where, np.ndarray):
        mask = _checked_mask(where, len(data.item_ids))
    else:
        mask = np.ones(len(data.item_ids), bool) if where is None else data.catalog.matching(where)
    if allow is not None:
        only = np.zeros(len(mask), bool)
        only[item_rows(data, allow)] = True
        mask = mask & only
    if deny is not None:
        mask[item_rows(data, deny)] = False
    return mask


def _checked_mask(where: Mask, items: int) -> Mask:
    """Return a copy of a mask that a caller made."""
    if where.dtype != np.bool_ or where.shape != (items,):
        raise ParameterError(
            f"where= is {items:,} values true or false, one an item, not {where.dtype} of shape {where.shape}."
        )
    return where.copy()


def rated_row(data: Interactions, item: Id, placed: Mask | None = None) -> int:
    """Return the row of an item that somebody has, or that is placed without; raises UnknownItem otherwise."""
    row = item_row(data, item)
    if not are_known(row, data.item_counts, placed):
        raise _valueless(item, "name another")
    return row

"""Resolve ids, titles and filters, as users write them, to row numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from alsatian.data.id_map import Id, IdMap
from alsatian.data.interactions import Interactions
from alsatian.data.item_lookup import item_row
from alsatian.errors import ParameterError, UnknownItem, UnknownUser
from alsatian.recommender.topn import Mask

UnknownItemPolicy = Literal["raise", "skip"]  # of fold_in, for unknown items
UnknownPairPolicy = Literal["raise", "skip", "bias"]  # of predict, for unknown users and items


def as_list(ids: object) -> list[Id]:
    """Return a list of ids; a single id becomes a list of one."""
    if isinstance(ids, str) or not isinstance(ids, Iterable):
        return [ids]  # type: ignore[list-item]
    return ids.tolist() if isinstance(ids, np.ndarray) else list(ids)


def validate_n(n: int, items: int) -> int:
    """Return the length of a list: n, but at most the number of items. Raises ParameterError if n is not valid."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ParameterError(f"n={n!r} is not a valid list length; pass 1 or more.")
    return min(int(n), items)


def validate_unknown(unknown: str, policy: Any) -> None:
    """Raise ParameterError if `unknown` is not a value of the Literal type `policy`."""
    if unknown not in (choices := get_args(policy)):
        names = [repr(choice) for choice in choices]
        raise ParameterError(f"unknown={unknown!r} is not valid; choose {', '.join(names[:-1])} or {names[-1]}.")


def rows_for_ids(ids: IdMap, values: object, unknown: str) -> NDArray[np.int32]:
    """Return the row of each id, -1 for an unknown one. Raises an error for it if `unknown` is "raise"."""
    requested_ids = as_list(values)
    rows = ids.rows(requested_ids)
    if unknown == "raise" and (rows < 0).any():
        raise ids.unknown_id_error(requested_ids[int(np.argmax(rows < 0))])
    return rows


def can_score(rows: Any, counts: NDArray[np.integer], cold: Mask | None) -> Any:
    """Return the mask of the rows that have values or are scored from their attributes."""
    has_values = counts[rows] > 0
    return has_values if cold is None else has_values | cold[rows]


def known_user_rows(data: Interactions, users: object, unknown: str, cold: Mask | None) -> NDArray[np.int32]:
    """Return the rows of users, -1 for one that cannot be scored. Raises UnknownUser if `unknown` is "raise"."""
    rows = rows_for_ids(data.user_ids, users, unknown)
    rows[~can_score(rows, data.by_user.counts, cold)] = -1
    if unknown == "raise" and (rows < 0).any():
        raise UnknownUser(
            f"user {as_list(users)[int(np.argmax(rows < 0))]!r} has no values in the training data; fold in a history "
            "(fold_in, --like), or pass unknown='popular' to recommend, unknown='bias' to predict."
        )
    return rows


def user_rows(
    data: Interactions, users: object, unknown: str, cold: Mask | None = None
) -> tuple[list[Id], NDArray[np.int32]]:
    """Return the requested users (None: all known users) and their rows, -1 for an unknown user.

    A user is known if they have values or are scored from their attributes. With unknown="skip", unknown users are
    left out. Raises UnknownUser if `unknown` is "raise".
    """
    counts = data.by_user.counts
    if users is None:
        rows = np.flatnonzero(can_score(slice(None), counts, cold)).astype(np.int32)
        return data.user_ids.take(rows), rows
    user_ids = as_list(users)
    rows = known_user_rows(data, user_ids, unknown, cold)
    if unknown != "skip":
        return user_ids, rows
    return [user for user, row in zip(user_ids, rows, strict=True) if row >= 0], rows[rows >= 0]


def item_rows(data: Interactions, items: Id | Iterable[Id], unknown: str = "raise") -> NDArray[np.int32]:
    """Return the rows of items (ids or titles), -1 for an unknown one. Raises UnknownItem if `unknown` is "raise"."""
    ids = as_list(items)
    rows = data.item_ids.rows(ids)
    for position in np.flatnonzero(rows < 0):
        try:
            rows[position] = item_row(data, ids[position])
        except UnknownItem:
            if unknown == "raise":
                raise
    return rows


def known_item_rows(data: Interactions, items: object, unknown: str, cold: Mask | None) -> NDArray[np.int32]:
    """Return the rows of items, -1 for one that cannot be scored. Raises UnknownItem if `unknown` is "raise"."""
    rows = item_rows(data, items, unknown)  # type: ignore[arg-type]
    rows[~can_score(rows, data.item_counts, cold)] = -1
    if unknown == "raise" and (rows < 0).any():
        raise _no_interactions(as_list(items)[int(np.argmax(rows < 0))], "pass unknown='bias' or unknown='skip'")
    return rows


def paired_rows(
    data: Interactions, users: object, items: object, unknown: str, cold_users: Mask | None, cold_items: Mask | None
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the user rows and item rows of pairs, -1 for an unknown user or item.

    A single user is paired with every item, and a single item with every user. Raises UnknownUser, UnknownItem,
    ParameterError.
    """
    validate_unknown(unknown, UnknownPairPolicy)
    sides = known_user_rows(data, users, unknown, cold_users), known_item_rows(data, items, unknown, cold_items)
    if min(map(len, sides)) != 1 and len(sides[0]) != len(sides[1]):
        raise ParameterError(
            f"predict takes pairs: {len(sides[0]):,} users do not match {len(sides[1]):,} items; "
            "pass equal numbers of both, or a single user or item."
        )
    paired_users, paired_items = np.broadcast_arrays(*sides)
    return np.ascontiguousarray(paired_users), np.ascontiguousarray(paired_items)


def _no_interactions(item: Id, hint: str) -> UnknownItem:
    return UnknownItem(f"item {item!r} has no values in the training data; {hint}.")


def allowed_items(
    data: Interactions, allow: Iterable[Id] | None, deny: Iterable[Id] | None, where: str | Mask | None
) -> Mask | None:
    """Return the mask of the items that may be listed, or None for all. Raises UnknownItem, ParameterError."""
    if allow is None and deny is None and where is None:
        return None
    if isinstance(where, np.ndarray):
        mask = _validate_mask(where, len(data.item_ids))
    else:
        mask = np.ones(len(data.item_ids), bool) if where is None else data.catalog.match_where(where)
    if allow is not None:
        allow_mask = np.zeros(len(mask), bool)
        allow_mask[item_rows(data, allow)] = True
        mask = mask & allow_mask
    if deny is not None:
        mask[item_rows(data, deny)] = False
    return mask


def _validate_mask(mask: Mask, items: int) -> Mask:
    """Return a copy of a mask. Raises ParameterError for a wrong type or shape."""
    if mask.dtype != np.bool_ or mask.shape != (items,):
        raise ParameterError(
            f"where= takes a condition or a boolean mask of {items:,} items, not {mask.dtype} of shape {mask.shape}."
        )
    return mask.copy()


def rated_item_row(data: Interactions, item: Id, cold: Mask | None = None) -> int:
    """Return the row of an item that has values or is scored from its attributes. Raises UnknownItem otherwise."""
    row = item_row(data, item)
    if not can_score(row, data.item_counts, cold):
        raise _no_interactions(item, "choose another item")
    return row

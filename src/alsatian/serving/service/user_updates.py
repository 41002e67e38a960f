"""Merge a user's new events into the stored history, so that the next list takes them into account.

The new rows pass through the model's recipe, as those of a visitor do. If an item also has a stored value, the recipe's
rule for duplicates merges the two: "sum" adds them, "max" takes the larger, all other rules take the new one.
The next training merges the raw rows instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.data.csr import CSR
from alsatian.data.id_map import Id
from alsatian.errors import AlsatianError
from alsatian.models import Model
from alsatian.recommender.user_history import history_to_csr
from alsatian.recommender.visitor import Visitor

RawRows = Sequence[dict[str, Any]]


class UpdatedUser(NamedTuple):
    """A user with new events. visitor: None without values. event_items: rows of the items of all events."""

    visitor: Visitor | None
    event_items: NDArray[np.int32]


def apply_events(model: Model, user: Id, rows: RawRows) -> UpdatedUser:
    """Return a user, known to the model or not, with the events since the training merged in."""
    data = model.data
    user_row = data.user_ids.find(user)
    old_values = (
        dict(zip(*(part.tolist() for part in data.by_user.row(user_row)), strict=True)) if user_row >= 0 else {}
    )
    event_items, new_values = _event_values(model, rows)
    merged_values = _merge_values(
        old_values, new_values, event_items, str(data.recipe.duplicates), keep_old=data.recipe.min_rating is None
    )
    item_rows = np.array(sorted(event_items), np.int32)
    if not merged_values:
        return UpdatedUser(None, item_rows)
    items = np.array(sorted(merged_values), np.int32)
    values = np.array([merged_values[item] for item in items.tolist()], np.float32)
    row = CSR(np.array([0, len(items)]), items, values, len(data.item_ids))
    return UpdatedUser(Visitor(model, model.encode_histories(row)), item_rows)


def _event_values(model: Model, rows: RawRows) -> tuple[set[int], dict[int, float]]:
    """Return the rows of the known items of the events, and the values of the valid events."""
    find_row = model.data.item_ids.find
    known_rows = [row for row in rows if find_row(row["item"]) >= 0]
    event_items = {find_row(row["item"]) for row in known_rows}
    if not known_rows:
        return event_items, {}
    try:
        return event_items, _row_values(model, known_rows)
    except AlsatianError:  # an event is not valid for this model, or none has a value: try each alone
        single_values: dict[int, float] = {}
        for row in known_rows:
            try:
                single_values |= _row_values(model, [row])
            except AlsatianError:
                single_values.pop(find_row(row["item"]), None)
        return event_items, single_values


def _row_values(model: Model, rows: RawRows) -> dict[int, float]:
    row = history_to_csr(model.data, list(rows), model.default_like_value, model.value_range, "skip")
    model.validate_values(row.values)
    return dict(zip(row.indices.tolist(), row.values.tolist(), strict=True))


def _merge_values(
    old_values: dict[int, float], new_values: dict[int, float], event_items: set[int], rule: str, *, keep_old: bool
) -> dict[int, float]:
    """Merge old and new values of items; with min_rating, a new event that is not a like retracts an old like."""
    if not keep_old:
        kept_values = {
            item: value
            for item, value in old_values.items()
            if rule in ("sum", "max", "mean") or item not in event_items
        }
        return kept_values | new_values
    if rule == "sum":
        return old_values | {item: value + old_values.get(item, 0.0) for item, value in new_values.items()}
    if rule == "max":
        return old_values | {item: max(value, old_values.get(item, value)) for item, value in new_values.items()}
    return old_values | new_values

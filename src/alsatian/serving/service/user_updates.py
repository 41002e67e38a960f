"""What the events say of a user since the model was trained: her row of values, carried on.

The new rows pass through the model's recipe as a visitor's do. Where an item has an old value, too, the recipe's rule
for duplicates decides between the finished values: "sum" adds them, "max" takes the larger, all others the new one.
(The next training combines the raw rows, as if they had always been there.)
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
from alsatian.recommender.user_history import visitor_history
from alsatian.recommender.visitor import Visitor

Rows = Sequence[dict[str, Any]]


class News(NamedTuple):
    """A user as she is now. touched: rows of the items that the events name; not all of them need count as values."""

    visitor: Visitor | None
    touched: NDArray[np.int32]


def carried_on(model: Model, user: Id, rows: Rows) -> News:
    """Return a user of the model, or a new one, with what happened since."""
    data = model.data
    at = data.user_ids.find(user)
    old = dict(zip(*(part.tolist() for part in data.by_user.row(at)), strict=True)) if at >= 0 else {}
    touched, new = _valued(model, rows)
    merged = _merged(old, new, touched, str(data.recipe.duplicates), keeps=data.recipe.at_least is None)
    named = np.array(sorted(touched), np.int32)
    if not merged:
        return News(None, named)
    items = np.array(sorted(merged), np.int32)
    values = np.array([merged[item] for item in items.tolist()], np.float32)
    row = CSR(np.array([0, len(items)]), items, values, len(data.item_ids))
    return News(Visitor(model, model._fold_in(row)), named)


def _valued(model: Model, rows: Rows) -> tuple[set[int], dict[int, float]]:
    """Return the rows of known items that events name, and the value of each that counts."""
    find = model.data.item_ids.find
    known = [row for row in rows if find(row["item"]) >= 0]
    touched = {find(row["item"]) for row in known}
    if not known:
        return touched, {}
    try:
        return touched, _values(model, known)
    except AlsatianError:  # one does not suit this model, or none counts; the others may
        singly: dict[int, float] = {}
        for row in known:
            try:
                singly |= _values(model, [row])
            except AlsatianError:
                singly.pop(find(row["item"]), None)
        return touched, singly


def _values(model: Model, rows: Rows) -> dict[int, float]:
    row = visitor_history(model.data, list(rows), model.top_value, model.bounds, "skip")
    model._check_values(row.values)
    return dict(zip(row.indices.tolist(), row.values.tolist(), strict=True))


def _merged(
    old: dict[int, float], new: dict[int, float], touched: set[int], rule: str, *, keeps: bool
) -> dict[int, float]:
    """Combine old and new values of items; a later word that does not count as a like takes an older like back."""
    if not keeps:
        stays = {item: value for item, value in old.items() if rule in ("sum", "max", "mean") or item not in touched}
        return stays | new
    if rule == "sum":
        return old | {item: value + old.get(item, 0.0) for item, value in new.items()}
    if rule == "max":
        return old | {item: max(value, old.get(item, value)) for item, value in new.items()}
    return old | new

"""Rows that are read beside those of a source: the events that a service kept. Then the recipe treats all alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import Text
from alsatian.data.recipe import Recipe
from alsatian.errors import DataError, counted
from alsatian.ingest.rows.validation import Rows


class Beside(NamedTuple):
    """Rows by columns, in the order in which they happened. Ids are text, whatever they are in the source.

    name: what messages call them. events: the name of each row's event, where the recipe weighs events.
    times: seconds since 1970. signals: name -> numbers, where the recipe makes values of them.
    """

    name: str
    users: Sequence[str]
    items: Sequence[str]
    values: Sequence[float]
    events: Sequence[str]
    times: Sequence[int]
    signals: dict[str, Sequence[float]]


def join(rows: Rows, beside: Beside, recipe: Recipe) -> None:
    """Put the rows after those of a source that are kept. Raises DataError where the ids are of another kind."""
    count = len(beside.users)
    amounts = {"value": beside.values, "weight": np.ones(count), "time": beside.times}
    amounts |= {f"signal{place}": beside.signals.get(name, [0.0] * count) for place, name in enumerate(recipe.signals)}
    texts = {"user": beside.users, "item": beside.items, "event": beside.events}
    if "value" not in rows.roles and not recipe.signals:
        rows.columns["value"] = np.ones(rows.kept, np.float32)
    if "settled" in rows.columns:  # these times are seconds, whatever those of the source are
        rows.columns["settled"] = np.append(rows.columns["settled"].astype(np.bool_), np.ones(count, np.bool_))
    for role, column in rows.columns.items():
        if role in amounts:
            more = np.asarray(amounts[role])
            rows.columns[role] = np.concatenate([column, more.astype(column.dtype)])
        elif role in texts and role in rows.texts:
            text = Text.of(texts[role])
            numbers = rows.texts[role].number(text.data, text.offsets.astype(np.int32), None)
            rows.columns[role] = np.concatenate([column, numbers])
        elif role in texts:
            rows.columns[role] = _integers(rows, role, column, texts[role], beside.name)
    rows.tally[""] = rows.kept + count
    rows.notes.append(f"{counted(count, 'event')} of {beside.name} joined the rows of {rows.source.name}.")


def _integers(rows: Rows, role: str, column: NDArray[Any], ids: Sequence[str], name: str) -> NDArray[Any]:
    """Return a column of integer ids with others after them."""
    try:
        more = np.array([int(id) for id in ids], np.int64)
    except (ValueError, OverflowError):
        odd = next(id for id in ids if not _is_integer(id))
        raise DataError(
            f"{name} holds the {role} {odd!r}, and the {role} ids of {rows.source.name} are integers; correct one."
        ) from None
    if len(more):
        low, high = rows.bounds[role]
        rows.bounds[role] = min(low, int(more.min())), max(high, int(more.max()))
    fits = column.dtype != np.int32 or (rows.bounds[role][1] < 2**31 and rows.bounds[role][0] >= -(2**31))
    return np.concatenate([column, more.astype(column.dtype) if fits else more])


def _is_integer(id: str) -> bool:
    return id.removeprefix("-").isdigit() and abs(int(id)) < 2**63

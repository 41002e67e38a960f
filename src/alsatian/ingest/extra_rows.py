"""Rows to append to those of a source, such as the events of a service, before the recipe is applied."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.recipe import Recipe
from alsatian.errors import DataError, pluralize
from alsatian.ingest.rows.validation import TypedRows


class ExtraRows(NamedTuple):
    """Rows by column, in order of time. Ids are text, even if those of the source are integers.

    name: the name of the rows in messages.
    events: the name of each row's event, if the recipe has weights for events.
    times: seconds since 1970.
    signals: name -> numbers, if the recipe computes values from signals.
    """

    name: str
    users: Sequence[str]
    items: Sequence[str]
    values: Sequence[float]
    events: Sequence[str]
    times: Sequence[int]
    signals: dict[str, Sequence[float]]


def append_rows(rows: TypedRows, extra: ExtraRows, recipe: Recipe) -> None:
    """Append rows to the kept rows of a source. Raises DataError if an id has another type than those of the source."""
    n_rows = len(extra.users)
    numbers_by_role = {"value": extra.values, "weight": np.ones(n_rows), "time": extra.times}
    numbers_by_role |= {
        f"signal{index}": extra.signals.get(name, [0.0] * n_rows) for index, name in enumerate(recipe.signals)
    }
    ids_by_role = {"user": extra.users, "item": extra.items, "event": extra.events}
    if "value" not in rows.roles and not recipe.signals:
        rows.columns["value"] = np.ones(rows.n_kept, np.float32)
    if rows.timestamp_mask is not None:  # extra times are always seconds
        rows.timestamp_mask = np.append(rows.timestamp_mask, np.ones(n_rows, np.bool_))
    for role, column in rows.columns.items():
        if role in numbers_by_role:
            new_values = np.asarray(numbers_by_role[role])
            rows.columns[role] = np.concatenate([column, new_values.astype(column.dtype)])
        elif role in ids_by_role and role in rows.texts:
            text = StringArray.from_strings(ids_by_role[role])
            numbers = rows.texts[role].number(text.data, text.offsets.astype(np.int32), None)
            rows.columns[role] = np.concatenate([column, numbers])
        elif role in ids_by_role:
            rows.columns[role] = _append_integer_ids(rows, role, column, ids_by_role[role], extra.name)
    rows.reason_counts[""] = rows.n_kept + n_rows
    rows.notes.append(f"{pluralize(n_rows, 'event')} of {extra.name} were added to the rows of {rows.source.name}.")


def _append_integer_ids(
    rows: TypedRows, role: str, existing: NDArray[Any], ids: Sequence[str], name: str
) -> NDArray[Any]:
    """Return a column of integer ids with further ids appended."""
    try:
        new_ids = np.array([int(id) for id in ids], np.int64)
    except (ValueError, OverflowError):
        invalid_id = next(id for id in ids if not _is_integer_text(id))
        raise DataError(
            f"{name} has the {role} id {invalid_id!r}, but the {role} ids of {rows.source.name} are integers; "
            "correct one of them."
        ) from None
    if len(new_ids):
        low, high = rows.bounds[role]
        rows.bounds[role] = min(low, int(new_ids.min())), max(high, int(new_ids.max()))
    dtype_fits = existing.dtype != np.int32 or (rows.bounds[role][1] < 2**31 and rows.bounds[role][0] >= -(2**31))
    return np.concatenate([existing, new_ids.astype(existing.dtype) if dtype_fits else new_ids])


def _is_integer_text(id: str) -> bool:
    return id.removeprefix("-").isdigit() and abs(int(id)) < 2**63

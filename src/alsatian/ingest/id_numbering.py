"""Convert external ids to row numbers, in ascending order: integers by value, text by code point."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.id_map import Id, IdMap
from alsatian.ingest.rows.column_buffers import row_chunk_slices
from alsatian.ingest.rows.validation import TypedRows

_MIN_TABLE_IDS = 1 << 20  # up to this range, a look-up table is always used


def number_ids(rows: TypedRows, role: Literal["user", "item"]) -> tuple[IdMap, NDArray[np.int32]]:
    """Return the distinct ids of the kept rows, and for each row the number of its id. Takes the column from `rows`."""
    column = rows.columns.pop(role)
    if rows.typed_columns[role].is_integer:
        ids, numbers = number_integers(column, *rows.bounds[role])
        return IdMap(ids, role), numbers
    data, offsets, order = rows.texts.pop(role).sorted()
    for part in row_chunk_slices(len(column)):
        column[part] = order[column[part]]
    return IdMap(StringArray(data, offsets), role), column


def add_ids(ids: IdMap, numbers: NDArray[np.int32], others: Iterable[Id]) -> tuple[IdMap, NDArray[np.int32]]:
    """Add further ids of the same type; return all ids, and the new numbers of the rows."""
    existing, are_integers = ids.tolist(), ids.kind == "int"
    matching = (id for id in others if not are_integers or (isinstance(id, int) and -(2**63) <= id < 2**63))
    all_ids = IdMap.from_ids([*existing, *matching], ids.side)
    return all_ids, all_ids.rows(existing)[numbers]


def number_integers(values: NDArray[Any], low: int, high: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Number integers between low and high. An int32 array is overwritten with the numbers.

    >>> number_integers(np.array([30, 10, 30]), 10, 30)
    (array([10, 30]), array([1, 0, 1], dtype=int32))
    """
    numbers = values if values.dtype == np.int32 and values.flags.writeable else np.empty(len(values), np.int32)
    if high - low < max(_MIN_TABLE_IDS, 2 * len(values)):
        present = np.zeros(high - low + 1, np.bool_)
        for part in row_chunk_slices(len(values)):
            present[values[part] - np.int64(low)] = True
        ids = np.flatnonzero(present) + low
        table = np.cumsum(present, dtype=np.int32)
        table -= 1
        for part in row_chunk_slices(len(values)):
            numbers[part] = table[values[part] - np.int64(low)]
    else:
        ids = np.unique(values).astype(np.int64)
        for part in row_chunk_slices(len(values)):
            numbers[part] = np.searchsorted(ids, values[part])
    return ids.astype(np.int64, copy=False), numbers

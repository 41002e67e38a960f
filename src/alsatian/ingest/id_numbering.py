"""External ids become row numbers: ascending, integers by value and text by code point."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import Text
from alsatian.data.id_map import Id, Ids
from alsatian.ingest.rows.column_buffers import parts
from alsatian.ingest.rows.validation import Rows

_TABLE = 1 << 20  # a table of this many ids is always worth its memory


def number(rows: Rows, role: Literal["user", "item"]) -> tuple[Ids, NDArray[np.int32]]:
    """Return the distinct ids of the rows to keep, and for each row the number of its id."""
    column = rows.columns.pop(role)
    if rows.values[role].integer:
        ids, numbers = number_integers(column, *rows.bounds[role])
        return Ids(ids, role), numbers
    data, offsets, places = rows.texts.pop(role).sorted()
    for part in parts(len(column)):
        column[part] = places[column[part]]
    return Ids(Text(data, offsets), role), column


def widen(ids: Ids, numbers: NDArray[np.int32], others: Iterable[Id]) -> tuple[Ids, NDArray[np.int32]]:
    """Number further ids too, those of the same type; return all of them, and the new numbers of the rows."""
    known, integers = ids.tolist(), ids.kind == "int"
    fitting = (id for id in others if not integers or (isinstance(id, int) and -(2**63) <= id < 2**63))
    wider = Ids.of([*known, *fitting], ids.what)
    return wider, wider.rows(known)[numbers]


def number_integers(values: NDArray[Any], low: int, high: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Number integers between low and high. An int32 array is overwritten with the numbers.

    >>> number_integers(np.array([30, 10, 30]), 10, 30)
    (array([10, 30]), array([1, 0, 1], dtype=int32))
    """
    numbers = values if values.dtype == np.int32 and values.flags.writeable else np.empty(len(values), np.int32)
    if high - low < max(_TABLE, 2 * len(values)):
        present = np.zeros(high - low + 1, np.bool_)
        for part in parts(len(values)):
            present[values[part] - np.int64(low)] = True
        ids = np.flatnonzero(present) + low
        table = np.cumsum(present, dtype=np.int32)
        table -= 1
        for part in parts(len(values)):
            numbers[part] = table[values[part] - np.int64(low)]
    else:
        ids = np.unique(values).astype(np.int64)
        for part in parts(len(values)):
            numbers[part] = np.searchsorted(ids, values[part])
    return ids.astype(np.int64, copy=False), numbers

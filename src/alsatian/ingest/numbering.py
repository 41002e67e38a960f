"""External ids become row numbers: ascending, integers by value and text by code point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian.ids import Ids
from alsatian.ingest.rows import Rows
from alsatian.text import Text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CHUNK = 1 << 20  # rows handled at a time, so that what is temporary stays small
_TABLE = 1 << 20  # a table of this many ids is always worth its memory


def fetch(rows: Rows, role: str, kind: str, expression: str = "") -> NDArray[Any]:
    """Fetch one column of the rows to keep, once. kind: the SQL type in which it comes out of DuckDB."""
    if role in rows.columns:
        return rows.columns.pop(role)
    kept = " WHERE reason = 0" if len(rows.tally) > 1 else ""
    answer = rows.source.con.execute(f"SELECT ({expression or role})::{kind} AS fetched FROM rows{kept}").fetchnumpy()
    return np.asarray(answer["fetched"])


def number(rows: Rows, role: Literal["user", "item"]) -> tuple[Ids, NDArray[np.int32]]:
    """Return the distinct ids of the rows to keep, and for each row the number of its id."""
    if not rows.values[role].integer:
        return _number_text(rows, role)
    low, high = rows.bounds[role]
    fits = low >= -(2**31) and high < 2**31
    ids, numbers = number_integers(fetch(rows, role, "INTEGER" if fits else "BIGINT"), low, high)
    return Ids(ids, role), numbers


def number_integers(values: NDArray[Any], low: int, high: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Number integers between low and high. An int32 array is overwritten with the numbers.

    >>> number_integers(np.array([30, 10, 30]), 10, 30)
    (array([10, 30]), array([1, 0, 1], dtype=int32))
    """
    numbers = values if values.dtype == np.int32 and values.flags.writeable else np.empty(len(values), np.int32)
    if high - low < max(_TABLE, 2 * len(values)):
        present = np.zeros(high - low + 1, np.bool_)
        for part in _parts(len(values)):
            present[values[part] - np.int64(low)] = True
        ids = np.flatnonzero(present) + low
        table = np.cumsum(present, dtype=np.int32)
        table -= 1
        for part in _parts(len(values)):
            numbers[part] = table[values[part] - np.int64(low)]
    else:
        ids = np.unique(values).astype(np.int64)
        for part in _parts(len(values)):
            numbers[part] = np.searchsorted(ids, values[part])
    return ids.astype(np.int64, copy=False), numbers


def _number_text(rows: Rows, role: Literal["user", "item"]) -> tuple[Ids, NDArray[np.int32]]:
    """Let DuckDB find the distinct texts, in the order of their bytes; an ENUM of them numbers the rows."""
    con: DuckDBPyConnection = rows.source.con
    con.execute(f"CREATE TEMP TABLE {role}s AS SELECT DISTINCT {role} AS id FROM rows WHERE reason = 0 ORDER BY id")
    texts = [text for (text,) in con.execute(f"SELECT id FROM {role}s ORDER BY id").fetchall()]
    con.execute(f"CREATE TYPE {role}_ids AS ENUM (SELECT id FROM {role}s ORDER BY id)").fetchall()
    numbers = fetch(rows, role, "INTEGER", f"enum_code({role}::{role}_ids)")
    return Ids(Text.of(texts), role), numbers


def _parts(length: int) -> list[slice]:
    return [slice(start, start + _CHUNK) for start in range(0, length, _CHUNK)]

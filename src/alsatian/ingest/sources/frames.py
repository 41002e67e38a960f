"""Frames as sources: pandas, and every object with an Arrow C stream. DuckDB scans both without a copy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import DataError, SourceError
from alsatian.ingest.sources.source import Source, describe_columns, error_summary

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_IN_MEMORY_TYPES = {("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table"), ("pyarrow", "RecordBatch")}


class _ArrowStreamOnly:
    """Exposes only the Arrow stream of an object, so that DuckDB does not import another library."""

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._frame.__arrow_c_stream__(requested_schema)


def is_frame(value: object) -> bool:
    """Return whether an object can be read as a frame."""
    return _is_pandas(value) or hasattr(value, "__arrow_c_stream__")


def open_frame(con: DuckDBPyConnection, frame: Any, name: str = "the frame") -> Source:
    """Open a frame without a copy. A stream that may not be repeatable is copied once.

    Raises DataError for a frame without columns, and SourceError if DuckDB cannot read it.
    """
    import duckdb

    view = f"frame_{name.replace(' ', '_')}"
    try:
        if _is_pandas(frame):
            con.register(view, frame if all(isinstance(c, str) for c in frame.columns) else frame.rename(columns=str))
        else:
            con.register(view, _ArrowStreamOnly(frame))
        if not _is_in_memory(frame):
            con.execute(f"CREATE TEMP TABLE {view}_kept AS SELECT * FROM {view}").fetchall()
            view += "_kept"
        columns = describe_columns(con, view)
    except duckdb.Error as error:
        raise SourceError(f"{name} cannot be read: {error_summary(error)}.") from None
    if not columns:
        raise DataError(f"{name} has no columns.")
    source = Source(con, name, lambda _: view, columns)
    source.positional = _is_pandas(frame) and list(frame.columns) == list(range(len(frame.columns)))
    return source


def open_arrays(con: DuckDBPyConnection, columns: Mapping[str, NDArray[np.generic]], name: str) -> Source:
    """Open NumPy columns of equal length."""
    con.register("arrays", dict(columns))
    return Source(con, name, lambda _: "arrays", describe_columns(con, "arrays"))


def _is_in_memory(frame: object) -> bool:
    """Return whether the rows are in memory. Other streams may be readable only once, or change their order."""
    kind = type(frame)
    return (kind.__module__.partition(".")[0], kind.__name__) in _IN_MEMORY_TYPES


def _is_pandas(value: object) -> bool:
    kind = type(value)
    return kind.__module__.partition(".")[0] == "pandas" and kind.__name__ == "DataFrame"

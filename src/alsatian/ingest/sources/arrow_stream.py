"""The answer to a query as it comes: DuckDB's Arrow stream seen as NumPy arrays, batch by batch.

Only so much of the answer lies in memory as DuckDB works on; and no other library is needed.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Generator
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_KINDS: dict[bytes, Any] = {b"C": np.uint8, b"i": np.int32, b"l": np.int64, b"f": np.float32, b"u": None}
Strings = tuple[NDArray[np.uint8], NDArray[np.int32]]  # UTF-8 bytes; text n is bytes offsets[n] to offsets[n + 1]


class _Array(ctypes.Structure):
    """The struct ArrowArray of Arrow's C data interface."""


_Array._fields_ = [
    *((name, c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(_Array))),
    ("dictionary", c_void_p),
    ("release", CFUNCTYPE(None, POINTER(_Array))),
    ("private_data", c_void_p),
]


class _Schema(ctypes.Structure):
    """The struct ArrowSchema."""


_Schema._fields_ = [
    *((name, c_char_p) for name in ("format", "name", "metadata")),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(_Schema))),
    ("dictionary", c_void_p),
    ("release", CFUNCTYPE(None, POINTER(_Schema))),
    ("private_data", c_void_p),
]


class _Stream(ctypes.Structure):
    """The struct ArrowArrayStream of Arrow's C stream interface."""

    _fields_ = (
        ("get_schema", CFUNCTYPE(c_int, c_void_p, POINTER(_Schema))),
        ("get_next", CFUNCTYPE(c_int, c_void_p, POINTER(_Array))),
        ("get_last_error", CFUNCTYPE(c_char_p, c_void_p)),
        ("release", CFUNCTYPE(None, c_void_p)),
        ("private_data", c_void_p),
    )


_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = c_void_p, [ctypes.py_object, c_char_p]


def batches(con: DuckDBPyConnection, query: str) -> Generator[list[Any], None, None]:
    """Give the columns of an answer, some rows at a time, as arrays that live until the next batch.

    They are UTINYINT, INTEGER, BIGINT, FLOAT, or VARCHAR, which comes as Strings; missing cells hold anything.
    Whoever does not take all batches must close the generator. Raises duckdb.Error.
    """
    capsule = con.sql(query).__arrow_c_stream__()
    stream = _Stream.from_address(_pointer(capsule, b"arrow_array_stream"))
    try:
        schema = _next(stream, stream.get_schema, _Schema())
        kinds = [_KINDS[schema.children[place].contents.format] for place in range(schema.n_children)]
        schema.release(schema)
        while (batch := _next(stream, stream.get_next, _Array())).release:
            try:
                yield [_column(batch.children[place].contents, kind) for place, kind in enumerate(kinds)]
            finally:
                batch.release(batch)
    finally:
        stream.release(ctypes.addressof(stream))


def _next(stream: _Stream, get: Callable[..., int], struct: Any) -> Any:
    """Let the stream fill a struct."""
    import duckdb

    at = ctypes.addressof(stream)
    if get(at, struct):
        raise duckdb.Error((stream.get_last_error(at) or b"it breaks off").decode(errors="replace"))
    return struct


def _column(column: _Array, kind: Any) -> NDArray[Any] | Strings:
    end = column.offset + column.length
    if kind is not None:
        return _view(column.buffers[1], kind, end)[column.offset :]
    offsets = _view(column.buffers[1], np.int32, end + 1)
    return _view(column.buffers[2], np.uint8, int(offsets[-1])), offsets[column.offset :]


def _view(address: int | None, kind: Any, length: int) -> NDArray[Any]:
    if not address or not length:
        return np.zeros(length, kind)
    size = length * np.dtype(kind).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), kind)

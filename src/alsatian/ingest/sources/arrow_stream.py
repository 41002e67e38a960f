"""Stream the result of a DuckDB query as NumPy arrays, batch by batch, through Arrow's C stream interface.

Only the batches that DuckDB is working on are in memory. No other library is needed.
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

_ARROW_DTYPES: dict[bytes, Any] = {b"C": np.uint8, b"i": np.int32, b"l": np.int64, b"f": np.float32, b"u": None}
# UTF-8 bytes and offsets: text n is the bytes offsets[n] to offsets[n + 1]
StringBatch = tuple[NDArray[np.uint8], NDArray[np.int32]]


class _ArrowArray(ctypes.Structure):
    """The struct ArrowArray of Arrow's C data interface."""


_ArrowArray._fields_ = [
    *((name, c_int64) for name in ("length", "null_count", "offset", "n_buffers", "n_children")),
    ("buffers", POINTER(c_void_p)),
    ("children", POINTER(POINTER(_ArrowArray))),
    ("dictionary", c_void_p),
    ("release", CFUNCTYPE(None, POINTER(_ArrowArray))),
    ("private_data", c_void_p),
]


class _ArrowSchema(ctypes.Structure):
    """The struct ArrowSchema."""


_ArrowSchema._fields_ = [
    *((name, c_char_p) for name in ("format", "name", "metadata")),
    ("flags", c_int64),
    ("n_children", c_int64),
    ("children", POINTER(POINTER(_ArrowSchema))),
    ("dictionary", c_void_p),
    ("release", CFUNCTYPE(None, POINTER(_ArrowSchema))),
    ("private_data", c_void_p),
]


class _ArrowStream(ctypes.Structure):
    """The struct ArrowArrayStream of Arrow's C stream interface."""

    _fields_ = (
        ("get_schema", CFUNCTYPE(c_int, c_void_p, POINTER(_ArrowSchema))),
        ("get_next", CFUNCTYPE(c_int, c_void_p, POINTER(_ArrowArray))),
        ("get_last_error", CFUNCTYPE(c_char_p, c_void_p)),
        ("release", CFUNCTYPE(None, c_void_p)),
        ("private_data", c_void_p),
    )


_capsule_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_capsule_pointer.restype, _capsule_pointer.argtypes = c_void_p, [ctypes.py_object, c_char_p]


def read_batches(con: DuckDBPyConnection, query: str) -> Generator[list[Any], None, None]:
    """Yield the columns of a query in batches of rows. The arrays are valid until the next batch.

    The column types may be UTINYINT, INTEGER, BIGINT, FLOAT, and VARCHAR, which is returned as StringBatch. Missing
    cells have arbitrary content. A caller that does not consume all batches must close the generator.
    Raises duckdb.Error.
    """
    capsule = con.sql(query).__arrow_c_stream__()
    stream = _ArrowStream.from_address(_capsule_pointer(capsule, b"arrow_array_stream"))
    try:
        schema = _read_struct(stream, stream.get_schema, _ArrowSchema())
        dtypes = [_ARROW_DTYPES[schema.children[index].contents.format] for index in range(schema.n_children)]
        schema.release(schema)
        while (batch := _read_struct(stream, stream.get_next, _ArrowArray())).release:
            try:
                yield [_decode_column(batch.children[index].contents, dtype) for index, dtype in enumerate(dtypes)]
            finally:
                batch.release(batch)
    finally:
        stream.release(ctypes.addressof(stream))


def _read_struct(stream: _ArrowStream, callback: Callable[..., int], struct: Any) -> Any:
    """Call a function of the stream that fills a struct; raises duckdb.Error if it fails."""
    import duckdb

    address = ctypes.addressof(stream)
    if callback(address, struct):
        raise duckdb.Error((stream.get_last_error(address) or b"the stream failed").decode(errors="replace"))
    return struct


def _decode_column(column: _ArrowArray, dtype: Any) -> NDArray[Any] | StringBatch:
    end = column.offset + column.length
    if dtype is not None:
        return _buffer_view(column.buffers[1], dtype, end)[column.offset :]
    offsets = _buffer_view(column.buffers[1], np.int32, end + 1)
    return _buffer_view(column.buffers[2], np.uint8, int(offsets[-1])), offsets[column.offset :]


def _buffer_view(address: int | None, dtype: Any, length: int) -> NDArray[Any]:
    if not address or not length:
        return np.zeros(length, dtype)
    size = length * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype)

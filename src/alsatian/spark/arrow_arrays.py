"""Tables with arrays as cells: their bytes in binary columns of Arrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Batches = Iterable[Any]  # of pyarrow.RecordBatch
_HALF_DTYPES = {np.dtype(np.int32): np.dtype(np.uint16), np.dtype(np.float32): np.dtype(np.float16)}
_ARROW_TYPES = {"int": "int32", "bigint": "int64", "float": "float32", "double": "float64", "binary": "binary"}


class Layout:
    """The columns of a table: name -> type, as Spark writes types.

    >>> Layout(block="int", values="binary").ddl
    'block int, values binary'
    """

    def __init__(self, **columns: str) -> None:
        self.columns = columns

    @property
    def ddl(self) -> str:
        """The columns as a schema of Spark."""
        return ", ".join(f"{name} {kind}" for name, kind in self.columns.items())

    def batch(self, row: Mapping[str, Any]) -> Any:
        """Return one row as a pyarrow.RecordBatch; arrays become bytes, columns without a value are null."""
        import pyarrow as pa

        columns = []
        for name, kind in self.columns.items():
            cell = row.get(name)
            cell = np.ascontiguousarray(cell).tobytes() if isinstance(cell, np.ndarray) else cell
            columns.append(pa.array([cell], pa.type_for_alias(_ARROW_TYPES[kind])))
        return pa.RecordBatch.from_arrays(columns, names=list(self.columns))

    def table(self, row: Mapping[str, Any]) -> Any:
        """Return one row as a pyarrow.Table."""
        import pyarrow as pa

        return pa.Table.from_batches([self.batch(row)])


class ArrowRow:
    """One row of a batch; its arrays are views of the memory of Arrow, and read-only."""

    def __init__(self, batch: Any, index: int) -> None:
        self._batch, self._index = batch, index

    def __getitem__(self, name: str) -> Any:
        """Return the Arrow scalar of a column."""
        return self._batch.column(name)[self._index]

    def value(self, name: str) -> Any:
        """Return the value of a cell as a Python object, None for null."""
        return self[name].as_py()

    def has(self, name: str) -> bool:
        """Return whether a cell is not null."""
        return bool(self[name].is_valid)

    def array(self, name: str, dtype: Any) -> NDArray[Any]:
        """Return the bytes of a cell as an array."""
        return view(self[name], dtype)

    def optional_array(self, name: str, dtype: Any) -> NDArray[Any] | None:
        """Return an array, or None where the cell is null."""
        return view(self[name], dtype) if self.has(name) else None


def narrow(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array of int32 or float32 as uint16 or float16 if no value changes, as with ratings in stars.

    >>> narrow(np.array([0.5, 5], np.float32)).dtype, narrow(np.array([0.1], np.float32)).dtype
    (dtype('float16'), dtype('float32'))
    """
    with np.errstate(over="ignore"):
        half = array.astype(_HALF_DTYPES[array.dtype])
    return half if np.array_equal(half, array) else array


def widen(cell: Any, dtype: Any, count: int) -> NDArray[Any]:
    """Return the original array of `narrow`; dtype, count: of that array."""
    wide = np.dtype(dtype)
    return view(cell, wide if len(cell.as_buffer()) == count * wide.itemsize else _HALF_DTYPES[wide]).astype(
        wide, copy=False
    )


def view(cell: Any, dtype: Any) -> NDArray[Any]:
    """Return the bytes of an Arrow scalar as an array."""
    return np.frombuffer(cell.as_buffer(), dtype)


def iter_rows(batches: Batches) -> Iterator[ArrowRow]:
    """Yield the rows of record batches."""
    for batch in batches:
        yield from (ArrowRow(batch, index) for index in range(batch.num_rows))


def column_array(table: Any, name: str, dtype: Any) -> NDArray[Any]:
    """Return a column of numbers of a pyarrow.Table in a dtype."""
    return np.ascontiguousarray(table.column(name).to_numpy(), dtype)

"""Convert columns to a data frame of polars, pandas or pyarrow."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import DependencyError


class ColumnBatch(NamedTuple):
    """A column, dictionary-encoded if it has few distinct values.

    Row r has the value `values[indices[r]]`, or `values[r]` if `indices` is None.
    """

    values: Sequence[Any] | NDArray[Any]
    indices: NDArray[np.integer] | None = None
    is_text: bool = False  # the column is text, even if every value is None


ColumnBatches = Mapping[str, ColumnBatch]


class Tabular(ABC):
    """Converts to a data frame of polars, pandas or pyarrow. The docstring of each subclass lists the columns."""

    @abstractmethod
    def _columns(self) -> ColumnBatches: ...

    def to_polars(self) -> Any:
        """Return a polars.DataFrame; raises DependencyError where polars is not installed."""
        return to_polars(self._columns())

    def to_pandas(self) -> Any:
        """Return a pandas.DataFrame; raises DependencyError where pandas is not installed."""
        return to_pandas(self._columns())

    def to_arrow(self) -> Any:
        """Return a pyarrow.Table; raises DependencyError where pyarrow is not installed."""
        return to_arrow(self._columns())


def number_column_batch(values: Sequence[float | None]) -> ColumnBatch:
    """Return a column of numbers; None becomes NaN."""
    return ColumnBatch(np.array([np.nan if value is None else value for value in values], np.float64))


def infer_column_batch(values: Sequence[Any]) -> ColumnBatch:
    """Return a column of integers or floats if all values are numbers or None, else of text."""
    kinds = {type(value) for value in values}
    if kinds == {int}:
        return ColumnBatch(np.array(values, np.int64))
    if kinds <= {int, float, type(None)}:
        return number_column_batch(values)
    return ColumnBatch([None if value is None else str(value) for value in values], is_text=True)


def to_polars(columns: ColumnBatches) -> Any:
    """Return a polars.DataFrame; raises DependencyError where polars is not installed."""
    pl = import_package("polars", "pip install polars")

    def series(column: ColumnBatch) -> Any:
        values = pl.Series(column.values, dtype=pl.String if column.is_text else None)
        return values if column.indices is None else values.gather(column.indices)

    return pl.DataFrame({name: series(column) for name, column in columns.items()})


def to_pandas(columns: ColumnBatches) -> Any:
    """Return a pandas.DataFrame; raises DependencyError where pandas is not installed."""
    pd = import_package("pandas", "pip install pandas")

    def array(column: ColumnBatch) -> Any:
        untyped = len(column.values) == 0 and not isinstance(column.values, np.ndarray)
        values = pd.Series(column.values, dtype=object if untyped else None)
        return values.array if column.indices is None else values.array.take(column.indices)

    return pd.DataFrame({name: array(column) for name, column in columns.items()})


def to_arrow(columns: ColumnBatches) -> Any:
    """Return a pyarrow.Table; raises DependencyError where pyarrow is not installed."""
    pa = import_package("pyarrow", "pip install 'alsatian[arrow]'")

    def array(column: ColumnBatch) -> Any:
        values = pa.array(column.values, pa.string() if column.is_text else None)
        return values if column.indices is None else values.take(pa.array(column.indices))

    return pa.table({name: array(column) for name, column in columns.items()})


def import_package(name: str, command: str) -> Any:
    """Return an optional package; raises DependencyError with the command that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise DependencyError(f"this needs {name}, which is not installed; run: {command}") from None

"""Buffers that collect the batches of a stream into columns. They grow in place, so there is one copy in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.ingest.sources.arrow_stream import StringBatch

_GROWTH_DIVISOR = 32  # a full buffer grows by 1/32
_CHUNK_ROWS = 1 << 20  # rows processed at a time, to keep temporary arrays small


def row_chunk_slices(length: int) -> list[slice]:
    """Return slices that split a column of this length into chunks."""
    return [slice(start, start + _CHUNK_ROWS) for start in range(0, length, _CHUNK_ROWS)]


class NumberBuffer:
    """A buffer of numbers of one type. narrow: store integers as int32 as long as all of them fit.

    >>> column = NumberBuffer(np.int64, narrow=True)
    >>> column.add(np.array([3, 1, 2]), np.array([True, False, True]))
    >>> column.take()
    array([3, 2], dtype=int32)
    """

    def __init__(self, dtype: type[np.generic], narrow: bool = False) -> None:
        self._dtype, self._narrow = dtype, narrow
        self._array: NDArray[Any] = np.empty(0, np.int32 if narrow else dtype)
        self._length = 0

    def add(self, batch: NDArray[Any], mask: NDArray[np.bool_] | None) -> None:
        """Add the rows of a batch where `mask` is true; None: all rows."""
        batch = batch if mask is None else batch[mask]
        if self._narrow and len(batch) and not -(2**31) <= batch.min() <= batch.max() < 2**31:
            self._array, self._narrow = self._array.astype(self._dtype), False
        end = self._length + len(batch)
        if end > len(self._array):
            self._array.resize(max(end, len(self._array) + len(self._array) // _GROWTH_DIVISOR), refcheck=False)
        self._array[self._length : end] = batch
        self._length = end

    def take(self) -> NDArray[Any]:
        """Return the column and empty the buffer."""
        array, self._array = self._array, np.empty(0, self._array.dtype)
        array.resize(self._length, refcheck=False)
        return array


class TextBuffer:
    """A buffer of texts, stored as numbers. The dictionary numbers texts in order of first occurrence."""

    def __init__(self) -> None:
        self.dictionary = kernels.Dictionary()
        self._numbers = NumberBuffer(np.int32)

    def add(self, batch: StringBatch, mask: NDArray[np.bool_] | None) -> None:
        """Add the rows of a batch where `mask` is true; None: all rows."""
        self._numbers.add(self.dictionary.number(*batch, mask), None)

    def take(self) -> NDArray[np.int32]:
        """Return the number of each row's text and empty the buffer."""
        return self._numbers.take()


class TitleCounter:
    """Counts the occurrences of each text, without storing the rows."""

    def __init__(self) -> None:
        self.dictionary = kernels.Dictionary()
        self._counts = np.zeros(0, np.int64)

    def add(self, batch: StringBatch, mask: NDArray[np.bool_] | None) -> None:
        """Count the texts of a batch where `mask` is true; None: all rows."""
        counts = np.bincount(self.dictionary.number(*batch, mask), minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def take(self) -> NDArray[np.int64]:
        """Return the count of each text, by its number in the dictionary."""
        return self._counts

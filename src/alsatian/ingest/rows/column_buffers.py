"""What streams by is gathered into columns, each held once: they grow where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.ingest.sources.arrow_stream import StringBatch

_GROWTH_DIVISOR = 32  # a full column grows by one part in so many
_CHUNK_ROWS = 1 << 20  # rows handled at a time, so that what is temporary stays small


def row_chunk_slices(length: int) -> list[slice]:
    """Return the slices in which a column of so many rows is gone through."""
    return [slice(start, start + _CHUNK_ROWS) for start in range(0, length, _CHUNK_ROWS)]


class NumberBuffer:
    """Numbers of one kind; integers begin as int32 if `narrow`, and stay so if all fit.

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
        """Add the rows of a batch that are kept; None keeps all."""
        batch = batch if mask is None else batch[mask]
        if self._narrow and len(batch) and not -(2**31) <= batch.min() <= batch.max() < 2**31:
            self._array, self._narrow = self._array.astype(self._dtype), False
        end = self._length + len(batch)
        if end > len(self._array):
            self._array.resize(max(end, len(self._array) + len(self._array) // _GROWTH_DIVISOR), refcheck=False)
        self._array[self._length : end] = batch
        self._length = end

    def take(self) -> NDArray[Any]:
        """Return the column, and hold it no longer."""
        array, self._array = self._array, np.empty(0, self._array.dtype)
        array.resize(self._length, refcheck=False)
        return array


class TextBuffer:
    """Texts as numbers, in the order in which each first came."""

    def __init__(self) -> None:
        self.dictionary = kernels.Dictionary()
        self._numbers = NumberBuffer(np.int32)

    def add(self, batch: StringBatch, mask: NDArray[np.bool_] | None) -> None:
        self._numbers.add(self.dictionary.number(*batch, mask), None)

    def take(self) -> NDArray[np.int32]:
        return self._numbers.take()


class TitleCounter:
    """How often each text came; its rows are not kept."""

    def __init__(self) -> None:
        self.dictionary = kernels.Dictionary()
        self._counts = np.zeros(0, np.int64)

    def add(self, batch: StringBatch, mask: NDArray[np.bool_] | None) -> None:
        counts = np.bincount(self.dictionary.number(*batch, mask), minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def take(self) -> NDArray[np.int64]:
        return self._counts

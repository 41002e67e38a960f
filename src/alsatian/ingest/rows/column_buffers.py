"""What streams by is gathered into columns, each held once: they grow where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.ingest.sources.arrow_stream import Strings

_GROWTH = 32  # a full column grows by one part in so many
_CHUNK = 1 << 20  # rows handled at a time, so that what is temporary stays small


def parts(length: int) -> list[slice]:
    """Return the slices in which a column of so many rows is gone through."""
    return [slice(start, start + _CHUNK) for start in range(0, length, _CHUNK)]


class Numbers:
    """Numbers of one kind; integers begin as int32 if `narrow`, and stay so if all fit.

    >>> column = Numbers(np.int64, narrow=True)
    >>> column.add(np.array([3, 1, 2]), np.array([True, False, True]))
    >>> column.take()
    array([3, 2], dtype=int32)
    """

    def __init__(self, kind: type[np.generic], narrow: bool = False) -> None:
        self._kind, self._narrow = kind, narrow
        self._array: NDArray[Any] = np.empty(0, np.int32 if narrow else kind)
        self._length = 0

    def add(self, part: NDArray[Any], kept: NDArray[np.bool_] | None) -> None:
        """Add the rows of a batch that are kept; None keeps all."""
        part = part if kept is None else part[kept]
        if self._narrow and len(part) and not -(2**31) <= part.min() <= part.max() < 2**31:
            self._array, self._narrow = self._array.astype(self._kind), False
        end = self._length + len(part)
        if end > len(self._array):
            self._array.resize(max(end, len(self._array) + len(self._array) // _GROWTH), refcheck=False)
        self._array[self._length : end] = part
        self._length = end

    def take(self) -> NDArray[Any]:
        """Return the column, and hold it no longer."""
        array, self._array = self._array, np.empty(0, self._array.dtype)
        array.resize(self._length, refcheck=False)
        return array


class Texts:
    """Texts as numbers, in the order in which each first came."""

    def __init__(self) -> None:
        self.known = kernels.Dictionary()
        self._numbers = Numbers(np.int32)

    def add(self, part: Strings, kept: NDArray[np.bool_] | None) -> None:
        self._numbers.add(self.known.number(*part, kept), None)

    def take(self) -> NDArray[np.int32]:
        return self._numbers.take()


class Counts:
    """How often each text came; its rows are not kept."""

    def __init__(self) -> None:
        self.known = kernels.Dictionary()
        self._counts = np.zeros(0, np.int64)

    def add(self, part: Strings, kept: NDArray[np.bool_] | None) -> None:
        counts = np.bincount(self.known.number(*part, kept), minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def take(self) -> NDArray[np.int64]:
        return self._counts

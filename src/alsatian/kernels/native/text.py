"""Text: parse plain delimited files directly into columns, and number distinct texts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.native import build
from alsatian.kernels.types import CHUNK_BYTES, Array, TextFile, usable_threads


def count_lines(file: int, size: int, chunk: int = CHUNK_BYTES, threads: int | None = None) -> NDArray[np.int64] | None:
    """Return the number of lines that begin before each chunk of a file, and the total (chunks + 1 numbers).

    file: a file descriptor. size, chunk: in bytes. None if the file cannot be read, or is shorter than `size`.
    """
    starts = np.empty(-(-size // chunk) + 1, np.int64)
    return starts if build.native.count_lines(file, size, chunk, starts, usable_threads(threads)) else None


def read_fields(
    text: TextFile, starts: NDArray[np.int64], columns: Sequence[Array | None], threads: int | None = None
) -> bool:
    """Write field c of each line into columns[c], unless that is None; return False if a line is not plain.

    A plain line is printable ASCII without quotes, with one field per column. Integers are in canonical form and
    decimals are finite. It ends at most 64 KiB after its chunk.
    starts: the result of `count_lines`. columns: int32, int64 or float32, with one element per line after the header.
    If the result is False, the columns are incomplete.
    """
    return build.native.read_fields(text, starts, list(columns), usable_threads(threads))  # type: ignore[no-any-return]


class Dictionary:
    """Numbers distinct texts. Text n of an array is the UTF-8 bytes [offsets[n], offsets[n + 1]) of its data."""

    def __init__(self) -> None:
        self._texts = build.native.Dictionary()

    def number(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int32], kept: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int32]:
        """Return the number of each text where `kept` is true (None: all). Numbers follow the first occurrence.

        Raises ValueError if offsets descend or are outside the data.
        """
        out = np.empty(len(offsets) - 1 if kept is None else np.count_nonzero(kept), np.int32)
        self._texts.number(data, offsets, kept, out)
        return out

    def sorted(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int32]]:
        """Return the texts sorted by bytes, as bytes and offsets, and the position of each number in this order."""
        size = self._texts.size()
        texts = np.empty(self._texts.bytes(), np.uint8), np.empty(size + 1, np.int64), np.empty(size, np.int32)
        self._texts.sorted(*texts)
        return texts

"""Text: plain delimited files read straight into columns, and numbers for the texts that occur."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.native import build
from alsatian.kernels.types import CHUNK_BYTES, Array, TextFile, usable_threads


def count_lines(file: int, size: int, chunk: int = CHUNK_BYTES, threads: int | None = None) -> NDArray[np.int64] | None:
    """Return how many lines begin before each chunk of a file, and how many in all (chunks + 1 numbers).

    file: a descriptor. size and chunk: bytes. None if the file cannot be read, or is shorter than `size`.
    """
    starts = np.empty(-(-size // chunk) + 1, np.int64)
    return starts if build.native.count_lines(file, size, chunk, starts, usable_threads(threads)) else None


def read_fields(
    text: TextFile, starts: NDArray[np.int64], columns: Sequence[Array | None], threads: int | None = None
) -> bool:
    """Write field c of each line into columns[c], unless that is None; False if any line is not plain.

    Plain are printable ASCII without quotes, as many fields as columns, integers as they are printed, finite decimals.
    starts: what `count_lines` returned. columns: int32, int64 or float32, as long as there are lines without the
    header. After False columns hold some of the fields. A line that reaches more than 64 KiB beyond its chunk is not
    plain either.
    """
    return build.native.read_fields(text, starts, list(columns), usable_threads(threads))  # type: ignore[no-any-return]


class Dictionary:
    """Texts and their numbers. Text n of an array is the UTF-8 bytes [offsets[n], offsets[n + 1]) of its data."""

    def __init__(self) -> None:
        self._texts = build.native.Dictionary()

    def number(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int32], kept: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int32]:
        """Return the number of each text that is kept (None: of all), in the order in which they first appear.

        ValueError if offsets descend or lie outside the data.
        """
        out = np.empty(len(offsets) - 1 if kept is None else np.count_nonzero(kept), np.int32)
        self._texts.number(data, offsets, kept, out)
        return out

    def sorted(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int32]]:
        """Return the texts in the order of their bytes, as bytes and offsets, and the place of each number there."""
        size = self._texts.size()
        texts = np.empty(self._texts.bytes(), np.uint8), np.empty(size + 1, np.int64), np.empty(size, np.int32)
        self._texts.sorted(*texts)
        return texts

"""Text in Python: the twins of `cpp/text/`."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.types import CHUNK_BYTES, Array, TextFile


def count_lines(file: int, size: int, chunk: int = CHUNK_BYTES, threads: int | None = None) -> NDArray[np.int64] | None:
    """Return the number of lines that begin before each chunk, and the total; None if the file cannot be read."""
    text = os.pread(file, size, 0)
    begins = [0, *(place for place in range(1, size) if text[place - 1 : place] == b"\n")]
    return np.searchsorted(begins, chunk * np.arange(-(-size // chunk) + 1)) if len(text) == size else None


def read_fields(
    text: TextFile,
    starts: NDArray[np.int64],
    columns: Sequence[Array | None],
    threads: int | None = None,
) -> bool:
    """Write field c of each line into columns[c], unless that is None; return False if a line is not plain.

    A plain line is printable ASCII without quotes, with one field per column. Integers are in canonical form and
    decimals are finite.
    """
    integer, decimal = r"-?[1-9][0-9]{0,17}|0", r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"
    lines = os.pread(text.file, text.size, 0).decode("latin-1").split("\n")
    lines = lines[text.header : int(starts[-1])]
    for place, line in enumerate(lines):
        if text.carriage_returns and not line.endswith("\r"):
            return False
        line = line.removesuffix("\r") if text.carriage_returns else line
        fields = line.split(text.delimiter)
        if len(fields) != len(columns) or not all(" " <= c <= "~" and ord(c) != text.quote for f in fields for c in f):
            return False
        for field, column in zip(fields, columns, strict=True):
            if column is None:
                continue
            whole = column.dtype != np.float32
            if not re.fullmatch(integer if whole else decimal, field):
                return False
            if whole and not np.iinfo(column.dtype).min <= int(field) <= np.iinfo(column.dtype).max:
                return False
            with np.errstate(over="ignore"):
                column[place] = int(field) if whole else np.float32(field)
            if not np.isfinite(column[place]):
                return False
    return True


class Dictionary:
    """Numbers distinct texts. Text n is the UTF-8 bytes [offsets[n], offsets[n + 1])."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def number(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int32], kept: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int32]:
        """Return the number of each text where `kept` is true (None: all). Numbers follow the first occurrence."""
        parts = [data[start:end].tobytes() for start, end in itertools.pairwise(offsets)]
        chosen = parts if kept is None else itertools.compress(parts, kept)
        return np.array([self._numbers.setdefault(text, len(self._numbers)) for text in chosen], np.int32)

    def sorted(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int32]]:
        """Return the texts sorted by bytes, as bytes and offsets, and the position of each number in this order."""
        texts = sorted(self._numbers)
        offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        places = np.argsort([self._numbers[text] for text in texts]).astype(np.int32)
        return np.frombuffer(b"".join(texts), np.uint8), offsets, places

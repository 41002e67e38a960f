"""A column of strings stored in two flat arrays, so that a model file can be memory-mapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class StringArray(Sequence[str]):
    """Strings as UTF-8 bytes with offsets: string `row` is `data[offsets[row]:offsets[row + 1]]`."""

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def from_strings(cls, strings: Iterable[str]) -> StringArray:
        """Encode strings. Raises UnicodeEncodeError for lone surrogates, which UTF-8 cannot encode."""
        encoded = [string.encode() for string in strings]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(part) for part in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return [self[r] for r in range(*row.indices(len(self)))]
        if not -len(self) <= row < len(self):
            raise IndexError(row)
        row %= len(self)
        return self.data[self.offsets[row] : self.offsets[row + 1]].tobytes().decode()

    def take(self, rows: NDArray[np.integer]) -> StringArray:
        """Return the strings at `rows` as a new column."""
        return StringArray.from_strings(self[int(row)] for row in rows)

    def tolist(self) -> list[str]:
        """Decode all strings at once."""
        encoded, offsets = self.data.tobytes(), self.offsets.tolist()
        return [encoded[start:end].decode() for start, end in zip(offsets, offsets[1:], strict=False)]

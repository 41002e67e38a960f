"""Map external ids to row numbers and back: users write ids, kernels index rows.

Ids are stored in ascending order (integers by value, text by code point). The numbering therefore does not depend on
the order of rows in the source.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.errors import DataError, UnknownId, UnknownItem, UnknownUser, did_you_mean

Id = int | str
_BULK_LOOKUPS = 256  # from this many look-ups on, building a dictionary of all ids is faster


class IdMap:
    """The ids of all users or of all items. The row number of an id is its position in ascending order."""

    def __init__(self, values: NDArray[np.int64] | StringArray, side: Literal["user", "item"]) -> None:
        self.values = values
        self.side = side

    @classmethod
    def from_ids(cls, ids: Iterable[Id], side: Literal["user", "item"]) -> IdMap:
        """Build the map from ids in any order; duplicates are allowed.

        Raises DataError if the ids are neither all integers nor all text.
        """
        distinct = set(ids)
        if not all(isinstance(id, str) for id in distinct) and not all(_is_integer(id) for id in distinct):
            invalid_id = next(id for id in distinct if not _is_integer(id))
            raise DataError(
                f"{side} ids must be all integers or all text, but {invalid_id!r} is among them; use one type."
            )
        ordered = sorted(distinct)
        if ordered and isinstance(ordered[0], str):
            return cls(StringArray.from_strings(map(str, ordered)), side)
        return cls(np.array(ordered, np.int64), side)

    @property
    def kind(self) -> Literal["int", "text"]:
        """Whether the ids are integers or text."""
        return "text" if isinstance(self.values, StringArray) else "int"

    def __len__(self) -> int:
        return len(self.values)

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, IdMap) and self.kind == other.kind and self.tolist() == other.tolist()
        )

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"IdMap({len(self):,} {self.side}s, {self.kind})"

    def id_of(self, row: int) -> Id:
        """Return the id of a row."""
        return self.values[row] if isinstance(self.values, StringArray) else int(self.values[row])

    def take(self, rows: Iterable[int] | NDArray[np.integer]) -> list[Id]:
        """Return the ids at `rows`."""
        return [self.id_of(int(row)) for row in rows]

    def tolist(self) -> list[Id]:
        """Return all ids, in the order of their rows."""
        return list(self.values.tolist())

    def find(self, id: object) -> int:
        """Return the row number of `id`, or -1 if it is unknown. The type must match: "42" does not find 42."""
        if isinstance(self.values, StringArray):
            key: Any = id if isinstance(id, str) else None
        else:
            key = int(id) if _is_integer(id) else None  # type: ignore[call-overload]
        if key is None:
            return -1
        row = bisect.bisect_left(self.values, key)
        return row if row < len(self.values) and self.values[row] == key else -1

    def row(self, id: object) -> int:
        """Return the row number of `id`; raises UnknownUser or UnknownItem, which suggests a similar id."""
        row = self.find(id)
        if row < 0:
            raise self.unknown_id_error(id)
        return row

    def rows(self, ids: Iterable[object]) -> NDArray[np.int32]:
        """Return the row number of each id, -1 if it is unknown."""
        keys = ids.tolist() if isinstance(ids, np.ndarray) else list(ids)
        if len(keys) < _BULK_LOOKUPS:
            return np.array([self.find(id) for id in keys], np.int32)
        row_by_id, id_type = self._row_by_id, str if self.kind == "text" else int
        return np.array([row_by_id.get(id, -1) if type(id) is id_type else self.find(id) for id in keys], np.int32)

    @cached_property
    def _row_by_id(self) -> dict[Any, int]:
        return {id: row for row, id in enumerate(self.tolist())}

    def parse(self, text: str) -> Id:
        """Convert an id from a command line or a URL to the type of these ids; raises UnknownUser or UnknownItem."""
        if self.kind == "text":
            return text
        if not re.fullmatch(r"-?[0-9]+", text):
            raise self.unknown_id_error(text)
        return int(text)

    def unknown_id_error(self, id: object) -> UnknownId:
        """Return the error for an unknown id: its type, the expected type and a similar id."""
        error_type = UnknownUser if self.side == "user" else UnknownItem
        return error_type(f"no {self.side} {id!r} ({type(id).__name__}) in this model; {self._hint(id)}")

    def _hint(self, id: object) -> str:
        expected = "text" if isinstance(self.values, StringArray) else "integers"
        candidate = self._cast_id(id)
        if candidate is not None and self.find(candidate) >= 0:
            return f"its {self.side} ids are {expected}, and {candidate!r} exists. Pass {candidate!r}."
        if isinstance(id, str) != (expected == "text"):
            return f"its {self.side} ids are {expected}, such as {self._examples()}."
        return f"it has {len(self):,} {self.side}s, such as {self._examples()}.{self._suggestion(id)}"

    def _cast_id(self, id: object) -> Id | None:
        """Return `id` converted to the type of these ids, or None if it cannot be converted."""
        if isinstance(self.values, StringArray):
            return str(id)
        try:
            number = float(id) if isinstance(id, str | float | np.floating) else float("nan")
        except ValueError:
            return None
        return int(number) if number.is_integer() else None

    def _suggestion(self, id: object) -> str:
        return (
            did_you_mean(id, [str(other) for other in self.tolist()])
            if isinstance(id, str) and len(self) < 50_000
            else ""
        )

    def _examples(self) -> str:
        return ", ".join(repr(self.id_of(row)) for row in range(min(3, len(self))))


def _is_integer(id: object) -> bool:
    return isinstance(id, int | np.integer) and not isinstance(id, bool)

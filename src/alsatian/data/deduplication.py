"""Deduplicate: combine several rows of one user and item into one, by the rule of the recipe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.id_map import IdMap
from alsatian.errors import RowsError

_COMPARED_ROWS = 1 << 20  # rows compared at a time, to keep temporary arrays small


@dataclass(frozen=True, eq=False)
class SortedPairs:
    """Rows sorted by user, then item, then original order. A pair may still occur several times."""

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    values: NDArray[np.float32]
    times: NDArray[np.int64] | None
    weights: NDArray[np.float32] | None
    n_repeated: int = 0  # the number of rows that repeat the pair of an earlier row

    @classmethod
    def sort(
        cls, users: NDArray[np.int32], columns: list[Any], n_users: int, n_items: int, overwrite: bool = False
    ) -> SortedPairs:
        """Sort the columns: items, values, times (or None) and weights (or None).

        Each column is removed from the list before it is sorted, so that its memory can be freed. Rows that are already
        in the order of users, as in most files, are sorted only within each user.
        overwrite: whether columns may be sorted in place. Raises IndexError if an item is outside 0..n_items - 1.
        """
        for key in (columns[0].min(), columns[0].max()):
            if not 0 <= key < n_items:
                raise IndexError(f"key {key} is out of range")
        is_sorted = users[0] >= 0 and users[-1] < n_users and _is_ascending(users)
        indptr: Any = np.searchsorted(users, np.arange(n_users + 1, dtype=np.int32)) if is_sorted else None
        sorted_columns: list[Any] = []
        while columns:
            column = columns.pop()
            if column is not None and is_sorted:
                column = column if overwrite and column.flags.writeable else column.copy()
            elif column is not None:
                indptr, (column,) = kernels.counting_sort(users, n_users, [column])
            sorted_columns.insert(0, column)
        items, values, times, weights = sorted_columns
        repeated = kernels.sort_rows(indptr, items, [column for column in sorted_columns[1:] if column is not None])
        return cls(indptr, items, values, times, weights, repeated)

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The first row of each distinct pair."""
        is_first = np.ones(len(self.items), bool)
        np.not_equal(self.items[1:], self.items[:-1], out=is_first[1:])
        is_first[self.indptr[:-1][self.indptr[:-1] < len(is_first)]] = True
        return np.flatnonzero(is_first)

    def duplicates_message(self, user_ids: IdMap, item_ids: IdMap) -> str:
        """Return the error message for repeated pairs: their number, the first pair with its values, and the rules."""
        lengths = np.diff(self.starts, append=len(self.items))
        first_pair = int(np.argmax(lengths > 1))
        first_row = int(self.starts[first_pair])
        user = user_ids.id_of(int(np.searchsorted(self.indptr, first_row, "right")) - 1)
        values = ", ".join(f"{v:g}" for v in self.values[first_row : first_row + min(3, int(lengths[first_pair]))])
        return (
            f"{self.n_repeated:,} rows repeat a pair of user and item, first user {user!r} and item "
            f"{item_ids.id_of(int(self.items[first_row]))!r} (values {values}); "
            "choose a rule: duplicates='last', 'sum', 'max' or 'mean'."
        )

    def combine(self, rule: str) -> SortedPairs:
        """Combine the rows of each pair. Sums run in row order in float64, so results are bitwise reproducible."""
        starts, lengths = self.starts, np.diff(self.starts, append=len(self.items))
        last = starts + lengths - 1
        if rule == "last" and self.times is not None:
            last = self._latest_rows(starts, lengths, last)
        values, weights = (
            None
            if column is None
            else column[last]
            if rule == "last"
            else _reduce_groups(column, starts, lengths, rule)
            for column in (self.values, self.weights)
        )
        assert values is not None
        times = None if self.times is None else np.maximum.reduceat(self.times, starts)
        return SortedPairs(np.searchsorted(starts, self.indptr), self.items[starts], values, times, weights)

    def _latest_rows(self, starts: Any, lengths: Any, last: Any) -> Any:
        """Return, per pair, the row with the latest time; if times are equal, the last row."""
        assert self.times is not None
        repeated_pairs = np.flatnonzero(lengths > 1)
        rows = np.repeat(
            starts[repeated_pairs] - np.cumsum(lengths[repeated_pairs]) + lengths[repeated_pairs],
            lengths[repeated_pairs],
        )
        rows += np.arange(len(rows))
        pair = np.repeat(repeated_pairs, lengths[repeated_pairs])
        order = rows[np.lexsort((rows, self.times[rows], pair))]
        last = last.copy()
        last[repeated_pairs] = order[np.cumsum(lengths[repeated_pairs]) - 1]
        return last


def _is_ascending(numbers: NDArray[np.int32]) -> bool:
    parts = (numbers[start : start + _COMPARED_ROWS + 1] for start in range(0, len(numbers), _COMPARED_ROWS))
    return all(bool((part[1:] >= part[:-1]).all()) for part in parts)


def _reduce_groups(column: NDArray[np.float32], starts: Any, lengths: Any, rule: str) -> NDArray[np.float32]:
    if rule == "max":
        return np.maximum.reduceat(column, starts)
    totals = np.add.reduceat(column.astype(np.float64), starts)
    totals = totals / lengths if rule == "mean" else totals
    if np.abs(totals).max() > np.finfo(np.float32).max:
        raise RowsError(
            f"the values of a pair add up to {np.abs(totals).max():g}, too large for float32; scale them down."
        )
    return totals.astype(np.float32)

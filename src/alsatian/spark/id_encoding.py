"""External ids become row numbers, in ascending order as everywhere; and rows are cut into blocks."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import Text
from alsatian.data.id_map import Ids
from alsatian.spark.parquet_folder import Folder

_STEPS = 4096  # into so many steps of rows a side is cut, of which blocks are made
_PLACE = (1 << 33) - 1  # monotonically_increasing_id: the partition in the upper bits, the place in it in the lower
_ROW_COSTS = 8  # entries: what solving a row takes beside its entries, for blocks of equal work


class Numbering(NamedTuple):
    """The rows of one side: how many there are, and which are in which block.

    table: id, row, block. bounds: block b holds the rows bounds[b] to bounds[b + 1].
    """

    what: Literal["user", "item"]
    size: int
    table: Any
    bounds: NDArray[np.int64]

    @property
    def blocks(self) -> int:
        return len(self.bounds) - 1

    def rows_in(self, block: int) -> int:
        return int(self.bounds[block + 1] - self.bounds[block])

    def ids(self) -> Ids:
        """Fetch all ids."""
        return sorted_ids(self.table.toArrow(), self.what)

    def id_of(self, row: int) -> int | str:
        return self.table.where(f"row = {row}").collect()[0]["id"]  # type: ignore[no-any-return]


def number(rows: Any, what: Literal["user", "item"], blocks: int, folder: Folder) -> Numbering:
    """Number the distinct ids of a side, and cut its rows into about so many blocks of about equal work.

    The ids are sorted by Spark, whose order of text is that of UTF-8 bytes, which is that of code points; each
    partition then numbers its own, from where those before it end. What is written once is not sorted anew.
    """
    counted = rows.groupBy(what).count().orderBy(what)
    places = counted.selectExpr(f"{what} AS id", "count AS entries", "monotonically_increasing_id() AS place")
    places = folder.write(f"ids/{what}", places)
    part = "CAST(shiftright(place, 33) AS INT)"
    sizes = dict(places.selectExpr(f"{part} AS part").groupBy("part").count().collect())
    starts = np.cumsum([0, *(sizes.get(part, 0) for part in range(max(sizes) + 1))])
    count, width = int(starts[-1]), -(-int(starts[-1]) // _STEPS)
    row = f"{literal(starts[:-1], 'L')}[{part}] + (place & {_PLACE}L)"
    table = places.selectExpr("id", "entries", f"CAST({row} AS INT) AS row")
    steps = table.selectExpr(f"row div {width} AS step", "entries").groupBy("step").sum("entries").collect()
    work = np.zeros(-(-count // width))
    for step, entries in steps:
        work[step] = entries + _ROW_COSTS * width
    block_of, bounds = cut(work, blocks, width, count)
    table = table.selectExpr("id", "row", f"{literal(block_of)}[CAST(row div {width} AS INT)] AS block")
    return Numbering(what, count, folder.write(f"rows/{what}", table), bounds)


def sorted_ids(table: Any, what: Literal["user", "item"]) -> Ids:
    """Return the ids of a table that gives them with their rows, in any order."""
    order = np.argsort(table.column("row").to_numpy())
    column = table.column("id").combine_chunks().take(order)
    if str(column.type) == "int64":
        return Ids(np.ascontiguousarray(column.to_numpy(), np.int64), what)
    return Ids(Text.of(column.to_pylist()), what)


def cut(work: NDArray[np.float64], blocks: int, width: int, count: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the block of each step, so that blocks hold about equal work, and the rows where blocks begin.

    >>> cut(np.array([5.0, 1, 1, 1, 1, 1]), blocks=2, width=10, count=57)
    (array([0, 1, 1, 1, 1, 1], dtype=int32), array([ 0, 10, 57]))
    """
    middle = np.cumsum(work) - work / 2
    wanted = np.minimum(middle * blocks / work.sum(), blocks - 1).astype(np.int64)
    first, block_of = np.unique(wanted, return_index=True)[1], np.unique(wanted, return_inverse=True)[1]
    return block_of.astype(np.int32), np.append(first * width, count).astype(np.int64)


def literal(numbers: Any, suffix: str = "") -> str:
    """Write numbers as an array in SQL."""
    return f"array({', '.join(f'{number}{suffix}' for number in numbers)})"

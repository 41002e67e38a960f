"""Ids become row numbers, in ascending order as in a model; rows are cut into blocks."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.id_map import IdMap
from alsatian.spark.parquet_folder import Folder

_MAX_STEPS = 4096  # a side is cut into at most so many steps of rows, and blocks consist of steps
_POSITION_MASK = (1 << 33) - 1  # monotonically_increasing_id: the partition above these bits, the position in them
_ROW_COST = 8  # the cost of a row, in entries, in addition to its entries


class Numbering(NamedTuple):
    """The ids of one side, their row numbers and blocks.

    size: number of ids. table: id, row, block. bounds (blocks + 1): block b holds the rows bounds[b] to bounds[b + 1].
    """

    side: Literal["user", "item"]
    size: int
    table: Any
    bounds: NDArray[np.int64]

    @property
    def blocks(self) -> int:
        """Number of blocks."""
        return len(self.bounds) - 1

    def rows_in(self, block: int) -> int:
        """Return the number of rows of a block."""
        return int(self.bounds[block + 1] - self.bounds[block])

    def ids(self) -> IdMap:
        """Fetch all ids to the driver."""
        return ids_in_row_order(self.table.toArrow(), self.side)

    def id_of(self, row: int) -> int | str:
        """Fetch the id of a row number."""
        return self.table.where(f"row = {row}").collect()[0]["id"]  # type: ignore[no-any-return]


def number_side(rows: Any, side: Literal["user", "item"], blocks: int, folder: Folder) -> Numbering:
    """Number the distinct ids of a side, and cut its rows into about so many blocks of about equal work.

    Spark sorts the ids; its order of text is that of UTF-8 bytes, which is that of code points. Each partition then
    numbers its ids, starting where the partition before ends. The sorted ids are written, so they are sorted once.
    """
    entry_counts = rows.groupBy(side).count().orderBy(side)
    positioned = entry_counts.selectExpr(f"{side} AS id", "count AS entries", "monotonically_increasing_id() AS place")
    positioned = folder.write(f"ids/{side}", positioned)
    part = "CAST(shiftright(place, 33) AS INT)"
    sizes = dict(positioned.selectExpr(f"{part} AS part").groupBy("part").count().collect())
    starts = np.cumsum([0, *(sizes.get(part, 0) for part in range(max(sizes) + 1))])
    count, width = int(starts[-1]), -(-int(starts[-1]) // _MAX_STEPS)
    row = f"{array_literal(starts[:-1], 'L')}[{part}] + (place & {_POSITION_MASK}L)"
    table = positioned.selectExpr("id", "entries", f"CAST({row} AS INT) AS row")
    steps = table.selectExpr(f"row div {width} AS step", "entries").groupBy("step").sum("entries").collect()
    work = np.zeros(-(-count // width))
    for step, entries in steps:
        work[step] = entries + _ROW_COST * width
    block_of, bounds = cut_blocks(work, blocks, width, count)
    table = table.selectExpr("id", "row", f"{array_literal(block_of)}[CAST(row div {width} AS INT)] AS block")
    return Numbering(side, count, folder.write(f"rows/{side}", table), bounds)


def ids_in_row_order(table: Any, side: Literal["user", "item"]) -> IdMap:
    """Return the ids of a pyarrow.Table with columns id and row, in the order of the rows."""
    order = np.argsort(table.column("row").to_numpy())
    column = table.column("id").combine_chunks().take(order)
    if str(column.type) == "int64":
        return IdMap(np.ascontiguousarray(column.to_numpy(), np.int64), side)
    return IdMap(StringArray.from_strings(column.to_pylist()), side)


def cut_blocks(
    work: NDArray[np.float64], blocks: int, width: int, count: int
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the block of each step, and the first rows of blocks with the end of the last (blocks + 1).

    work: of each step; blocks get about equal sums of it. width: rows of a step. count: number of all rows.

    >>> cut_blocks(np.array([5.0, 1, 1, 1, 1, 1]), blocks=2, width=10, count=57)
    (array([0, 1, 1, 1, 1, 1], dtype=int32), array([ 0, 10, 57]))
    """
    middle = np.cumsum(work) - work / 2
    target_block = np.minimum(middle * blocks / work.sum(), blocks - 1).astype(np.int64)
    first, block_of = np.unique(target_block, return_index=True)[1], np.unique(target_block, return_inverse=True)[1]
    return block_of.astype(np.int32), np.append(first * width, count).astype(np.int64)


def array_literal(numbers: Any, suffix: str = "") -> str:
    """Return numbers as an array literal of SQL; suffix: of each number, such as "L"."""
    return f"array({', '.join(f'{number}{suffix}' for number in numbers)})"

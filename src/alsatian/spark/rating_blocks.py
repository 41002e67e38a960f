"""Ratings as compressed rows, one row of a table for each block of a side: by user, then by item.

The rows of a block do not depend on the partitions of Spark, and a block is sorted. So the tables have the same bits
for any order and partitioning of the frame. Duplicates are combined and values become confidences by the code that
`al.read` uses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.deduplication import SortedPairs
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.interactions import ReadReport
from alsatian.errors import DataError, RowsError, pluralize
from alsatian.ingest.assemble import describe_combined
from alsatian.models.als.half_problem import DataSummary
from alsatian.spark.arrow_arrays import ArrowRow, Batches, Layout, column_array, iter_rows, narrow, widen
from alsatian.spark.id_encoding import Numbering
from alsatian.spark.input_rows import FRAME_NAME, TypedFrame
from alsatian.spark.parquet_folder import Folder

# needs: the rows of the other side that occur in the block, ascending; indices then are positions in it. Null where
# indices are row numbers of the other side.
_ARRAY_FIELDS = dict.fromkeys(("indptr", "indices", "values", "weights", "needs"), "binary")
_SUM_FIELDS = dict.fromkeys(("total", "weight", "weighted", "low", "high"), "double")
_COUNT_FIELDS = dict.fromkeys(("entries", "repeated", "left_out"), "bigint")
PACKED_LAYOUT = Layout(block="int", **_ARRAY_FIELDS, **_COUNT_FIELDS, **_SUM_FIELDS, digest="binary")
CUT_LAYOUT = Layout(block="int", source="int", rows="binary", indices="binary", values="binary", weights="binary")


class PackedRatings(NamedTuple):
    """The packed data of a fit.

    tables: by side ("user", "item"). totals, scale, weight (sum of the weights), report: of all values. digest: of the
    data; it identifies the checkpoints of this data.
    """

    tables: dict[str, Any]
    totals: DataSummary
    scale: tuple[float, float]
    weight: float
    report: ReadReport
    digest: str


class Packer(NamedTuple):
    """Packs a block of users on an executor.

    users: bounds of the blocks of users. items: number of items. restricted: whether to write `needs`.
    """

    users: NDArray[np.int64]
    items: int
    recipe: FittedRecipe
    restricted: bool

    def pack(self, table: Any) -> Any:
        """Return the packed row (PACKED_LAYOUT) of a block, from a pyarrow.Table of its rows.

        Columns: block, user, item, value and, where there are such, time, weight and event.
        """
        block = int(table.column("block")[0].as_py())
        first, end = self.users[block : block + 2]
        names = set(table.column_names)
        values, users, items = (
            column_array(table, name, kind)
            for name, kind in (("value", np.float32), ("user", np.int32), ("item", np.int32))
        )
        times = column_array(table, "time", np.int64) if "time" in names else None
        weights = column_array(table, "weight", np.float32) if "weight" in names else None
        events = self._event_weights(table.column("event")) if "event" in names else None
        values = self.recipe.row_values(values, events, {}, times)
        columns = [items, values, times, weights]
        order = np.lexsort([part for part in (weights, values, times) if part is not None])  # rows come in any order
        columns = [None if part is None else np.ascontiguousarray(part[order]) for part in columns]
        pairs = SortedPairs.sort((users - np.int32(first))[order], columns, int(end - first), self.items)
        return PACKED_LAYOUT.table({"block": block} | self._pack_pairs(pairs))

    def _event_weights(self, events: Any) -> NDArray[np.float32]:
        coded = events.combine_chunks().dictionary_encode()
        weights = self.recipe.event_weights(coded.dictionary.to_pylist())
        return np.asarray(weights[coded.indices.to_numpy()], np.float32)

    def _pack_pairs(self, pairs: SortedPairs) -> dict[str, Any]:
        repeated, rule = pairs.n_repeated, str(self.recipe.duplicates)
        if repeated and rule != "raise":
            pairs = pairs.combine(rule)
        matrix = CSR(pairs.indptr, pairs.items, pairs.values, self.items, pairs.weights)
        mask, values = self.recipe.pair_values(pairs.values, pairs.times)
        matrix = matrix.where(mask)
        values = self.recipe.confidences(values, matrix.row_numbers, matrix.indices)
        matrix = CSR(matrix.indptr, matrix.indices, values, self.items, matrix.weights)
        counts = {"repeated": repeated, "left_out": len(mask) - int(mask.sum())}
        return encode_block(matrix, self.restricted) | counts | _block_sums(matrix)


def encode_block(matrix: CSR, restricted: bool) -> dict[str, Any]:
    """Return the entries of a block as cells of PACKED_LAYOUT; restricted: write `needs`."""
    needs, indices = None, matrix.indices
    if restricted:
        needs, positions = np.unique(matrix.indices, return_inverse=True)
        indices = positions.astype(np.int32)
    arrays = {"indptr": matrix.indptr, "indices": narrow(indices), "values": narrow(matrix.values)}
    return arrays | {"weights": matrix.weights, "needs": needs, "entries": len(indices)}


def decode_block(row: ArrowRow, columns: int) -> CSR:
    """Return the entries of a packed row; indices are positions in `needs` where the row has it.

    columns: number of rows of the other side.
    """
    indptr = row.array("indptr", np.int64)
    indices, values = (
        widen(row[name], kind, int(indptr[-1])) for name, kind in (("indices", np.int32), ("values", np.float32))
    )
    return CSR(indptr, indices, values, columns, row.optional_array("weights", np.float32))


def decode_full_block(row: ArrowRow, columns: int) -> CSR:
    """Return the entries of a packed row; indices are row numbers of the other side.

    columns: number of rows of the other side.
    """
    block, needs = decode_block(row, columns), row.optional_array("needs", np.int32)
    return block if needs is None else CSR(block.indptr, needs[block.indices], block.values, columns, block.weights)


def _block_sums(matrix: CSR) -> dict[str, Any]:
    values = matrix.values.astype(np.float64)
    weights = None if matrix.weights is None else matrix.weights.astype(np.float64)
    digest = hashlib.blake2b(digest_size=16)
    for array in matrix.kernel_rows:
        digest.update(b"" if array is None else np.ascontiguousarray(array).data)
    return {
        "total": float(values.sum()),
        "weight": float(len(values) if weights is None else weights.sum()),
        "weighted": float(values.sum() if weights is None else values @ weights),
        "low": float(values.min(initial=np.inf)),
        "high": float(values.max(initial=-np.inf)),
        "digest": np.frombuffer(digest.digest(), np.uint8),
    }


class Transposer(NamedTuple):
    """Sorts blocks of users by item on executors.

    users, items: bounds of the blocks of either side. restricted: whether to write `needs`.
    """

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    restricted: bool

    def cut(self, batches: Batches) -> Iterator[Any]:
        """Yield the cuts (CUT_LAYOUT) of each block of users: its entries in one block of items."""
        for row in iter_rows(batches):
            source = row.value("block")
            matrix = decode_full_block(row, int(self.items[-1]))
            users = matrix.row_numbers + np.int32(self.users[source])
            blocks = (np.searchsorted(self.items, matrix.indices, "right") - 1).astype(np.int32)
            weights = [] if matrix.weights is None else [matrix.weights]
            parts = [users, matrix.indices, matrix.values, *weights]
            starts, parts = kernels.counting_sort(blocks, len(self.items) - 1, parts, 1)
            for block in range(len(self.items) - 1):
                if starts[block] < starts[block + 1] or source == 0:  # so that every block of items has a cut
                    block_parts = [part[starts[block] : starts[block + 1]] for part in parts]
                    cells = dict(zip(("rows", "indices", "values", "weights"), block_parts, strict=False))
                    yield CUT_LAYOUT.batch({"block": block, "source": source} | cells)

    def merge(self, table: Any) -> Any:
        """Return the packed row (PACKED_LAYOUT) of a block of items from its cuts; users of an item ascend."""
        cuts = sorted(iter_rows(table.to_batches()), key=lambda cut: int(cut.value("source")))
        block = int(cuts[0].value("block"))
        first, end = (int(bound) for bound in self.items[block : block + 2])
        users, items, values = (
            np.concatenate([cut.array(name, kind) for cut in cuts])
            for name, kind in (("rows", np.int32), ("indices", np.int32), ("values", np.float32))
        )
        weighted = any(cut.has("weights") for cut in cuts)
        weight_arrays = [np.concatenate([cut.array("weights", np.float32) for cut in cuts])] if weighted else []
        indptr, columns = kernels.counting_sort(
            items - np.int32(first), end - first, [users, values, *weight_arrays], 1
        )
        matrix = CSR(indptr, columns[0], columns[1], int(self.users[-1]), columns[2] if weight_arrays else None)
        return PACKED_LAYOUT.table({"block": block} | encode_block(matrix, self.restricted) | _block_sums(matrix))


def pack(
    typed_frame: TypedFrame, users: Numbering, items: Numbering, folder: Folder, restricted: dict[str, bool]
) -> PackedRatings:
    """Pack the rows of a frame by user and by item, and check the combined rows.

    restricted: by side, whether a block lists the rows of the other side that it needs, so that only these are sent.
    Raises RowsError for duplicates without a rule, DataError where no value is left.
    """
    other_columns = ", ".join(name for name in typed_frame.columns if name not in ("user", "item"))
    numbered = (
        typed_frame.rows.join(users.table.selectExpr("id AS user", "row AS user_row", "block"), "user")
        .join(items.table.selectExpr("id AS item", "row AS item_row"), "item")
        .selectExpr("block", "user_row AS user", "item_row AS item", *other_columns.split(", "))
    )
    packer = Packer(users.bounds, items.size, typed_frame.recipe, restricted["user"])

    def pack_block(table: Any) -> Any:
        return packer.pack(table)

    by_user = folder.write("by/user", numbered.groupBy("block").applyInArrow(pack_block, PACKED_LAYOUT.ddl))
    summaries = sorted(
        by_user.select("block", *(name for name in PACKED_LAYOUT.columns if name not in _ARRAY_FIELDS)).collect()
    )
    _check_sums(summaries, typed_frame)
    transposer = Transposer(users.bounds, items.bounds, restricted["item"])

    def cut_block(batches: Batches) -> Iterator[Any]:
        return transposer.cut(batches)

    def merge_cuts(table: Any) -> Any:
        return transposer.merge(table)

    cuts = by_user.mapInArrow(cut_block, CUT_LAYOUT.ddl)
    by_item = folder.write("by/item", cuts.groupBy("block").applyInArrow(merge_cuts, PACKED_LAYOUT.ddl))
    return _summarize(summaries, typed_frame, {"user": by_user, "item": by_item}, users, items)


def _check_sums(summaries: list[Any], typed_frame: TypedFrame) -> None:
    repeated, rule = sum(block["repeated"] for block in summaries), typed_frame.recipe.duplicates
    rows = f"{pluralize(repeated, 'row')} of {FRAME_NAME} repeat{'s' if repeated == 1 else ''} a pair of user and item"
    if repeated and rule == "raise":
        raise RowsError(f"{rows}; choose a rule: duplicates='last', 'sum', 'max' or 'mean'.")
    if repeated and rule == "last" and "time" not in typed_frame.columns:
        raise RowsError(
            f"{rows}. duplicates='last' needs times, because rows of Spark have no order; pass time= (--time), "
            "or duplicates='max', 'mean' or 'sum'."
        )
    if not sum(block["entries"] for block in summaries):
        raise DataError(f"no value is left of {FRAME_NAME}'s {pluralize(typed_frame.n_read, 'row')}; lower min_rating.")


def _summarize(
    summaries: list[Any], typed_frame: TypedFrame, tables: dict[str, Any], users: Numbering, items: Numbering
) -> PackedRatings:
    sums = {name: sum(block[name] for block in summaries) for name in ("entries", "repeated", "left_out", *_SUM_FIELDS)}
    if not sums["weight"]:
        raise DataError(
            f"all weights of {FRAME_NAME} are 0; pass a weight above 0 in some row, or remove the column of weights."
        )
    totals = DataSummary(users.size, items.size, sums["entries"], sums["weighted"] / sums["weight"], sums["total"])
    skipped, notes = dict(typed_frame.skipped), describe_combined(sums["repeated"], str(typed_frame.recipe.duplicates))
    if sums["left_out"]:
        skipped[f"left out by min_rating={typed_frame.recipe.min_rating:g}"] = sums["left_out"]
    report = ReadReport(typed_frame.n_read, skipped, sums["repeated"], (*typed_frame.notes, *notes))
    digest = hashlib.sha256(b"".join(bytes(block["digest"]) for block in summaries)).hexdigest()
    scale = (min(block["low"] for block in summaries), max(block["high"] for block in summaries))
    return PackedRatings(tables, totals, scale, sums["weight"], report, digest)

"""Ratings packed once into compressed rows, a block of a side in each row of a table: by user, then by item.

Which rows are in a block does not depend on Spark's partitions, and inside a block all is sorted; so the tables are the
same bits however the frame comes. Repeated pairs become one and values become confidences by the code of every reading.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.deduplication import Pairs
from alsatian.data.interactions import Report
from alsatian.data.recipe import Recipe
from alsatian.errors import DataError, RowsError, counted
from alsatian.ingest.assemble import combined_note
from alsatian.models.als.half_problem import Totals
from alsatian.spark.arrow_arrays import Batches, Layout, Row, column, narrow, rows, widened
from alsatian.spark.id_encoding import Numbering
from alsatian.spark.input_rows import NAME, Typed
from alsatian.spark.parquet_folder import Folder

# needs: the rows of the other side that the block's entries name, ascending; indices then number these. Null where
# indices are the other side's row numbers themselves.
_ARRAYS = dict.fromkeys(("indptr", "indices", "values", "weights", "needs"), "binary")
_TOLD = dict.fromkeys(("total", "weight", "weighted", "low", "high"), "double")
_COUNTS = dict.fromkeys(("entries", "repeated", "left_out"), "bigint")
PACKED = Layout(block="int", **_ARRAYS, **_COUNTS, **_TOLD, digest="binary")
CUT = Layout(block="int", source="int", rows="binary", indices="binary", values="binary", weights="binary")


class Packed(NamedTuple):
    """What a fit works on: tables by side, and what they add up to. digest: of the data, for a fit that goes on."""

    tables: dict[str, Any]
    totals: Totals
    scale: tuple[float, float]
    weight: float
    report: Report
    digest: str


class Packing(NamedTuple):
    """What a task must know to pack a block of users."""

    users: NDArray[np.int64]  # bounds of the blocks
    items: int
    recipe: Recipe
    restricted: bool

    def pack(self, table: Any) -> Any:
        """Return one packed row of the rows of one block: columns block, user, item, value, time, weight, event."""
        block = int(table.column("block")[0].as_py())
        first, end = self.users[block : block + 2]
        names = set(table.column_names)
        values, users, items = (
            column(table, name, kind) for name, kind in (("value", np.float32), ("user", np.int32), ("item", np.int32))
        )
        times = column(table, "time", np.int64) if "time" in names else None
        weights = column(table, "weight", np.float32) if "weight" in names else None
        events = self._event_weights(table.column("event")) if "event" in names else None
        values = self.recipe.row_values(values, events, {}, times)
        columns = [items, values, times, weights]
        order = np.lexsort([part for part in (weights, values, times) if part is not None])  # rows come in any order
        columns = [None if part is None else np.ascontiguousarray(part[order]) for part in columns]
        pairs = Pairs.sort((users - np.int32(first))[order], columns, int(end - first), self.items)
        return PACKED.table({"block": block} | self._told(pairs))

    def _event_weights(self, events: Any) -> NDArray[np.float32]:
        coded = events.combine_chunks().dictionary_encode()
        weights = self.recipe.event_weights(coded.dictionary.to_pylist())
        return np.asarray(weights[coded.indices.to_numpy()], np.float32)

    def _told(self, pairs: Pairs) -> dict[str, Any]:
        repeated, rule = pairs.repeated, str(self.recipe.duplicates)
        if repeated and rule != "raise":
            pairs = pairs.combined(rule)
        found = CSR(pairs.indptr, pairs.items, pairs.values, self.items, pairs.weights)
        kept, values = self.recipe.pair_values(pairs.values, pairs.times)
        found = found.where(kept)
        values = self.recipe.confidences(values, found.row_numbers, found.indices)
        found = CSR(found.indptr, found.indices, values, self.items, found.weights)
        told = {"repeated": repeated, "left_out": len(kept) - int(kept.sum())}
        return packed_row(found, self.restricted) | told | _sums(found)


def packed_row(found: CSR, restricted: bool) -> dict[str, Any]:
    """Return a block as the cells of a row."""
    needs, indices = None, found.indices
    if restricted:
        needs, places = np.unique(found.indices, return_inverse=True)
        indices = places.astype(np.int32)
    arrays = {"indptr": found.indptr, "indices": narrow(indices), "values": narrow(found.values)}
    return arrays | {"weights": found.weights, "needs": needs, "entries": len(indices)}


def block_of(row: Row, columns: int) -> CSR:
    """Return the entries of a packed row; indices are as they are packed."""
    indptr = row.array("indptr", np.int64)
    indices, values = (
        widened(row[name], kind, int(indptr[-1])) for name, kind in (("indices", np.int32), ("values", np.float32))
    )
    return CSR(indptr, indices, values, columns, row.maybe("weights", np.float32))


def whole_block(row: Row, columns: int) -> CSR:
    """Return the entries of a packed row with the other side's row numbers."""
    found, needs = block_of(row, columns), row.maybe("needs", np.int32)
    return found if needs is None else CSR(found.indptr, needs[found.indices], found.values, columns, found.weights)


def _sums(found: CSR) -> dict[str, Any]:
    values = found.values.astype(np.float64)
    weights = None if found.weights is None else found.weights.astype(np.float64)
    digest = hashlib.blake2b(digest_size=16)
    for array in found.for_kernels:
        digest.update(b"" if array is None else np.ascontiguousarray(array).data)
    return {
        "total": float(values.sum()),
        "weight": float(len(values) if weights is None else weights.sum()),
        "weighted": float(values.sum() if weights is None else values @ weights),
        "low": float(values.min(initial=np.inf)),
        "high": float(values.max(initial=-np.inf)),
        "digest": np.frombuffer(digest.digest(), np.uint8),
    }


class Turning(NamedTuple):
    """What a task must know to sort blocks of users by item."""

    users: NDArray[np.int64]  # bounds of the blocks of either side
    items: NDArray[np.int64]
    restricted: bool

    def cut(self, batches: Batches) -> Iterator[Any]:
        """Yield of each block of users the entries of each block of items, those that it has."""
        for row in rows(batches):
            source = row.plain("block")
            found = whole_block(row, int(self.items[-1]))
            users = found.row_numbers + np.int32(self.users[source])
            blocks = (np.searchsorted(self.items, found.indices, "right") - 1).astype(np.int32)
            weights = [] if found.weights is None else [found.weights]
            parts = [users, found.indices, found.values, *weights]
            starts, parts = kernels.counting_sort(blocks, len(self.items) - 1, parts, 1)
            for block in range(len(self.items) - 1):
                if starts[block] < starts[block + 1] or source == 0:  # every block of items is in some cut
                    own = [part[starts[block] : starts[block + 1]] for part in parts]
                    told = dict(zip(("rows", "indices", "values", "weights"), own, strict=False))
                    yield CUT.batch({"block": block, "source": source} | told)

    def merge(self, table: Any) -> Any:
        """Return one packed row of the cuts of one block of items; within an item the users ascend."""
        cuts = sorted(rows(table.to_batches()), key=lambda cut: int(cut.plain("source")))
        block = int(cuts[0].plain("block"))
        first, end = (int(bound) for bound in self.items[block : block + 2])
        users, items, values = (
            np.concatenate([cut.array(name, kind) for cut in cuts])
            for name, kind in (("rows", np.int32), ("indices", np.int32), ("values", np.float32))
        )
        weighted = any(cut.has("weights") for cut in cuts)
        more = [np.concatenate([cut.array("weights", np.float32) for cut in cuts])] if weighted else []
        indptr, columns = kernels.counting_sort(items - np.int32(first), end - first, [users, values, *more], 1)
        found = CSR(indptr, columns[0], columns[1], int(self.users[-1]), columns[2] if more else None)
        return PACKED.table({"block": block} | packed_row(found, self.restricted) | _sums(found))


def pack(typed: Typed, users: Numbering, items: Numbering, folder: Folder, restricted: dict[str, bool]) -> Packed:
    """Pack the rows by user and by item, and check what only combined rows tell.

    restricted: by side, whether a block names the rows of the other side that it needs, to be sent those alone.
    Raises RowsError for repeated pairs without a rule, DataError where no value is left.
    """
    rest = ", ".join(name for name in typed.columns if name not in ("user", "item"))
    numbered = (
        typed.rows.join(users.table.selectExpr("id AS user", "row AS user_row", "block"), "user")
        .join(items.table.selectExpr("id AS item", "row AS item_row"), "item")
        .selectExpr("block", "user_row AS user", "item_row AS item", *rest.split(", "))
    )
    packing = Packing(users.bounds, items.size, typed.recipe, restricted["user"])

    def packed(table: Any) -> Any:
        return packing.pack(table)

    by_user = folder.write("by/user", numbered.groupBy("block").applyInArrow(packed, PACKED.ddl))
    told = sorted(by_user.select("block", *(name for name in PACKED.columns if name not in _ARRAYS)).collect())
    _check(told, typed)
    turning = Turning(users.bounds, items.bounds, restricted["item"])

    def cut(batches: Batches) -> Iterator[Any]:
        return turning.cut(batches)

    def merged(table: Any) -> Any:
        return turning.merge(table)

    cuts = by_user.mapInArrow(cut, CUT.ddl)
    by_item = folder.write("by/item", cuts.groupBy("block").applyInArrow(merged, PACKED.ddl))
    return _summed(told, typed, {"user": by_user, "item": by_item}, users, items)


def _check(told: list[Any], typed: Typed) -> None:
    repeated, rule = sum(block["repeated"] for block in told), typed.recipe.duplicates
    rows = f"{counted(repeated, 'row')} of {NAME} repeat{'s' if repeated == 1 else ''} a pair of user and item"
    if repeated and rule == "raise":
        raise RowsError(f"{rows}; choose a rule: duplicates='last', 'sum', 'max' or 'mean'.")
    if repeated and rule == "last" and "time" not in typed.columns:
        raise RowsError(
            f"{rows}, and without times none is the last, as rows of Spark have no order; name the column by "
            " time= (--time), or pass duplicates='max', 'mean' or 'sum'."
        )
    if not sum(block["entries"] for block in told):
        raise DataError(f"no value is left of {NAME}'s {counted(typed.read, 'row')}; ask for less than at_least.")


def _summed(told: list[Any], typed: Typed, tables: dict[str, Any], users: Numbering, items: Numbering) -> Packed:
    sums = {name: sum(block[name] for block in told) for name in ("entries", "repeated", "left_out", *_TOLD)}
    if not sums["weight"]:
        raise DataError(f"all weights of {NAME} are 0; leave them out, or weigh some row.")
    totals = Totals(users.size, items.size, sums["entries"], sums["weighted"] / sums["weight"], sums["total"])
    skipped, notes = dict(typed.skipped), combined_note(sums["repeated"], str(typed.recipe.duplicates))
    if sums["left_out"]:
        skipped[f"left out by at_least={typed.recipe.at_least:g}"] = sums["left_out"]
    report = Report(typed.read, skipped, sums["repeated"], (*typed.notes, *notes))
    digest = hashlib.sha256(b"".join(bytes(block["digest"]) for block in told)).hexdigest()
    scale = (min(block["low"] for block in told), max(block["high"] for block in told))
    return Packed(tables, totals, scale, sums["weight"], report, digest)

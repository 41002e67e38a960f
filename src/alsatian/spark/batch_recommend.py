"""Lists for everyone: each block of users, or of items, is answered where it lies by the native top-n kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import Unsupported
from alsatian.models.als.base import ALS
from alsatian.models.factors.factor_model import FactorUserBatch
from alsatian.recommender.options import RankOptions
from alsatian.recommender.pipeline import rank
from alsatian.recommender.resolve import validate_n
from alsatian.recommender.topn import TopN
from alsatian.spark.arrow_arrays import ArrowRow, Batches, iter_rows
from alsatian.spark.cluster_als import MAX_BROADCAST_BYTES, broadcast_side, side_bytes
from alsatian.spark.executor_tasks import decode_sent_side, decode_side
from alsatian.spark.rating_blocks import decode_full_block

if TYPE_CHECKING:
    from alsatian.spark.factor_tables import FactorTables

_LIST_SCHEMA = "row int, rank int, other int, score float"


class ListTask(NamedTuple):
    """Answers blocks: what the best items of its users are, or which items are most like its own."""

    model: ALS
    mean: float
    n: int
    items: int
    exclude_seen: bool
    allowed: NDArray[np.bool_] | None

    def recommend(self, batches: Batches) -> Iterator[Any]:
        for row, model in self._rows_with_model(batches):
            users, seen = decode_side(model, [row["factors"]], [row["bias"]]), decode_full_block(row, self.items)
            users_with_values = np.flatnonzero(seen.counts).astype(np.int32)
            batch = FactorUserBatch(seen, users_with_values, vectors=users.factors, offsets=users.bias)
            top = rank(model, batch, RankOptions(self.n, self.exclude_seen, self.allowed), threads=1)
            yield _to_batch(users_with_values + np.int32(row.value("first_row")), top)

    def similar(self, batches: Batches) -> Iterator[Any]:
        for row, model in self._rows_with_model(batches):
            first, count = row.value("first_row"), row.value("count")
            item_rows = np.arange(first, first + count, dtype=np.int32)
            yield _to_batch(item_rows, model.rank_similar(item_rows, self.n, self.allowed, 1))

    def _rows_with_model(self, batches: Batches) -> Iterator[tuple[ArrowRow, ALS]]:
        """Yield rows, each with a model of all items, which the first row brings."""
        model = None
        for row in iter_rows(batches):
            if row.has("sent"):
                model = type(self.model)(**self.model.params)
                model.item_factors, model.item_bias = decode_sent_side(self.model, row)
                model.mean = np.array([self.mean], model.precision)
            assert model is not None
            yield row, model


def _to_batch(query_rows: NDArray[np.int32], top: TopN) -> Any:
    import pyarrow as pa

    is_item = top.items >= 0
    columns = [np.repeat(query_rows, is_item.sum(axis=1)), np.nonzero(is_item)[1].astype(np.int32) + np.int32(1)]
    columns += [top.items[is_item], top.scores[is_item].astype(np.float32)]
    return pa.RecordBatch.from_arrays([pa.array(part) for part in columns], names=["row", "rank", "other", "score"])


def recommend_for_all(factors: FactorTables, n: int, exclude_seen: bool, allowed: Any) -> Any:
    """Return the lists of all users who have values."""
    task = _make_list_task(factors, n, exclude_seen, allowed)
    seen = factors.folder.read("by/user").select("block", "indptr", "indices", "values", "weights", "needs")
    blocks = factors.folder.read("learned/user").join(seen, "block").join(_block_ranges(factors, "user"), "block")

    def recommend(batches: Batches) -> Iterator[Any]:
        return task.recommend(batches)

    ranked = broadcast_side(blocks, factors.folder.read("learned/item")).mapInArrow(recommend, _LIST_SCHEMA)
    return _with_ids(factors, ranked, "user", "item")


def similar_to_all(factors: FactorTables, n: int, allowed: Any) -> Any:
    """Return the items most like each item."""
    task = _make_list_task(factors, n, False, allowed)

    def similar(batches: Batches) -> Iterator[Any]:
        return task.similar(batches)

    items = factors.folder.read("learned/item")
    ranked = broadcast_side(_block_ranges(factors, "item"), items).mapInArrow(similar, _LIST_SCHEMA)
    return _with_ids(factors, ranked, "item", "similar")


def factor_rows(factors: FactorTables, side: str) -> Any:
    """Return a side row by row."""
    model = factors.template

    def explode(batches: Batches) -> Iterator[Any]:
        import pyarrow as pa

        for row in iter_rows(batches):
            block_side, first = decode_side(model, [row["factors"]], [row["bias"]]), row.value("first_row")
            numbers = pa.array(np.arange(first, first + len(block_side.factors), dtype=np.int32))
            bias = (
                pa.nulls(len(numbers), pa.float64())
                if block_side.bias is None
                else pa.array(block_side.bias.astype(np.float64))
            )
            yield pa.RecordBatch.from_arrays(
                [numbers, pa.array(list(block_side.factors.astype(np.float64))), bias], names=["row", "factors", "bias"]
            )

    blocks = factors.folder.read(f"learned/{side}").join(_block_ranges(factors, side), "block")
    table = blocks.mapInArrow(explode, "row int, factors array<double>, bias double")
    ids = factors.folder.read(f"rows/{side}").select("id", "row")
    return table.join(ids, "row").select("id", "factors", "bias")


def _make_list_task(factors: FactorTables, n: int, exclude_seen: bool, allowed: Any) -> ListTask:
    header, model = factors.header, factors.template
    if side_bytes(model, header["items"]) > MAX_BROADCAST_BYTES:
        raise Unsupported(
            f"lists need all {header['items']:,} items on every executor, {side_bytes(model, header['items']):,} bytes, "
            f"and {MAX_BROADCAST_BYTES:,} is the most; fetch a model of some users, and let that list: factors.model(users=...)."
        )
    return ListTask(model, header["mean"], validate_n(n, header["items"]), header["items"], exclude_seen, allowed)


def _block_ranges(factors: FactorTables, side: str) -> Any:
    """Return of each block its first row and how many it has."""
    grouped = factors.folder.read(f"rows/{side}").groupBy("block")
    return grouped.agg({"row": "min", "id": "count"}).toDF("block", "first_row", "count")


def _with_ids(factors: FactorTables, ranked: Any, query_side: str, answer_column: str) -> Any:
    """Put ids in the place of row numbers."""
    users, items = (factors.folder.read(f"rows/{side}").select("id", "row") for side in (query_side, "item"))
    joined = ranked.join(users.toDF(query_side, "row"), "row").join(items.toDF(answer_column, "other"), "other")
    return joined.select(query_side, "rank", answer_column, "score")

"""Lists for all users or all items: executors compute those of a block with the native top-n kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

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
from alsatian.spark.factor_blocks import (
    MAX_BROADCAST_BYTES,
    broadcast_side,
    decode_sent_side,
    decode_side,
    fits_broadcast,
    side_bytes,
)
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import decode_full_block

_LIST_SCHEMA = "row int, rank int, other int, score float"


class StoredFactors(NamedTuple):
    """Factors of a fitted model in a folder of Parquet, as lists are computed from them.

    model: unfitted, with the settings of the fit. mean: of the model. n_items: the number of its items.
    """

    folder: Folder
    model: ALS
    mean: float
    n_items: int


class ListTask(NamedTuple):
    """Computes lists on the executors: the best items of the users of a block, or the items most similar to its items.

    n: length of a list. items: the number of all items. allowed: items that lists may hold, or None.
    """

    model: ALS
    mean: float
    n: int
    items: int
    exclude_seen: bool
    allowed: NDArray[np.bool_] | None

    def recommend(self, batches: Batches) -> Iterator[Any]:
        """Yield the lists (_LIST_SCHEMA) of the users of each block who have values."""
        for row, model in self._rows_with_model(batches):
            users, seen = decode_side(model, [row["factors"]], [row["bias"]]), decode_full_block(row, self.items)
            users_with_values = np.flatnonzero(seen.counts).astype(np.int32)
            batch = FactorUserBatch(seen, users_with_values, vectors=users.factors, offsets=users.bias)
            top = rank(model, batch, RankOptions(self.n, self.exclude_seen, self.allowed), threads=1)
            yield _to_batch(users_with_values + np.int32(row.value("first_row")), top)

    def similar(self, batches: Batches) -> Iterator[Any]:
        """Yield the lists (_LIST_SCHEMA) of the items of each block."""
        for row, model in self._rows_with_model(batches):
            first, count = row.value("first_row"), row.value("count")
            item_rows = np.arange(first, first + count, dtype=np.int32)
            yield _to_batch(item_rows, model.rank_similar(item_rows, self.n, self.allowed, 1))

    def _rows_with_model(self, batches: Batches) -> Iterator[tuple[ArrowRow, ALS]]:
        """Yield rows, each with a model of all items, which come with the first row."""
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


def recommend_for_all(factors: StoredFactors, n: int, exclude_seen: bool, allowed: Any) -> Any:
    """Return a table (user, rank, item, score) with the n best items of all users who have values.

    allowed: items that lists may hold, or None. Raises Unsupported where the items are too large for an executor.
    """
    task = _make_list_task(factors, n, exclude_seen, allowed)
    seen = factors.folder.read("by/user").select("block", "indptr", "indices", "values", "weights", "needs")
    blocks = factors.folder.read("learned/user").join(seen, "block").join(_block_ranges(factors, "user"), "block")

    def recommend(batches: Batches) -> Iterator[Any]:
        return task.recommend(batches)

    ranked = broadcast_side(blocks, factors.folder.read("learned/item")).mapInArrow(recommend, _LIST_SCHEMA)
    return _with_ids(factors, ranked, "user", "item")


def similar_to_all(factors: StoredFactors, n: int, allowed: Any) -> Any:
    """Return a table (item, rank, similar, score) with the n items most similar to each item.

    allowed: items that lists may hold, or None. Raises Unsupported where the items are too large for an executor.
    """
    task = _make_list_task(factors, n, False, allowed)

    def similar(batches: Batches) -> Iterator[Any]:
        return task.similar(batches)

    items = factors.folder.read("learned/item")
    ranked = broadcast_side(_block_ranges(factors, "item"), items).mapInArrow(similar, _LIST_SCHEMA)
    return _with_ids(factors, ranked, "item", "similar")


def factor_rows(factors: StoredFactors, side: str) -> Any:
    """Return a table (id, factors, bias) with a row for each user or item; side: "user" or "item"."""
    model = factors.model

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


def _make_list_task(factors: StoredFactors, n: int, exclude_seen: bool, allowed: Any) -> ListTask:
    model, n_items = factors.model, factors.n_items
    if not fits_broadcast(model, n_items):
        raise Unsupported(
            f"lists need all {n_items:,} items on every executor, {side_bytes(model, n_items):,} bytes; the limit is "
            f"{MAX_BROADCAST_BYTES:,}. Fetch a model of some users, and use its recommend(): factors.model(users=...)."
        )
    return ListTask(model, factors.mean, validate_n(n, n_items), n_items, exclude_seen, allowed)


def _block_ranges(factors: StoredFactors, side: str) -> Any:
    """Return the first row and the number of rows of each block."""
    grouped = factors.folder.read(f"rows/{side}").groupBy("block")
    return grouped.agg({"row": "min", "id": "count"}).toDF("block", "first_row", "count")


def _with_ids(factors: StoredFactors, ranked: Any, query_side: str, answer_column: str) -> Any:
    """Replace row numbers by ids."""
    users, items = (factors.folder.read(f"rows/{side}").select("id", "row") for side in (query_side, "item"))
    joined = ranked.join(users.toDF(query_side, "row"), "row").join(items.toDF(answer_column, "other"), "other")
    return joined.select(query_side, "rank", answer_column, "score")

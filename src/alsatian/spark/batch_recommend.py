"""Lists for everyone: each block of users, or of items, is answered where it lies by the native top-n kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import Unsupported
from alsatian.models.als.base import ALS
from alsatian.recommender.resolve import check_n
from alsatian.recommender.topn import Audience, Top
from alsatian.spark.arrow_arrays import Batches, Row, rows
from alsatian.spark.cluster_als import SMALL, side_bytes, with_whole
from alsatian.spark.executor_tasks import sent_side, side_of
from alsatian.spark.rating_blocks import whole_block

if TYPE_CHECKING:
    from alsatian.spark.factor_tables import Factors

_LISTS = "row int, rank int, other int, score float"


class Lists(NamedTuple):
    """Answers blocks: what the best items of its users are, or which items are most like its own."""

    model: ALS
    mean: float
    n: int
    items: int
    exclude_seen: bool
    allowed: NDArray[np.bool_] | None

    def best(self, batches: Batches) -> Iterator[Any]:
        for row, model in self._answering(batches):
            users, seen = side_of(model, [row["factors"]], [row["bias"]]), whole_block(row, self.items)
            known = np.flatnonzero(seen.counts).astype(np.int32)
            audience = Audience(seen, known, users.factors, users.bias)
            top = model._best(audience, self.n, self.exclude_seen, self.allowed, 1)
            yield _batch(known + np.int32(row.plain("first_row")), top)

    def similar(self, batches: Batches) -> Iterator[Any]:
        for row, model in self._answering(batches):
            first, count = row.plain("first_row"), row.plain("count")
            asked = np.arange(first, first + count, dtype=np.int32)
            yield _batch(asked, model._most_similar(asked, self.n, self.allowed, 1))

    def _answering(self, batches: Batches) -> Iterator[tuple[Row, ALS]]:
        """Yield rows, each with a model of all items, which the first row brings."""
        model = None
        for row in rows(batches):
            if row.has("sent"):
                model = type(self.model)(**self.model.params)
                model.item_factors, model.item_bias = sent_side(self.model, row)
                model.mean = np.array([self.mean], model.precision)
            assert model is not None
            yield row, model


def _batch(asked: NDArray[np.int32], top: Top) -> Any:
    import pyarrow as pa

    real = top.best >= 0
    columns = [np.repeat(asked, real.sum(axis=1)), np.nonzero(real)[1].astype(np.int32) + np.int32(1)]
    columns += [top.best[real], top.scores[real].astype(np.float32)]
    return pa.RecordBatch.from_arrays([pa.array(part) for part in columns], names=["row", "rank", "other", "score"])


def best_of_all(factors: Factors, n: int, exclude_seen: bool, allowed: Any) -> Any:
    """Return the lists of all users who have values."""
    lists = _lists(factors, n, exclude_seen, allowed)
    seen = factors.folder.read("by/user").select("block", "indptr", "indices", "values", "weights", "needs")
    blocks = factors.folder.read("learned/user").join(seen, "block").join(_places(factors, "user"), "block")

    def best(batches: Batches) -> Iterator[Any]:
        return lists.best(batches)

    found = with_whole(blocks, factors.folder.read("learned/item")).mapInArrow(best, _LISTS)
    return _named(factors, found, "user", "item")


def similar_to_all(factors: Factors, n: int, allowed: Any) -> Any:
    """Return the items most like each item."""
    lists = _lists(factors, n, False, allowed)

    def similar(batches: Batches) -> Iterator[Any]:
        return lists.similar(batches)

    items = factors.folder.read("learned/item")
    found = with_whole(_places(factors, "item"), items).mapInArrow(similar, _LISTS)
    return _named(factors, found, "item", "similar")


def exploded(factors: Factors, side: str) -> Any:
    """Return a side row by row."""
    model = factors.settings

    def each(batches: Batches) -> Iterator[Any]:
        import pyarrow as pa

        for row in rows(batches):
            own, first = side_of(model, [row["factors"]], [row["bias"]]), row.plain("first_row")
            numbers = pa.array(np.arange(first, first + len(own.factors), dtype=np.int32))
            bias = pa.nulls(len(numbers), pa.float64()) if own.bias is None else pa.array(own.bias.astype(np.float64))
            yield pa.RecordBatch.from_arrays(
                [numbers, pa.array(list(own.factors.astype(np.float64))), bias], names=["row", "factors", "bias"]
            )

    blocks = factors.folder.read(f"learned/{side}").join(_places(factors, side), "block")
    table = blocks.mapInArrow(each, "row int, factors array<double>, bias double")
    ids = factors.folder.read(f"rows/{side}").select("id", "row")
    return table.join(ids, "row").select("id", "factors", "bias")


def _lists(factors: Factors, n: int, exclude_seen: bool, allowed: Any) -> Lists:
    head, model = factors.header, factors.settings
    if side_bytes(model, head["items"]) > SMALL:
        raise Unsupported(
            f"lists need all {head['items']:,} items on every executor, {side_bytes(model, head['items']):,} bytes, "
            f"and {SMALL:,} is the most; fetch a model of some users, and let that list: factors.model(users=...)."
        )
    return Lists(model, head["mean"], check_n(n, head["items"]), head["items"], exclude_seen, allowed)


def _places(factors: Factors, side: str) -> Any:
    """Return of each block its first row and how many it has."""
    grouped = factors.folder.read(f"rows/{side}").groupBy("block")
    return grouped.agg({"row": "min", "id": "count"}).toDF("block", "first_row", "count")


def _named(factors: Factors, found: Any, asked: str, answer: str) -> Any:
    """Put ids in the place of row numbers."""
    users, items = (factors.folder.read(f"rows/{side}").select("id", "row") for side in (asked, "item"))
    named = found.join(users.toDF(asked, "row"), "row").join(items.toDF(answer, "other"), "other")
    return named.select(asked, "rank", answer, "score")

"""A fitted model as a folder of Parquet, so that a cluster can compute its lists."""

from __future__ import annotations

from typing import Any

import numpy as np

from alsatian.kernels import Side
from alsatian.models.als.base import ALS
from alsatian.spark.arrow_arrays import Layout
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import PACKED_LAYOUT, encode_block

_SIDE_LAYOUT = Layout(block="int", factors="binary", bias="binary")


def export_model(model: ALS, folder: Folder, blocks: int) -> None:
    """Write factors, ids, catalog and the values of each user of a fitted model; blocks: of each side, at most."""
    import pyarrow as pa

    spark, data = folder.spark, model.fitted.data
    sides = {
        "user": (data.user_ids, Side(model.user_factors, model.user_bias)),
        "item": (data.item_ids, Side(model.item_factors, model.item_bias)),
    }
    for name, (ids, side) in sides.items():
        bounds = np.linspace(0, len(ids), min(blocks, len(ids)) + 1).astype(np.int64)
        parts = [slice(first, end) for first, end in zip(bounds, bounds[1:], strict=False)]
        rows = np.arange(len(ids), dtype=np.int32)
        block = np.repeat(np.arange(len(parts), dtype=np.int32), np.diff(bounds))
        folder.write(f"rows/{name}", spark.createDataFrame(pa.table({"id": ids.tolist(), "row": rows, "block": block})))
        cells = [
            _SIDE_LAYOUT.batch(
                {"block": number, "factors": side.factors[part], "bias": None if side.bias is None else side.bias[part]}
            )
            for number, part in enumerate(parts)
        ]
        folder.write(f"learned/{name}", spark.createDataFrame(pa.Table.from_batches(cells)))
        if name == "user":
            packed = [
                PACKED_LAYOUT.batch({"block": number} | encode_block(data.by_user.take(rows[part]), restricted=False))
                for number, part in enumerate(parts)
            ]
            folder.write("by/user", spark.createDataFrame(pa.Table.from_batches(packed)))
    if data.catalog.columns:
        columns: dict[str, Any] = {data.recipe.columns.get("item") or "item": data.item_ids.tolist()}
        columns |= {name: column.tolist() for name, column in data.catalog.columns.items()}
        folder.write("catalog", spark.createDataFrame(pa.table(columns)))

"""A fit by the ALS of MLlib, with its factors in an `ExplicitALS`: for users who move from MLlib.

MLlib minimizes the explicit objective without biases and with reg_exponent=1 (pyspark.ml.recommendation.ALS; Zhou et
al. 2008). Its implicit objective is not supported. There the regularization of a row grows with the number of its
values, in `ImplicitALS` with all items that the row is fitted to, so a fold-in would not suit the factors of MLlib.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from alsatian.errors import ParameterError
from alsatian.models.als.base import ALS
from alsatian.spark.arrow_arrays import Batches, iter_rows
from alsatian.spark.id_encoding import Numbering
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import PackedRatings, decode_full_block
from alsatian.spark.session import get_setting, is_connect

# Settings that MLlib supports only with this value.
REQUIRED_SETTINGS: dict[str, Any] = {"biases": False, "reg_exponent": 1.0, "unobserved_weight": 0.0}
MAX_EPOCHS_WITHOUT_CHECKPOINTS = 10  # on Spark Connect, where the client cannot set a folder for checkpoints
CHECKPOINT_INTERVAL = 3  # epochs between two checkpoints: ten overflow the stack of Java 25
_UNSUPPORTED_SETTINGS = ("tol", "accelerate", "solver", "precision", "cg_steps")


def check_mllib_settings(model: ALS) -> None:
    """Raise ParameterError for a setting that MLlib's ALS does not have."""
    if model.name != "explicit-als":
        raise ParameterError(f"method='mllib' fits explicit-als, not {model.name}; pass method='native'.")
    for name, value in REQUIRED_SETTINGS.items():
        if (actual := model.effective_value(name)) != value:
            raise ParameterError(f"method='mllib' does not support {name}={actual!r}; pass {name}={value!r}.")
    for name in _UNSUPPORTED_SETTINGS:
        if name in model.non_default:
            raise ParameterError(f"{name}={getattr(model, name)!r} has no effect with method='mllib'; remove it.")


def _set_checkpoint_folder(folder: Folder, epochs: int) -> None:
    """Give MLlib a folder for checkpoints; without them many epochs overflow the stack of Java."""
    spark = folder.spark
    if get_setting(spark, "spark.checkpoint.dir", ""):
        return
    if is_connect(spark) and epochs <= MAX_EPOCHS_WITHOUT_CHECKPOINTS:
        return
    if is_connect(spark):  # only the server can set a folder
        raise ParameterError(
            f"on Spark Connect MLlib needs a folder for checkpoints to run {epochs} epochs; set spark.checkpoint.dir "
            f"on the server, or pass epochs={MAX_EPOCHS_WITHOUT_CHECKPOINTS} or fewer."
        )
    if spark.sparkContext.getCheckpointDir() is None:
        spark.sparkContext.setCheckpointDir(f"{folder.path}/mllib")


def fit_mllib(
    model: ALS, packed: PackedRatings, numberings: dict[str, Numbering], folder: Folder, partitions: int
) -> dict[str, Any]:
    """Run the ALS of MLlib on the packed ratings; return the learned arrays by name, as `Model.set_state` takes them.

    partitions: blocks of users and of items in MLlib. Raises ParameterError where it needs a folder for checkpoints.
    """
    from pyspark.ml.recommendation import ALS as MLlibALS  # noqa: N811

    _set_checkpoint_folder(folder, model.epochs)
    bounds, items = numberings["user"].bounds, numberings["item"].size

    def entries(batches: Batches) -> Iterator[Any]:
        import pyarrow as pa

        for row in iter_rows(batches):
            block = decode_full_block(row, items)
            users = block.row_numbers + np.int32(bounds[row.value("block")])
            columns = [pa.array(part) for part in (users, block.indices, block.values)]
            yield pa.RecordBatch.from_arrays(columns, names=["user", "item", "rating"])

    ratings = packed.tables["user"].mapInArrow(entries, "user int, item int, rating float")
    als = MLlibALS(
        rank=model.factors, maxIter=model.epochs, regParam=model.effective_value("reg"), nonnegative=model.nonnegative,
        seed=model.seed, userCol="user", itemCol="item", ratingCol="rating",
        numUserBlocks=partitions, numItemBlocks=partitions, checkpointInterval=CHECKPOINT_INTERVAL,
    )  # fmt: skip
    fitted = als.fit(ratings)
    factors_by_side = {side: _factor_array(table, numberings[side].size, model) for side, table in
             (("user", fitted.userFactors), ("item", fitted.itemFactors))}  # fmt: skip
    other_arrays = {"user_bias": None, "item_bias": None, "mean": np.zeros(1, model.precision)}
    return {"user_factors": factors_by_side["user"], "item_factors": factors_by_side["item"]} | other_arrays


def _factor_array(table: Any, count: int, model: ALS) -> Any:
    """Return factors by row; rows without values are zeros."""
    table_arrow = table.toArrow()
    factors = np.zeros((count, model.factors), model.precision)
    features = table_arrow.column("features").combine_chunks().flatten().to_numpy()
    factors[table_arrow.column("id").to_numpy()] = features.reshape(-1, model.factors)
    return factors

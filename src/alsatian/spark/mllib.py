"""MLlib's own ALS, and its factors in a model of ours: for those who come from there.

MLlib minimizes our explicit objective without biases, the regularization of a row times the number of its values: nu=1
(pyspark.ml.recommendation.ALS; Zhou et al. 2008). Its implicit form regularizes in the same way, which ours does not:
there a row's regularization grows with all items that it is fitted to, so a fold-in would not suit MLlib's factors.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from alsatian.errors import ParameterError
from alsatian.models.als.base import ALS
from alsatian.spark.arrow_arrays import Batches, rows
from alsatian.spark.id_encoding import Numbering
from alsatian.spark.parquet_folder import Folder
from alsatian.spark.rating_blocks import Packed, whole_block
from alsatian.spark.session import is_connect, setting

# What a setting must be, as MLlib has no other way.
ONLY: dict[str, Any] = {"biases": False, "nu": 1.0, "unobserved_weight": 0.0}
UNCUT = 10  # epochs that MLlib makes without checkpoints, where we cannot give it a place for them
EVERY = 3  # epochs that it makes from one checkpoint to the next: ten overflow the stack of Java 25
_OURS = ("tol", "accelerate", "solver", "precision", "cg_steps")


def check(model: ALS) -> None:
    """Raise ParameterError for a setting that MLlib's ALS does not have."""
    if model.name != "explicit-als":
        raise ParameterError(f"method='mllib' makes explicit-als, not {model.name}; fit that by method='native'.")
    for name, value in ONLY.items():
        if (given := model._setting(name)) != value:
            raise ParameterError(f"method='mllib' knows no {name}={given!r}; pass {name}={value!r}.")
    for name in _OURS:
        if name in model.changed:
            raise ParameterError(f"{name}={getattr(model, name)!r} has no effect with method='mllib'; drop it.")


def _cut_lineage(folder: Folder, epochs: int) -> None:
    """Give MLlib a place for checkpoints, made every few epochs; many without overflow Java's stack."""
    spark = folder.spark
    if setting(spark, "spark.checkpoint.dir", ""):
        return
    if is_connect(spark) and epochs <= UNCUT:
        return
    if is_connect(spark):  # only the server can be told
        raise ParameterError(
            f"on Spark Connect MLlib makes {epochs} epochs only with a place for checkpoints; set spark.checkpoint.dir "
            f"on the server, or pass epochs={UNCUT} or fewer."
        )
    if spark.sparkContext.getCheckpointDir() is None:
        spark.sparkContext.setCheckpointDir(f"{folder.path}/mllib")


def learn(model: ALS, packed: Packed, numbers: dict[str, Numbering], folder: Folder, partitions: int) -> dict[str, Any]:
    """Run MLlib's ALS on the packed ratings and return its factors by our names."""
    from pyspark.ml.recommendation import ALS as MLlibALS  # noqa: N811

    _cut_lineage(folder, model.epochs)
    bounds, items = numbers["user"].bounds, numbers["item"].size

    def entries(batches: Batches) -> Iterator[Any]:
        import pyarrow as pa

        for row in rows(batches):
            found = whole_block(row, items)
            users = found.row_numbers + np.int32(bounds[row.plain("block")])
            columns = [pa.array(part) for part in (users, found.indices, found.values)]
            yield pa.RecordBatch.from_arrays(columns, names=["user", "item", "rating"])

    ratings = packed.tables["user"].mapInArrow(entries, "user int, item int, rating float")
    als = MLlibALS(
        rank=model.factors, maxIter=model.epochs, regParam=model._setting("reg"), nonnegative=model.nonnegative,
        seed=model.seed, userCol="user", itemCol="item", ratingCol="rating",
        numUserBlocks=partitions, numItemBlocks=partitions, checkpointInterval=EVERY,
    )  # fmt: skip
    fitted = als.fit(ratings)
    found = {side: _array(table, numbers[side].size, model) for side, table in
             (("user", fitted.userFactors), ("item", fitted.itemFactors))}  # fmt: skip
    none = {"user_bias": None, "item_bias": None, "mean": np.zeros(1, model.precision)}
    return {"user_factors": found["user"], "item_factors": found["item"]} | none


def _array(table: Any, count: int, model: ALS) -> Any:
    """Return factors by row; rows without values have none, and stay zeros."""
    found = table.toArrow()
    factors = np.zeros((count, model.factors), model.precision)
    features = found.column("features").combine_chunks().flatten().to_numpy()
    factors[found.column("id").to_numpy()] = features.reshape(-1, model.factors)
    return factors

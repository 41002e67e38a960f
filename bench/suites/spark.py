"""The fit on Spark beside MLlib's ALS: seconds an iteration, held-out RMSE.

    python -m bench spark [--ratings 5000000] [--factors 64] [--cores 2] [--epochs 10]

Both have the same cores and partitions. Ratings are synthetic, in the shape of ml-20m (bench/synthetic.py); a twentieth
of them is held out. The seconds of an iteration are those of a longer fit less those of a short one, so that reading,
numbering and packing do not count. The bytes are what Spark's own counters say that shuffles wrote in these iterations,
beside the formula of docs/how-to/spark.md.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import alsatian as al
from alsatian.spark.session import start_session
from bench.datasets import CACHE
from bench.programs import argument_parser
from bench.synthetic import SHAPES, Shape, generate

DURATION = "20 minutes"


def shuffled(spark: Any) -> int:
    """Return the bytes that shuffles have written so far."""
    executors = spark.sparkContext._jsc.sc().statusStore().executorList(True)
    return int(sum(executors.apply(at).totalShuffleWrite() for at in range(executors.size())))


def alsatian_fit(spark: Any, train: Any, test: Any, factors: int, epochs: int, partitions: int) -> dict[str, float]:
    """Fit once, noting when and after how many bytes each epoch ends."""
    ends: list[tuple[float, int]] = []

    def note(_: object) -> None:
        ends.append((time.perf_counter(), shuffled(spark)))

    model = al.ExplicitALS(factors=factors, biases=False, reg_exponent=1, reg=0.1, epochs=epochs)
    start_time = time.perf_counter()
    al.spark.fit(model, train, partitions=partitions, callbacks=[note], progress=False)
    whole = time.perf_counter() - start_time
    pairs = test.toPandas()
    sides = ((model.data.user_ids, "user"), (model.data.item_ids, "item"))
    rows = [ids.rows(pairs[name].to_numpy()) for ids, name in sides]
    error = model.predict_rows(*rows) - pairs["rating"].to_numpy()
    (first, wrote), (last, written) = ends[0], ends[-1]
    users, items, count = len(model.data.user_ids), len(model.data.item_ids), len(ends) - 1
    return {
        "epoch_seconds": (last - first) / count, "fit_seconds": whole, "rmse": float(np.sqrt(np.mean(error**2))),
        "shuffled": (written - wrote) / count, "formula": 4 * factors * (users + 2 * items),
    }  # fmt: skip


def mllib_fit(spark: Any, train: Any, test: Any, factors: int, epochs: int, partitions: int) -> dict[str, float]:
    from pyspark.ml.evaluation import RegressionEvaluator
    from pyspark.ml.recommendation import ALS

    def fit(epochs: int) -> tuple[float, Any, int]:
        als = ALS(
            rank=factors, maxIter=epochs, regParam=0.1, numUserBlocks=partitions, numItemBlocks=partitions,
            userCol="user", itemCol="item", ratingCol="rating", coldStartStrategy="drop",
        )  # fmt: skip
        start_time, wrote = time.perf_counter(), shuffled(spark)
        model = als.fit(train)
        model.itemFactors.count()
        return time.perf_counter() - start_time, model, shuffled(spark) - wrote

    short, _, few = fit(1)
    whole, model, many = fit(epochs)
    rmse = RegressionEvaluator(labelCol="rating").evaluate(model.transform(test))
    count = epochs - 1
    return {
        "epoch_seconds": (whole - short) / count,
        "fit_seconds": whole,
        "rmse": rmse,
        "shuffled": (many - few) / count,
    }


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    fits = {"alsatian": alsatian_fit, "mllib": mllib_fit}
    for name, default in (("ratings", 5_000_000), ("factors", 64), ("cores", 2), ("epochs", 10)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", nargs="+", default=list(fits), choices=fits)
    options = parser.parse_args(arguments)
    whole = SHAPES["ml-20m"]
    path = CACHE / f"spark-{options.ratings}.parquet"
    if not path.exists():
        users, items, values = generate(Shape(whole.users, whole.items, options.ratings))
        path.parent.mkdir(exist_ok=True)
        pq.write_table(pa.table({"user": users, "item": items, "rating": values}), path)
    settings = {"spark.driver.memory": "8g", "spark.sql.shuffle.partitions": str(options.cores)}
    spark = start_session(f"local[{options.cores}]", settings=settings)
    train, test = spark.read.parquet(str(path)).randomSplit([0.95, 0.05], seed=1)
    train = train.repartition(options.cores).cache()
    print(json.dumps({"ratings": train.count(), "held_out": test.count(), **vars(options)}), flush=True)
    for name in options.only:
        result = fits[name](spark, train, test, options.factors, options.epochs, options.cores)
        print(json.dumps({"library": name} | result), flush=True)

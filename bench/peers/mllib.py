"""Spark MLlib's ALS on this machine alone: explicit, without biases, which it does not have; needs Java and --spark.

An epoch's seconds are the difference of fits of three epochs and of one, halved: the rest of a fit is Spark's own
shuffling. Ratings go in as a cached data frame of as many partitions as threads.
"""

from __future__ import annotations

import shutil
from typing import Any

from bench.peers.worker import Job, clock, serve


def epoch(job: Job) -> dict[str, Any]:
    if not shutil.which("java"):
        raise RuntimeError("no Java on this machine")
    from pyspark.ml.recommendation import ALS
    from pyspark.sql import SparkSession

    threads = job["threads"]
    settings = {"spark.driver.memory": "12g", "spark.ui.enabled": "false", "spark.log.level": "ERROR"}
    session = SparkSession.builder.master(f"local[{threads}]").config(map=settings).getOrCreate()
    ratings = session.read.csv(job["path"], schema="user INT, item INT, value FLOAT", header=True)
    ratings = ratings.repartition(threads).cache()
    rows = ratings.count()

    def fit(epochs: int) -> float:
        columns = {"userCol": "user", "itemCol": "item", "ratingCol": "value"}
        als = ALS(rank=job["factors"], maxIter=epochs, regParam=0.1, numUserBlocks=threads, numItemBlocks=threads,
                  **columns)  # fmt: skip
        return clock(lambda: als.fit(ratings).itemFactors.count())[0]

    fit(1)  # warms the virtual machine up
    short, long = fit(1), fit(3)
    return {"epoch_seconds": (long - short) / 2, "call_seconds": long, "rows": rows}


if __name__ == "__main__":
    serve({"epoch": epoch})

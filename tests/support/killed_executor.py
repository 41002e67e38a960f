"""Fits on a standalone cluster, where one executor is killed after the first epoch; run by tests/spark/test_cluster.py.

python killed_executor.py MASTER RATINGS FOLDER MODEL
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import alsatian as al
from alsatian.recommender.fit_run import Epoch
from alsatian.spark.session import start_session


def executors() -> list[int]:
    """Return the process ids of the executors on this machine that belong to this application."""
    pids = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if any("CoarseGrainedExecutorBackend" in word for word in command) and application in command:
                pids.append(int(folder.name))
    return sorted(pids)


def kills(epoch: Epoch) -> None:
    if epoch.epoch == 1:
        alive = executors()
        print("executors", len(alive))
        os.kill(alive[0], signal.SIGKILL)


master, ratings, folder, model = sys.argv[1:]
settings = {"spark.sql.shuffle.partitions": "4", "spark.executor.memory": "512m", "spark.driver.host": "127.0.0.1",
            "spark.executor.cores": "1", "spark.cores.max": "2"}  # fmt: skip
spark = start_session(master, settings=settings)
application = spark.sparkContext.applicationId
fitted = al.spark.fit(
    al.ImplicitALS(factors=6, epochs=2), spark.read.parquet(ratings), blocks=9, folder=folder, partitions=4,
    callbacks=[kills],
)  # fmt: skip
al.save(fitted, model)
spark.stop()

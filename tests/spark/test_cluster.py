"""A real master with two workers: the model of one machine, also when an executor is killed on the way."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import alsatian as al
from alsatian.data.interactions import Interactions
from serving.conftest import wait_for
from support.cases import arrays
from support.spark_session import as_frame

pytestmark = [pytest.mark.slow, pytest.mark.spark, pytest.mark.xdist_group("spark")]


MASTER = r"Starting Spark master at (spark://127\.0\.0\.1:\d+)"  # of the log


@pytest.fixture
def master(spark: Any, tmp_path: Path) -> Iterator[str]:  # spark: it has found Java
    """Start a master and two workers of one core each."""
    import pyspark

    spark_class = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
    quick = {"SPARK_DAEMON_JAVA_OPTS": "-XX:TieredStopAtLevel=1", "SPARK_LOCAL_IP": "127.0.0.1"}
    environment = os.environ | quick | {"PYSPARK_PYTHON": sys.executable}

    def start(role: str, *words: str) -> subprocess.Popen[bytes]:
        command = [spark_class, f"org.apache.spark.deploy.{role.lower()}.{role}", "--host", "127.0.0.1"]
        with (tmp_path / f"{role}.log").open("ab") as log:
            return subprocess.Popen([*command, "--webui-port", "0", *words], env=environment, stdout=log, stderr=log)

    def written(pattern: str) -> list[str]:
        return re.findall(pattern, (tmp_path / "Master.log").read_text())

    processes = [start("Master", "--port", "0")]
    try:
        wait_for(lambda: written(MASTER) != [])
        (url,) = written(MASTER)
        for worker in ("a", "b"):
            processes.append(start("Worker", "--cores", "1", "--memory", "1g", "-d", str(tmp_path / worker), url))
        wait_for(lambda: len(written("Registering worker")) == 2)
        yield url
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(120)


def test_a_killed_executor_does_not_change_a_bit(
    master: str, spark: Any, some_ratings: Interactions, tmp_path: Path
) -> None:
    ratings, model = tmp_path / "ratings.parquet", tmp_path / "films.model"
    frame = as_frame(spark, some_ratings)
    frame.write.parquet(str(ratings))
    script = str(Path(__file__).parents[1] / "support" / "killed_executor.py")
    command = [sys.executable, "-W", "ignore", script, master, str(ratings), str(tmp_path / "work"), str(model)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    assert "executors 2" in done.stdout
    unharmed = al.spark.fit(al.ImplicitALS(factors=6, epochs=2), frame, blocks=9, partitions=2)
    assert arrays(al.load(model)) == arrays(unharmed)

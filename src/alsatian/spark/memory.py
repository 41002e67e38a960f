"""What a fit on Spark will take of memory, told before it is made."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alsatian.errors import ParameterError
from alsatian.models.als.base import ALS
from alsatian.models.ease import available_memory
from alsatian.spark.cluster_als import OTHER, SMALL, side_bytes
from alsatian.spark.rating_blocks import Packed

_ID = 40  # bytes of an id, about


class Need(NamedTuple):
    """Bytes: of the model on the driver, and of a task on an executor (Python's memory, beside that of the JVM)."""

    driver: int
    task: int
    fetched: int = 0  # the largest table that the driver fetches at once


def needed(model: ALS, packed: Packed, blocks: int) -> Need:
    """Return what a fit takes: the driver holds what each user has, and the factors while they come in twice.

    A task holds a block of entries, its factors, those before, and of the other side all or what the block needs.
    """
    totals, width = packed.totals, (model.factors + 1) * np.dtype(model.precision).itemsize
    rows = {"user": totals.users, "item": totals.items}
    driver = 8 * totals.values + (totals.users + totals.items) * (2 * width + _ID)
    entries = totals.values // blocks
    tasks = []
    for side, count in rows.items():
        other = side_bytes(model, rows[OTHER[side]])
        sent = other if other <= SMALL else min(other, entries * width)
        tasks.append(24 * entries + 4 * count // blocks * width + 2 * sent)
    return Need(driver, max(tasks), max(8 * totals.values, *(count * width for count in rows.values())))


def check(need: Need, limit: int | None, on_driver: bool, result: int | None = None) -> None:
    """Refuse a fit that will not fit.

    limit: bytes that executors give to a task of Python, if they are limited. result: those of a result on the driver.

    Raises ParameterError.
    """
    there = available_memory()
    if on_driver and need.driver > there:
        raise ParameterError(
            f"the model takes about {need.driver:,} bytes and the driver has {there:,}; leave the factors in Parquet: "
            "al.spark.fit_factors(model, frame, folder=...) (--factors FOLDER)."
        )
    if on_driver and result and need.fetched > result:
        raise ParameterError(
            f"the driver fetches about {need.fetched:,} bytes at once and spark.driver.maxResultSize is {result:,}; "
            "raise that (--conf), or leave the factors in Parquet: al.spark.fit_factors (--factors FOLDER)."
        )
    if limit is not None and need.task > limit:
        raise ParameterError(
            f"a task takes about {need.task:,} bytes and spark.executor.pyspark.memory gives it {limit:,}; raise that, "
            "or pass more blocks= (--blocks)."
        )


def limit_of(written: str, cores: str) -> int | None:
    """Return the bytes that a task of Python may take, from what Spark's settings say.

    >>> limit_of("2g", "4"), limit_of("", "1")
    (536870912, None)
    """
    if not written:
        return None
    unit = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}.get(written.rstrip("bB")[-1].lower())
    size = float(written.rstrip("bB")[:-1]) * unit if unit else float(written) * (1 << 20)  # Spark counts in MiB
    return int(size) // max(int(cores), 1)

"""An estimate of the memory that a fit on Spark takes, made before the fit."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from alsatian.errors import ParameterError
from alsatian.models.als.base import ALS
from alsatian.models.ease import available_memory
from alsatian.spark.factor_blocks import OTHER_SIDE, fits_broadcast, side_bytes
from alsatian.spark.rating_blocks import PackedRatings

_ID_BYTES = 40  # approximate bytes of an id


class MemoryNeed(NamedTuple):
    """Bytes that a fit takes.

    driver_bytes: the model on the driver. task_bytes: the Python process of a task, outside the JVM.
    fetched_bytes: the largest table that the driver fetches at once.
    """

    driver_bytes: int
    task_bytes: int
    fetched_bytes: int = 0


def estimate_memory(model: ALS, packed: PackedRatings, blocks: int) -> MemoryNeed:
    """Return the memory that a fit takes.

    The driver holds the values of each user, and the factors twice while it fetches them. A task holds a block of
    entries, its factors, its factors before, and the other side or the rows of it that the block needs.
    """
    totals, width = packed.totals, (model.factors + 1) * np.dtype(model.precision).itemsize
    rows = {"user": totals.users, "item": totals.items}
    driver = 8 * totals.values + (totals.users + totals.items) * (2 * width + _ID_BYTES)
    entries = totals.values // blocks
    tasks = []
    for side, count in rows.items():
        other = side_bytes(model, rows[OTHER_SIDE[side]])
        sent = other if fits_broadcast(model, rows[OTHER_SIDE[side]]) else min(other, entries * width)
        tasks.append(24 * entries + 4 * count // blocks * width + 2 * sent)
    return MemoryNeed(driver, max(tasks), max(8 * totals.values, *(count * width for count in rows.values())))


def check_memory(need: MemoryNeed, limit: int | None, on_driver: bool, result_limit: int | None = None) -> None:
    """Raise ParameterError if a fit needs more memory than is available.

    limit: bytes of the Python process of a task, or None without a limit. on_driver: whether the driver fetches the
    model. result_limit: bytes of a table that the driver may fetch, or None.
    """
    available = available_memory()
    if on_driver and need.driver_bytes > available:
        raise ParameterError(
            f"the model needs about {need.driver_bytes:,} bytes, and the driver has {available:,}; "
            "leave the factors in Parquet: al.spark.fit_factors(model, frame, folder=...) (--factors FOLDER)."
        )
    if on_driver and result_limit and need.fetched_bytes > result_limit:
        raise ParameterError(
            f"the driver fetches about {need.fetched_bytes:,} bytes at once, and spark.driver.maxResultSize is "
            f"{result_limit:,}; raise it (--conf), or leave the factors in Parquet: "
            "al.spark.fit_factors (--factors FOLDER)."
        )
    if limit is not None and need.task_bytes > limit:
        raise ParameterError(
            f"a task needs about {need.task_bytes:,} bytes, and spark.executor.pyspark.memory gives it {limit:,}; "
            "raise it, or pass more blocks= (--blocks)."
        )


def parse_task_memory(text: str, cores: str) -> int | None:
    """Return the bytes that the Python process of a task may take, or None without a limit.

    text: of a memory setting of Spark. cores: tasks that share it.

    >>> parse_task_memory("2g", "4"), parse_task_memory("", "1")
    (536870912, None)
    """
    if not text:
        return None
    unit = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}.get(text.rstrip("bB")[-1].lower())
    size = float(text.rstrip("bB")[:-1]) * unit if unit else float(text) * (1 << 20)  # Spark counts in MiB
    return int(size) // max(int(cores), 1)

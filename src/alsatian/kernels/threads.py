"""How many threads a kernel runs on."""

from __future__ import annotations

import os

from alsatian.errors import ParameterError

_MOST_THREADS = 1024


def usable_threads(threads: int | None = None) -> int:
    """Return the number of threads to use: as asked, else ALSATIAN_THREADS, else the processors we may use."""
    if threads is None:
        written = os.environ.get("ALSATIAN_THREADS", "")
        if written and not written.isdigit():
            raise ParameterError(f"ALSATIAN_THREADS={written!r} is not a number of threads; set 1 or more.")
        threads = int(written or 0) or _processors()
    if not 1 <= threads <= _MOST_THREADS:
        raise ParameterError(
            f"threads={threads} is not possible; pass 1 to {_MOST_THREADS}, or None for all processors."
        )
    return threads


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

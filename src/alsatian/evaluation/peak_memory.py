"""Measure the peak memory of a function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
_STATUS, _CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def with_peak_memory(work: Callable[[], Result]) -> tuple[Result, int | None]:
    """Return the result of `work`, and the peak increase of this process's memory in bytes.

    The increase is None if the system cannot measure it. Linux has a peak that can be reset (proc_pid_clear_refs(5)).
    """
    resident_before = _status_bytes("VmRSS") if _reset_peak() else None
    result = work()
    resident_peak = _status_bytes("VmHWM")
    return result, None if resident_before is None or resident_peak is None else max(resident_peak - resident_before, 0)


def _reset_peak() -> bool:
    try:
        _CLEAR_REFS.write_text("5")
    except OSError:
        return False
    return True


def _status_bytes(field: str) -> int | None:
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{field}:"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024

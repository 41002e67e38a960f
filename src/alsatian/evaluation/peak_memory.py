"""How much memory some work takes at its peak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def measured(work: Callable[[], Result]) -> tuple[Result, int | None]:
    """Return what some work gives, and the bytes by which it raised the memory of this process at its peak.

    None where the system does not tell: Linux keeps a peak that can be set back (proc_pid_clear_refs(5)).
    """
    before = _resident("VmRSS") if _set_back() else None
    result = work()
    peak = _resident("VmHWM")
    return result, None if before is None or peak is None else max(peak - before, 0)


def _set_back() -> bool:
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return True


def _resident(name: str) -> int | None:
    try:
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    except (OSError, StopIteration):
        return None
    return int(line.split()[1]) * 1024

"""The folder in which a service works: it goes when the service ends, or, if that was killed, when the next starts."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX, _ALIVE = "alsatian-serving-", "alive"


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """Make a folder for as long as this process works; the processes that it forks share it."""
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    held = _held(folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _held(folder: Path) -> int:
    """Return a file of the folder that stays locked until this process and those it forked have ended, however."""
    new = folder / "new"
    held = os.open(new, os.O_CREAT | os.O_WRONLY, 0o600)
    fcntl.flock(held, fcntl.LOCK_EX)
    new.rename(folder / _ALIVE)  # nobody has seen it before it was locked
    return held


def _remove_abandoned() -> None:
    for alive in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_ALIVE}"):
        with contextlib.suppress(OSError):  # it is locked, gone, or another user's
            found = os.open(alive, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(alive.parent, ignore_errors=True)
            finally:
                os.close(found)

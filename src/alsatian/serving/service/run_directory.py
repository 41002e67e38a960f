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
    for alive in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_ALIVE}"):
        with contextlib.suppress(OSError):  # it is in use, gone, or another user's
            _remove_abandoned(alive)
    folder, maker = Path(tempfile.mkdtemp(prefix=_PREFIX)), os.getpid()
    with (folder / "new").open("x") as held:  # locked until this process and those it forked have ended, however
        try:
            fcntl.flock(held, fcntl.LOCK_EX)
            (folder / "new").rename(folder / _ALIVE)  # nobody has seen it before it was locked
            yield folder
        finally:
            if os.getpid() == maker:  # still locked, so that nobody else removes it meanwhile
                _remove(folder)


def _remove_abandoned(alive: Path) -> None:
    found = os.open(alive, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(alive.parent)
    finally:
        os.close(found)


def _remove(folder: Path) -> None:
    """Remove what is there of a folder, and last the file by which it would be found again."""
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if file.name != _ALIVE:
                file.unlink()
    shutil.rmtree(folder, ignore_errors=True)

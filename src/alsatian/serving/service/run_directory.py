"""The folder in which a service works: it goes when the service ends, or, if that was killed, when the next starts."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

_PREFIX, _LOCK_NAME = "alsatian-serving-", "alive"


@contextlib.contextmanager
def run_directory() -> Iterator[Path]:
    """Make a folder for as long as this process works; the processes that it forks share it."""
    for lock_path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK_NAME}"):
        with contextlib.suppress(OSError):  # it is in use, gone, or another user's
            _remove_abandoned(lock_path)
    folder, owner_pid = Path(tempfile.mkdtemp(prefix=_PREFIX)), os.getpid()
    with (folder / "new").open("x") as lock_file:  # locked until this process and those it forked have ended, however
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX)
            (folder / "new").rename(folder / _LOCK_NAME)  # nobody has seen it before it was locked
            yield folder
        finally:
            if os.getpid() == owner_pid:  # still locked, so that nobody else removes it meanwhile
                _remove_folder(folder)


def _remove_abandoned(lock_path: Path) -> None:
    descriptor = os.open(lock_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove_folder(lock_path.parent)
    finally:
        os.close(descriptor)


def _remove_folder(folder: Path) -> None:
    """Remove what is there of a folder, and last the file by which it would be found again."""
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if file.name != _LOCK_NAME:
                file.unlink()
    shutil.rmtree(folder, ignore_errors=True)

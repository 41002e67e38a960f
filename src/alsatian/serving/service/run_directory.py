"""The temporary folder of a service: removed at its end or, if it was killed, at the start of the next service."""

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
    """Yield a temporary folder, which forked processes share; remove the folders of killed services."""
    for lock_path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_LOCK_NAME}"):
        with contextlib.suppress(OSError):  # it is in use, gone, or another user's
            _remove_abandoned(lock_path)
    folder, owner_pid = Path(tempfile.mkdtemp(prefix=_PREFIX)), os.getpid()
    # The lock is released when this process and its forks have ended, even if they are killed.
    with (folder / "new").open("x") as lock_file:
        try:
            fcntl.flock(lock_file, fcntl.LOCK_EX)
            (folder / "new").rename(folder / _LOCK_NAME)  # other processes see it only once it is locked
            yield folder
        finally:
            if os.getpid() == owner_pid:  # still locked, so no other process removes it
                _remove_folder(folder)


def _remove_abandoned(lock_path: Path) -> None:
    descriptor = os.open(lock_path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove_folder(lock_path.parent)
    finally:
        os.close(descriptor)


def _remove_folder(folder: Path) -> None:
    """Remove a folder; the lock file goes last, so that an interrupted removal is completed later."""
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            if file.name != _LOCK_NAME:
                file.unlink()
    shutil.rmtree(folder, ignore_errors=True)

"""The model in service: its file is watched, and a new one takes its place between two requests.

A copy of the file is what is mapped into memory: whoever overwrites or cuts the file that he was told to serve would
else pull the arrays from under the requests that read them. The workers of a service share the copy.
"""

from __future__ import annotations

import fcntl
import logging
import math
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsatian.data.where_grammar import Columns
from alsatian.errors import AlsatianError, ModelFileError
from alsatian.models import Model
from alsatian.persistence import save_load
from alsatian.serving.service.run_directory import workplace

PAUSE = 0.25  # seconds between two looks at the file
_RETRY = 5  # seconds until a file is tried again that this machine had no room for
_CONDITIONS = 64  # whose masks are kept

log = logging.getLogger("alsatian.serving")
Stamp = tuple[int, int, int, int]  # device, inode, size, time of change: another stamp, another file


@dataclass(frozen=True, eq=False)
class Served:
    """A model that answers, and what was made ready for it."""

    model: Model
    stamp: Stamp
    since: float
    matching: Callable[[str], NDArray[np.bool_]] = field(repr=False)

    @classmethod
    def of(cls, model: Model, stamp: Stamp) -> Served:
        catalog = model.fitted.data.catalog
        return cls(model, stamp, time.time(), lru_cache(_CONDITIONS)(Columns(catalog).matching))

    def prepare(self) -> None:
        """Make ready what a first request would otherwise wait for."""
        data = self.model.data
        data.by_user.counts.min(initial=0)
        if data.catalog.titles:
            data.catalog.search("a", data.item_counts, limit=1)
            data.catalog.find("a")
        if self.model.index is not None:
            _ = self.model.index.opened


class Current:
    """Which model answers now. folder: where copies lie; that of a service is shared by its workers."""

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        self.path = path
        self._own = ExitStack()
        self.folder = folder or self._own.enter_context(workplace())
        self._turn = threading.Lock()
        self.swaps, self.refusals = 0, 0
        self.trouble: str | None = None  # why the file that lies there now is not in service
        try:
            self.served = self._load(_stamp(path))
        except BaseException:
            self.close()
            raise
        self._tried, self._retry = self.served.stamp, math.inf

    def refresh(self, *, again: bool = False) -> bool:
        """Look at the file, and take it into service if it is another one; tell whether it was taken.

        again: try also a file that was refused before, or is in service.
        """
        with self._turn:
            try:
                stamp = _stamp(self.path)
            except ModelFileError as error:
                self._refuse(str(error), None)
                return False
            if stamp == self._tried and not again and time.monotonic() < self._retry:
                return False
            self._tried, self._retry = stamp, math.inf
            try:
                new = self._load(stamp)
                new.prepare()
            except (AlsatianError, OSError, MemoryError) as error:
                if not isinstance(error, AlsatianError):
                    self._retry = time.monotonic() + _RETRY
                self._refuse(str(error) or type(error).__name__, stamp)
                return False
            self.served, self.trouble = new, None
            self.swaps += 1
            log.info("took the new %s into service", self.path.name)
            return True

    def close(self) -> None:
        self._own.close()

    def _refuse(self, why: str, stamp: Stamp | None) -> None:
        """Keep the old model, and say so once for every file."""
        if self.trouble != why:
            self.refusals += 1
            log.error("%s is refused, and the model before it answers on: %s", self.path.name, why)
        self.trouble = why
        if stamp is None:
            self._tried = (0, 0, 0, 0)  # whatever comes next is new

    def _load(self, stamp: Stamp) -> Served:
        return Served.of(save_load.load(self._copied(stamp)), stamp)

    def _copied(self, stamp: Stamp) -> Path:
        """Return the copy of the file as it is now; the first worker makes it, the others wait for it."""
        copy = self.folder / f"{'-'.join(map(str, stamp))}.model"
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not copy.exists():
                for older in self.folder.glob("*.model"):
                    older.unlink()  # what is mapped stays
                partial = copy.with_suffix(".partial")
                shutil.copyfile(self.path, partial)
                if _stamp(self.path) != stamp:
                    raise ModelFileError(f"{self.path} changed while it was read; it is tried again.")
                partial.replace(copy)
        return copy


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be found ({error.strerror}); put the model back.") from None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

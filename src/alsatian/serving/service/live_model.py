"""Hot reload: the model file is polled, and a new model replaces the old one between two requests.

A copy of the file is mapped into memory. Otherwise overwriting or truncating the file would change arrays that requests
are reading. The workers of a service share the copy.
"""

from __future__ import annotations

import fcntl
import math
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsatian.data.where_grammar import REQUEST_LIMITS
from alsatian.errors import AlsatianError, ModelFileError
from alsatian.models import Model
from alsatian.persistence import save_load
from alsatian.serving.service.run_directory import run_directory
from alsatian.serving.settings import service_log

POLL_SECONDS = 0.25  # seconds between two checks of the file
_RETRY_SECONDS = 5  # seconds until a retry after a lack of memory or disk space
_CACHED_CONDITIONS = 64  # `where` masks in the cache

FileStamp = tuple[int, int, int, int]  # device, inode, size, time of change; identifies a version of a file


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model with the stamp of its file, the time of loading (seconds since 1970), and its cached `where` masks."""

    model: Model
    stamp: FileStamp
    loaded_at: float
    where_mask: Callable[[str], NDArray[np.bool_]] = field(repr=False)

    @classmethod
    def from_model(cls, model: Model, stamp: FileStamp) -> LoadedModel:
        """Wrap a model that was loaded now, with an empty cache of `where` masks."""
        catalog = model.fitted.data.catalog
        where_mask = lru_cache(_CACHED_CONDITIONS)(partial(catalog.match_where, limits=REQUEST_LIMITS))
        return cls(model, stamp, time.time(), where_mask)

    def build_caches(self) -> None:
        """Build what the first request would otherwise wait for: counts, the title search, the index."""
        data = self.model.data
        data.by_user.counts.min(initial=0)
        if data.catalog.titles:
            data.catalog.search("a", data.item_counts, limit=1)
            data.catalog.find("a")
        if self.model.index is not None:
            _ = self.model.index.faiss_index


class LiveModel:
    """The loaded model, which follows its file. folder: for copies of the file, shared by all workers."""

    def __init__(self, path: Path, folder: Path | None = None) -> None:
        self.path = path
        self._exit_stack = ExitStack()
        self.folder = folder or self._exit_stack.enter_context(run_directory())
        self._reload_lock = threading.Lock()
        self.reloads, self.refusals = 0, 0
        self.last_error: str | None = None  # why the current file is not loaded
        try:
            self.loaded_model = self._load(_read_stamp(path))
        except BaseException:
            self.close()
            raise
        self._last_stamp, self._retry_at = self.loaded_model.stamp, math.inf

    def refresh(self, *, force: bool = False) -> bool:
        """Load the file if it has changed; return whether it was loaded.

        force: also try a file that was rejected before, or that is loaded already.
        """
        with self._reload_lock:
            try:
                stamp = _read_stamp(self.path)
            except ModelFileError as error:
                self._reject(str(error), None)
                return False
            if stamp == self._last_stamp and not force and time.monotonic() < self._retry_at:
                return False
            self._last_stamp, self._retry_at = stamp, math.inf
            try:
                loaded_model = self._load(stamp)
                loaded_model.build_caches()
            except (AlsatianError, OSError, MemoryError) as error:
                if not isinstance(error, AlsatianError):
                    self._retry_at = time.monotonic() + _RETRY_SECONDS
                self._reject(str(error) or type(error).__name__, stamp)
                return False
            self.loaded_model, self.last_error = loaded_model, None
            self.reloads += 1
            service_log.info("loaded the new %s", self.path.name)
            return True

    def close(self) -> None:
        """Remove the folder of copies, if this object made it."""
        self._exit_stack.close()

    def _reject(self, message: str, stamp: FileStamp | None) -> None:
        """Keep the old model, and log each new reason once."""
        if self.last_error != message:
            self.refusals += 1
            service_log.error("%s was rejected, the previous model stays loaded: %s", self.path.name, message)
        self.last_error = message
        if stamp is None:
            self._last_stamp = (0, 0, 0, 0)  # any file that comes next is new

    def _load(self, stamp: FileStamp) -> LoadedModel:
        return LoadedModel.from_model(save_load.load(self._copy_file(stamp)), stamp)

    def _copy_file(self, stamp: FileStamp) -> Path:
        """Return a copy of the current file; the first worker makes it, the others wait for it."""
        copy = self.folder / f"{'-'.join(map(str, stamp))}.model"
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not copy.exists():
                for old_copy in self.folder.glob("*.model"):
                    old_copy.unlink()  # memory that is mapped from it stays valid
                partial = copy.with_suffix(".partial")
                shutil.copyfile(self.path, partial)
                if _read_stamp(self.path) != stamp:
                    raise ModelFileError(f"{self.path} changed while it was read; retrying.")
                partial.replace(copy)
        return copy


def _read_stamp(path: Path) -> FileStamp:
    try:
        status = path.stat()
    except OSError as error:
        raise ModelFileError(f"{path} cannot be found ({error.strerror}); put the model back.") from None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns

"""The cache of posters on disk: a file for each film, empty if the film has no poster."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from alsatian._util.atomic_write import write_atomic

DAY = 86_400.0
POSTER_LIFETIME, MISSING_LIFETIME, ADDRESS_LIFETIME = 180 * DAY, 30 * DAY, 3 * DAY  # TMDB's terms allow six months


class PosterCache:
    """Files by name, each with a lifetime."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> bytes | None:
        """Return the cached image of a film, b"" if it has none, or None if it is not cached."""
        path = self._path(key)
        try:
            content, age = path.read_bytes(), time.time() - path.stat().st_mtime
        except OSError:
            return None
        return content if 0 <= age < (POSTER_LIFETIME if content else MISSING_LIFETIME) else None

    def put(self, key: str, content: bytes) -> None:
        """Store an image, or b"". Does nothing if the folder cannot be written to."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path(key), content)

    def get_address(self) -> dict[str, Any] | None:
        """Return the cached address of the images, or None if it is older than a few days."""
        path = self._path("address")
        try:
            is_fresh = 0 <= time.time() - path.stat().st_mtime < ADDRESS_LIFETIME
            address = json.loads(path.read_bytes()) if is_fresh else None
        except (OSError, ValueError):
            return None
        return address if isinstance(address, dict) and address.keys() == {"base", "size"} else None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.poster"

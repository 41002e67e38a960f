"""The folder in which posters are kept: a file for each film, empty where there is known to be none."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

from alsatian._util.atomic_write import write_whole

DAY = 86_400.0
KEPT, NONE_KEPT, ADDRESS_KEPT = 180 * DAY, 30 * DAY, 3 * DAY  # TMDB's terms allow six months


class Shelf:
    """Files by name, each good for a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str) -> bytes | None:
        """Return what is kept of a film: a picture, nothing (it has none), or None: who knows."""
        path = self._path(key)
        try:
            content, age = path.read_bytes(), time.time() - path.stat().st_mtime
        except OSError:
            return None
        return content if 0 <= age < (KEPT if content else NONE_KEPT) else None

    def put(self, key: str, content: bytes) -> None:
        """Keep a picture, or nothing. A folder that cannot be written to keeps nothing, and all else works."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._path(key), content)

    def address(self) -> dict[str, Any] | None:
        """Return where the pictures were some days ago."""
        path = self._path("address")
        try:
            fresh = 0 <= time.time() - path.stat().st_mtime < ADDRESS_KEPT
            found = json.loads(path.read_bytes()) if fresh else None
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.keys() == {"base", "size"} else None

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.poster"

"""Archives from the network: fetched to a temporary name, checked, unpacked, renamed."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from alsatian.errors import SourceError

BASE_URL = "https://files.grouplens.org/datasets/movielens/"
_SUFFIXES = (".csv", ".dat", ".data", ".item", ".txt", ".html")
_CHUNK = 1 << 18
_TIMEOUT = 30  # seconds without an answer


@dataclass(frozen=True)
class Archive:
    """A file on the server, and its digest by an algorithm of hashlib."""

    file: str
    algorithm: str
    digest: str


def fetch_archive(archive: Archive, name: str, folder: Path) -> Path:
    """Return the archive in `folder`, downloading it if it is not there.

    Raises SourceError when it cannot be downloaded (saying which file to put where), when its digest is
    not the pinned one, or when the folder cannot be written to.
    """
    target = folder / archive.file
    if target.is_file():
        if _digest(target, archive.algorithm) != archive.digest:
            raise SourceError(f"{target} is damaged or of another version ({archive.algorithm} differs); remove it.")
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _temporary(folder) as (path, file):
            _download(BASE_URL + archive.file, name, file)
            file.close()
            found = _digest(path, archive.algorithm)
            if found != archive.digest:
                raise SourceError(
                    f"{BASE_URL}{archive.file} has changed: its {archive.algorithm} is {found}, not "
                    f"{archive.digest}; nothing was kept."
                )
            path.replace(target)
    except OSError as error:
        raise SourceError(
            f"{name} is not here, and {BASE_URL}{archive.file} cannot be downloaded ({_reason(error)}); "
            f"fetch {archive.file} elsewhere and put it at {target}."
        ) from None
    return target


def unpack(archive: Path, target: Path) -> None:
    """Unpack the data files of a zip archive into the new folder `target`, whatever folders they lie in."""
    fresh = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpacking-"))
    try:
        with zipfile.ZipFile(archive) as packed:
            for entry in packed.infolist():
                name = Path(entry.filename).name  # the name alone: nothing can be written outside the folder
                if not entry.is_dir() and name.endswith(_SUFFIXES):
                    with packed.open(entry) as source, (fresh / name).open("wb") as file:
                        shutil.copyfileobj(source, file)
        if not target.is_dir():  # another process may have been faster
            fresh.replace(target)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"{archive} cannot be unpacked: {_reason(error)}.") from None
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def _temporary(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    handle, name = tempfile.mkstemp(dir=folder, prefix=".downloading-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield Path(name), file
    finally:
        Path(name).unlink(missing_ok=True)


def _download(url: str, name: str, file: IO[bytes]) -> None:
    """Copy a URL to a file, with a progress bar on a terminal."""
    import http.client
    from urllib.error import HTTPError
    from urllib.request import urlopen

    from rich.console import Console
    from rich.progress import Progress

    try:
        answer = urlopen(url, timeout=_TIMEOUT)
    except HTTPError as error:
        error.close()
        raise OSError(f"the server says {error.code} {error.reason}") from None
    console = Console(stderr=True)
    with answer:
        size = int(answer.headers.get("Content-Length") or 0)
        got = 0
        with Progress(console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
            task = progress.add_task(f"downloading {name}", total=size or None)
            try:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    got += len(chunk)
                    progress.update(task, completed=got)
            except http.client.HTTPException as error:
                raise OSError(f"the connection broke off after {got:,} bytes") from error
        if size and got < size:
            raise OSError(f"the connection broke off after {got:,} of {size:,} bytes")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _reason(error: Any) -> str:
    """Return what went wrong in a few words; urllib hides it inside."""
    inner = getattr(error, "reason", None) or error
    return str(getattr(inner, "strerror", None) or inner)

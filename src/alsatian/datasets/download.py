"""Download archives: to a temporary file, which is checked, unpacked and renamed."""

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
_DATA_SUFFIXES = (".csv", ".dat", ".data", ".item", ".txt", ".html")
_DOWNLOAD_CHUNK_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30  # seconds without a response


@dataclass(frozen=True)
class Archive:
    """A file on the server, and its hexadecimal digest. algorithm: its name in hashlib."""

    file: str
    algorithm: str
    digest: str


def fetch_archive(archive: Archive, name: str, folder: Path) -> Path:
    """Return the path of the archive in `folder`; download it if it is not there.

    Raises SourceError if its digest is not the pinned one, if the folder cannot be written to, or if it cannot be
    downloaded. In the last case the message says which file to put where.
    """
    target = folder / archive.file
    if target.is_file():
        if _digest(target, archive.algorithm) != archive.digest:
            raise SourceError(f"{target} is damaged or of another version ({archive.algorithm} differs); remove it.")
        return target
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _temporary_file(folder) as (path, file):
            _download(BASE_URL + archive.file, name, file)
            file.close()
            digest = _digest(path, archive.algorithm)
            if digest != archive.digest:
                raise SourceError(
                    f"{BASE_URL}{archive.file} has changed: its {archive.algorithm} is {digest}, not "
                    f"{archive.digest}; the download was discarded."
                )
            path.replace(target)
    except OSError as error:
        raise SourceError(
            f"{name} is not in the cache, and {BASE_URL}{archive.file} cannot be downloaded "
            f"({_download_error_reason(error)}); download {archive.file} elsewhere and put it at {target}."
        ) from None
    return target


def unpack(archive: Path, target: Path) -> None:
    """Unpack the data files of a zip archive, from all its folders, into the new folder `target`.

    Raises SourceError if the archive is damaged or the folder cannot be written to.
    """
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=".unpacking-"))
    try:
        with zipfile.ZipFile(archive) as zip_file:
            for entry in zip_file.infolist():
                name = Path(entry.filename).name  # the file name only, so that nothing is written outside the folder
                if not entry.is_dir() and name.endswith(_DATA_SUFFIXES):
                    with zip_file.open(entry) as source, (staging / name).open("wb") as file:
                        shutil.copyfileobj(source, file)
        if not target.is_dir():  # another process may have created it
            staging.replace(target)
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"{archive} cannot be unpacked: {_download_error_reason(error)}.") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def _temporary_file(folder: Path) -> Iterator[tuple[Path, IO[bytes]]]:
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
        response = urlopen(url, timeout=_TIMEOUT_SECONDS)
    except HTTPError as error:
        error.close()
        raise OSError(f"the server answered {error.code} {error.reason}") from None
    console = Console(stderr=True)
    with response:
        size = int(response.headers.get("Content-Length") or 0)
        n_bytes = 0
        with Progress(console=console, disable=not sys.stderr.isatty(), transient=True) as progress:
            task = progress.add_task(f"downloading {name}", total=size or None)
            try:
                while chunk := response.read(_DOWNLOAD_CHUNK_BYTES):
                    file.write(chunk)
                    n_bytes += len(chunk)
                    progress.update(task, completed=n_bytes)
            except http.client.HTTPException as error:
                raise OSError(f"the connection was lost after {n_bytes:,} bytes") from error
        if size and n_bytes < size:
            raise OSError(f"the connection was lost after {n_bytes:,} of {size:,} bytes")


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def _download_error_reason(error: Any) -> str:
    """Return a short reason for the error; urllib wraps the original one."""
    cause = getattr(error, "reason", None) or error
    return str(getattr(cause, "strerror", None) or cause)

"""Public data sets by name. They are read from the cache or an installed package, or downloaded once.

al.datasets.names()
ratings = al.datasets.load("movielens-small")
"""

from __future__ import annotations

import os
from pathlib import Path

from alsatian.data.interactions import Interactions
from alsatian.datasets.download import Archive, fetch_archive, unpack
from alsatian.datasets.rdatasets import find_movielens, read_movielens
from alsatian.errors import SourceError, did_you_mean
from alsatian.ingest.extra_rows import ExtraRows
from alsatian.ingest.read_options import ReadOptions
from alsatian.ingest.reader import read_arrays, read_source

MOVIELENS_SMALL = "movielens-small"
_N_SMALL_RATINGS = 100_004  # of the 2016 set; the archive of that name now contains the 2018 set

# Digests: SHA-256 as pinned by TensorFlow Datasets, MD5 as published by GroupLens with the archive.
ARCHIVES = {
    "movielens-latest-small": Archive(
        "ml-latest-small.zip", "sha256", "696d65a3dfceac7c45750ad32df2c259311949efec81f0f144fdfb91ebc9e436"
    ),
    "movielens-100k": Archive(
        "ml-100k.zip", "sha256", "50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229"
    ),
    "movielens-1m": Archive("ml-1m.zip", "sha256", "a6898adb50b9ca05aa231689da44c217cb524e7ebd39d264c56e2832f2c54e20"),
    "movielens-10m": Archive("ml-10m.zip", "md5", "ce571fd55effeba0271552578f2648bd"),
    "movielens-20m": Archive(
        "ml-20m.zip", "sha256", "96f243c338a8665f6bcc89c53edf6ee39162a846940de6b7c8c48aeada765ff3"
    ),
    "movielens-25m": Archive(
        "ml-25m.zip", "sha256", "8b21cfb7eb1706b4ec0aac894368d90acf26ebdfb6aced3ebd4ad5bd1eb9c6aa"
    ),
}


def names() -> list[str]:
    """Return the names that `load` accepts."""
    return [MOVIELENS_SMALL, *ARCHIVES]


def load(name: str = MOVIELENS_SMALL, folder: str | Path | None = None) -> Interactions:
    """Load a public data set with titles.

    The data is read from `folder` if it is there (default: `cache_folder()`). Otherwise "movielens-small" is read from
    the package rdatasets. The others are downloaded from GroupLens, checked against a pinned digest and stored in
    `folder`.

    Raises SourceError for an unknown name, or if the data cannot be downloaded. The message then says which file to put
    where.

    >>> load("movielens-small")  # doctest: +SKIP
    Interactions(100,004 values of 671 users and 9,066 items)
    """
    return load_with_extra_rows(name, None, folder)


def load_with_extra_rows(name: str, extra_rows: ExtraRows | None, folder: str | Path | None = None) -> Interactions:
    """Load a public data set and append rows, such as the events of a service. Raises the same errors as `load`."""
    if name not in names():
        choices = f"{', '.join(names())}.{did_you_mean(name, names())}"
        raise SourceError(f"{name!r} is not a data set of alsatian; choose {choices}")
    cache = Path(folder) if folder is not None else cache_folder()
    path = cache / name
    if name == MOVIELENS_SMALL:
        return _load_small(path, extra_rows)
    if not path.is_dir():
        archive = ARCHIVES[name]
        unpack(fetch_archive(archive, name, cache), path)
    return read_source(path, ReadOptions(), extra_rows=extra_rows)


def cache_folder() -> Path:
    """Return the folder of downloads: $ALSATIAN_CACHE, $XDG_CACHE_HOME/alsatian or ~/.cache/alsatian."""
    if configured := os.environ.get("ALSATIAN_CACHE"):
        return Path(configured)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "alsatian"


def _load_small(path: Path, extra_rows: ExtraRows | None) -> Interactions:
    if path.is_dir():
        data = read_source(path, ReadOptions(), extra_rows=extra_rows)
        if (n_ratings := data.report.read - (len(extra_rows.users) if extra_rows else 0)) != _N_SMALL_RATINGS:
            raise SourceError(
                f"{path} has {n_ratings:,} ratings, but {MOVIELENS_SMALL} is the 2016 set with {_N_SMALL_RATINGS:,}; "
                "put that set there, or remove the folder."
            )
        return data
    if package_file := find_movielens():
        ratings, movies = read_movielens(package_file)
        return read_arrays(ratings, MOVIELENS_SMALL, movies, extra_rows)
    raise SourceError(
        f"{MOVIELENS_SMALL} was not found, and GroupLens no longer offers it; run pip install 'alsatian[demo]', or "
        f"put ratings.csv, movies.csv and links.csv of the 2016 ml-latest-small into {path}."
    )

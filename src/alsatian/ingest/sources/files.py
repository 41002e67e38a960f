"""Files as sources: delimited text, JSON lines and Parquet, plain or compressed, one or many."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alsatian.errors import ParameterError, SourceError, did_you_mean
from alsatian.ingest.sources.delimited import open_text
from alsatian.ingest.sources.json_lines import open_json_lines
from alsatian.ingest.sources.lines import COMPRESSED_SUFFIXES, read_head
from alsatian.ingest.sources.source import Source, describe_columns, error_summary, quote_files

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_JSON_SUFFIXES = (".jsonl", ".ndjson", ".json")
_DATABASE_SUFFIXES = (".db", ".sqlite", ".sqlite3")
_UNSUPPORTED_SUFFIXES = {
    *(".xlsx", ".xls", ".ods", ".pkl", ".pickle", ".feather", ".arrow", ".npz", ".npy", ".duckdb", ".model"),
    *(".zip", ".tar", ".tgz", ".bz2", ".xz", ".7z"),
}


def open_files(con: DuckDBPyConnection, path: str, delimiter: str | None = None) -> Source:
    """Open a file, or all files that a glob matches, as one source.

    Raises SourceError if the file does not exist or its format is not supported, and DataError if it is empty.
    """
    paths = _matching_files(path)
    name = Path(paths[0]).name if len(paths) == 1 else path
    kind = _file_kind(paths[0])
    if delimiter is not None and (kind in _JSON_SUFFIXES or kind == ".parquet"):
        raise ParameterError(f"delimiter= is valid only for delimited text; remove it for {name}.")
    if kind == ".parquet":
        return _open_typed(con, name, paths, lambda files: f"read_parquet([{files}], binary_as_string=true)")
    if kind not in _JSON_SUFFIXES:
        return open_text(con, name, paths, delimiter)
    lines, _ = read_head(paths[0])
    if "".join(lines).lstrip().startswith("["):
        return _open_typed(con, name, paths, lambda files: f"read_json([{files}], format='array')")
    return open_json_lines(con, name, paths, lines)


def _matching_files(path: str) -> list[str]:
    """Return the files that match a path or glob, in ascending order."""
    if Path(path).is_file():
        return [path]
    matches = glob.glob(path, recursive=True)  # noqa: PTH207 (Path.glob does not accept absolute patterns)
    files = sorted(match for match in matches if Path(match).is_file())
    if files:
        return files
    if glob.has_magic(path):
        raise SourceError(f"no file matches {path!r}; check the pattern.")
    folder = Path(path).parent
    if not folder.is_dir():
        raise SourceError(f"there is no file {path!r}: the folder {str(folder)!r} does not exist.")
    hint = did_you_mean(Path(path).name, [entry.name for entry in folder.iterdir()])
    raise SourceError(f"there is no file {path!r}.{hint or ' Check the path.'}")


def _file_kind(path: str) -> str:
    """Return the suffix of the file format, without the suffix of the compression."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    is_compressed = bool(suffixes) and suffixes[-1] in COMPRESSED_SUFFIXES
    kind = next(iter(suffixes[-2:-1] if is_compressed else suffixes[-1:]), "")
    kind = ".parquet" if kind == ".pq" else kind
    if kind in _DATABASE_SUFFIXES:
        raise SourceError(f"{path} is a database; pass 'sqlite:///{path}' and query='SELECT ...' (--query).")
    if kind in _UNSUPPORTED_SUFFIXES or (is_compressed and kind == ".parquet"):
        raise SourceError(f"{path} cannot be read as it is; unpack or convert it to CSV, JSON lines or Parquet.")
    return kind


def _open_typed(con: DuckDBPyConnection, name: str, paths: list[str], scan: Callable[[str], str]) -> Source:
    """Open files whose columns have types, such as Parquet."""
    import duckdb

    def select(files: Sequence[str]) -> str:
        return scan(quote_files(files))

    try:
        columns = describe_columns(con, select(paths))
    except duckdb.Error as error:
        raise SourceError(f"{name} cannot be read: {error_summary(error)}.") from None
    return Source(con, name, select, columns, paths)

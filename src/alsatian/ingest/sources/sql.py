"""Databases as sources: SQLite through the standard library, others through SQLAlchemy."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import DataError, DependencyError, SourceError, did_you_mean
from alsatian.ingest.sources.frames import open_arrays
from alsatian.ingest.sources.source import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_URL_PATTERN = re.compile(r"[A-Za-z][\w+.-]*:///?")
_FILE_SCHEMES = ("http:", "https:", "s3:", "s3a:", "gs:", "hdfs:", "ftp:", "sftp:", "file:")

_DIALECT_PACKAGES = {
    "duckdb": "duckdb-engine",
    "snowflake": "snowflake-sqlalchemy",
    "clickhouse": "clickhouse-sqlalchemy",
}


def is_database_url(text: str) -> bool:
    """Return whether a source is a database URL; raises SourceError for the URL of a file."""
    match = _URL_PATTERN.match(text)
    if match and text.lower().startswith(_FILE_SCHEMES):
        raise SourceError(f"reading from {text!r} is not supported; download it, and pass the path of the file.")
    return bool(match)


def open_query(con: DuckDBPyConnection, url: str, query: str) -> Source:
    """Open the result of a query as a source; it is fetched once, into memory.

    Raises SourceError if the database cannot be opened or rejects the query. Raises DependencyError if SQLAlchemy or a
    driver is required but not installed. Raises DataError if the result has no rows, or two columns of one name.
    """
    names, rows = _query_sqlite(url, query) if url.startswith("sqlite:///") else _query_sqlalchemy(url, query)
    if not rows:
        raise DataError(f"the query has columns ({', '.join(map(repr, names))}) but no rows.")
    if len(set(names)) < len(names):
        raise DataError(f"the query has two columns of one name ({', '.join(map(repr, names))}); rename one with AS.")
    columns = dict(zip(names, map(_to_array, zip(*rows, strict=True)), strict=True))
    return open_arrays(con, columns, "the query")


def _query_sqlite(url: str, query: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
    path = Path(url.partition(":///")[2])
    if not path.is_file():
        file_names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
        raise SourceError(
            f"there is no database {str(path)!r}.{did_you_mean(path.name, file_names) or ' Check the path.'}"
        )
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            cursor = database.execute(query)
            if cursor.description is None:
                raise SourceError(f"the query {query[:60]!r} returns no rows; pass a SELECT.")
            return [column[0] for column in cursor.description], cursor.fetchall()
    except sqlite3.Error as error:
        raise SourceError(f"SQLite rejected the query {query[:60]!r}: {error}.") from None


def _query_sqlalchemy(url: str, query: str) -> tuple[list[str], Sequence[Sequence[Any]]]:
    try:
        import sqlalchemy
    except ImportError:
        raise DependencyError(
            "reading from this database requires SQLAlchemy and a driver; run: pip install 'alsatian[sql]'"
        ) from None
    try:
        engine = sqlalchemy.create_engine(url)
        with engine.connect() as connection:
            result = connection.execute(sqlalchemy.text(query))
            rows = [tuple(row) for row in result]
        engine.dispose()
        return list(result.keys()), rows
    except sqlalchemy.exc.NoSuchModuleError:
        dialect = re.split("[:+]", url)[0]
        package = _DIALECT_PACKAGES.get(dialect, f"sqlalchemy-{dialect}")
        raise DependencyError(
            f"SQLAlchemy has no dialect {dialect!r}; correct the URL, or install its package: pip install {package}."
        ) from None
    except ImportError as error:
        raise DependencyError(f"reading from this database requires a driver: {error}; install it with pip.") from None
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise SourceError(f"the database rejected the query {query[:60]!r}: {str(error).splitlines()[0]}.") from None


def _to_array(values: Sequence[Any]) -> NDArray[Any]:
    """Return values as an array of a type that DuckDB supports; a mix of types becomes text."""
    kinds = {type(value) for value in values if value is not None}
    missing = np.array([value is None for value in values], np.bool_)
    if kinds <= {int} and kinds and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return np.ma.masked_array(np.array([value or 0 for value in values], np.int64), missing)
    if kinds <= {int, float, Decimal, bool} and kinds:
        return np.ma.masked_array(np.array([float(value or 0) for value in values]), missing)
    if kinds <= {datetime, date} and kinds:
        timestamps = np.array([None if value is None else _to_utc(value) for value in values], "datetime64[us]")
        return np.ma.masked_array(timestamps, missing)
    return np.array([None if value is None else str(value) for value in values] + [None], object)[:-1]


def _to_utc(timestamp: datetime | date) -> datetime | date:
    """Convert a time to UTC without a zone, since NumPy does not support time zones."""
    if isinstance(timestamp, datetime) and timestamp.tzinfo:
        return timestamp.replace(tzinfo=None) - (timestamp.utcoffset() or timestamp - timestamp)
    return timestamp

"""What every kind of input becomes first: rows that DuckDB can select from, and how to speak of them."""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from alsatian.ingest.sources.dialect import Dialect


def quote_identifier(name: str) -> str:
    """Quote a column name for SQL.

    >>> quote_identifier("odd name")
    '"odd name"'
    """
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class SqlColumn:
    """A column inside DuckDB: the expression that selects it and its type."""

    sql: str
    type: str


@dataclass(frozen=True)
class Reject:
    """A record that could not be split into fields.

    place: its place among the records of the file, header and blank lines included.
    """

    file: str
    position: int
    reason: str
    text: str


def _no_rejects() -> list[Reject]:
    return []


@dataclass
class Source:
    """Rows to select from.

    name: what messages call it, such as "ratings.csv".
    select: what follows FROM, given which of the files to read.
    columns: the columns by the names that users know, in order.
    files: the files in order, or [""] where there are none.
    is_text: cells are text as it was written, so their types are still to be found; `samples` holds the
        first cells of each column, `quoted` the columns whose cells are marked as text.
    positional: there are no column names; columns are known by their places.
    plain: how the files are written, if their bytes may be simple enough for `scanning`.
    sound: (reason, condition): a condition that every well-formed row fulfils, and the reason if it does not.
    rejects: gives the records that the last selection refused.
    line_of: (file, n, rejects) -> the line number of the n-th record that was not refused.
    line_of_reject: (file, position) -> the line number of a refused record.
    notes: what is worth telling about the reading, one sentence each.
    """

    con: DuckDBPyConnection
    name: str
    select: Callable[[Sequence[str]], str]
    columns: dict[str, SqlColumn]
    files: list[str] = field(default_factory=lambda: [""])
    is_text: bool = False
    samples: dict[str, list[str]] = field(default_factory=dict)
    quoted_columns: set[str] = field(default_factory=set)
    positional: bool = False
    plain_dialect: Dialect | None = None
    well_formed: tuple[str, str] | None = None
    rejects: Callable[[], list[Reject]] = _no_rejects
    line_of: Callable[[str, int, list[Reject]], int] | None = None
    line_of_reject: Callable[[str, int], int] | None = None
    notes: list[str] = field(default_factory=list)

    @property
    def relation(self) -> str:
        """SQL that selects all rows of the source, for a FROM clause."""
        return self.select(self.files)


def connect() -> DuckDBPyConnection:
    """Open a private in-memory database that reads times as UTC and keeps the order of rows."""
    import duckdb

    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'").fetchall()
    con.execute("SET pandas_analyze_sample = 1000000000").fetchall()  # types of Python objects: look at all
    return con


def describe_columns(con: DuckDBPyConnection, relation: str) -> dict[str, SqlColumn]:
    """Return the columns of a relation under the names that it gives them."""
    rows = con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    # A column of type NULL is not selected: DuckDB cannot read one from an Arrow stream.
    return {name: SqlColumn("NULL" if kind == '"NULL"' else quote_identifier(name), kind) for name, kind, *_ in rows}


def quote_literal(text: str) -> str:
    """Quote a string for SQL."""
    return "'" + text.replace("'", "''") + "'"


def quote_literals(texts: Sequence[str]) -> str:
    """Quote strings for an SQL list."""
    return ", ".join(map(quote_literal, texts))


def quote_files(paths: Sequence[str]) -> str:
    """Quote the names of files for DuckDB, which would take "[", "?" and "*" in them for a pattern."""
    return quote_literals([glob.escape(path) for path in paths])


def error_summary(error: object) -> str:
    """Return what DuckDB complains of, without its class, its hints and its drawing of the statement."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line.split("Error: ", 1)[-1].rstrip(".!")

"""The common form of all inputs: rows that DuckDB can select from, with the metadata for reports and messages."""

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
    """A column in DuckDB: the SQL expression that selects it, and its type."""

    sql: str
    type: str


@dataclass(frozen=True)
class Reject:
    """A record that could not be split into fields.

    position: its position (from 1) among the records of the file, with header and blank lines.
    """

    file: str
    position: int
    reason: str
    text: str


def _no_rejects() -> list[Reject]:
    return []


@dataclass
class Source:
    """Rows that DuckDB can select from.

    con: the DuckDB connection.
    name: the name of the source in messages, such as "ratings.csv".
    select: returns SQL for a FROM clause, given the files to read.
    columns: the columns by name, in order.
    files: the files in order, or [""] if there are none.
    is_text: whether all cells are unparsed text, so that their types must be inferred.
    samples: the first cells of each column, if is_text.
    quoted_columns: the columns with cells that are marked as text, if is_text.
    positional: whether there are no column names, so that columns are identified by position.
    plain_dialect: the dialect of the files, if the fast path (`rows/fast_csv`) may be able to read them; else None.
    well_formed: (reason, condition): a condition that every well-formed row fulfils, and the reason if a row does not.
    rejects: returns the records that the last selection rejected.
    line_of: (file, n, rejects) -> the line number of the n-th record that was not rejected.
    line_of_reject: (file, position) -> the line number of a rejected record.
    notes: remarks for the report, one sentence each.
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
    """Open a private in-memory database that reads times as UTC and preserves the order of rows."""
    import duckdb

    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'").fetchall()
    con.execute("SET pandas_analyze_sample = 1000000000").fetchall()  # infer the types of Python objects from all rows
    return con


def describe_columns(con: DuckDBPyConnection, relation: str) -> dict[str, SqlColumn]:
    """Return the columns of a relation, by name."""
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
    """Quote the names of files for DuckDB, and escape "[", "?" and "*", which would otherwise form a pattern."""
    return quote_literals([glob.escape(path) for path in paths])


def error_summary(error: object) -> str:
    """Return the first line of a DuckDB error, without its class, hints and excerpt of the statement."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line.split("Error: ", 1)[-1].rstrip(".!")

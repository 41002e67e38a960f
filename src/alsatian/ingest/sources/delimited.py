"""Delimited text: DuckDB parses all fields as text, and we find the types."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alsatian.errors import SourceError, listed
from alsatian.ingest.sources.dialect import Dialect, detect, split
from alsatian.ingest.sources.lines import PACKED, head, line_of_place, line_of_record
from alsatian.ingest.sources.source import Cell, Reject, Source, file_list, literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BUFFER = 4_194_304  # bytes of a file that a thread parses at a time; DuckDB would take eight times as many
_REASONS = {
    "TOO MANY COLUMNS": "wrong number of fields",
    "MISSING COLUMNS": "wrong number of fields",
    "UNQUOTED VALUE": "broken quotes",
    "LINE SIZE OVER MAXIMUM": "line too long",
    "INVALID ENCODING": "not UTF-8",
    "INVALID UNICODE": "not UTF-8",
}


def open_text(
    con: DuckDBPyConnection,
    name: str,
    paths: list[str],
    delimiter: str | None = None,
    names: list[str] | None = None,
    encoding: str | None = None,
) -> Source:
    """Open delimited text files that are written alike. names: the columns of files without a header."""
    lines, seen = head(paths[0])
    encoding = encoding or seen
    dialect = detect(lines, name, delimiter, header=False if names else None)
    _check_alike(paths, dialect)
    known = names or dialect.header or [f"column {place}" for place in range(1, dialect.width + 1)]
    cells = {column: Cell(f"__{place}", "VARCHAR") for place, column in enumerate(known)}
    options = _options(dialect, encoding, cells)

    def select(files: Sequence[str]) -> str:
        return f"read_csv([{file_list(files)}], {options})"

    def line_of(file: str, ordinal: int, rejects: list[Reject]) -> int:
        refused = {reject.place for reject in rejects}
        return line_of_record(file, ordinal + bool(dialect.header), refused, dialect.quote, dialect.delimiter)

    source = Source(con, name, select, cells, paths)
    source.written = True
    source.plain = dialect if encoding == "utf-8" and not paths[0].endswith(PACKED) else None
    rows = [row for row in dialect.rows if len(row) == len(known)]
    source.samples = {column: [row[place] for row in rows] for place, column in enumerate(known)}
    source.positional = not dialect.header and not names
    source.rejects = lambda: rejects_of(con)
    source.line_of = line_of
    source.line_of_place = lambda file, place: line_of_place(file, place, dialect.quote, dialect.delimiter)
    source.notes = _notes(source, encoding)
    return source


def _check_alike(paths: list[str], dialect: Dialect) -> None:
    """Files that are read as one have the same header."""
    for path in paths[1:] if dialect.header else ():
        lines, _ = head(path, most=1)
        first = split(lines, dialect.delimiter, dialect.quote)
        if (first or [[]])[0] != dialect.first:
            raise SourceError(
                f"{path} begins with {lines[0] if lines else ''!r} where {Path(paths[0]).name} has the "
                f"columns {listed(dialect.first or [])}; read files of one form at a time."
            )


def _options(dialect: Dialect, encoding: str, cells: dict[str, Cell]) -> str:
    quote = literal(dialect.quote)
    columns = ", ".join(f"'{cell.sql}': 'VARCHAR'" for cell in cells.values())
    return (
        f"auto_detect=false, header={bool(dialect.header)}, columns={{{columns}}}, "
        f"delim={literal(dialect.delimiter)}, quote={quote}, escape={quote}, "
        f"encoding={literal(encoding)}, store_rejects=true, buffer_size={_BUFFER}"
    )


def _notes(source: Source, encoding: str) -> list[str]:
    notes = []
    if source.positional:
        notes.append(f"{source.name} has no header; its columns are taken by their places.")
    if encoding != "utf-8":
        notes.append(f"{source.name} is not written in UTF-8; it was read as Latin-1.")
    return notes


def rejects_of(con: DuckDBPyConnection) -> list[Reject]:
    """Return the records that the last scan of text files refused, with the first complaint about each."""
    if not con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchall():
        return []
    rows = con.execute(
        """SELECT file_path, line, first(error_type ORDER BY byte_position), first(csv_line)
        FROM reject_errors JOIN reject_scans USING (scan_id, file_id)
        WHERE scan_id = (SELECT max(scan_id) FROM reject_scans)
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    return [
        Reject(file, place, _REASONS.get(str(kind), str(kind).lower()), (text or "").strip())
        for file, place, kind, text in rows
    ]

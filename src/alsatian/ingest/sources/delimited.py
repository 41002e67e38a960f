"""Delimited text. DuckDB parses all fields as text; their types are inferred later."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alsatian.errors import SourceError, join_names
from alsatian.ingest.sources.dialect import Dialect, detect_dialect, split_lines
from alsatian.ingest.sources.lines import COMPRESSED_SUFFIXES, line_of_position, line_of_record, read_head
from alsatian.ingest.sources.source import Reject, Source, SqlColumn, quote_files, quote_literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BUFFER_BYTES = 4_194_304  # bytes of a file that a thread parses at a time; DuckDB's default is eight times larger
_REJECT_REASONS = {
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
    """Open delimited text files of the same format. names: the columns of files without a header.

    Raises DataError if a file is empty or no delimiter is found, and SourceError if it cannot be read or if the headers
    of the files differ.
    """
    lines, detected_encoding = read_head(paths[0])
    encoding = encoding or detected_encoding
    dialect = detect_dialect(lines, name, delimiter, header=False if names else None)
    _check_same_header(paths, dialect)
    column_names = names or dialect.header or [f"column {position}" for position in range(1, dialect.width + 1)]
    cells = {column: SqlColumn(f"__{position}", "VARCHAR") for position, column in enumerate(column_names)}
    options = _csv_options(dialect, encoding, cells)

    def select(files: Sequence[str]) -> str:
        return f"read_csv([{quote_files(files)}], {options})"

    def line_of(file: str, ordinal: int, rejects: list[Reject]) -> int:
        rejected = {reject.position for reject in rejects}
        return line_of_record(file, ordinal + bool(dialect.header), rejected, dialect.quote, dialect.delimiter)

    source = Source(con, name, select, cells, paths)
    source.is_text = True
    source.plain_dialect = dialect if encoding == "utf-8" and not paths[0].endswith(COMPRESSED_SUFFIXES) else None
    rows = [row for row in dialect.rows if len(row) == len(column_names)]
    source.samples = {column: [row[position] for row in rows] for position, column in enumerate(column_names)}
    source.positional = not dialect.header and not names
    source.rejects = lambda: fetch_rejects(con)
    source.line_of = line_of
    source.line_of_reject = lambda file, position: line_of_position(file, position, dialect.quote, dialect.delimiter)
    source.notes = _source_notes(source, encoding)
    return source


def _check_same_header(paths: list[str], dialect: Dialect) -> None:
    """Raise SourceError if the files do not have the same header."""
    for path in paths[1:] if dialect.header else ():
        lines, _ = read_head(path, limit=1)
        header_rows = split_lines(lines, dialect.delimiter, dialect.quote)
        if (header_rows or [[]])[0] != dialect.header_cells:
            raise SourceError(
                f"{path} begins with {lines[0] if lines else ''!r}, but {Path(paths[0]).name} has the columns "
                f"{join_names(dialect.header_cells or [])}; read only files with the same columns at a time."
            )


def _csv_options(dialect: Dialect, encoding: str, cells: dict[str, SqlColumn]) -> str:
    quote = quote_literal(dialect.quote)
    columns = ", ".join(f"'{cell.sql}': 'VARCHAR'" for cell in cells.values())
    return (
        f"auto_detect=false, header={bool(dialect.header)}, columns={{{columns}}}, "
        f"delim={quote_literal(dialect.delimiter)}, quote={quote}, escape={quote}, "
        f"encoding={quote_literal(encoding)}, store_rejects=true, buffer_size={_BUFFER_BYTES}"
    )


def _source_notes(source: Source, encoding: str) -> list[str]:
    notes = []
    if source.positional:
        notes.append(f"{source.name} has no header; its columns are taken by position.")
    if encoding != "utf-8":
        notes.append(f"{source.name} is not written in UTF-8; it was read as Latin-1.")
    return notes


def fetch_rejects(con: DuckDBPyConnection) -> list[Reject]:
    """Return the records that the last scan of text files rejected, with the first error of each."""
    if not con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'reject_errors'").fetchall():
        return []
    rows = con.execute(
        """SELECT file_path, line, first(error_type ORDER BY byte_position), first(csv_line)
        FROM reject_errors JOIN reject_scans USING (scan_id, file_id)
        WHERE scan_id = (SELECT max(scan_id) FROM reject_scans)
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    return [
        Reject(file, position, _REJECT_REASONS.get(str(kind), str(kind).lower()), (text or "").strip())
        for file, position, kind, text in rows
    ]

"""The physical lines of a text file, and the lines on which records begin."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from alsatian.errors import SourceError
from alsatian.ingest.sources.source import connect, error_summary, quote_files

COMPRESSED_SUFFIXES = (".gz", ".zst")
MAX_LINE_BYTES = 2_000_000  # DuckDB's limit on the length of a line


def read_lines(path: str) -> Iterator[bytes]:
    """Yield the lines of a plain, .gz or .zst file, without line ends."""
    if path.endswith(".zst"):
        yield from _read_zst_lines(path)
        return
    with gzip.open(path) if path.endswith(".gz") else Path(path).open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            yield line.rstrip(b"\r\n")


def read_head(path: str, limit: int = 500) -> tuple[list[str], str]:
    """Return the first lines, and their encoding: "utf-8" if they are valid UTF-8, else "latin-1".

    Raises SourceError if the file cannot be read, is not a text file, or is written in UTF-16.
    """
    try:
        lines = [line for line, _ in zip(read_lines(path), range(limit), strict=False)]
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path} cannot be read: {reason}.") from None
    if any(b"\0" in line for line in lines) and lines[0][:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(f"{path} is not a text file; pass CSV, JSON lines or Parquet.")
    if lines and lines[0][:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(f"{path} is written in UTF-16; save it as UTF-8.")
    if lines:
        lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
    try:
        return [line.decode() for line in lines], "utf-8"
    except UnicodeDecodeError:
        return [line.decode("latin-1") for line in lines], "latin-1"


def detect_encoding(path: str) -> str:
    """Return the encoding of the whole file: "utf-8" if it is valid UTF-8, else "latin-1"."""
    return read_head(path, sys.maxsize)[1]


def line_of_record(path: str, record_number: int, skipped: set[int], quote: str = "", delimiter: str = ",") -> int:
    """Return the line on which the `record_number`-th record begins; both count from 1.

    Blank records do not count, nor do those in `skipped`, which are positions among all records.
    """
    last = 1
    for position, (number, blank) in enumerate(_record_starts(path, quote.encode(), delimiter.encode()), 1):
        last = number
        if not blank and position not in skipped:
            record_number -= 1
            if record_number == 0:
                break
    return last


def line_of_position(path: str, position: int, quote: str = "", delimiter: str = ",") -> int:
    """Return the line on which the record at `position` begins; blank records count, too."""
    records = _record_starts(path, quote.encode(), delimiter.encode())
    return next((number for index, (number, _) in enumerate(records, 1) if index == position), position)


def _record_starts(path: str, quote: bytes, delimiter: bytes) -> Iterator[tuple[int, bool]]:
    """Yield the line number of each record, and whether it is blank. A quoted field may span several lines."""
    in_quotes = False
    for number, line in enumerate(read_lines(path), 1):
        if not in_quotes:
            yield number, not line
        if quote and quote in line:
            in_quotes = _ends_in_quotes(line, in_quotes, quote, delimiter)


def _ends_in_quotes(line: bytes, in_quotes: bool, quote: bytes, delimiter: bytes) -> bool:
    """Return whether a line ends inside a quoted field. A quote opens a field only at the start of the field."""
    start = 0
    while True:
        if in_quotes:
            end = line.find(quote, start)
            if end < 0:
                return True
            is_escaped = line[end + 1 : end + 2] == quote
            in_quotes, start = is_escaped, end + 1 + is_escaped
        else:
            if line[start : start + 1] == quote and (start == 0 or line[start - len(delimiter) : start] == delimiter):
                in_quotes, start = True, start + 1
                continue
            next_delimiter = line.find(delimiter, start)
            if next_delimiter < 0:
                return False
            start = next_delimiter + len(delimiter)


def _read_zst_lines(path: str) -> Iterator[bytes]:
    """Yield lines with DuckDB, which returns blank lines as NULL. Python supports Zstandard only from 3.14 on."""
    import duckdb

    con = connect()
    try:
        con.execute(f"SELECT line FROM {lines_relation([path])}")
        while rows := con.fetchmany(10_000):
            yield from (b"" if line is None else line.encode() for (line,) in rows)
    except duckdb.Error as error:
        raise SourceError(f"{path} cannot be read: {error_summary(error)}.") from None
    finally:
        con.close()


def lines_relation(paths: Sequence[str]) -> str:
    """Return SQL for a table with one column, `line`: the unchanged lines, NULL for blank ones."""
    return (
        f"read_csv([{quote_files(paths)}], auto_detect=false, header=false, columns={{'line': 'VARCHAR'}}, "
        "delim='\x1f', quote='', escape='', store_rejects=true)"
    )

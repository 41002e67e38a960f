"""The physical lines of a text file, and which of them begin a record."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from alsatian.errors import SourceError
from alsatian.ingest.sources.source import connect, error_summary, quote_files

COMPRESSED_SUFFIXES = (".gz", ".zst")
MAX_LINE_BYTES = 2_000_000  # bytes in a line; DuckDB's own limit


def read_lines(path: str) -> Iterator[bytes]:
    """Give the lines of a plain, .gz or .zst file, without their ends."""
    if path.endswith(".zst"):
        yield from _read_zst_lines(path)
        return
    with gzip.open(path) if path.endswith(".gz") else Path(path).open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            yield line.rstrip(b"\r\n")


def read_head(path: str, limit: int = 500) -> tuple[list[str], str]:
    """Return the first lines and the encoding in which they can be read: "utf-8", else "latin-1".

    Raises SourceError when the file cannot be read or is written in UTF-16.
    """
    try:
        lines = [line for line, _ in zip(read_lines(path), range(limit), strict=False)]
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path} cannot be read: {reason}.") from None
    if any(b"\0" in line for line in lines) and lines[0][:2] not in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(f"{path} is not a text file; give CSV, JSON lines or Parquet.")
    if lines and lines[0][:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SourceError(f"{path} is written in UTF-16; save it as UTF-8.")
    if lines:
        lines[0] = lines[0].removeprefix(b"\xef\xbb\xbf")
    try:
        return [line.decode() for line in lines], "utf-8"
    except UnicodeDecodeError:
        return [line.decode("latin-1") for line in lines], "latin-1"


def detect_encoding(path: str) -> str:
    """Return the encoding in which the whole file can be read: "utf-8", else "latin-1"."""
    return read_head(path, sys.maxsize)[1]


def line_of_record(path: str, record_number: int, skipped: set[int], quote: str = "", delimiter: str = ",") -> int:
    """Return the line on which the ordinal-th record (from 1) begins.

    Blank records do not count, nor do those in `skip`, given by their place among all records.
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
    """Return the line on which the record at `place` among all records, blank ones included, begins."""
    records = _record_starts(path, quote.encode(), delimiter.encode())
    return next((number for index, (number, _) in enumerate(records, 1) if index == position), position)


def _record_starts(path: str, quote: bytes, delimiter: bytes) -> Iterator[tuple[int, bool]]:
    """Give (line number, is it blank) where each record begins; a quoted field may go on over lines."""
    in_quotes = False
    for number, line in enumerate(read_lines(path), 1):
        if not in_quotes:
            yield number, not line
        if quote and quote in line:
            in_quotes = _ends_in_quotes(line, in_quotes, quote, delimiter)


def _ends_in_quotes(line: bytes, in_quotes: bool, quote: bytes, delimiter: bytes) -> bool:
    """Tell whether a quoted field is open at the end of a line. Only at its start does a quote open one."""
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
    """Python reads Zstandard only from 3.14 on; DuckDB does, and gives blank lines as missing."""
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
    """Return SQL for a table of one column, `line`: the lines as they are, missing where blank."""
    return (
        f"read_csv([{quote_files(paths)}], auto_detect=false, header=false, columns={{'line': 'VARCHAR'}}, "
        "delim='\x1f', quote='', escape='', store_rejects=true)"
    )

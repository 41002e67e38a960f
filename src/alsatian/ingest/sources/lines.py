"""The physical lines of a text file, and which of them begin a record."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from alsatian.errors import SourceError
from alsatian.ingest.sources.source import connect, file_list, first_line

PACKED = (".gz", ".zst")
LONGEST = 2_000_000  # bytes in a line; DuckDB's own limit


def read_lines(path: str) -> Iterator[bytes]:
    """Give the lines of a plain, .gz or .zst file, without their ends."""
    if path.endswith(".zst"):
        yield from _zst_lines(path)
        return
    with gzip.open(path) if path.endswith(".gz") else Path(path).open("rb") as file:
        while line := file.readline(LONGEST):
            yield line.rstrip(b"\r\n")


def head(path: str, most: int = 500) -> tuple[list[str], str]:
    """Return the first lines and the encoding in which they can be read: "utf-8", else "latin-1".

    Raises SourceError when the file cannot be read or is written in UTF-16.
    """
    try:
        lines = [line for line, _ in zip(read_lines(path), range(most), strict=False)]
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


def encoding_of(path: str) -> str:
    """Return the encoding in which the whole file can be read: "utf-8", else "latin-1"."""
    return head(path, sys.maxsize)[1]


def line_of_record(path: str, ordinal: int, skip: set[int], quote: str = "", delimiter: str = ",") -> int:
    """Return the line on which the ordinal-th record (from 1) begins.

    Blank records do not count, nor do those in `skip`, given by their place among all records.
    """
    last = 1
    for place, (number, blank) in enumerate(_records(path, quote.encode(), delimiter.encode()), 1):
        last = number
        if not blank and place not in skip:
            ordinal -= 1
            if ordinal == 0:
                break
    return last


def line_of_place(path: str, place: int, quote: str = "", delimiter: str = ",") -> int:
    """Return the line on which the record at `place` among all records, blank ones included, begins."""
    records = _records(path, quote.encode(), delimiter.encode())
    return next((number for at, (number, _) in enumerate(records, 1) if at == place), place)


def _records(path: str, quote: bytes, delimiter: bytes) -> Iterator[tuple[int, bool]]:
    """Give (line number, is it blank) where each record begins; a quoted field may go on over lines."""
    inside = False
    for number, line in enumerate(read_lines(path), 1):
        if not inside:
            yield number, not line
        if quote and quote in line:
            inside = _ends_inside(line, inside, quote, delimiter)


def _ends_inside(line: bytes, inside: bool, quote: bytes, delimiter: bytes) -> bool:
    """Tell whether a quoted field is open at the end of a line. Only at its start does a quote open one."""
    at = 0
    while True:
        if inside:
            end = line.find(quote, at)
            if end < 0:
                return True
            doubled = line[end + 1 : end + 2] == quote
            inside, at = doubled, end + 1 + doubled
        else:
            if line[at : at + 1] == quote and (at == 0 or line[at - len(delimiter) : at] == delimiter):
                inside, at = True, at + 1
                continue
            following = line.find(delimiter, at)
            if following < 0:
                return False
            at = following + len(delimiter)


def _zst_lines(path: str) -> Iterator[bytes]:
    """Python reads Zstandard only from 3.14 on; DuckDB does, and gives blank lines as missing."""
    import duckdb

    con = connect()
    try:
        con.execute(f"SELECT line FROM {lines_relation([path])}")
        while rows := con.fetchmany(10_000):
            yield from (b"" if line is None else line.encode() for (line,) in rows)
    except duckdb.Error as error:
        raise SourceError(f"{path} cannot be read: {first_line(error)}.") from None
    finally:
        con.close()


def lines_relation(paths: Sequence[str]) -> str:
    """Return SQL for a table of one column, `line`: the lines as they are, missing where blank."""
    return (
        f"read_csv([{file_list(paths)}], auto_detect=false, header=false, columns={{'line': 'VARCHAR'}}, "
        "delim='\x1f', quote='', escape='', store_rejects=true)"
    )

"""Detect the dialect of a delimited text file: its delimiter, its quotes and its header."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from alsatian.errors import DataError
from alsatian.ingest.column_names import is_known_column_name

DELIMITERS = ("::", "||", "\t", ";", ",", "|", "\x01", " ")
_QUOTED_DELIMITERS = (",", ";")  # quoted as in RFC 4180; with other delimiters only if the quotes are balanced


@dataclass(frozen=True)
class Dialect:
    """The dialect of a delimited text file.

    quote: the quote character, or "" for none.
    header_cells: the fields of the header as written, or None.
    rows: the fields of the first rows.
    """

    delimiter: str
    quote: str
    header_cells: list[str] | None
    rows: list[list[str]]

    @property
    def header(self) -> list[str] | None:
        """The names of the columns, made unique; None without a header."""
        return _unique_names(self.header_cells) if self.header_cells else None

    @property
    def width(self) -> int:
        """The number of fields of the header, or else of most rows."""
        return Counter(map(len, [self.header_cells] if self.header_cells else self.rows)).most_common(1)[0][0]


def detect_dialect(
    lines: Sequence[str], name: str, delimiter: str | None = None, header: bool | None = None
) -> Dialect:
    """Detect the dialect from the first lines of a file. delimiter, header: the known parts of it.

    Raises DataError if there are no lines, or if no delimiter splits them into fields.

    >>> detect_dialect(["1::1193::5", "1::661::3"], "ratings.dat").delimiter
    '::'
    """
    lines = [line for line in lines if line]
    if not lines:
        raise DataError(f"{name} is empty; pass a file with a header and rows.")
    try:
        delimiter = delimiter or _guess_delimiter(lines)
        if delimiter is None:
            raise DataError(
                f"could not detect a delimiter in {name} (first line: {lines[0][:60]!r}); "
                "pass delimiter= (--delimiter)."
            )
        quote = '"' if delimiter in _QUOTED_DELIMITERS or _has_balanced_quotes(lines, delimiter) else ""
        rows = split_lines(lines, delimiter, quote)
        if max(map(len, rows)) == 1:
            raise DataError(_delimiter_message(lines, name, delimiter))
    except csv.Error as error:
        raise DataError(f"{name} cannot be read as delimited text: {error}.") from None
    has_header = _is_header(rows[0]) if header is None else header
    return Dialect(delimiter, quote, rows.pop(0) if has_header else None, rows)


def _delimiter_message(lines: Sequence[str], name: str, delimiter: str) -> str:
    suggestion = _guess_delimiter(lines)
    advice = (
        f"{suggestion!r} does, so remove delimiter= (--delimiter)"
        if suggestion
        else "pass another delimiter= (--delimiter)"
    )
    return f"{delimiter!r} does not split the lines of {name} (first line: {lines[0][:60]!r}); {advice}."


def split_lines(lines: Sequence[str], delimiter: str, quote: str) -> list[list[str]]:
    """Split lines into fields; a quoted field may contain delimiters and line ends."""
    if not quote:
        return [line.split(delimiter) for line in lines]
    if len(delimiter) == 1:
        return [row for row in csv.reader([line + "\n" for line in lines], delimiter=delimiter) if row]
    # The csv module supports only delimiters of one character, so use one that does not occur in text.
    rows = csv.reader([line.replace(delimiter, "\x1f") for line in lines], delimiter="\x1f")
    return [[field.replace("\x1f", delimiter) for field in row] for row in rows]


def _guess_delimiter(lines: Sequence[str]) -> str | None:
    """Return the delimiter that splits the most lines into the same number of fields; more fields break ties.

    None if no delimiter does so for at least half of the lines.
    """
    best, best_score = None, (0, 0)
    for delimiter in DELIMITERS:
        if delimiter == " " and best is not None:
            break  # spaces occur in most texts
        widths = Counter(map(len, split_lines(lines, delimiter, '"' if delimiter in _QUOTED_DELIMITERS else "")))
        score = max(((count, width) for width, count in widths.items() if width > 1), default=(0, 0))
        if score > best_score and 2 * score[0] >= len(lines):
            best, best_score = delimiter, score
    return best


def _has_balanced_quotes(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether some fields are quoted, and every quote at the start of a field has a closing quote."""
    start, end = f"(?:^|(?<={re.escape(delimiter)}))", f"(?={re.escape(delimiter)}|$)"
    quoted_field = re.compile(f'{start}"(?:[^"]|"")*"{end}')
    n_quoted = sum(len(quoted_field.findall(line)) for line in lines)
    return n_quoted > 0 and not any(re.search(f'{start}"', quoted_field.sub("", line)) for line in lines)


def _is_header(row: Sequence[str]) -> bool:
    """Return whether a row is a header: it has a usual column name, or no number."""
    return any(map(is_known_column_name, row)) or not any(map(is_number, row))


def is_number(text: str) -> bool:
    """Return whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unique_names(names: Sequence[str]) -> list[str]:
    """Append a number to names that repeat or are blank."""
    counts: Counter[str] = Counter()
    unique = []
    for position, name in enumerate(names, 1):
        name = name.strip() or f"column {position}"
        counts[name] += 1
        unique.append(name if counts[name] == 1 else f"{name} ({counts[name]})")
    return unique

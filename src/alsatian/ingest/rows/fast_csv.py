"""The fast path for text files: unquoted numbers are parsed from the bytes of the file directly into columns.

Most large files are of this kind. At the first byte that is anything else the scan stops, and the rows are read by the
general path, which implements all rules and reports errors. If the scan succeeds, both paths give the same result.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.ingest.rows.casts import INTEGER_PATTERN
from alsatian.ingest.rows.roles import is_number_role
from alsatian.ingest.sources.dialect import Dialect
from alsatian.ingest.sources.lines import MAX_LINE_BYTES
from alsatian.ingest.sources.source import Source
from alsatian.kernels import CHUNK_BYTES

ColumnArrays = dict[str, NDArray[Any]]
_DELIMITER_PATTERN = re.compile(r"[^\w\s.+\"'-]{1,4}|\t| ", re.ASCII)
_MAX_EXACT_TIME = 2**53  # the general path reads times as float64, which is exact up to here


def scan_columns(source: Source, roles: Mapping[str, str], scale: tuple[float, float] | None) -> ColumnArrays | None:
    """Return role -> column, or None if the source must be read by the general path."""
    dialect = source.plain_dialect
    if dialect is None or {"title", "event"} & roles.keys() or not _DELIMITER_PATTERN.fullmatch(dialect.delimiter):
        return None
    types = {name: _column_dtype(role, source.samples.get(name, [])) for role, name in roles.items()}
    if None in types.values():
        return None
    try:
        columns = _scan_files(source.files, dialect, [types.get(name) for name in source.columns])
    except OSError:  # the general path reports it
        return None
    if columns is None:
        return None
    columns_by_name = dict(zip(source.columns, columns, strict=True))
    columns_by_role = {role: column for role, name in roles.items() if (column := columns_by_name[name]) is not None}
    return columns_by_role if _passes_checks(columns_by_role, scale) else None


def _column_dtype(role: str, samples: Sequence[str]) -> type[np.generic] | None:
    """Infer the type of a column from its first cells; None if they should be integers but are not."""
    if is_number_role(role):
        return np.float32
    if not all(map(INTEGER_PATTERN.fullmatch, samples)):
        return None
    return np.int64 if role == "time" or max(map(len, samples), default=0) > 9 else np.int32


def _scan_files(paths: Iterable[str], dialect: Dialect, types: Sequence[Any]) -> list[NDArray[Any] | None] | None:
    """Read the fields of all files into one column per type; None if a file cannot be scanned."""
    line_starts = {}
    for path in paths:
        with Path(path).open("rb") as file:
            text = _describe_text_file(file, dialect)
            starts = kernels.count_lines(text.file, text.size, CHUNK_BYTES) if text else None
        if starts is None:
            return None
        line_starts[path] = starts
    lengths = {path: int(starts[-1]) - bool(dialect.header) for path, starts in line_starts.items()}
    columns = [None if kind is None else np.empty(sum(lengths.values()), kind) for kind in types]
    begin = 0
    for path, starts in line_starts.items():
        part = slice(begin, begin + lengths[path])
        begin = part.stop
        with Path(path).open("rb") as file:
            text = _describe_text_file(file, dialect)
            # The file may have grown since its lines were counted.
            is_unchanged = text is not None and len(starts) == -(-text.size // CHUNK_BYTES) + 1
            outputs = [None if column is None else column[part] for column in columns]
            if text is None or not is_unchanged or not kernels.read_fields(text, starts, outputs):
                return None
    return columns if begin else None


def _describe_text_file(file: BinaryIO, dialect: Dialect) -> kernels.TextFile | None:
    """Return the layout of the bytes of an open file, or None if its first line is ambiguous."""
    first, quote = file.readline(MAX_LINE_BYTES), dialect.quote.encode()
    body = first.rstrip(b"\r\n")
    if not body or b"\r" in body or (quote and body.count(quote) % 2):
        return None
    size, crlf = os.fstat(file.fileno()).st_size, first.endswith(b"\r\n")
    if size < len(first):  # not a regular file, such as those of /proc
        return None
    return kernels.TextFile(
        file.fileno(), size, CHUNK_BYTES, dialect.delimiter, quote[0] if quote else -1, bool(dialect.header), crlf
    )


def _passes_checks(columns: ColumnArrays, scale: tuple[float, float] | None) -> bool:
    """Return whether the numbers pass all checks. They are known to be finite."""
    bounds: dict[str, tuple[Any, Any]] = {"weight": (0, np.inf), "time": (-_MAX_EXACT_TIME, _MAX_EXACT_TIME)}
    if scale is not None:
        bounds["value"] = (np.float32(scale[0]), np.float32(scale[1]))
    return all(
        low <= columns[role].min() and columns[role].max() <= high
        for role, (low, high) in bounds.items()
        if role in columns
    )

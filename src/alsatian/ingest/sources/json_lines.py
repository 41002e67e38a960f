"""JSON lines. Each line is parsed separately, so that a bad line does not affect others and has a line number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from alsatian.errors import DataError
from alsatian.ingest.sources.delimited import fetch_rejects
from alsatian.ingest.sources.lines import line_of_position, line_of_record, lines_relation
from alsatian.ingest.sources.source import Reject, Source, SqlColumn, quote_literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def open_json_lines(con: DuckDBPyConnection, name: str, paths: list[str], lines: Sequence[str]) -> Source:
    """Open files of one JSON object per line. The columns are the keys that occur in the first lines.

    Raises DataError if the first lines contain no JSON object.
    """
    objects = [parsed for line in lines if isinstance(parsed := _parse_line(line), dict)]
    if not objects:
        is_empty = not any(map(str.strip, lines))
        problem = "is empty" if is_empty else f"has no JSON objects (first line: {lines[0][:60]!r})"
        raise DataError(f"{name} {problem}; write one JSON object per line.")
    keys = list(dict.fromkeys(key for parsed in objects for key in parsed))
    cells = {key: SqlColumn(f"__{position}", "VARCHAR") for position, key in enumerate(keys)}
    fields = "".join(f", fields ->> {quote_literal(_json_pointer(key))} AS {cell.sql}" for key, cell in cells.items())

    def select(files: Sequence[str]) -> str:
        return (
            f"(SELECT coalesce(json_type(fields) = 'OBJECT', false) AS whole{fields} FROM (SELECT "
            f"TRY_CAST(line AS JSON) AS fields FROM {lines_relation(files)} WHERE line IS NOT NULL))"
        )

    def line_of(file: str, ordinal: int, rejects: list[Reject]) -> int:
        return line_of_record(file, ordinal, {reject.position for reject in rejects})

    source = Source(con, name, select, cells, paths)
    source.is_text = True
    source.samples = {
        key: [_json_text(parsed[key]) for parsed in objects if parsed.get(key) is not None] for key in keys
    }
    source.quoted_columns = {key for key in keys if any(isinstance(parsed.get(key), str) for parsed in objects)}
    source.well_formed = ("not a JSON object", "whole")
    source.rejects = lambda: fetch_rejects(con)
    source.line_of = line_of
    source.line_of_reject = line_of_position
    return source


def _parse_line(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _json_pointer(key: str) -> str:
    """Return the JSON pointer (RFC 6901) of a key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)

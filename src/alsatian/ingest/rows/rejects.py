"""The error message about bad rows: their number, the reasons, and the first one with its line or row number."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alsatian.errors import RowsError, pluralize
from alsatian.ingest.rows.row_filter import is_filtered_out
from alsatian.ingest.rows.validation import TypedRows
from alsatian.ingest.sources.source import Source, quote_identifier


def raise_on_rejects(rows: TypedRows) -> None:
    """Raise RowsError if any row is bad. The message has the counts, the first bad row and the next step."""
    reject_counts = {reason: count for reason, count in rows.skipped.items() if not is_filtered_out(reason)}
    if not reject_counts:
        return
    total = sum(reject_counts.values())
    is_single = total == 1
    counts = "" if is_single else f" ({format_counts(reject_counts)})"
    subject, rows_word = ("it is", "it") if is_single else ("first", "them")
    advice = "pass time='' (--time '') to read without times, or" if _all_about_times(reject_counts) else "or"
    raise RowsError(
        f"{total:,} of {rows.n_read:,} rows of {rows.source.name} cannot be used{counts}; "
        f"{subject} {_describe_first_reject(rows)}. "
        f"Correct {rows_word}, {advice} pass bad_rows='skip' (--bad-rows skip) to leave {rows_word} out."
    )


def format_counts(skipped: Mapping[str, int]) -> str:
    """Format the number of rows by reason.

    >>> format_counts({"no user": 1, "value is not finite": 3})
    'no user: 1 row, value is not finite: 3 rows'
    """
    return ", ".join(f"{reason}: {pluralize(count, 'row')}" for reason, count in skipped.items())


def _all_about_times(reject_counts: dict[str, int]) -> bool:
    return all("time" in reason.split() for reason in reject_counts)


def _describe_first_reject(rows: TypedRows) -> str:
    """Return the location of the first bad row and its problem."""
    source = rows.source
    for file in source.files:
        rejects = [reject for reject in rows.rejects if reject.file == file]
        candidates = []
        if failed_row := _first_failed_row(rows, file):
            row_number, problem = failed_row
            candidates.append((source.line_of(file, row_number, rejects) if source.line_of else row_number, problem))
        if rejects and source.line_of_reject:
            reject = rejects[0]
            text = reject.text if len(reject.text) <= 60 else reject.text[:60] + "..."
            candidates.append((source.line_of_reject(file, reject.position), f"{reject.reason}, {text!r}"))
        if candidates:
            line_number, problem = min(candidates)
            return f"{_format_location(source, file, line_number)}: {problem}"
    return "unknown, since the source changed while it was read"


def _format_location(source: Source, file: str, number: int) -> str:
    location = f"{'line' if source.line_of else 'row'} {number:,}"
    return location if len(source.files) == 1 else f"{Path(file).name}, {location}"


def _first_failed_row(rows: TypedRows, file: str) -> tuple[int, str] | None:
    """Return the number of the first row of a file that fails a check, and its problem; None if there is none."""
    codes = [str(code) for code, check in rows.checks_by_code.items() if not is_filtered_out(check.reason)]
    raw_aliases = {role: quote_identifier(f"raw {role}") for role in rows.roles}
    cells = "".join(
        f"{rows.source.columns[rows.roles[role]].sql}::VARCHAR AS {name}, " for role, name in raw_aliases.items()
    )
    matches = rows.source.con.execute(
        f"SELECT code, nth, {', '.join(raw_aliases.values())} FROM (SELECT *, row_number() OVER () AS nth FROM "
        f"({rows.sql([file], cells)})) WHERE code IN ({', '.join(codes)}) LIMIT 1"
    ).fetchall()
    if not matches:
        return None
    code, row_number, *raw_cells = matches[0]
    check = rows.checks_by_code[code]
    if not check.role:
        return row_number, check.reason
    column, text = rows.roles[check.role], dict(zip(raw_aliases, raw_cells, strict=True))[check.role]
    if text is None or not text.strip():
        return row_number, f"{check.reason}, column {column!r} is empty"
    return row_number, f"{check.reason}, column {column!r} holds {text[:60]!r}"

"""What is said about bad rows: how many, why, and the first one with its place in the source."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from alsatian.data.item_filters import identifier
from alsatian.errors import RowsError, counted
from alsatian.ingest.rows.row_filter import chosen
from alsatian.ingest.rows.validation import Rows
from alsatian.ingest.sources.source import Source


def refuse_bad_rows(rows: Rows) -> None:
    """Raise RowsError if any row is bad: one line with counts, the first bad row and the next step."""
    bad = {reason: count for reason, count in rows.skipped.items() if not chosen(reason)}
    if not bad:
        return
    total = sum(bad.values())
    one = total == 1
    step = "pass time='' (--time '') to read without times, or" if _only_times(bad) else "or"
    raise RowsError(
        f"{total:,} of {rows.read:,} rows of {rows.source.name} cannot be used"
        f"{'' if one else f' ({reasons(bad)})'}; {'it is' if one else 'first'} {_first(rows)}. "
        f"Correct {'it' if one else 'them'}, {step} pass bad_rows='skip' (--bad-rows skip) to leave "
        f"{'it' if one else 'them'} out."
    )


def reasons(skipped: Mapping[str, int]) -> str:
    """Write why rows cannot be used.

    >>> reasons({"no user": 1, "value is not finite": 3})
    'no user: 1 row, value is not finite: 3 rows'
    """
    return ", ".join(f"{reason}: {counted(count, 'row')}" for reason, count in skipped.items())


def _only_times(bad: dict[str, int]) -> bool:
    return all("time" in reason.split() for reason in bad)


def _first(rows: Rows) -> str:
    """Return the place of the first bad row, and what is wrong with it."""
    source = rows.source
    for file in source.files:
        rejects = [reject for reject in rows.rejects if reject.file == file]
        found = []
        if judged := _first_judged(rows, file):
            ordinal, complaint = judged
            found.append((source.line_of(file, ordinal, rejects) if source.line_of else ordinal, complaint))
        if rejects and source.line_of_place:
            reject = rejects[0]
            text = reject.text if len(reject.text) <= 60 else reject.text[:60] + "..."
            found.append((source.line_of_place(file, reject.place), f"{reject.reason}, {text!r}"))
        if found:
            number, complaint = min(found)
            return f"{_place(source, file, number)}: {complaint}"
    return "in what was read differently the second time"  # the source changes while it is read


def _place(source: Source, file: str, number: int) -> str:
    place = f"{'line' if source.line_of else 'row'} {number:,}"
    return place if len(source.files) == 1 else f"{Path(file).name}, {place}"


def _first_judged(rows: Rows, file: str) -> tuple[int, str] | None:
    """Return the number of the first row of a file that a check refuses, and what is wrong with it."""
    bad = [str(place) for place, check in enumerate(rows.checks, 1) if not chosen(check.reason)]
    raw = {role: identifier(f"raw {role}") for role in rows.roles}
    cells = "".join(f"{rows.source.columns[rows.roles[role]].sql}::VARCHAR AS {name}, " for role, name in raw.items())
    found = rows.source.con.execute(
        f"SELECT reason, nth, {', '.join(raw.values())} FROM (SELECT *, row_number() OVER () AS nth FROM "
        f"({rows.sql([file], cells)})) WHERE reason IN ({', '.join(bad)}) LIMIT 1"
    ).fetchall()
    if not found:
        return None
    reason, nth, *written = found[0]
    check = rows.checks[reason - 1]
    if not check.role:
        return nth, check.reason
    column, text = rows.roles[check.role], dict(zip(raw, written, strict=True))[check.role]
    if text is None or not text.strip():
        return nth, f"{check.reason}, column {column!r} is empty"
    return nth, f"{check.reason}, column {column!r} holds {text[:60]!r}"

"""Every row gets a reason: 0 if it is kept, else the number of the first check that it failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.item_filters import complaint
from alsatian.errors import ColumnError, DataError, SourceError, listed
from alsatian.ingest.rows.casts import (
    Check,
    IdKind,
    Value,
    event_value,
    id_kind,
    id_value,
    number_value,
    time_value,
    title_value,
)
from alsatian.ingest.rows.column_buffers import Counts, Numbers, Texts, parts
from alsatian.ingest.rows.fast_csv import Columns, scan
from alsatian.ingest.rows.roles import is_amount
from alsatian.ingest.rows.row_filter import apply_where
from alsatian.ingest.sources.arrow_stream import batches
from alsatian.ingest.sources.source import Reject, Source, first_line
from alsatian.kernels import Dictionary

_NEXT: dict[IdKind, IdKind] = {
    "int": "whole",
    "whole": "text",
}  # what to try when a column of text does not fit

EARLY = 631_152_000  # 1990: times that all lie before are more likely of another unit


@dataclass
class Rows:
    """The rows of a source: a typed value for every role, and the reason.

    tally: reason -> how many rows, for the rows that could be parsed; "" for those to keep.
    bounds: role -> smallest and largest value among the rows to keep, for integers; of times, the
        smallest and largest size of numbers that could tell their unit, or None.
    rejects: the records that DuckDB could not parse.
    columns: role -> the values of the rows to keep; of text, the numbers of `texts`; of titles, how often each came.
    texts: role -> the distinct texts.
    """

    source: Source
    roles: Mapping[str, str]
    select_from: Callable[[Sequence[str]], str]
    values: dict[str, Value]
    checks: list[Check]
    tally: dict[str, int] = field(default_factory=dict)
    bounds: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: Columns = field(default_factory=dict)
    texts: dict[str, Dictionary] = field(default_factory=dict)

    @property
    def read(self) -> int:
        return sum(self.tally.values()) + len(self.rejects)

    @property
    def kept(self) -> int:
        return self.tally.get("", 0)

    @property
    def skipped(self) -> dict[str, int]:
        """Reason -> how many rows are not kept."""
        counts = {reason: count for reason, count in self.tally.items() if reason}
        for reject in self.rejects:
            counts[reject.reason] = counts.get(reject.reason, 0) + 1
        return counts

    def sql(self, files: Sequence[str], extra: str = "") -> str:
        """Return the SELECT that types and judges the rows of these files."""
        chosen = "".join(f"{value.sql} AS {role}, " for role, value in self.values.items())
        chosen += "".join(
            f"({value.settled})::UTINYINT AS settled, " for value in self.values.values() if value.settled
        )
        cases = self._shortcut()
        cases += "".join(f" WHEN {check.sql} THEN {place}" for place, check in enumerate(self.checks, 1))
        reason = f"(CASE{cases} ELSE 0 END)::UTINYINT" if cases else "0::UTINYINT"
        return f"SELECT {chosen}{extra}{reason} AS reason FROM {self.select_from(files)}"

    def _shortcut(self) -> str:
        """Spare a row that is surely good the checks of its values."""
        checked = [value for value in self.values.values() if value.checks]
        if not all(value.sure for value in checked):
            return ""
        own = [check for value in checked for check in value.checks]
        others = [f"coalesce(NOT ({check.sql}), true)" for check in self.checks if check not in own]
        return f" WHEN {' AND '.join([*(value.sure for value in checked), *others])} THEN 0"


def judge(
    source: Source,
    roles: Mapping[str, str],
    scale: tuple[float, float] | None = None,
    where: str | None = None,
    events: Sequence[str] | None = None,
) -> Rows:
    """Type and check all rows, without complaint about bad ones: see `tally` and `rejects`.

    events: the names that events may have; None: any.

    Raises DataError when there are no rows at all, ColumnError when a column cannot serve its role,
    ParameterError when `where` cannot be evaluated, and SourceError when reading breaks off.
    """
    import duckdb

    try:
        rows = _fitting(source, roles, scale, where, events)
    except duckdb.Error as error:
        if where:
            raise complaint(where, error, list(source.columns), source.name) from None
        raise SourceError(f"{source.name} cannot be read: {first_line(error)}.") from None
    if rows.read == 0:
        raise DataError(f"{source.name} has columns ({listed(list(source.columns))}) but no rows.")
    return rows


def _fitting(
    source: Source,
    roles: Mapping[str, str],
    scale: tuple[float, float] | None,
    where: str | None,
    events: Sequence[str] | None,
) -> Rows:
    """Try kinds of ids until those of every row fit: integers if all are integers, else text."""
    samples = {} if where else source.samples  # the first rows may be among those left out
    kinds = {
        role: id_kind(source.columns[name], source.written, name in source.quoted, samples.get(name, []))
        for role, name in roles.items()
        if role in ("user", "item")
    }
    if not where and (columns := scan(source, roles, scale)):
        return _scanned(_rows(source, roles, dict.fromkeys(kinds, "int"), scale, None, None), columns)
    condition = apply_where(source, where) if where else None
    notes: list[str] = []
    while True:
        rows = _rows(source, roles, kinds, scale, condition, events)
        _gather(rows)
        misfits = {
            check.role: rows.tally[check.reason] for check in rows.checks if check.misfit and check.reason in rows.tally
        }
        if not misfits:
            break
        for role, count in misfits.items():
            if not source.written:
                raise ColumnError(_fractions(source, roles[role], role))
            if kinds[role] == "whole":
                notes.append(f"{count:,} of {rows.read:,} {role} ids are no integers, so all were read as text.")
            kinds[role] = _NEXT[kinds[role]]
    for role, kind in kinds.items():
        if kind == "whole":
            notes.append(f"column {roles[role]!r} holds integers written as fractions (1.0); its ids are integers.")
    rows.notes = notes
    return rows


def _rows(
    source: Source,
    roles: Mapping[str, str],
    kinds: Mapping[str, IdKind],
    scale: tuple[float, float] | None,
    condition: tuple[Callable[[Sequence[str]], str], Check, Check] | None,
    events: Sequence[str] | None,
) -> Rows:
    values = {}
    for role, name in roles.items():
        cell = source.columns[name]
        if role in kinds:
            values[role] = id_value(role, cell, kinds[role], source.written)
        elif role == "time":
            values[role] = time_value(cell)
        elif role == "title":
            values[role] = title_value(cell, values["item"].sql)
        elif role == "event":
            values[role] = event_value(cell, events)
        else:
            what = role if role in ("value", "weight") else f"{name!r}"
            values[role] = number_value(role, cell, scale if role == "value" else None, what)
    ordered = sorted(values, key=lambda role: role != "event")  # what is no event of interest need not be sound
    checks = [check for role in ordered for check in values[role].checks]
    if source.sound:
        reason, sound = source.sound
        checks.insert(0, Check(reason, "", f"NOT {sound}"))
    select = source.select
    if condition:
        select, first, last = condition
        checks = [first, *checks, last]
    return Rows(source, roles, select, values, checks)


def _gather(rows: Rows) -> None:
    """Select all rows once: count their reasons, and gather the values of those to keep."""
    source = rows.source
    columns = {role: _column(role, value) for role, value in rows.values.items()}
    if any(value.settled for value in rows.values.values()):
        columns["settled"] = Numbers(np.bool_)
    counts = np.zeros(256, np.int64)
    with closing(batches(source.con, rows.sql(source.files))) as stream:
        for *batch, reasons in stream:
            counts += np.bincount(reasons, minlength=256)
            kept = reasons == 0 if reasons.any() else None
            for column, part in zip(columns.values(), batch, strict=True):
                column.add(part, kept)
    rows.rejects = source.rejects()
    for reason in np.flatnonzero(counts):
        name = rows.checks[reason - 1].reason if reason else ""
        rows.tally[name] = rows.tally.get(name, 0) + int(counts[reason])
    rows.columns = {role: column.take() for role, column in columns.items()}
    rows.texts = {role: column.known for role, column in columns.items() if not isinstance(column, Numbers)}
    _bound(rows)


def _column(role: str, value: Value) -> Numbers | Texts | Counts:
    if is_amount(role):
        return Numbers(np.float32)
    if role == "title":
        return Counts()
    return Numbers(np.int64, narrow=role != "time") if value.integer else Texts()


def _scanned(rows: Rows, columns: Columns) -> Rows:
    """Say of scanned columns what `_gather` says of the answer to a query."""
    rows.columns, rows.tally = columns, {"": len(columns["user"])}
    columns["settled"] = np.broadcast_to(np.False_, rows.kept)
    _bound(rows)
    return rows


def _bound(rows: Rows) -> None:
    """Find the smallest and largest integers of the rows to keep."""
    for role, value in rows.values.items():
        if value.integer and rows.kept:
            column = rows.columns[role]
            sized = role == "time"
            rows.bounds[role] = (
                _sizes(column, rows.columns["settled"]) if sized else (int(column.min()), int(column.max()))
            )


def _sizes(times: NDArray[Any], settled: NDArray[np.bool_]) -> tuple[float | None, float | None]:
    """Return the smallest and largest size of the times that tell their unit, or None."""
    ends = []
    for part in parts(len(times)):
        sizes = np.abs(times[part].astype(np.float64))
        if len(telling := sizes[(sizes >= EARLY) & ~settled[part]]):
            ends += [float(telling.min()), float(telling.max())]
    return min(ends, default=None), max(ends, default=None)


def _fractions(source: Source, name: str, role: str) -> str:
    cell = source.columns[name].sql
    broken = f"{cell}::DOUBLE <> floor({cell}::DOUBLE) OR abs({cell}::DOUBLE) > 9e15"
    found = source.con.execute(f"SELECT {cell} FROM {source.relation} WHERE {broken} LIMIT 1").fetchall()
    example = f" such as {found[0][0]}" if found else ""
    return f"column {name!r} holds numbers that are no integers{example}; {role} ids are integers or text."

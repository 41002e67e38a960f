"""Type and check the rows of a source. Each row gets a code: KEPT, or the code of the first check that it fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import ColumnError, DataError, SourceError, join_names
from alsatian.ingest.rows.casts import (
    Check,
    IdKind,
    TypedColumn,
    infer_id_kind,
    type_event_column,
    type_id_column,
    type_number_column,
    type_time_column,
    type_title_column,
)
from alsatian.ingest.rows.column_buffers import NumberBuffer, TextBuffer, TitleCounter, row_chunk_slices
from alsatian.ingest.rows.fast_csv import ColumnArrays, scan_columns
from alsatian.ingest.rows.roles import is_number_role
from alsatian.ingest.rows.row_filter import apply_where, where_error
from alsatian.ingest.sources.arrow_stream import read_batches
from alsatian.ingest.sources.source import Reject, Source, error_summary
from alsatian.kernels import Dictionary

# The kind of ids to try next if a text column does not fit
_NEXT_ID_KIND: dict[IdKind, IdKind] = {"int": "whole", "whole": "text"}
KEPT = 0  # the code of a row that passes all checks
EARLIEST_PLAUSIBLE_TIME = 631_152_000  # 1990: if all times are earlier, their unit is probably wrong


@dataclass
class TypedRows:
    """The rows of a source: how to select and check them, and the values of the kept rows once they are read.

    select_from: returns SQL for a FROM clause, given the files to read.
    typed_columns: role -> the SQL of its typed values, with their checks.
    checks_by_code: code -> check, in the order in which they apply. A row has the code of the first that it fails.
    reason_counts: reason -> number of rows, among the rows that could be parsed; "" for the kept rows.
    bounds: role -> smallest and largest value among the kept rows, for integers. For times: the smallest and largest
        absolute value of the numbers whose unit must be inferred, or None.
    rejects: the records that DuckDB could not parse.
    columns: role -> the values of the kept rows. For text, they are numbers in `texts`; for titles, the count of each.
    timestamp_mask: which times of the kept rows were written as dates or timestamps, so that they are in seconds. The
        others are numbers, whose unit is inferred from their size. None without times.
    texts: role -> the distinct texts.
    """

    source: Source
    roles: Mapping[str, str]
    select_from: Callable[[Sequence[str]], str]
    typed_columns: dict[str, TypedColumn]
    checks_by_code: dict[int, Check]
    reason_counts: dict[str, int] = field(default_factory=dict)
    bounds: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: ColumnArrays = field(default_factory=dict)
    timestamp_mask: NDArray[np.bool_] | None = None
    texts: dict[str, Dictionary] = field(default_factory=dict)

    @property
    def n_read(self) -> int:
        """The number of rows read, kept or not."""
        return sum(self.reason_counts.values()) + len(self.rejects)

    @property
    def n_kept(self) -> int:
        """The number of rows kept."""
        return self.reason_counts.get("", 0)

    @property
    def skipped(self) -> dict[str, int]:
        """The number of rows that are not kept, by reason."""
        counts = {reason: count for reason, count in self.reason_counts.items() if reason}
        for reject in self.rejects:
            counts[reject.reason] = counts.get(reject.reason, 0) + 1
        return counts

    def sql(self, files: Sequence[str], extra: str = "") -> str:
        """Return a SELECT over files: a column per role, "is_timestamp" if there are times, `extra`, and "code"."""
        select_list = "".join(f"{value.sql} AS {role}, " for role, value in self.typed_columns.items())
        select_list += "".join(
            f"({value.is_timestamp})::UTINYINT AS is_timestamp, "
            for value in self.typed_columns.values()
            if value.is_timestamp
        )
        cases = self._valid_case()
        cases += "".join(f" WHEN {check.sql} THEN {code}" for code, check in self.checks_by_code.items())
        code = f"(CASE{cases} ELSE {KEPT} END)::UTINYINT" if cases else f"{KEPT}::UTINYINT"
        return f"SELECT {select_list}{extra}{code} AS code FROM {self.select_from(files)}"

    def _valid_case(self) -> str:
        """Return the first case of the CASE: rows that pass the cheap conditions skip the checks of their values."""
        checked = [value for value in self.typed_columns.values() if value.checks]
        if not all(value.valid_if for value in checked):
            return ""
        column_checks = [check for value in checked for check in value.checks]
        other_checks = [check for check in self.checks_by_code.values() if check not in column_checks]
        conditions = [value.valid_if for value in checked]
        conditions += [f"coalesce(NOT ({check.sql}), true)" for check in other_checks]
        return f" WHEN {' AND '.join(conditions)} THEN {KEPT}"


def validate(
    source: Source,
    roles: Mapping[str, str],
    scale: tuple[float, float] | None = None,
    where: str | None = None,
    events: Sequence[str] | None = None,
) -> TypedRows:
    """Type and check all rows. Bad rows do not raise; they are in `reason_counts` and `rejects` of the result.

    events: the valid names of events; None: any name.

    Raises DataError if there are no rows, ColumnError if a column has the wrong type for its role, ParameterError if
    `where` cannot be evaluated, and SourceError if reading fails.
    """
    import duckdb

    try:
        rows = _infer_id_types(source, roles, scale, where, events)
    except duckdb.Error as error:
        if where:
            raise where_error(where, error, list(source.columns), source.name) from None
        raise SourceError(f"{source.name} cannot be read: {error_summary(error)}.") from None
    if rows.n_read == 0:
        raise DataError(f"{source.name} has columns ({join_names(list(source.columns))}) but no rows.")
    return rows


def _infer_id_types(
    source: Source,
    roles: Mapping[str, str],
    scale: tuple[float, float] | None,
    where: str | None,
    events: Sequence[str] | None,
) -> TypedRows:
    """Read the rows with the first kind of ids that fits every row: integers if all are integers, else text."""
    samples = {} if where else source.samples  # `where` may leave the first rows out
    kinds = {
        role: infer_id_kind(source.columns[name], source.is_text, name in source.quoted_columns, samples.get(name, []))
        for role, name in roles.items()
        if role in ("user", "item")
    }
    if not where and (columns := scan_columns(source, roles, scale)):
        return _rows_from_scan(_typed_rows(source, roles, dict.fromkeys(kinds, "int"), scale, None, None), columns)
    condition = apply_where(source, where) if where else None
    notes: list[str] = []
    while True:
        rows = _typed_rows(source, roles, kinds, scale, condition, events)
        _fill_columns(rows)
        mismatches = {
            check.role: rows.reason_counts[check.reason]
            for check in rows.checks_by_code.values()
            if check.type_mismatch and check.reason in rows.reason_counts
        }
        if not mismatches:
            break
        for role, count in mismatches.items():
            if not source.is_text:
                raise ColumnError(_fraction_message(source, roles[role], role))
            if kinds[role] == "whole":
                notes.append(f"{count:,} of {rows.n_read:,} {role} ids are not integers, so all were read as text.")
            kinds[role] = _NEXT_ID_KIND[kinds[role]]
    for role, kind in kinds.items():
        if kind == "whole":
            notes.append(f"column {roles[role]!r} has integers written as decimals (1.0); they were read as integers.")
    rows.notes = notes
    return rows


def _typed_rows(
    source: Source,
    roles: Mapping[str, str],
    kinds: Mapping[str, IdKind],
    scale: tuple[float, float] | None,
    condition: tuple[Callable[[Sequence[str]], str], Check, Check] | None,
    events: Sequence[str] | None,
) -> TypedRows:
    typed_columns = {}
    for role, name in roles.items():
        cell = source.columns[name]
        if role in kinds:
            typed_columns[role] = type_id_column(role, cell, kinds[role], source.is_text)
        elif role == "time":
            typed_columns[role] = type_time_column(cell)
        elif role == "title":
            typed_columns[role] = type_title_column(cell, typed_columns["item"].sql)
        elif role == "event":
            typed_columns[role] = type_event_column(cell, events)
        else:
            label = role if role in ("value", "weight") else f"{name!r}"
            typed_columns[role] = type_number_column(role, cell, scale if role == "value" else None, label)
    # Events first: a row that is left out because of its event must not count as bad.
    role_order = sorted(typed_columns, key=lambda role: role != "event")
    checks = [check for role in role_order for check in typed_columns[role].checks]
    if source.well_formed:
        reason, condition_sql = source.well_formed
        checks.insert(0, Check(reason, "", f"NOT {condition_sql}"))
    select = source.select
    if condition:
        select, where_check, where_null_check = condition
        checks = [where_check, *checks, where_null_check]
    return TypedRows(source, roles, select, typed_columns, dict(enumerate(checks, KEPT + 1)))


def _fill_columns(rows: TypedRows) -> None:
    """Select all rows once: count their codes, and collect the values of the kept rows."""
    source = rows.source
    columns = {role: _make_buffer(role, value) for role, value in rows.typed_columns.items()}
    timestamp_flags = [NumberBuffer(np.bool_) for value in rows.typed_columns.values() if value.is_timestamp]
    buffers = [*columns.values(), *timestamp_flags]
    counts = np.zeros(256, np.int64)  # by code
    with closing(read_batches(source.con, rows.sql(source.files))) as stream:
        for *batch, codes in stream:
            counts += np.bincount(codes, minlength=256)
            mask = codes == KEPT if (codes != KEPT).any() else None
            for buffer, part in zip(buffers, batch, strict=True):
                buffer.add(part, mask)
    rows.rejects = source.rejects()
    for code in np.flatnonzero(counts).tolist():
        reason = "" if code == KEPT else rows.checks_by_code[code].reason
        rows.reason_counts[reason] = rows.reason_counts.get(reason, 0) + int(counts[code])
    rows.columns = {role: column.take() for role, column in columns.items()}
    rows.timestamp_mask = next((flags.take().astype(np.bool_) for flags in timestamp_flags), None)
    rows.texts = {role: column.dictionary for role, column in columns.items() if not isinstance(column, NumberBuffer)}
    _find_bounds(rows)


def _make_buffer(role: str, value: TypedColumn) -> NumberBuffer | TextBuffer | TitleCounter:
    if is_number_role(role):
        return NumberBuffer(np.float32)
    if role == "title":
        return TitleCounter()
    return NumberBuffer(np.int64, narrow=role != "time") if value.is_integer else TextBuffer()


def _rows_from_scan(rows: TypedRows, columns: ColumnArrays) -> TypedRows:
    """Fill the rows with scanned columns. `scan_columns` reads only whole numbers, so no time is a timestamp."""
    rows.columns, rows.reason_counts = columns, {"": len(columns["user"])}
    rows.timestamp_mask = np.broadcast_to(np.False_, rows.n_kept) if "time" in columns else None
    _find_bounds(rows)
    return rows


def _find_bounds(rows: TypedRows) -> None:
    """Find the smallest and largest integers of the kept rows."""
    for role, value in rows.typed_columns.items():
        if value.is_integer and rows.n_kept:
            column = rows.columns[role]
            if role == "time" and rows.timestamp_mask is not None:
                rows.bounds[role] = _unit_bounds(column, rows.timestamp_mask)
            else:
                rows.bounds[role] = int(column.min()), int(column.max())


def _unit_bounds(times: NDArray[Any], timestamp_mask: NDArray[np.bool_]) -> tuple[float | None, float | None]:
    """Return the smallest and largest absolute value of the times that determine the unit, or None.

    Timestamps are already in seconds, and numbers below EARLIEST_PLAUSIBLE_TIME do not determine the unit.
    """
    ends = []
    for part in row_chunk_slices(len(times)):
        sizes = np.abs(times[part].astype(np.float64))
        if len(large_sizes := sizes[(sizes >= EARLIEST_PLAUSIBLE_TIME) & ~timestamp_mask[part]]):
            ends += [float(large_sizes.min()), float(large_sizes.max())]
    return min(ends, default=None), max(ends, default=None)


def _fraction_message(source: Source, name: str, role: str) -> str:
    cell = source.columns[name].sql
    is_fraction = f"{cell}::DOUBLE <> floor({cell}::DOUBLE) OR abs({cell}::DOUBLE) > 9e15"
    examples = source.con.execute(f"SELECT {cell} FROM {source.relation} WHERE {is_fraction} LIMIT 1").fetchall()
    example = f" such as {examples[0][0]}" if examples else ""
    return f"column {name!r} holds numbers that are not integers{example}; {role} ids are integers or text."

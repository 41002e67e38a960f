"""SQL that converts the cells of a role to typed values, and the conditions under which a row is bad."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from alsatian.errors import ColumnError
from alsatian.ingest.sources.source import SqlColumn, quote_literals

UNKNOWN_EVENT_REASON = "left out by events"
IdKind = Literal["int", "whole", "text"]  # integers; integers written as 17850.0; text
INTEGER_PATTERN = re.compile(r"\s*-?(0|[1-9][0-9]{0,18})\s*")
WHOLE_NUMBER_PATTERN = re.compile(r"\s*-?(0|[1-9][0-9]{0,14})(\.0*)?\s*")
_INT32_TYPES = {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT"}
_INT64_TYPES = {"UINTEGER", "BIGINT"}
_BIG_INTEGER_TYPES = {"UBIGINT", "HUGEINT", "UHUGEINT"}
_FRACTION_TYPES = ("FLOAT", "DOUBLE", "DECIMAL")
_NESTED_TYPES = ("STRUCT", "MAP", "UNION", "BLOB", "BIT")


@dataclass(frozen=True)
class Check:
    """A reason why a row is bad, with the SQL condition under which it applies. The first such check counts.

    type_mismatch: the row is not bad, but its id does not fit the type that was tried for the whole column.
    """

    reason: str
    role: str
    sql: str
    type_mismatch: bool = False


@dataclass
class TypedColumn:
    """A typed value in SQL and the checks on it, in order.

    valid_if: a cheap condition under which all checks pass, or "". Nearly all rows should fulfil it.
    is_integer: whether the values are integers, whose smallest and largest value are needed.
    is_timestamp: for times, a condition: the cell is a date or timestamp, so its value is in seconds. Otherwise the
        cell is a number, whose unit is inferred later from the size of all numbers of the column.
    """

    sql: str
    checks: list[Check] = field(default_factory=list)
    valid_if: str = ""
    is_integer: bool = False
    is_timestamp: str = ""


def infer_id_kind(cell: SqlColumn, is_text: bool, is_quoted: bool, samples: Sequence[str]) -> IdKind:
    """Infer the kind of the ids of a column from its type and its first cells."""
    if is_text:
        nonblank = [] if is_quoted else [text for text in samples if text.strip()]
        if all(map(INTEGER_PATTERN.fullmatch, nonblank)):
            return "text" if is_quoted else "int"
        return "whole" if all(map(WHOLE_NUMBER_PATTERN.fullmatch, nonblank)) else "text"
    if cell.type in _INT32_TYPES | _INT64_TYPES | _BIG_INTEGER_TYPES:
        return "int"
    return "whole" if cell.type.startswith(_FRACTION_TYPES) else "text"


def type_id_column(role: str, cell: SqlColumn, kind: IdKind, is_text: bool) -> TypedColumn:
    """Return the typed ids of a role. Rows that do not fit the kind are marked, so that another kind can be tried."""
    if cell.type.startswith(_NESTED_TYPES) or cell.type.endswith("]"):
        raise ColumnError(f"the {role} column holds {cell.type} values; ids are integers or text.")
    if is_text:
        return _type_text_id_column(role, cell.sql, kind)
    missing = Check(f"no {role}", role, f"{cell.sql} IS NULL")
    if kind == "text":
        return TypedColumn(
            f"{cell.sql}::VARCHAR", [Check(f"no {role}", role, _blank_condition(f"{cell.sql}::VARCHAR"))]
        )
    if kind == "int":
        if cell.type in _BIG_INTEGER_TYPES:
            as_bigint = f"TRY_CAST({cell.sql} AS BIGINT)"
            overflow = Check(f"{role} does not fit in 64 bits", role, f"{as_bigint} IS NULL")
            return TypedColumn(as_bigint, [missing, overflow], is_integer=True)
        return TypedColumn(
            f"{cell.sql}::{'INTEGER' if cell.type in _INT32_TYPES else 'BIGINT'}", [missing], is_integer=True
        )
    as_bigint_whole = f"TRY_CAST({cell.sql} AS BIGINT)"
    number = f"{cell.sql}::DOUBLE"
    missing = Check(f"no {role}", role, f"{cell.sql} IS NULL OR isnan({number})")
    mismatch = f"{as_bigint_whole} IS NULL OR {number} <> floor({number}) OR abs({number}) >= 9007199254740992"
    return TypedColumn(as_bigint_whole, [missing, _type_mismatch_check(role, mismatch)], is_integer=True)


def _type_text_id_column(role: str, cell: str, kind: IdKind) -> TypedColumn:
    missing = Check(f"no {role}", role, _blank_condition(cell))
    if kind == "text":
        return TypedColumn(cell, [missing], valid_if=f"{cell} >= '!'")
    if kind == "whole":
        matches = f"regexp_full_match({cell}, '{WHOLE_NUMBER_PATTERN.pattern}')"
        value = f"TRY_CAST(TRY_CAST({cell} AS DOUBLE) AS BIGINT)"
        return TypedColumn(value, [missing, _type_mismatch_check(role, f"NOT {matches}")], is_integer=True)
    missing = Check(
        missing.reason, role, f"{cell} IS NULL OR (TRY_CAST({cell} AS BIGINT) IS NULL AND ({_blank_condition(cell)}))"
    )
    # An integer that is not in canonical form ("007", "+7", "1e3") is text.
    as_bigint = f"TRY_CAST({cell} AS BIGINT)"
    not_canonical = f"coalesce({as_bigint}::VARCHAR <> {cell} AND {as_bigint}::VARCHAR <> trim({cell}), true)"
    return TypedColumn(
        as_bigint,
        [missing, _type_mismatch_check(role, not_canonical)],
        valid_if=f"{as_bigint}::VARCHAR = {cell}",
        is_integer=True,
    )


def _type_mismatch_check(role: str, condition: str) -> Check:
    return Check(f"{role} misfit", role, condition, type_mismatch=True)


def _blank_condition(cell: str) -> str:
    """Return the condition that a cell is missing or blank. The comparison avoids the slow pattern for most rows."""
    return f"{cell} IS NULL OR ({cell} < '!' AND regexp_full_match({cell}, '\\s*'))"


def type_event_column(cell: SqlColumn, allowed: Sequence[str] | None) -> TypedColumn:
    """Return the typed name of an event. allowed: the names that have a weight; None: any name is valid."""
    name = f"trim({cell.sql}::VARCHAR)"
    checks = [Check("no event", "event", _blank_condition(f"{cell.sql}::VARCHAR"))]
    if allowed is not None:
        checks.append(Check(UNKNOWN_EVENT_REASON, "event", f"{name} NOT IN ({quote_literals(allowed)})"))
    valid_if = f"{cell.sql}::VARCHAR >= '!'" if allowed is None else f"{name} IN ({quote_literals(allowed)})"
    return TypedColumn(name, checks, valid_if=valid_if)


def type_number_column(
    role: str, cell: SqlColumn, scale: tuple[float, float] | None = None, label: str | None = None
) -> TypedColumn:
    """Return a finite 32-bit number, within the scale if there is one. label: the name in messages."""
    label = label or role
    if cell.type.startswith((*_NESTED_TYPES, "DATE", "TIME", "INTERVAL", "UUID")) or cell.type.endswith("]"):
        raise ColumnError(f"the {role} column holds {cell.type} values; it takes numbers.")
    is_text = cell.type == "VARCHAR" or cell.type.startswith("ENUM")
    source = f"{cell.sql}::VARCHAR" if is_text else cell.sql
    value = f"TRY_CAST({source} AS FLOAT)"
    checks = [Check(f"no {label}", role, _blank_condition(source) if is_text else f"{cell.sql} IS NULL")]
    if is_text:
        checks.append(Check(f"{label} is not a number", role, f"{value} IS NULL"))
    checks.append(Check(f"{label} is not finite", role, f"coalesce(NOT isfinite({value}), true)"))
    if role == "weight":
        checks.append(Check("weight is negative", role, f"{value} < 0"))
    if scale is not None:
        low, high = scale
        bounds = f"{value} < {low!r}::FLOAT OR {value} > {high!r}::FLOAT"
        checks.append(Check(f"{label} is outside the scale {low:g} to {high:g}", role, bounds))
    return TypedColumn(value, checks, valid_if=f"isfinite({value})" if role == "value" and scale is None else "")


def type_time_column(cell: SqlColumn) -> TypedColumn:
    """Return a time as an integer: a date or timestamp in seconds, or a number whose unit is inferred later."""
    is_timestamp = "false"
    if cell.type.startswith(("TIMESTAMP", "DATE")):
        is_timestamp = "true"
        value, missing = _epoch_seconds(f"{cell.sql}::{_timestamp_type(cell.type)}"), f"{cell.sql} IS NULL"
    elif cell.type in _INT32_TYPES | _INT64_TYPES | _BIG_INTEGER_TYPES:
        value, missing = f"TRY_CAST({cell.sql} AS BIGINT)", f"{cell.sql} IS NULL"
    elif cell.type.startswith(_FRACTION_TYPES):
        value, missing = _floor_to_bigint(f"{cell.sql}::DOUBLE"), f"{cell.sql} IS NULL OR isnan({cell.sql}::DOUBLE)"
    elif cell.type == "VARCHAR" or cell.type.startswith("ENUM"):
        text = f"{cell.sql}::VARCHAR"
        epoch_seconds = _epoch_seconds(f"TRY_CAST({text} AS TIMESTAMPTZ)")
        value = f"coalesce({_floor_to_bigint(f'TRY_CAST({text} AS DOUBLE)')}, {epoch_seconds})"
        is_timestamp = f"TRY_CAST({text} AS DOUBLE) IS NULL"
        missing = _blank_condition(text)
    else:
        raise ColumnError(f"the time column holds {cell.type} values; it takes numbers, dates and times.")
    unparsed = Check("time is not understood", "time", f"{value} IS NULL")
    checks = [Check("no time", "time", missing), unparsed]
    return TypedColumn(value, checks, valid_if=f"{value} IS NOT NULL", is_integer=True, is_timestamp=is_timestamp)


def type_title_column(cell: SqlColumn, item: str) -> TypedColumn:
    """Return item and title as one text, such as "3:tt1Up" for the item tt1, so that these pairs can be counted."""
    title, item = f"trim({cell.sql}::VARCHAR)", f"{item}::VARCHAR"
    return TypedColumn(f"CASE WHEN {title} <> '' THEN length({item}) || ':' || {item} || {title} ELSE '' END")


def _timestamp_type(type: str) -> str:
    return "TIMESTAMPTZ" if "ZONE" in type or type == "TIMESTAMPTZ" else "TIMESTAMP"


def _epoch_seconds(timestamp: str) -> str:
    return f"CASE WHEN isfinite({timestamp}) THEN floor(epoch_us({timestamp}) / 1e6)::BIGINT END"


def _floor_to_bigint(number: str) -> str:
    return f"TRY_CAST(floor({number}) AS BIGINT)"

"""SQL that turns the cells of a role into a typed value, and the conditions under which a row is bad."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from alsatian.errors import ColumnError
from alsatian.ingest.sources.source import Cell, literals

UNKNOWN_EVENT = "left out by events"
IdKind = Literal["int", "whole", "text"]  # integers; integers written as 17850.0; text
INTEGER = re.compile(r"\s*-?(0|[1-9][0-9]{0,18})\s*")
WHOLE = re.compile(r"\s*-?(0|[1-9][0-9]{0,14})(\.0*)?\s*")
_NARROW = {"TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT"}
_WIDE = {"UINTEGER", "BIGINT"}
_HUGE = {"UBIGINT", "HUGEINT", "UHUGEINT"}
_FRACTIONAL = ("FLOAT", "DOUBLE", "DECIMAL")
_NESTED = ("STRUCT", "MAP", "UNION", "BLOB", "BIT")


@dataclass(frozen=True)
class Check:
    """Why a row is bad, in words and as an SQL condition; the first check that holds counts.

    misfit: the row is not bad; its id is not of the kind that was expected of the whole column.
    """

    reason: str
    role: str
    sql: str
    misfit: bool = False


@dataclass
class Value:
    """A typed value in SQL and the checks on it, in order.

    sure: a cheap condition under which no check can hold, "" if there is none; nearly all rows fulfil it.
    integer: the smallest and largest value are wanted.
    settled: where a time is in seconds whatever its size, as a condition.
    """

    sql: str
    checks: list[Check] = field(default_factory=list)
    sure: str = ""
    integer: bool = False
    settled: str = ""


def id_kind(cell: Cell, written: bool, quoted: bool, samples: Sequence[str]) -> IdKind:
    """Return how the ids of a column are to be read, as far as its type and its first cells tell."""
    if written:
        present = [] if quoted else [text for text in samples if text.strip()]
        if all(map(INTEGER.fullmatch, present)):
            return "text" if quoted else "int"
        return "whole" if all(map(WHOLE.fullmatch, present)) else "text"
    if cell.type in _NARROW | _WIDE | _HUGE:
        return "int"
    return "whole" if cell.type.startswith(_FRACTIONAL) else "text"


def id_value(role: str, cell: Cell, kind: IdKind, written: bool) -> Value:
    """Build the ids of a role. Rows that do not fit the kind are marked, so that another can be tried."""
    if cell.type.startswith(_NESTED) or cell.type.endswith("]"):
        raise ColumnError(f"the {role} column holds {cell.type} values; ids are integers or text.")
    if written:
        return _written_id(role, cell.sql, kind)
    missing = Check(f"no {role}", role, f"{cell.sql} IS NULL")
    if kind == "text":
        return Value(f"{cell.sql}::VARCHAR", [Check(f"no {role}", role, _blank(f"{cell.sql}::VARCHAR"))])
    if kind == "int":
        if cell.type in _HUGE:
            wide = f"TRY_CAST({cell.sql} AS BIGINT)"
            large = Check(f"{role} does not fit in 64 bits", role, f"{wide} IS NULL")
            return Value(wide, [missing, large], integer=True)
        return Value(f"{cell.sql}::{'INTEGER' if cell.type in _NARROW else 'BIGINT'}", [missing], integer=True)
    whole = f"TRY_CAST({cell.sql} AS BIGINT)"
    number = f"{cell.sql}::DOUBLE"
    missing = Check(f"no {role}", role, f"{cell.sql} IS NULL OR isnan({number})")
    broken = f"{whole} IS NULL OR {number} <> floor({number}) OR abs({number}) >= 9007199254740992"
    return Value(whole, [missing, _misfit(role, broken)], integer=True)


def _written_id(role: str, cell: str, kind: IdKind) -> Value:
    missing = Check(f"no {role}", role, _blank(cell))
    if kind == "text":
        return Value(cell, [missing], sure=f"{cell} >= '!'")
    if kind == "whole":
        fits = f"regexp_full_match({cell}, '{WHOLE.pattern}')"
        value = f"TRY_CAST(TRY_CAST({cell} AS DOUBLE) AS BIGINT)"
        return Value(value, [missing, _misfit(role, f"NOT {fits}")], integer=True)
    missing = Check(
        missing.reason, role, f"{cell} IS NULL OR (TRY_CAST({cell} AS BIGINT) IS NULL AND ({_blank(cell)}))"
    )
    # An integer that is not written as it would be printed ("007", "+7", "1e3") is text.
    whole = f"TRY_CAST({cell} AS BIGINT)"
    unlike = f"coalesce({whole}::VARCHAR <> {cell} AND {whole}::VARCHAR <> trim({cell}), true)"
    return Value(whole, [missing, _misfit(role, unlike)], sure=f"{whole}::VARCHAR = {cell}", integer=True)


def _misfit(role: str, condition: str) -> Check:
    return Check(f"{role} misfit", role, condition, misfit=True)


def _blank(cell: str) -> str:
    """Missing or nothing but white space; the comparison spares most rows the pattern."""
    return f"{cell} IS NULL OR ({cell} < '!' AND regexp_full_match({cell}, '\\s*'))"


def event_value(cell: Cell, known: Sequence[str] | None) -> Value:
    """Build the name of an event. known: the names that have a weight; None: all are welcome."""
    name = f"trim({cell.sql}::VARCHAR)"
    checks = [Check("no event", "event", _blank(f"{cell.sql}::VARCHAR"))]
    if known is not None:
        checks.append(Check(UNKNOWN_EVENT, "event", f"{name} NOT IN ({literals(known)})"))
    sure = f"{cell.sql}::VARCHAR >= '!'" if known is None else f"{name} IN ({literals(known)})"
    return Value(name, checks, sure=sure)


def number_value(role: str, cell: Cell, scale: tuple[float, float] | None = None, what: str | None = None) -> Value:
    """Build a 32-bit number that is finite, and inside the scale if there is one. what: how complaints call it."""
    what = what or role
    if cell.type.startswith((*_NESTED, "DATE", "TIME", "INTERVAL", "UUID")) or cell.type.endswith("]"):
        raise ColumnError(f"the {role} column holds {cell.type} values; it takes numbers.")
    text = cell.type == "VARCHAR" or cell.type.startswith("ENUM")
    source = f"{cell.sql}::VARCHAR" if text else cell.sql
    value = f"TRY_CAST({source} AS FLOAT)"
    checks = [Check(f"no {what}", role, _blank(source) if text else f"{cell.sql} IS NULL")]
    if text:
        checks.append(Check(f"{what} is not a number", role, f"{value} IS NULL"))
    checks.append(Check(f"{what} is not finite", role, f"coalesce(NOT isfinite({value}), true)"))
    if role == "weight":
        checks.append(Check("weight is negative", role, f"{value} < 0"))
    if scale is not None:
        low, high = scale
        bounds = f"{value} < {low!r}::FLOAT OR {value} > {high!r}::FLOAT"
        checks.append(Check(f"{what} is outside the scale {low:g} to {high:g}", role, bounds))
    return Value(value, checks, sure=f"isfinite({value})" if role == "value" and scale is None else "")


def time_value(cell: Cell) -> Value:
    """Build a time as an integer: seconds, or a number whose unit is still to be told by its size."""
    settled = "false"
    if cell.type.startswith(("TIMESTAMP", "DATE")):
        settled = "true"
        value, absent = _seconds(f"{cell.sql}::{_zoned(cell.type)}"), f"{cell.sql} IS NULL"
    elif cell.type in _NARROW | _WIDE | _HUGE:
        value, absent = f"TRY_CAST({cell.sql} AS BIGINT)", f"{cell.sql} IS NULL"
    elif cell.type.startswith(_FRACTIONAL):
        value, absent = _floor(f"{cell.sql}::DOUBLE"), f"{cell.sql} IS NULL OR isnan({cell.sql}::DOUBLE)"
    elif cell.type == "VARCHAR" or cell.type.startswith("ENUM"):
        text = f"{cell.sql}::VARCHAR"
        moment = _seconds(f"TRY_CAST({text} AS TIMESTAMPTZ)")
        value = f"coalesce({_floor(f'TRY_CAST({text} AS DOUBLE)')}, {moment})"
        settled = f"TRY_CAST({text} AS DOUBLE) IS NULL"
        absent = _blank(text)
    else:
        raise ColumnError(f"the time column holds {cell.type} values; it takes numbers, dates and times.")
    unclear = Check("time is not understood", "time", f"{value} IS NULL")
    checks = [Check("no time", "time", absent), unclear]
    return Value(value, checks, sure=f"{value} IS NOT NULL", integer=True, settled=settled)


def title_value(cell: Cell, item: str) -> Value:
    """Build a title as one text with its item, "3:tt1Up" for the item tt1: so that the pairs can be counted."""
    title, item = f"trim({cell.sql}::VARCHAR)", f"{item}::VARCHAR"
    return Value(f"CASE WHEN {title} <> '' THEN length({item}) || ':' || {item} || {title} ELSE '' END")


def _zoned(type: str) -> str:
    return "TIMESTAMPTZ" if "ZONE" in type or type == "TIMESTAMPTZ" else "TIMESTAMP"


def _seconds(moment: str) -> str:
    return f"CASE WHEN isfinite({moment}) THEN floor(epoch_us({moment}) / 1e6)::BIGINT END"


def _floor(number: str) -> str:
    return f"TRY_CAST(floor({number}) AS BIGINT)"

"""From a Spark DataFrame to typed rows: which column is which, and what is wrong with the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np

from alsatian._util.parsing import unit_of
from alsatian.data.recipe import Recipe
from alsatian.errors import ColumnError, DataError, ParameterError, RowsError, counted
from alsatian.ingest.assemble import usual_rule
from alsatian.ingest.column_names import meaning
from alsatian.ingest.recipe_columns import asked_columns
from alsatian.ingest.rows.roles import find_roles
from alsatian.ingest.sources.source import Cell, Source

NAME = "the frame"
_INTEGERS = ("tinyint", "smallint", "int", "bigint")
_NUMBERS = (*_INTEGERS, "float", "double", "decimal")
_TEXT = ("string", "varchar", "char")
_DATES = ("timestamp", "timestamp_ntz", "date")
_KINDS = 21  # different values from which on they are no ratings
_ELSEWHERE = ("signals", "min_per_user", "min_per_item")  # rules that need all rows at once


class Typed(NamedTuple):
    """Rows: user, item, value and, where there are such columns, time, weight and event; and what makes them values."""

    rows: Any
    columns: tuple[str, ...]
    recipe: Recipe
    read: int
    skipped: dict[str, int]
    notes: tuple[str, ...]


def typed(
    frame: Any, named: Mapping[str, str | None], recipe: Recipe, scale: tuple[float, float] | None = None
) -> Typed:
    """Find the columns, type and check them.

    Raises ColumnError, ParameterError, RowsError for missing and non-finite values, DataError without rows.
    """
    _check_recipe(recipe)
    types = dict(frame.dtypes)
    source = _source(types)
    asked, recipe = asked_columns(source, named, recipe)
    roles = find_roles(source, asked | {"title": ""})
    if recipe.half_life is not None and "time" not in roles:
        raise ColumnError(f"half_life needs the times of rows, and {NAME} has none; pass time= (--time).")
    chosen = {role: _expression(role, name, types[name]) for role, name in roles.items()}
    rows = frame.selectExpr(*(f"{sql} AS {role}" for role, sql in chosen.items()))
    rows = rows if "value" in roles else rows.selectExpr("*", "CAST(1 AS FLOAT) AS value")
    counts = _counted(rows, roles, types, recipe, scale)
    rows, recipe, skipped, notes = _timed(rows, roles, types, recipe, counts)
    rule = recipe.duplicates or _usual_rule(rows, recipe, roles.get("value"))
    recipe = replace(recipe, columns=recipe.columns | roles, duplicates=rule)
    if titles := [name for name in types if name.lower() == "title" and name not in roles.values()]:
        notes.append(f"column {titles[0]!r} was left out; titles come with items= (--items).")
    return Typed(rows, tuple(rows.columns), recipe, counts["read"], skipped, (*source.notes, *notes))


def typed_text(frame: Any) -> Any:
    """Give the columns of CSV, which are text, their types; ids such as "007" stay text, as in `al.read`."""
    tests = {
        "BIGINT": "CAST(try_cast({0} AS BIGINT) AS STRING) <=> {0}",
        "DOUBLE": "try_cast({0} AS DOUBLE) IS NOT NULL AND NOT {0} RLIKE '^[+-]?0[0-9]'",
        "TIMESTAMP": "try_cast({0} AS TIMESTAMP) IS NOT NULL",
    }
    cells = [_quoted(name) for name in frame.columns]
    asked = [f"bool_and({test.format(cell)} OR {cell} IS NULL)" for cell in cells for test in tests.values()]
    told = iter(frame.selectExpr(*asked).collect()[0])
    fits = {cell: [kind for kind in tests if next(told)] for cell in cells}
    return frame.selectExpr(*(f"CAST({cell} AS {(*kinds, 'STRING')[0]}) AS {cell}" for cell, kinds in fits.items()))


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def rated(frame: Any, named: Mapping[str, str | None], recipe: Recipe) -> str | None:
    """Return the column of values if these look like ratings, by its name or some of them, else None."""
    types = dict(frame.dtypes)
    source = _source(types)
    asked, recipe = asked_columns(source, named, recipe)
    column = find_roles(source, asked | {"title": ""}).get("value")
    if column is None or recipe.weighs:
        return None
    rows = frame.selectExpr(f"{_expression('value', column, types[column])} AS value").where("value IS NOT NULL")
    return column if _usual_rule(rows, recipe, column) == "last" else None


def _source(types: Mapping[str, str]) -> Source:
    return Source(cast(Any, None), NAME, lambda _: "", {name: Cell(name, kind) for name, kind in types.items()})


def _check_recipe(recipe: Recipe) -> None:
    for name in _ELSEWHERE:
        if recipe.given(name):
            raise ParameterError(f"a fit on Spark knows no {name}; apply it to the frame, and leave it out here.")
    if recipe.confidence == "bm25":
        raise ParameterError("a fit on Spark knows no confidence='bm25'; choose 'log', or weigh the frame's values.")


def _expression(role: str, name: str, kind: str) -> str:
    """Return the SQL of a typed column; raises ColumnError for a type that cannot serve."""
    cell, plain = _quoted(name), kind.split("(")[0]
    if role in ("user", "item"):
        if plain in _TEXT:
            return f"CAST({cell} AS STRING)"
        if plain in _INTEGERS or (plain == "decimal" and kind.endswith(",0)")):
            return f"CAST({cell} AS BIGINT)"
        raise ColumnError(
            f"the {role} column {name!r} holds {kind} values; ids are integers or text: cast it, such as "
            f"frame.withColumn({name!r}, frame[{name!r}].cast('string'))."
        )
    if role == "event":
        return f"trim(CAST({cell} AS STRING))"
    if role == "time" and plain in _DATES:
        return _seconds(cell, plain)
    if plain not in _NUMBERS:
        raise ColumnError(f"the {role} column {name!r} holds {kind} values; it takes numbers: cast it.")
    if role == "time" and plain in ("float", "double"):
        cell = f"nanvl({cell}, NULL)"
    return f"CAST(floor({cell}) AS BIGINT)" if role == "time" else f"CAST({cell} AS FLOAT)"


def _seconds(cell: str, kind: str) -> str:
    if kind == "timestamp":
        return f"unix_seconds({cell})"
    day = f"unix_date(CAST({cell} AS DATE)) * 86400L"  # without a zone it is in UTC
    return day if kind == "date" else f"{day} + hour({cell}) * 3600 + minute({cell}) * 60 + CAST(second({cell}) AS INT)"


def _counted(
    rows: Any,
    roles: Mapping[str, str],
    types: Mapping[str, str],
    recipe: Recipe,
    scale: tuple[float, float] | None,
) -> dict[str, Any]:
    """Count the rows, and those that are bad, in one pass; raises RowsError for these."""
    bad = {
        f"without {'an' if role[0] in 'ie' else 'a'} {role}": f"{role} IS NULL"
        + (f" OR {role} RLIKE '^\\\\s*$'" if types.get(name, "").split("(")[0] in _TEXT else "")
        for role, name in roles.items()
    }
    bad["with a value that is not finite"] = "isnan(value) OR abs(value) = double('inf')"
    if "weight" in roles:
        bad["with a negative or infinite weight"] = "weight < 0 OR isnan(weight) OR weight = double('inf')"
    if scale is not None:
        low, high = scale
        bad[f"with a value outside the scale {low:g} to {high:g}"] = (
            f"value < CAST({low} AS FLOAT) OR value > CAST({high} AS FLOAT)"
        )
    unknown = _unknown(recipe) if recipe.events and isinstance(recipe.unknown_events, str) else "false"
    kept = f"coalesce(NOT ({unknown}), true)" if recipe.unknown_events == "ignore" else "true"
    asked = ["count(*) AS read", f"count_if({unknown}) AS unknown"]
    asked += (f"count_if({kept} AND ({sql})) AS bad{at}" for at, sql in enumerate(bad.values()))
    if "time" in roles:
        asked += [
            f"{name}(CASE WHEN {kept} THEN time END) AS {end}" for name, end in (("min", "first"), ("max", "last"))
        ]
    counts: dict[str, Any] = rows.selectExpr(*asked).collect()[0].asDict()
    if not counts["read"]:
        raise DataError(f"{NAME} has columns ({', '.join(roles.values())}) but no rows.")
    if recipe.unknown_events == "ignore" and counts["unknown"] == counts["read"]:
        raise DataError(
            f"none of the {counted(counts['read'], 'row')} of {NAME} has an event with a weight; name some in events=."
        )
    found = [f"{counts[f'bad{at}']:,} {what}" for at, what in enumerate(bad) if counts[f"bad{at}"]]
    if found:
        raise RowsError(
            f"{NAME} has {counted(counts['read'], 'row')}, and of these {', '.join(found)}; leave them "
            f"out first, such as by frame.where(...)."
        )
    if recipe.unknown_events == "raise" and counts.get("unknown"):
        raise RowsError(
            f"there are events without a weight in {counted(counts['unknown'], 'row')} of {NAME}; name them in "
            "the recipe's events, or set its unknown_events to 'ignore' or to a weight."
        )
    return counts


def _unknown(recipe: Recipe) -> str:
    names = ", ".join("'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'" for name in recipe.events)
    return f"event NOT IN ({names})"


def _timed(
    rows: Any, roles: Mapping[str, str], types: Mapping[str, str], recipe: Recipe, counts: Mapping[str, Any]
) -> tuple[Any, Recipe, dict[str, int], list[str]]:
    """Bring times to seconds, leave out events to ignore, and tell the recipe the newest time."""
    skipped, notes = {}, []
    if unknown := counts.get("unknown"):
        skipped["left out by events"] = unknown
        notes.append(f"{counted(unknown, 'row')} of events without a weight were left out.")
        rows = rows.where(f"NOT ({_unknown(recipe)})")
    if "value" not in roles and not recipe.events:
        notes.append(f"{NAME} has no column of values; each row counts as 1.")
    if "time" in roles:
        dated = types[roles["time"]].split("(")[0] in _DATES
        least, per_second = (0, 1) if dated else unit_of(counts["last"])
        if per_second > 1 and counts["first"] < least:
            raise ColumnError(
                f"column {roles['time']!r} holds times of several units, such as {counts['first']} and "
                f"{counts['last']}; write all in seconds, or pass time='' (--time '') to read without times."
            )
        if per_second > 1:
            others = [name for name in rows.columns if name != "time"]
            rows = rows.selectExpr(*others, f"time div {per_second} AS time")
            notes.append(f"column {roles['time']!r} holds times in units of 1/{per_second:,} of a second.")
        recipe = recipe.fit_rows({}, np.array([counts["last"] // per_second]))
    return rows, recipe, skipped, notes


def _usual_rule(rows: Any, recipe: Recipe, column: str | None) -> Any:
    """Choose the rule for duplicates as a reading does, looking at some different values."""
    if recipe.events:
        return "sum"
    some = [0.0]  # stands for a frame without rows, too
    if column and meaning(column) == "unknown":
        some = [row[0] for row in rows.selectExpr("value").distinct().limit(_KINDS).collect()] or some
    return usual_rule(np.array(some, np.float32), column)

"""From a Spark DataFrame to typed rows: the roles of its columns, and checks of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np

from alsatian._util.parsing import timestamp_unit
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.recipe import Recipe
from alsatian.errors import ColumnError, DataError, ParameterError, RowsError, pluralize
from alsatian.ingest.assemble import default_duplicate_rule
from alsatian.ingest.column_names import value_kind
from alsatian.ingest.recipe_columns import requested_columns
from alsatian.ingest.rows.roles import find_roles
from alsatian.ingest.sources.source import Source, SqlColumn

FRAME_NAME = "the frame"
_INTEGER_TYPES = ("tinyint", "smallint", "int", "bigint")
_NUMBER_TYPES = (*_INTEGER_TYPES, "float", "double", "decimal")
_TEXT_TYPES = ("string", "varchar", "char")
_DATE_TYPES = ("timestamp", "timestamp_ntz", "date")
_MAX_DISTINCT_VALUES = 21  # values with at least so many distinct ones are not ratings
_UNSUPPORTED_RULES = ("signals", "min_per_user", "min_per_item")  # rules that need all rows at once


class TypedFrame(NamedTuple):
    """Typed rows of a frame, and the recipe that turns them into values.

    rows: a DataFrame with columns user, item, value and, where there are such, time, weight and event.
    n_read: rows of the frame. skipped: rows left out, by reason. notes: for the read report.
    """

    rows: Any
    columns: tuple[str, ...]
    recipe: FittedRecipe
    n_read: int
    skipped: dict[str, int]
    notes: tuple[str, ...]


def type_frame(
    frame: Any, requested: Mapping[str, str | None], rules: Recipe, scale: tuple[float, float] | None = None
) -> TypedFrame:
    """Find the columns of a frame, cast them and check the rows.

    requested: columns that the user named, by role.

    Raises ColumnError, ParameterError, RowsError for missing and non-finite values, DataError without rows.
    """
    _check_recipe(rules)
    types = dict(frame.dtypes)
    source = _frame_source(types)
    requested, rules = requested_columns(source, requested, rules)
    recipe = FittedRecipe.from_recipe(rules)
    roles = find_roles(source, requested | {"title": ""})
    if recipe.half_life is not None and "time" not in roles:
        raise ColumnError(f"half_life needs the times of rows, and {FRAME_NAME} has none; pass time= (--time).")
    expressions = {role: _typed_sql(role, name, types[name]) for role, name in roles.items()}
    rows = frame.selectExpr(*(f"{sql} AS {role}" for role, sql in expressions.items()))
    rows = rows if "value" in roles else rows.selectExpr("*", "CAST(1 AS FLOAT) AS value")
    counts = _count_rows(rows, roles, types, recipe, scale)
    rows, recipe, skipped, notes = _apply_times(rows, roles, types, recipe, counts)
    rule = recipe.duplicates or _frame_duplicate_rule(rows, recipe, roles.get("value"))
    recipe = replace(recipe, columns=recipe.columns | roles, duplicates=rule)
    if titles := [name for name in types if name.lower() == "title" and name not in roles.values()]:
        notes.append(f"column {titles[0]!r} was ignored; pass titles with items= (--items).")
    return TypedFrame(rows, tuple(rows.columns), recipe, counts["read"], skipped, (*source.notes, *notes))


def infer_csv_types(frame: Any) -> Any:
    """Cast the text columns of CSV to the types of their values; ids such as "007" stay text, as in `al.read`."""
    tests = {
        "BIGINT": "CAST(try_cast({0} AS BIGINT) AS STRING) <=> {0}",
        "DOUBLE": "try_cast({0} AS DOUBLE) IS NOT NULL AND NOT {0} RLIKE '^[+-]?0[0-9]'",
        "TIMESTAMP": "try_cast({0} AS TIMESTAMP) IS NOT NULL",
    }
    cells = [_quote_column(name) for name in frame.columns]
    checks = [f"bool_and({test.format(cell)} OR {cell} IS NULL)" for cell in cells for test in tests.values()]
    results = iter(frame.selectExpr(*checks).collect()[0])
    fitting_types = {cell: [kind for kind in tests if next(results)] for cell in cells}
    return frame.selectExpr(
        *(f"CAST({cell} AS {(*kinds, 'STRING')[0]}) AS {cell}" for cell, kinds in fitting_types.items())
    )


def _quote_column(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def find_rating_column(frame: Any, requested: Mapping[str, str | None], recipe: Recipe) -> str | None:
    """Return the column of values if its name or its values look like ratings, else None."""
    types = dict(frame.dtypes)
    source = _frame_source(types)
    columns, recipe = requested_columns(source, requested, recipe)
    column = find_roles(source, columns | {"title": ""}).get("value")
    if column is None or recipe.makes_confidences:
        return None
    rows = frame.selectExpr(f"{_typed_sql('value', column, types[column])} AS value").where("value IS NOT NULL")
    return column if _frame_duplicate_rule(rows, recipe, column) == "last" else None


def _frame_source(types: Mapping[str, str]) -> Source:
    return Source(
        cast(Any, None), FRAME_NAME, lambda _: "", {name: SqlColumn(name, kind) for name, kind in types.items()}
    )


def _check_recipe(recipe: Recipe) -> None:
    for name in _UNSUPPORTED_RULES:
        if recipe.is_set(name):
            raise ParameterError(f"a fit on Spark does not support {name}; apply it to the frame, and remove it here.")
    if recipe.confidence == "bm25":
        raise ParameterError(
            "a fit on Spark does not support confidence='bm25'; "
            "choose 'log', or apply weights to the values of the frame."
        )


def _typed_sql(role: str, name: str, kind: str) -> str:
    """Return the SQL of a typed column; raises ColumnError for a type that does not suit the role."""
    cell, base_type = _quote_column(name), kind.split("(")[0]
    if role in ("user", "item"):
        if base_type in _TEXT_TYPES:
            return f"CAST({cell} AS STRING)"
        if base_type in _INTEGER_TYPES or (base_type == "decimal" and kind.endswith(",0)")):
            return f"CAST({cell} AS BIGINT)"
        raise ColumnError(
            f"the {role} column {name!r} holds {kind} values; ids are integers or text: cast it, such as "
            f"frame.withColumn({name!r}, frame[{name!r}].cast('string'))."
        )
    if role == "event":
        return f"trim(CAST({cell} AS STRING))"
    if role == "time" and base_type in _DATE_TYPES:
        return _epoch_seconds_sql(cell, base_type)
    if base_type not in _NUMBER_TYPES:
        raise ColumnError(f"the {role} column {name!r} holds {kind} values; it takes numbers: cast it.")
    if role == "time" and base_type in ("float", "double"):
        cell = f"nanvl({cell}, NULL)"
    return f"CAST(floor({cell}) AS BIGINT)" if role == "time" else f"CAST({cell} AS FLOAT)"


def _epoch_seconds_sql(cell: str, kind: str) -> str:
    if kind == "timestamp":
        return f"unix_seconds({cell})"
    day = f"unix_date(CAST({cell} AS DATE)) * 86400L"  # without a time zone it is UTC
    return day if kind == "date" else f"{day} + hour({cell}) * 3600 + minute({cell}) * 60 + CAST(second({cell}) AS INT)"


def _count_rows(
    rows: Any,
    roles: Mapping[str, str],
    types: Mapping[str, str],
    recipe: Recipe,
    scale: tuple[float, float] | None,
) -> dict[str, Any]:
    """Count the rows, valid and invalid ones, in one pass; raises RowsError for invalid ones."""
    conditions = {
        f"without {'an' if role[0] in 'ie' else 'a'} {role}": f"{role} IS NULL"
        + (f" OR {role} RLIKE '^\\\\s*$'" if types.get(name, "").split("(")[0] in _TEXT_TYPES else "")
        for role, name in roles.items()
    }
    conditions["with a value that is not finite"] = "isnan(value) OR abs(value) = double('inf')"
    if "weight" in roles:
        conditions["with a negative or infinite weight"] = "weight < 0 OR isnan(weight) OR weight = double('inf')"
    if scale is not None:
        low, high = scale
        conditions[f"with a value outside the scale {low:g} to {high:g}"] = (
            f"value < CAST({low} AS FLOAT) OR value > CAST({high} AS FLOAT)"
        )
    unknown_event = _unknown_event_sql(recipe) if recipe.events and isinstance(recipe.unknown_events, str) else "false"
    is_kept = f"coalesce(NOT ({unknown_event}), true)" if recipe.unknown_events == "ignore" else "true"
    aggregates = ["count(*) AS read", f"count_if({unknown_event}) AS unknown"]
    aggregates += (f"count_if({is_kept} AND ({sql})) AS bad{index}" for index, sql in enumerate(conditions.values()))
    if "time" in roles:
        aggregates += [
            f"{name}(CASE WHEN {is_kept} THEN time END) AS {alias}"
            for name, alias in (("min", "first"), ("max", "last"))
        ]
    counts: dict[str, Any] = rows.selectExpr(*aggregates).collect()[0].asDict()
    if not counts["read"]:
        raise DataError(f"{FRAME_NAME} has columns ({', '.join(roles.values())}) but no rows.")
    if recipe.unknown_events == "ignore" and counts["unknown"] == counts["read"]:
        raise DataError(
            f"none of the {pluralize(counts['read'], 'row')} of {FRAME_NAME} has an event with a weight; "
            "pass weights with events=."
        )
    problems = [
        f"{counts[f'bad{index}']:,} {problem}" for index, problem in enumerate(conditions) if counts[f"bad{index}"]
    ]
    if problems:
        raise RowsError(
            f"{FRAME_NAME} has {pluralize(counts['read'], 'row')}, and of these {', '.join(problems)}; remove them "
            f"first, such as with frame.where(...)."
        )
    if recipe.unknown_events == "raise" and counts.get("unknown"):
        raise RowsError(
            f"there are events without a weight in {pluralize(counts['unknown'], 'row')} of {FRAME_NAME}; name them in "
            "the recipe's events, or set its unknown_events to 'ignore' or to a weight."
        )
    return counts


def _unknown_event_sql(recipe: Recipe) -> str:
    names = ", ".join("'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'" for name in recipe.events)
    return f"event NOT IN ({names})"


def _apply_times(
    rows: Any, roles: Mapping[str, str], types: Mapping[str, str], recipe: FittedRecipe, counts: Mapping[str, Any]
) -> tuple[Any, FittedRecipe, dict[str, int], list[str]]:
    """Convert times to seconds, drop events to ignore, and fit the recipe to the newest time."""
    skipped, notes = {}, []
    if n_unknown := counts.get("unknown"):
        skipped["left out by events"] = n_unknown
        notes.append(f"{pluralize(n_unknown, 'row')} of events without a weight were left out.")
        rows = rows.where(f"NOT ({_unknown_event_sql(recipe)})")
    if "value" not in roles and not recipe.events:
        notes.append(f"{FRAME_NAME} has no column of values; each row counts as 1.")
    if "time" in roles:
        is_date = types[roles["time"]].split("(")[0] in _DATE_TYPES
        smallest_in_unit, per_second = (0, 1) if is_date else timestamp_unit(counts["last"])
        if per_second > 1 and counts["first"] < smallest_in_unit:
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


def _frame_duplicate_rule(rows: Any, recipe: Recipe, column: str | None) -> Any:
    """Choose the rule for duplicates as `al.read` does, from some distinct values."""
    if recipe.events:
        return "sum"
    sample = [0.0]  # also for a frame without rows
    if column and value_kind(column) == "unknown":
        sample = [row[0] for row in rows.selectExpr("value").distinct().limit(_MAX_DISTINCT_VALUES).collect()] or sample
    return default_duplicate_rule(np.array(sample, np.float32), column)

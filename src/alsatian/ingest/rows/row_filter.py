"""The `where` of `alsatian.read`: an SQL condition over the columns of a source, whose cells may be text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from alsatian.errors import ParameterError, did_you_mean, join_names
from alsatian.ingest.rows.casts import INTEGER_PATTERN, Check
from alsatian.ingest.sources.source import Source, quote_identifier

WHERE_REASON = "left out by where"
_FILTER_PREFIX = "left out"
_CANDIDATE_TYPES = ("BIGINT", "DOUBLE", "TIMESTAMP")


def is_filtered_out(reason: str) -> bool:
    """Return whether rows with this reason were left out on request, although they are valid."""
    return reason.startswith(_FILTER_PREFIX)


def apply_where(source: Source, where: str) -> tuple[Callable[[Sequence[str]], str], Check, Check]:
    """Return a function that selects the rows of files, and two checks: one before all others, and one after them.

    The first check leaves out rows for which the condition is false. If the condition is unknown for a row, the row may
    be bad ("abc" > 0 is unknown). Such a row counts as left out only if it passes all other checks.
    Raises ParameterError if DuckDB cannot evaluate the condition.
    """
    import duckdb

    condition = f"TRY(({where}\n)::BOOLEAN)"
    first_error: duckdb.Error | None = None
    for select in _candidate_selects(source, where):
        try:
            source.con.execute(f"SELECT 1 FROM {select(source.files)} WHERE {condition} LIMIT 0").fetchall()
        except duckdb.Error as error:
            first_error = first_error or error
            continue
        return (
            select,
            Check(WHERE_REASON, "where", f"NOT {condition}"),
            Check(WHERE_REASON, "where", f"{condition} IS NULL"),
        )
    raise where_error(where, first_error, list(source.columns), source.name)


def where_error(where: str, error: object, columns: Sequence[str], source_name: str) -> ParameterError:
    """Return the error for a condition over a source's columns that DuckDB rejected."""
    excerpt = where if len(where) <= 300 else where[:300] + "..."
    if match := re.search(r'Referenced column "(.+?)" not found', str(error)):
        hint = f"its columns are {join_names(columns)}.{did_you_mean(match[1], list(columns))}"
        return ParameterError(f"where={excerpt!r} uses {match[1]!r}, which is not a column of {source_name}; {hint}")
    reason = str(error).split("\n\n")[0].replace("\n", " ").split(": ", 1)[-1].rstrip(".! ")
    return ParameterError(f"where={excerpt!r} is not a valid DuckDB expression: {reason}.")


def _candidate_selects(source: Source, where: str) -> Iterator[Callable[[Sequence[str]], str]]:
    """Yield functions that select the rows of files. For text sources they type the columns of the condition.

    At first a column gets a type only if all its cells have it. If the condition cannot be applied to these types
    ("Quantity > 0" where one quantity is "x"), half of the cells are enough.
    """
    if not source.is_text:
        yield source.select
        return
    shares = _type_shares(source, [name for name in source.columns if name.lower() in where.lower()])
    for min_share in (1.0, 0.5):
        casts = "".join(
            f", {_cast_column(source, name, type_shares, min_share)}" for name, type_shares in shares.items()
        )

        def select(files: Sequence[str], casts: str = casts) -> str:
            return f"(SELECT *{casts} FROM {source.select(files)})"

        yield select


def _type_shares(source: Source, names: list[str]) -> dict[str, dict[str, float]]:
    """Return, for each column, the share of its cells that has each type. Cells with leading zeros are text."""
    tests = []
    for name in names:
        cell = source.columns[name].sql
        as_bigint, is_double = f"TRY_CAST({cell} AS BIGINT)", f"TRY_CAST({cell} AS DOUBLE) IS NOT NULL"
        # Patterns and casts to times are slow, so the first cases avoid them for most cells.
        conditions = (
            f"CASE WHEN {as_bigint}::VARCHAR = {cell} THEN 1 "
            f"WHEN regexp_full_match({cell}, '{INTEGER_PATTERN.pattern}') AND {as_bigint} IS NOT NULL THEN 1 "
            "ELSE 0 END",
            f"CASE WHEN {cell} >= '1' AND {cell} < ':' AND {is_double} THEN 1 "
            f"WHEN {is_double} AND NOT regexp_matches({cell}, '^\\s*-?0[0-9]') THEN 1 ELSE 0 END",
            f"CASE WHEN isfinite(TRY_CAST({cell} AS DOUBLE)) THEN 0 "
            f"WHEN TRY_CAST({cell} AS TIMESTAMP) IS NOT NULL THEN 1 ELSE 0 END",
        )
        tests += [f"avg({test}) FILTER ({cell} IS NOT NULL)" for test in conditions]
    if not tests:
        return {}
    (averages,) = source.con.execute(f"SELECT {', '.join(tests)} FROM {source.relation}").fetchall()
    return {
        name: dict(zip(_CANDIDATE_TYPES, averages[3 * index : 3 * index + 3], strict=True))
        for index, name in enumerate(names)
    }


def _cast_column(source: Source, name: str, shares: dict[str, float], min_share: float) -> str:
    """Return the SQL that casts a column to the first type that enough of its cells have."""
    type_name = next((type_name for type_name, share in shares.items() if (share or 0) >= min_share), "VARCHAR")
    return f"TRY_CAST({source.columns[name].sql} AS {type_name}) AS {quote_identifier(name)}"

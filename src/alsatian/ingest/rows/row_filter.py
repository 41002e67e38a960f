"""The `where` of a reading: an SQL condition over the source's columns, whose cells may still be text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from alsatian.data.item_filters import complaint, identifier
from alsatian.ingest.rows.casts import INTEGER, Check
from alsatian.ingest.sources.source import Source

LEFT_OUT = "left out by where"
_CHOSEN = "left out"
_TYPES = ("BIGINT", "DOUBLE", "TIMESTAMP")


def chosen(reason: str) -> bool:
    """Tell whether rows are left out because the caller wants it so: nothing is wrong with them."""
    return reason.startswith(_CHOSEN)


def apply_where(source: Source, where: str) -> tuple[Callable[[Sequence[str]], str], Check, Check]:
    """Return what to select from, and two checks: the first comes before all others, the second after them.

    A row for which the condition is false is left out at once. One for which it is unknown may be bad
    ("abc" > 0 is unknown); only if nothing is wrong with it does it count as left out.
    Raises ParameterError where DuckDB cannot evaluate the condition.
    """
    import duckdb

    condition = f"TRY(({where}\n)::BOOLEAN)"
    problem: duckdb.Error | None = None
    for select in _selections(source, where):
        try:
            source.con.execute(f"SELECT 1 FROM {select(source.files)} WHERE {condition} LIMIT 0").fetchall()
        except duckdb.Error as error:
            problem = problem or error
            continue
        return (
            select,
            Check(LEFT_OUT, "where", f"NOT {condition}"),
            Check(LEFT_OUT, "where", f"{condition} IS NULL"),
        )
    raise complaint(where, problem, list(source.columns), source.name)


def _selections(source: Source, where: str) -> Iterator[Callable[[Sequence[str]], str]]:
    """Give what to select from: where cells are text, with the columns of the condition typed.

    At first a column is of a type if all its cells are; only if the condition cannot be applied to these
    types ("Quantity > 0" where one quantity is "x") is it enough that most are.
    """
    if not source.written:
        yield source.select
        return
    shares = _shares(source, [name for name in source.columns if name.lower() in where.lower()])
    for least in (1.0, 0.5):
        typed = "".join(f", {_cast(source, name, found, least)}" for name, found in shares.items())

        def select(files: Sequence[str], typed: str = typed) -> str:
            return f"(SELECT *{typed} FROM {source.select(files)})"

        yield select


def _shares(source: Source, names: list[str]) -> dict[str, dict[str, float]]:
    """Return, for each column, which share of its cells is of each type; leading zeros make text."""
    tests = []
    for name in names:
        cell = source.columns[name].sql
        whole, number = f"TRY_CAST({cell} AS BIGINT)", f"TRY_CAST({cell} AS DOUBLE) IS NOT NULL"
        # Patterns and casts to times are slow, so most cells are spared them.
        found = (
            f"CASE WHEN {whole}::VARCHAR = {cell} THEN 1 WHEN regexp_full_match({cell}, '{INTEGER.pattern}') "
            f"AND {whole} IS NOT NULL THEN 1 ELSE 0 END",
            f"CASE WHEN {cell} >= '1' AND {cell} < ':' AND {number} THEN 1 "
            f"WHEN {number} AND NOT regexp_matches({cell}, '^\\s*-?0[0-9]') THEN 1 ELSE 0 END",
            f"CASE WHEN isfinite(TRY_CAST({cell} AS DOUBLE)) THEN 0 "
            f"WHEN TRY_CAST({cell} AS TIMESTAMP) IS NOT NULL THEN 1 ELSE 0 END",
        )
        tests += [f"avg({test}) FILTER ({cell} IS NOT NULL)" for test in found]
    if not tests:
        return {}
    (answers,) = source.con.execute(f"SELECT {', '.join(tests)} FROM {source.relation}").fetchall()
    return {
        name: dict(zip(_TYPES, answers[3 * place : 3 * place + 3], strict=True)) for place, name in enumerate(names)
    }


def _cast(source: Source, name: str, shares: dict[str, float], least: float) -> str:
    """Return the SQL of a column, under its own name, as the first type that enough of its cells are of."""
    kind = next((kind for kind, share in shares.items() if (share or 0) >= least), "VARCHAR")
    return f"TRY_CAST({source.columns[name].sql} AS {kind}) AS {identifier(name)}"

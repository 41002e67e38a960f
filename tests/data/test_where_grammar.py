"""The `where` of catalogs means what SQL means, and accepts nothing else."""

from __future__ import annotations

from contextlib import suppress

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alsatian.data.catalog import Catalog
from alsatian.data.id_map import IdMap
from alsatian.data.where_grammar import LIBRARY_LIMITS, REQUEST_LIMITS, Limits
from alsatian.errors import ParameterError

TITLES = ["Up", "Heat", None, "Iron Man", "O'Brien 100%", "up_", "Ärger"]
CATALOG = Catalog.from_columns(
    IdMap.from_ids(range(7), "item"),
    range(7),
    {
        "title": TITLES,
        "year": [2009, 1995, 2000, None, 2010, 1995, -5],
        "score": [1.5, None, 2.0, -3.25, 0.0, 1e9, 2.5],
        "new": [True, False, None, True, False, None, True],
        "odd name": ["a|b", "b", "a", None, "", "b|c", "c"],
    },
)
_SQL_TYPES = {"text": "VARCHAR", "int64": "BIGINT", "float64": "DOUBLE", "bool": "BOOLEAN"}


def evaluate_by_duckdb(catalog: Catalog, where: str) -> list[bool]:
    """Return, per item, whether DuckDB finds an expression true."""
    columns = catalog.columns
    with duckdb.connect() as connection:
        definitions = ", ".join(f'"{name}" {_SQL_TYPES[column.type]}' for name, column in columns.items())
        connection.execute(f"CREATE TABLE items ({definitions})")
        rows = list(zip(*(column.tolist() for column in columns.values()), strict=True))
        connection.executemany(f"INSERT INTO items VALUES ({', '.join('?' * len(columns))})", rows)
        return [bool(match) for (match,) in connection.execute(f"SELECT {where} FROM items").fetchall()]


def evaluate(catalog: Catalog, where: str, limits: Limits = LIBRARY_LIMITS) -> list[bool]:
    return catalog.match_where(where, limits).tolist()


@pytest.mark.parametrize(
    "where",
    [
        "year >= 1995", "year <> 1995", "year != 1995", "YEAR = 1995", "year == 1995", "year > -5", "year < 1999.5",
        "year between 1995 and 2000", "year not between 1995 and 2000", "year in (1995, 2010)", "year not in (1995)",
        "year is null", "year is not null", "not year = 1995", "not (year = 1995 or new = true)",
        "year = 1995 or year = 2009 and new = false", "(year = 1995 or year = 2009) and new = true",
        "title = 'Up'", "title > 'H'", "title in ('Up', 'Heat')", "title like 'Iron%'", "title like '%a%'",
        "title like 'up_'", "title ilike 'UP'", "title not like 'U_'", "title = 'O''Brien 100%'", "title like '%'",
        "score = 1.5", "score >= 2", "score < 1e3", "new = true", "new <> true", "\"odd name\" like '%b%'",
        "not not year = 1995", "year is null or title is null", "new", "not new", "new and year > 1995", "true",
        "not (false)", "title < 'a' and not score > 0",
    ],
)  # fmt: skip
def test_means_what_duckdb_means(where: str) -> None:
    assert evaluate(CATALOG, where) == evaluate_by_duckdb(CATALOG, where)


@pytest.mark.parametrize(
    ("where", "sql"),
    [
        ("\"odd name\" has 'b'", "list_contains(string_split(\"odd name\", '|'), 'b')"),
        ("\"odd name\" not has 'b'", "NOT list_contains(string_split(\"odd name\", '|'), 'b')"),
        ("\"odd name\" has ''", "list_contains(string_split(\"odd name\", '|'), '')"),
        ("\"odd name\" has 'a|b'", "list_contains(string_split(\"odd name\", '|'), 'a|b')"),
    ],
)
def test_has_looks_into_lists(where: str, sql: str) -> None:
    assert evaluate(CATALOG, where) == evaluate_by_duckdb(CATALOG, sql)


_TESTS = st.sampled_from(
    [
        "year > 1995",
        "year is null",
        "title like '%a%'",
        "new = true",
        "score <= 2",
        "title in ('Up')",
        "not year = 2009",
    ]
)
_CONDITIONS = st.recursive(
    _TESTS, lambda inner: st.tuples(inner, st.sampled_from([" and ", " or "]), inner).map(lambda t: f"({''.join(t)})")
)


@given(_CONDITIONS)
def test_any_combination_means_the_same(where: str) -> None:
    if where.count("(") <= 15:
        assert evaluate(CATALOG, where) == evaluate_by_duckdb(CATALOG, where)


@pytest.mark.parametrize(
    "where",
    [
        "", "year", "1 = 1", "year = year", "year = 'x'", "title = 5", "new = 1", "year >", "(year = 1", "year = 1)",
        "year = 1; drop table items", "year = (select 1)", "exists (select 1)", "read_csv('/etc/passwd') is null",
        "getenv('HOME') = 'x'", "year + 1 > 2", "title || 'x' = 'y'", "year = 1 -- comment", "year in ()",
        "year in (1, 'x')", "year like 'x'", "yaer = 1", "title glob '*'", "year = 1 and", "not", "year = 1e999",
        "year = 99999999999999999999", "\"\" = 1", "items.year = 1", "year::text = '1'", "title ~ 'x'", "\x00",
        "year = 1" + " or year = 1" * 300, "(" * 50 + "year = 1" + ")" * 50, "not " * 50 + "year = 1",
    ],
)  # fmt: skip
def test_nothing_else_can_be_said(where: str) -> None:
    with pytest.raises(ParameterError) as raised:
        evaluate(CATALOG, where, REQUEST_LIMITS)
    assert "\n" not in str(raised.value)


@given(st.text(max_size=80))
def test_any_text_is_a_condition_or_an_error(where: str) -> None:
    with suppress(ParameterError):
        assert CATALOG.match_where(where, REQUEST_LIMITS).dtype == np.bool_


@settings(max_examples=40)
@given(st.text("ab\n_%", max_size=8), st.lists(st.text("ab\n_%", max_size=8), min_size=1, max_size=9))
def test_any_pattern_means_what_duckdb_means(pattern: str, texts: list[str]) -> None:
    catalog = Catalog.from_columns(IdMap.from_ids(range(len(texts)), "item"), range(len(texts)), {"title": texts})
    where = f"title like '{pattern}'"
    assert evaluate(catalog, where) == evaluate_by_duckdb(catalog, where)


def test_a_hard_pattern_takes_no_time() -> None:
    texts = [f"{number}{'a' * 2_000}" for number in range(2_000)]
    catalog = Catalog.from_columns(IdMap.from_ids(range(2_000), "item"), range(2_000), {"title": texts})
    assert not any(evaluate(catalog, f"title like '{'%a' * 400}b'", REQUEST_LIMITS))


def test_the_limits_of_requests_do_not_bind_the_library() -> None:
    where = "year in (" + ", ".join(map(str, range(1000, 3000))) + ")"
    assert sum(evaluate(CATALOG, where)) == 5
    with pytest.raises(ParameterError, match=r"too long; use at most 2,000 characters"):
        evaluate(CATALOG, where, REQUEST_LIMITS)


def test_dates_compare_in_iso_form() -> None:
    dates = ["1995-12-15", "2008-04-30", None]
    catalog = Catalog.from_columns(IdMap.from_ids(range(3), "item"), range(3), {"released": dates})
    assert evaluate(catalog, "released >= '2000-01-01'") == [False, True, False]


def test_without_a_catalog() -> None:
    with pytest.raises(ParameterError, match="requires a catalog"):
        Catalog().match_where("year = 1")

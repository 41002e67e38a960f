"""The answer to a query arrives in batches, and is gathered into columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import duckdb
import numpy as np
import pytest

from alsatian.ingest.rows.column_buffers import NumberBuffer, TextBuffer, TitleCounter
from alsatian.ingest.sources.arrow_stream import read_batches
from alsatian.ingest.sources.source import connect


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect() as con:
        yield con


def test_all_rows_come_in_their_order(con: duckdb.DuckDBPyConnection) -> None:
    columns: list[Any] = [
        NumberBuffer(np.int64, narrow=True),
        NumberBuffer(np.int64),
        NumberBuffer(np.float32),
        TextBuffer(),
        NumberBuffer(np.bool_),
    ]
    query = (
        "SELECT range::INTEGER, range, range::FLOAT / 2, 'é' || range % 7, (range % 2)::UTINYINT FROM range(500000) "
        "ORDER BY range"
    )
    with closing(read_batches(con, query)) as stream:
        sizes = []
        for parts in stream:
            sizes.append(len(parts[0]))
            for column, part in zip(columns, parts, strict=True):
                column.add(part, None)
    assert sum(sizes) == 500_000
    assert len(sizes) > 1
    rows, arrays = np.arange(500_000), [column.take() for column in columns]
    for column, expected in zip(arrays, [rows, rows, rows / 2, rows % 7, rows % 2], strict=True):
        assert np.array_equal(column, expected)
    assert [column.dtype for column in arrays] == [np.int32, np.int64, np.float32, np.int32, np.bool_]
    assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_rows_can_be_left_out(con: duckdb.DuckDBPyConnection) -> None:
    columns: list[Any] = [TextBuffer(), TitleCounter(), NumberBuffer(np.int64, narrow=True)]
    query = """SELECT text, text, number::BIGINT, (number IS NOT NULL AND text IS NOT NULL)::UTINYINT
        FROM (VALUES ('b', 1), (NULL, 2), ('a', NULL), ('a', 3), ('b', 4)) AS t(text, number)"""
    with closing(read_batches(con, query)) as stream:
        for *parts, kept in stream:
            for column, part in zip(columns, parts, strict=True):
                column.add(part, kept.astype(bool))
    assert [column.take().tolist() for column in columns] == [[0, 1, 0], [2, 1], [1, 3, 4]]


def test_an_answer_without_rows(con: duckdb.DuckDBPyConnection) -> None:
    assert list(read_batches(con, "SELECT 1 WHERE false")) == []


def test_a_stream_that_is_left_early_leaves_the_connection_free(con: duckdb.DuckDBPyConnection) -> None:
    with closing(read_batches(con, "SELECT range FROM range(100000000)")) as stream:
        next(stream)
    assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_an_error_on_the_way_is_one_of_duckdb(con: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT CASE WHEN range = 900000 THEN error('boom')::BIGINT ELSE range END FROM range(1000000)"
    with pytest.raises(duckdb.Error, match="boom"):
        for _ in read_batches(con, query):
            pass
    assert con.execute("SELECT 1").fetchall() == [(1,)]


def test_integers_become_wide_when_one_does_not_fit() -> None:
    column = NumberBuffer(np.int64, narrow=True)
    column.add(np.array([1, -(2**31)]), None)
    column.add(np.array([2**31]), None)
    column.add(np.array([5]), np.array([True]))
    assert column.take().tolist() == [1, -(2**31), 2**31, 5]

"""Reading frames and databases: pandas, polars, pyarrow, DuckDB, SQLite, SQLAlchemy."""

from __future__ import annotations

import builtins
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from alsatian.errors import ColumnError, DataError, DependencyError, ParameterError, RowsError, SourceError
from alsatian.ingest import read
from alsatian.ingest.sources.sql import open_query

COLUMNS: dict[str, list[Any]] = {"user": ["bo", "al", "bo"], "item": [7, 9, 9], "rating": [1.0, 2.5, 4.0]}


def test_pandas() -> None:
    pd = pytest.importorskip("pandas")
    data = read(pd.DataFrame(COLUMNS))
    assert data.user_ids.tolist() == ["al", "bo"]
    assert data.item_ids.tolist() == [7, 9]
    assert data.values.tolist() == [2.5, 1.0, 4.0]


def test_pandas_column_of_objects_categories_and_missing_values() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "user": pd.Categorical(["x", "y", "x"]),
            "item": pd.Series([1, None, 3], dtype="Int64"),
            "rating": [True, False, True],
            "time": pd.to_datetime(["2020-01-01", None, "2020-01-02"]).tz_localize("Europe/Berlin"),
        }
    )
    with pytest.raises(RowsError, match="it is row 2: no item, column 'item' is empty"):
        read(frame)
    data = read(frame, bad_rows="skip")
    assert data.item_ids.tolist() == [1, 3]
    assert data.times is not None
    assert data.times.tolist() == [1577833200, 1577919600]  # UTC


def test_pandas_ids_of_mixed_types_are_text() -> None:
    pd = pytest.importorskip("pandas")
    users = [*range(3000), "x"]
    assert read(pd.DataFrame({"user": users, "item": 1})).user_ids.kind == "text"


def test_a_pandas_frame_without_names_is_read_by_places() -> None:
    pd = pytest.importorskip("pandas")
    data = read(pd.DataFrame([[1, 2, 3.0], [2, 3, 4.0]]))
    assert data.recipe.columns == {"user": "0", "item": "1", "value": "2"}


def test_polars_needs_no_other_library() -> None:
    pytest.importorskip("polars")
    code = (
        "import sys, polars, alsatian.ingest as i; frame = polars.DataFrame({'user': ['a'], 'item': [1]}); "
        "print(len(i.read(frame, items=frame)), 'pyarrow' in sys.modules, 'pandas' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["1", "False", "False"]


def test_polars() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({**COLUMNS, "date": ["2020-01-01", "2020-01-02", "2020-01-03"]}).with_columns(
        pl.col("date").str.to_datetime(time_unit="ns")
    )
    data = read(frame)
    assert data.user_ids.tolist() == ["al", "bo"]
    assert data.times is not None
    assert data.times.tolist() == [1577923200, 1577836800, 1578009600]
    with pytest.raises(SourceError, match="or a frame, not LazyFrame; convert it to a frame"):
        read(frame.lazy())


def test_a_frame_names_the_first_bad_row() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"user": ["a", "b", None], "item": [1, 2, 3], "rating": [1.0, float("nan"), None]})
    with pytest.raises(RowsError) as raised:
        read(frame)
    assert "2 of 3 rows of the frame cannot be used (no user: 1 row, value is not finite: 1 row)" in str(raised.value)
    assert "first row 2: value is not finite, column 'rating' holds 'nan'" in str(raised.value)


def test_arrow_table_and_a_stream_that_flows_once() -> None:
    pa = pytest.importorskip("pyarrow")
    table = pa.table({**COLUMNS, "item": pa.array(["x", "y", "y"]).dictionary_encode()})
    assert read(table).item_ids.tolist() == ["x", "y"]
    stream = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    assert read(stream).values.tolist() == [2.5, 1.0, 4.0]


def test_types_that_cannot_be_ids() -> None:
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(ColumnError, match=r"the user column holds BIGINT\[\] values; ids are integers or text"):
        read(pa.table({"user": [[1], [2]], "item": ["a", "b"]}))
    with pytest.raises(
        RowsError, match="row 2: user does not fit in 64 bits, column 'user' holds '18446744073709551615'"
    ):
        read(pa.table({"user": pa.array([1, 2**64 - 1], pa.uint64()), "item": ["a", "b"]}))


def test_a_duckdb_relation() -> None:
    with duckdb.connect() as con:
        relation = con.sql("SELECT * FROM (VALUES (30, 'cars', 2.5), (4, 'up', 4)) rows(user_id, sku, stars)")
        data = read(relation)
    assert data.user_ids.tolist() == [4, 30]
    assert data.values.tolist() == [4.0, 2.5]


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ([1_500_000_000, 1_600_000_000], [1_500_000_000, 1_600_000_000]),
        ([1_500_000_000_999, 1_600_000_000_000], [1_500_000_000, 1_600_000_000]),
        ([1_500_000_000_999_999, 1], [1_500_000_000, 0]),
        ([1_500_000_000_999_999_999, 0], [1_500_000_000, 0]),
        ([1_500_000_000.9, -1.5], [1_500_000_000, -2]),
        ([date(2017, 7, 14), date(1970, 1, 2)], [1_499_990_400, 86_400]),
        (["2017-07-14", "2017-07-14T02:40:00.5Z"], [1_499_990_400, 1_500_000_000]),
        (["2017-07-14 04:40:00+02:00", "1500000000"], [1_500_000_000, 1_500_000_000]),
        (
            [datetime(2017, 7, 14, 2, 40), datetime(1969, 12, 31, 23, 59, 59)],
            [1_500_000_000, -1],
        ),
    ],
)
def test_times(times: list[Any], seconds: list[int]) -> None:
    pl = pytest.importorskip("polars")
    data = read(pl.DataFrame({"user": [1, 2], "item": [1, 1], "time": times}))
    assert data.times is not None
    assert data.times.tolist() == seconds


def test_times_of_long_ago_are_noted() -> None:
    pl = pytest.importorskip("polars")
    data = read(pl.DataFrame({"user": [1, 2], "item": [1, 1], "time": [20200101, 20200102]}))
    assert "all times of column 'time' lie before 1990; check their unit." in data.report.notes


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE sales (customer INTEGER, sku TEXT, quantity REAL, at TEXT)")
        rows = [(4, "up", 1, "2020-01-01 10:00"), (4, "cars", 2.5, "2020-01-02"), (None, "up", 1, None)]
        database.executemany("INSERT INTO sales VALUES (?, ?, ?, ?)", rows)
        database.commit()
    return path


def test_sqlite(shop: Path) -> None:
    url = f"sqlite:///{shop}"
    data = read(url, query="SELECT customer, sku, quantity, at AS time FROM sales WHERE customer IS NOT NULL")
    assert data.user_ids.tolist() == [4]
    assert data.item_ids.tolist() == ["cars", "up"]
    assert data.recipe.duplicates == "sum"
    assert data.times is not None
    assert data.times.tolist() == [1577923200, 1577872800]
    with pytest.raises(RowsError, match="it is row 3: no user, column 'customer' is empty"):
        read(url, query="SELECT customer, sku FROM sales")


def test_queries_that_fail(shop: Path) -> None:
    url = f"sqlite:///{shop}"
    for query, words in [
        ("SELECT x FROM sales", "SQLite rejected the query 'SELECT x FROM sales': no such column: x"),
        ("DELETE FROM sales", "readonly"),
        ("SELECT customer FROM sales WHERE 0", r"the query has columns \('customer'\) but no rows"),
        ("SELECT customer, customer FROM sales", "two columns of one name .*; rename one with AS"),
    ]:
        with pytest.raises(DataError, match=words):
            read(url, query=query)
    with pytest.raises(ParameterError, match="a database requires query="):
        read(url)
    with pytest.raises(SourceError, match=r"there is no database .*shp.db'. Did you mean 'shop.db'"):
        read(url.replace("shop", "shp"), query="SELECT 1")


@pytest.mark.parametrize("arguments", [{}, {"query": "SELECT 1"}])
@pytest.mark.parametrize("url", ["https://x.org/r.csv", "s3://bucket/r.parquet"])
def test_what_lies_elsewhere_is_not_fetched(tmp_path: Path, url: str, arguments: dict[str, str]) -> None:
    words = f"reading from '{url}' is not supported; download it, and pass the path of the file"
    with pytest.raises(SourceError, match=words):
        read(url, **arguments)  # type: ignore[arg-type]
    (tmp_path / "r.csv").write_text("user,item\n1,2\n")
    with pytest.raises(SourceError, match=words):
        read(tmp_path / "r.csv", items=url)


def test_sqlalchemy(shop: Path) -> None:
    pytest.importorskip("sqlalchemy")
    url = f"sqlite+pysqlite:///{shop}"  # any URL but sqlite: itself goes through SQLAlchemy
    data = read(url, query="SELECT customer, sku FROM sales WHERE quantity > 1")
    assert data.item_ids.tolist() == ["cars"]
    with pytest.raises(SourceError, match=r"the database rejected the query 'SELECT x': .*no such column: x"):
        read(url, query="SELECT x")


def test_a_missing_sqlalchemy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "sqlalchemy":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with duckdb.connect() as con, pytest.raises(DependencyError, match=r"pip install 'alsatian\[sql\]'"):
        open_query(con, "postgresql://localhost/shop", "SELECT 1")


def test_a_duckdb_relation_in_any_order_runs_once() -> None:
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute("CREATE TABLE ev AS SELECT range % 2_000 AS u, range % 1_999 AS i FROM range(500_000)")
        for last in ("uuid()::VARCHAR", "random()"):
            data = read(con.sql(f"SELECT u AS user, i AS item, 1 AS clicks, {last} AS title FROM ev"))
            assert data.report.read == 500_000
        data = read(con.sql("SELECT u AS user, i AS item, (u * 10_000 + i) % 1_000_003 AS clicks FROM ev GROUP BY ALL"))
        users, items = (ids.values[rows] for ids, rows in ((data.user_ids, data.users), (data.item_ids, data.items)))
        assert ((users * 10_000 + items) % 1_000_003 == data.values).all()
        assert read(con.sql("SELECT u AS user, i AS item, 1 AS clicks FROM ev USING SAMPLE 10%")).report.read > 0
        assert read(con.sql("SELECT uuid()::VARCHAR AS user, i AS item FROM ev LIMIT 9")).report.read == 9


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_dates_are_seconds_whatever_their_size(library: str) -> None:
    pl = pytest.importorskip(library)
    late = ["2001-09-09", "9999-12-31"]
    frame = pl.DataFrame({"user": [1, 2], "item": [1, 1], "time": late})
    frames = [frame]
    if library == "pandas":
        frames.append(frame.assign(time=frame["time"].astype("datetime64[s]")))
    for each in frames:
        data = read(each)
        assert data.times is not None
        assert data.times.tolist() == [999_993_600, 253_402_214_400]
        assert not any("units" in note for note in data.report.notes)


def test_dates_among_milliseconds_stay_as_they_are() -> None:
    pl = pytest.importorskip("polars")
    times = ["9999-12-31", "1500000000999", "2017-07-14"]
    data = read(pl.DataFrame({"user": [1, 2, 3], "item": [1, 1, 1], "time": times}))
    assert data.times is not None
    assert data.times.tolist() == [253_402_214_400, 1_500_000_000, 1_499_990_400]


def test_numbers_of_several_units_are_refused() -> None:
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"user": [1, 2, 3], "item": [1, 1, 1], "time": [0, 1_000_000_000, 1_000_000_000_000]})
    with pytest.raises(ColumnError, match="'time' holds times of several units, such as 1000000000 and 1000000000000;"):
        read(frame)
    assert read(frame, time="").times is None


def test_a_database_without_its_dialect() -> None:
    pytest.importorskip("sqlalchemy")
    with pytest.raises(DependencyError, match=r"no dialect 'nosuch'; .* pip install sqlalchemy-nosuch\."):
        read("nosuch:///x", query="SELECT 1")

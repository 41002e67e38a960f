"""What cannot be fitted is refused in one line, before the fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import alsatian as al
from alsatian.data.interactions import Interactions
from alsatian.errors import AlsatianError, ColumnError, DataError, DependencyError, ParameterError, RowsError
from support.spark_session import as_frame

pytestmark = [pytest.mark.spark, pytest.mark.xdist_group("spark")]
SMALL = {"factors": 1, "epochs": 1}
BAD = {
    "nulls": ("VALUES (1, 2, 3.0), (NULL, 2, 3.0), (1, NULL, NULL)", RowsError,
              "3 rows, and of these 1 without a user, 1 without an item, 1 without a value; remove them first"),
    "blank ids": ("VALUES ('a', 2, 3.0), (' ', 2, 3.0)", RowsError, "1 without a user"),
    "not finite": ("VALUES (1, 2, double('nan')), (1, 3, double('inf'))", RowsError,
                   "2 with a value that is not finite"),
    "no rows": ("VALUES (1, 2, 3.0) LIMIT 0", DataError, "has columns .* but no rows"),
    "fractions as ids": ("VALUES (1.5D, 2, 3.0)", ColumnError, "'user' holds double values; ids are int"),
    "ids of mixed type": ("VALUES (parse_json('1'), 2, 3.0), (parse_json('\"a\"'), 2, 3.0)", ColumnError,
                          "the user column 'user' holds variant values; ids are integers or text: cast it"),
    "no time": ("(SELECT 1 AS user, 2 AS item, 3.0 AS rating, double('nan') AS time)", RowsError, "1 without a time"),
    "text as values": ("VALUES (1, 2, 'good')", ColumnError, "the value column 'rating' holds string values"),
    "repeated without times": ("VALUES (1, 2, 3.0), (1, 2, 4.0), (2, 1, 4.0)", RowsError,
                               "1 row of the frame repeats a pair of user and item. duplicates='last' needs times, "
                               "because rows of Spark have no order; pass time="),
    "too many factors": ("VALUES (1, 2, 3.0), (1, 3, 4.0)", ParameterError, "factors=2 is more than the data allows"),
}  # fmt: skip


def frame(spark: Any, sql: str) -> Any:
    return spark.sql(
        f"SELECT * FROM {sql.split(' LIMIT')[0]} AS t{'' if 'AS' in sql else '(user, item, rating)'} "
        + ("LIMIT 0" if "LIMIT" in sql else "")
    )


@pytest.mark.parametrize("case", BAD)
def test_bad_frames(case: str, spark: Any) -> None:
    sql, kind, words = BAD[case]
    with pytest.raises(kind, match=words) as caught:
        al.spark.fit(al.ExplicitALS(factors=2 if "factors" in case else 1, epochs=1), frame(spark, sql), blocks=1)
    assert "\n" not in str(caught.value)


def test_what_is_no_frame_of_spark(some_ratings: Interactions) -> None:
    with pytest.raises(ParameterError, match=r"takes a Spark DataFrame, not a Interactions; pass spark.read.parquet"):
        al.spark.fit(al.ExplicitALS(), some_ratings)


def test_other_models_and_rules(spark: Any, some_ratings: Interactions) -> None:
    data = as_frame(spark, some_ratings)
    with pytest.raises(ParameterError, match="Spark fits explicit-als and implicit-als, not item-knn; choose one"):
        al.spark.fit(al.ItemKNN(), data)  # type: ignore[type-var]
    with pytest.raises(ParameterError, match="a fit on Spark does not support min_per_user; apply it to the frame"):
        al.spark.fit(al.ExplicitALS(**SMALL), data, recipe=al.Recipe(min_per_user=5))
    with pytest.raises(ParameterError, match="method='sgd' is not valid; choose 'native' or 'mllib'"):
        al.spark.fit(al.ExplicitALS(**SMALL), data, method="sgd")  # type: ignore[arg-type]
    with pytest.raises(ColumnError, match="the frame has no column 'who' for user="):
        al.spark.fit(al.ExplicitALS(**SMALL), data, user="who")


def test_nothing_is_overwritten(spark: Any, some_ratings: Interactions, tmp_path: Path) -> None:
    foreign = tmp_path / "mine" / "deep"
    foreign.mkdir(parents=True)
    (foreign / "thesis.txt").write_text("mine")
    with pytest.raises(ParameterError, match="mine contains other files; choose an empty or a new folder"):
        al.spark.fit(al.ExplicitALS(**SMALL), as_frame(spark, some_ratings), folder=str(tmp_path / "mine"))
    assert [path.name for path in (tmp_path / "mine").rglob("*")] == ["deep", "thesis.txt"]


def test_what_mllib_cannot_do(spark: Any) -> None:
    weighted = spark.sql("SELECT 1 AS user, 2 AS item, 3.0 AS rating, 2.0 AS weight")
    explicit = al.ExplicitALS(**SMALL, biases=False, reg_exponent=1)
    with pytest.raises(ParameterError, match="method='mllib' fits explicit-als, not implicit-als"):
        al.spark.fit(al.ImplicitALS(**SMALL), weighted, method="mllib")
    with pytest.raises(ParameterError, match="method='mllib' does not support weights; pass weight=''"):
        al.spark.fit(explicit, weighted, weight="weight", method="mllib")
    with pytest.raises(ParameterError, match="method='mllib' reports no epochs; pass no callbacks"):
        al.spark.fit(explicit, weighted, method="mllib", callbacks=[print])


@pytest.mark.slow
def test_a_singular_row_is_named(spark: Any, some_ratings: Interactions) -> None:
    with pytest.raises(AlsatianError, match=r"^(item|user) \d+ with \d+ values? has no finite, unique solution"):
        al.spark.fit(al.ExplicitALS(factors=30, epochs=1, reg=0), as_frame(spark, some_ratings), blocks=2)


def test_executors_without_the_package(spark: Any, some_ratings: Interactions, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] == 'alsatian':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}')\n"
        "sys.meta_path.insert(0, Hidden())\n"
    )
    environment = spark.sparkContext.environment
    environment["PYTHONPATH"] = str(tmp_path)
    try:
        with pytest.raises(DependencyError, match=r"cannot import alsatian .*; install alsatian on every node"):
            al.spark.fit(al.ExplicitALS(**SMALL), as_frame(spark, some_ratings))
    finally:
        del environment["PYTHONPATH"]


def test_too_little_memory(spark: Any, some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    from alsatian.spark import memory

    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    with pytest.raises(ParameterError, match=r"needs about [\d,]+ bytes, and the driver has 1,000"):
        al.spark.fit(al.ExplicitALS(**SMALL), as_frame(spark, some_ratings), blocks=2)
    need = memory.MemoryNeed(driver_bytes=10, task_bytes=600 << 20)
    with pytest.raises(ParameterError, match=r"memory gives it 536,870,912; raise it, or pass more"):
        memory.check_memory(need, memory.parse_task_memory("2g", "4"), on_driver=False)

"""Factors that stay in Parquet answer as the model does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import alsatian as al
from alsatian.data.interactions import Interactions
from alsatian.errors import ModelFileError, ParameterError, UnknownItem, UnknownUser
from support.cases import arrays, plain_answers
from support.spark_session import as_frame

pytestmark = [pytest.mark.spark, pytest.mark.xdist_group("spark")]


@pytest.fixture(scope="module")
def factors(spark: Any, some_ratings: Interactions, tmp_path_factory: pytest.TempPathFactory) -> Any:
    films = spark.range(80).selectExpr("id AS item", "concat('Film ', id) AS title", "1990 + id % 10 AS year")
    folder = str(tmp_path_factory.mktemp("factors") / "films")
    model = al.ImplicitALS(factors=6, epochs=1)
    return al.spark.fit_factors(model, as_frame(spark, some_ratings), folder, items=films, blocks=4)


@pytest.fixture(scope="module")
def model(factors: Any) -> Any:
    return factors.model()


def lists(table: Any, query: str, answer: str) -> dict[Any, list[tuple[Any, float]]]:
    lists_by_query: dict[Any, list[tuple[Any, float]]] = {}
    for row in sorted(table.collect(), key=lambda row: (row[query], row["rank"])):
        lists_by_query.setdefault(row[query], []).append((row[answer], row["score"]))
    return lists_by_query


@pytest.mark.slow
def test_the_model_is_that_of_a_fit(model: Any, some_ratings: Interactions, spark: Any) -> None:
    fitted = al.spark.fit(al.ImplicitALS(factors=6, epochs=1), as_frame(spark, some_ratings), blocks=4)
    assert arrays(model) == arrays(fitted)
    assert model.data.digest == fitted.data.digest
    assert len(model.history) == 1


def test_everyone_gets_the_lists_of_the_model(factors: Any, model: Any) -> None:
    lists_by_query = lists(factors.recommend(n=5), "user", "item")
    expected = model.recommend(n=5)
    assert len(lists_by_query) == len(expected.queries)
    for place, user in enumerate(expected.queries):
        assert lists_by_query[user] == list(zip(expected[place].items, expected[place].scores.tolist(), strict=True))


def test_spark_connect_lists_the_same(factors: Any, model: Any, connect: Any) -> None:
    lists_by_query = lists(
        al.spark.FactorTables(connect, factors.folder.path).recommend(n=2, where="year < 1995"), "user", "item"
    )
    allowed = [item for item in range(80) if item % 10 < 5]
    assert [item for item, _ in lists_by_query[7]] == model.recommend(7, n=2, allow=allowed).items


def test_factors_that_are_whole_are_kept(factors: Any, model: Any, spark: Any, some_ratings: Interactions) -> None:
    with pytest.raises(ParameterError, match="already contains factors; choose another folder, or remove it"):
        al.spark.fit_factors(al.ImplicitALS(), as_frame(spark, some_ratings), factors.folder.path)
    assert arrays(factors.model()) == arrays(model)


def test_filters(factors: Any, model: Any) -> None:
    table = factors.recommend(n=4, where="year >= 1997", deny=[8, 18], exclude_seen=False)
    lists_by_query = lists(table, "user", "item")
    year = {item: 1990 + item % 10 for item in range(80)}
    allowed = [item for item in year if year[item] >= 1997 and item not in (8, 18)]
    expected = model.recommend(7, n=4, allow=allowed, exclude_seen=False)
    assert [item for item, _ in lists_by_query[7]] == expected.items
    with pytest.raises(ParameterError, match="'yeer' is not a column of the catalog"):
        factors.recommend(where="yeer > 3")
    with pytest.raises(UnknownItem, match="no item 'up'"):
        factors.recommend(allow=["up"])


def test_similar_items(factors: Any, model: Any) -> None:
    lists_by_query = lists(factors.similar(n=3), "item", "similar")
    expected = model.similar(list(range(80)), n=3)
    ids = [[item for item, _ in lists_by_query[item]] for item in range(80)]
    assert ids == [expected[item].items for item in range(80)]


def test_some_users_are_a_model_of_their_own(factors: Any, model: Any) -> None:
    some = factors.model(users=[100, 3, 57])
    assert some.data.user_ids.tolist() == [3, 57, 100]
    assert plain_answers(some.recommend([57, 3])) == plain_answers(model.recommend([57, 3]))
    assert some.data.catalog.titles[:2] == ["Film 0", "Film 1"]
    with pytest.raises(UnknownUser, match="no user 9999"):
        factors.model(users=[3, 9999])
    with pytest.raises(UnknownUser, match=r"no user '3' .* its user ids are bigint"):
        factors.model(users=["3"])


def test_factors_are_a_table(factors: Any, model: Any) -> None:
    row = factors.table("item").where("id = 5").collect()[0]
    np.testing.assert_allclose(row["factors"], model.item_factors[5], rtol=1e-6)
    assert row["bias"] is None
    with pytest.raises(ParameterError, match="'films' is not a side; choose 'user' or 'item'"):
        factors.table("films")


def test_an_ordinary_model_can_be_put_into_a_folder(spark: Any, model: Any, tmp_path: Path) -> None:
    put = al.spark.FactorTables.from_model(model, spark, str(tmp_path / "put"), blocks=3)
    expected = model.recommend([3], n=5)
    assert lists(put.recommend(n=5), "user", "item")[3] == list(
        zip(expected.items, expected.scores.tolist(), strict=True)
    )


def test_a_folder_without_factors(spark: Any, tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"contains no factors; create them: al\.spark\.fit_factors"):
        al.spark.FactorTables(spark, str(tmp_path))


def test_a_folder_with_the_names_of_version_1_opens(spark: Any, model: Any, tmp_path: Path) -> None:
    tables = al.spark.FactorTables.from_model(model, spark, str(tmp_path / "factors"))
    params = tables.header["params"]
    old = {"version": 1, "params": {"nu": params.pop("reg_exponent")} | params}
    tables.folder.write_text("header", json.dumps(tables.header | old))
    assert al.spark.FactorTables(spark, str(tmp_path / "factors")).template.params == model.params

"""alsatian spark: from Parquet to a model file, to factors, and to lists in Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import alsatian as al
from alsatian.data.interactions import Interactions
from cli.conftest import Cli
from support.spark_session import as_frame

pytestmark = [pytest.mark.spark, pytest.mark.xdist_group("spark")]


@pytest.fixture(scope="module")
def source(spark: Any, some_ratings: Interactions, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = str(tmp_path_factory.mktemp("source") / "ratings.parquet")
    as_frame(spark, some_ratings).write.parquet(path)
    return path


def test_a_model_file_and_lists_for_everyone(
    cli: Cli,
    source: str,
    spark: Any,
    some_ratings: Interactions,
    tmp_path: Path,
) -> None:
    model, lists = tmp_path / "films.model", tmp_path / "lists.parquet"
    answer = cli("spark", "train", source, "-o", model, "--set", "factors=4", "--set", "epochs=1", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["model"] == "explicit-als"
    assert answer.json["why"] == "because the values of column 'rating' look like ratings"
    fitted = al.load(model)
    assert fitted.data.digest == some_ratings.digest
    answer = cli("spark", "recommend", model, "-o", lists, "-n", 3, "--deny", 7)
    assert answer.code == 0, answer.err
    again = cli("spark", "recommend", model, "-o", lists)
    assert (again.code, again.err) == (
        2, f"alsatian: {lists} already contains files; choose another folder with -o, or remove it.\n"
    )  # fmt: skip
    rows = spark.read.parquet(str(lists)).where("user = 5").orderBy("rank").collect()
    assert [row["item"] for row in rows] == fitted.recommend(5, n=3, deny=[7]).items


@pytest.mark.slow
def test_a_folder_of_factors(cli: Cli, source: str, tmp_path: Path) -> None:
    folder, lists = tmp_path / "factors", tmp_path / "similar.parquet"
    options = ("--set", "factors=3", "--set", "epochs=1", "--min-rating", "4")
    answer = cli("spark", "train", source, "--factors", folder, *options)
    assert answer.code == 0, answer.err
    assert "implicit-als, which suits --min-rating" in answer.out
    answer = cli("spark", "recommend", folder, "-o", lists, "-n", 2, "--similar", "--json")
    assert answer.json["rows"] == 160


def test_usage(cli: Cli, tmp_path: Path) -> None:
    answer = cli("spark", "train", "r.parquet")
    assert (answer.code, answer.err) == (
        2, "alsatian: no output: pass either -o FILE (a model on this machine) or --factors FOLDER (Parquet).\n"
    )  # fmt: skip
    answer = cli("spark", "train", "r.parquet", "-o", tmp_path / "m.model", "--model", "ease")
    assert (answer.code, answer.err) == (
        2, "alsatian: Spark fits explicit-als and implicit-als, not ease; choose one of these.\n"
    )  # fmt: skip


def test_a_source_that_is_not_there(cli: Cli, spark: Any, tmp_path: Path) -> None:
    answer = cli("spark", "train", tmp_path / "none.parquet", "-o", tmp_path / "m.model")
    assert answer.code == 1
    assert "alsatian: Spark cannot read" in answer.err
    assert answer.err.count("\n") == 1

"""alsatian evaluate: models side by side, from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alsatian.evaluation import evaluate
from alsatian.ingest import read
from alsatian.split import from_spec

FEW = ("--bootstrap", "20", "--set", "factors=4", "--threads", "1")


def test_the_table(cli: Any, world: Path) -> None:
    answer = cli(
        "evaluate", world / "ratings.csv", "--model", "implicit-als", "--model", "item-knn", "--min-rating", "4", *FEW
    )
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].startswith("read      ")
    at = next(number for number, line in enumerate(lines) if line.startswith("model  "))
    assert lines[at - 1] == "per-user:10: 541 held-out values of 60 users"
    assert [line.split()[0] for line in lines[at + 1 : at + 5]] == [
        "implicit-als",
        "item-knn",
        "popularity",
        "bias",
    ]
    assert "[95% intervals by 20 draws of users]" in answer.out
    assert "Lists are evaluated on" in answer.out


def test_json_is_what_python_says(cli: Any, world: Path) -> None:
    source = world / "ratings.csv"
    options = ["--model", "item-knn", "--split", "k-fold:2", "--metric", "ndcg", "--at", "3", "--at", "5"]
    options += ["--seed", "7"]
    answer = cli("evaluate", source, *options, "--bootstrap", "20", "--json")
    assert answer.code == 0
    data = read(source)
    results = evaluate("item-knn", from_spec("k-fold:2", data, 7), at=(3, 5), metrics=["ndcg"], bootstrap=20, seed=7)
    rows = answer.json["rows"]
    assert [row["model"] for row in rows] == ["item-knn", "popularity", "bias"]
    assert [row["metrics"] for row in rows] == [row.metrics for row in results]
    assert rows[0]["metrics"].keys() == {"ndcg@3", "ndcg@5"}
    assert answer.json["splits"][0]["folds"] == 2
    assert "from 0.5 to 5" in answer.err


def test_without_a_model_those_that_suit_the_values(cli: Any, world: Path) -> None:
    answer = cli("evaluate", world / "ratings.csv", *FEW, "--metric", "ndcg", "--json")
    assert [row["model"] for row in answer.json["rows"]][:2] == ["explicit-als", "implicit-als"]
    assert {row["params"]["factors"] for row in answer.json["rows"][:2]} == {4}
    assert "explicit-als and implicit-als, because the values look like ratings" in answer.err
    assert "low ratings also count as likes in lists; --min-rating 4 drops them" in answer.err


def test_the_official_folds(cli: Any, movielens_100k: Path) -> None:
    options = ("--split", "movielens-folds", "--metric", "rmse", "--model", "bias", "--bootstrap", "0", "--json")
    answer = cli("evaluate", movielens_100k, *options)
    assert answer.code == 0
    bias = next(row for row in answer.json["rows"] if row["model"] == "bias")
    assert bias["metrics"]["rmse"] == pytest.approx(0.942, abs=0.002)
    assert answer.json["splits"][0]["values"] == 100_000


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--model", "item-nn"], "there is no model 'item-nn'"),
        (["--model", "item-knn", "--set", "factors=4"], "item-knn has no parameter 'factors'"),
        (["--split", "per-user:x"], "'x' is not a valid n of per-user; write it like per-user:10."),
        (["--split", "movielens-folds"], "needs the folder of MovieLens 100K as SOURCE, not "),
        (["--metric", "ndgc"], "'ndgc' is not a metric"),
        (["--at", "0"], "Input should be greater than or equal to 1"),
        (["--baseline", "ease", *FEW], "baseline='ease' is not one of the models"),
    ],
)
def test_usage_errors(cli: Any, world: Path, options: list[str], complaint: str) -> None:
    answer = cli("evaluate", world / "ratings.csv", *options)
    assert (answer.code, answer.out.startswith("{")) == (2, False)
    assert complaint in answer.err


def test_several_splits(cli: Any, world: Path) -> None:
    answer = cli(
        "evaluate", world / "ratings.csv", "--split", "by-time:0.2", "--split", "new-users:0.2", *FEW, "--json"
    )
    assert {row["split"] for row in answer.json["rows"]} == {"by-time:0.2", "new-users:0.2"}

"""alsatian tune: from a file to a model with better settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from alsatian.ingest import read
from alsatian.persistence.save_load import load
from alsatian.tuning import search, tune

FEW = ("--model", "explicit-als", "--search", "reg=0.1..10", "--search", "factors=2,4", "--threads", "1")


def test_the_table_and_the_model(cli: Any, world: Path, tmp_path: Path) -> None:
    saved = tmp_path / "best.model"
    answer = cli("tune", world / "ratings.csv", *FEW, "--trials", "4", "-o", saved)
    assert (answer.code, answer.err) == (0, "")
    lines = answer.out.splitlines()
    assert lines[0].startswith("read      ")
    assert "explicit-als: rmse of 4 trials on per-user:10" in lines
    assert "[4 complete]" in lines
    assert f"next      alsatian recommend {saved} --user ID" in lines
    model, data = load(saved), read(world / "ratings.csv")
    study = tune("explicit-als", data, space={"reg": (0.1, 10.0), "factors": [2, 4]}, trials=4)
    assert model.params == study.model.params
    assert model.training["values"] == len(data)


def test_json_is_what_python_says(cli: Any, world: Path) -> None:
    options = ["--model", "implicit-als", "--min-rating", "4", "--set", "factors=4", "--search", "alpha"]
    options += ["--trials", "3"]
    answer = cli("tune", world / "ratings.csv", *options, "--metric", "map@5", "--split", "random:0.3", "--json")
    assert answer.code == 0
    likes = read(world / "ratings.csv").binarize(4)
    study = tune("implicit-als:factors=4", likes, space="alpha", trials=3, metric="map@5", split="random:0.3")
    assert [row["value"] for row in answer.json["rows"]] == [trial.value for trial in study]
    assert answer.json["best_params"] == study.model.params
    assert (answer.json["file"], answer.json["test"], answer.json["interrupted"]) == (None, None, False)


def test_the_test_part_is_judged_once(cli: Any, world: Path) -> None:
    answer = cli("tune", world / "ratings.csv", *FEW, "--trials", "3", "--test", "random:0.2", "--json")
    assert answer.code == 0
    rows = answer.json["test"]["rows"]
    assert {row["model"].partition("(")[0] for row in rows} == {"explicit-als", "popularity", "bias"}
    assert rows[0]["params"] == answer.json["best_params"]
    answer = cli("tune", world / "ratings.csv", *FEW, "--trials", "3", "--test", "random:0.2")
    assert "held-out values of" in answer.out
    answer = cli("tune", world / "ratings.csv", *FEW, "--test", "k-fold:3")
    assert (answer.code, "--test k-fold:3 makes 3 splits; pass one that makes a single split" in answer.err) == (
        2,
        True,
    )


def test_a_grid(cli: Any, world: Path) -> None:
    axes = ("--search", "epochs=1,2,4", "--search", "reg=0.1,1,10", "--search", "factors=2,4")
    answer = cli("tune", world / "ratings.csv", "--model", "explicit-als", "--sampler", "grid", *axes, "--json")
    assert len(answer.json["rows"]) == 6
    assert {row["settings"]["epochs"] for row in answer.json["rows"]} <= {1, 2, 4}


def test_without_a_model_the_one_that_suits(cli: Any, world: Path) -> None:
    answer = cli("tune", world / "ratings.csv", "--trials", "2", "--search", "reg=0.1..1", "--set", "factors=4")
    assert answer.code == 0
    assert "model     explicit-als, because the values look like ratings" in answer.out
    assert "next      alsatian train " in answer.out


def test_ctrl_c(cli: Any, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, begun = search.run_trial, []

    def attempt(*settings: Any) -> Any:
        begun.append(1)
        if len(begun) == 3:
            raise KeyboardInterrupt
        return real(*settings)

    monkeypatch.setattr(search, "run_trial", attempt)
    kept = ("--study-file", tmp_path / "a.study", "-o", tmp_path / "best.model", "--trials", "5")
    answer = cli("tune", world / "ratings.csv", *FEW, *kept)
    assert answer.code == 130
    assert "explicit-als: rmse of 2 trials on per-user:10" in answer.out
    assert "best      rmse 0." in answer.out
    assert f"the same command resumes at trial 2 of {tmp_path / 'a.study'}" in answer.out
    assert answer.err == "interrupted\n"
    assert not (tmp_path / "best.model").exists()
    answer = cli("tune", world / "ratings.csv", *FEW, *kept)
    assert answer.code == 0
    assert "explicit-als: rmse of 5 trials" in answer.out
    assert (tmp_path / "best.model").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--model", "explicit-ls"], "there is no model 'explicit-ls'"),
        (["--model", "explicit-als", "--search", "reg=1..0.1"], "reg from 1 to 0.1 is not a range"),
        (["--model", "explicit-als", "--search", "rag"], "Did you mean 'reg'?"),
        (["--model", "popularity"], "popularity has no hyper-parameter to search"),
        (["--sampler", "bayes"], "sampler='bayes' is not one of tpe, random, grid."),
        (["--split", "random:x"], "'x' is not a valid share of random"),
        (["--test", "randm"], "Did you mean 'random'?"),
        (["--metric", "gini"], "gini does not measure accuracy"),
        (["--trials", "0"], "trials=0 is too small"),
    ],
)
def test_usage_errors(cli: Any, world: Path, options: list[str], complaint: str) -> None:
    answer = cli("tune", world / "ratings.csv", *options)
    assert answer.code == 2
    assert complaint in answer.err
    assert answer.err.count("\n") == 1


def test_the_extra_is_named(cli: Any, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    answer = cli("tune", world / "ratings.csv")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err == "alsatian: this needs optuna, which is not installed; run: pip install 'alsatian[tune]'\n"

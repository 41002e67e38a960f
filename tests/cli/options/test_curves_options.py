"""alsatian train --curves and --validation-share."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alsatian as al

Cli = Callable[..., Any]


@pytest.fixture
def train(cli: Cli, world: Path, tmp_path: Path) -> Callable[..., Any]:
    def call(*options: object) -> Any:
        return cli("train", world / "ratings.csv", "-o", tmp_path / "my.model", "--set", "factors=4", *options)

    return call


def test_a_picture_of_the_fit(train: Cli, tmp_path: Path) -> None:
    answer = train("--curves", tmp_path / "curves.png")
    assert (answer.code, answer.err) == (0, "")
    assert f"curves    {tmp_path / 'curves.png'}\n" in answer.out
    assert "validated" not in answer.out
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_an_error_on_values_held_out(train: Cli, tmp_path: Path) -> None:
    """The model that is saved has learned from all of them."""
    answer = train("--validation-share", "0.2", "--curves", tmp_path / "curves.svg")
    line = re.search(
        r"validated rmse ([\d.]+) on (\d+) values held out, best at .*epoch,? \d+; .*fitted again on all values\n",
        answer.out,
    )
    assert line is not None, answer.out
    assert 0.2 < float(line[1]) < 3
    model = al.load(tmp_path / "my.model")
    assert int(line[2]) == pytest.approx(0.2 * len(model.data), rel=0.2)
    plain = tmp_path / "plain"
    plain.mkdir()
    assert train("-o", plain / "my.model").code == 0
    assert al.load(plain / "my.model").item_factors.tobytes() == model.item_factors.tobytes()


def test_rows_as_json(train: Cli) -> None:
    assert train("--json").json["curves"] is None
    rows = train("--json", "--validation-share", "0.1", "--min-rating", "4", "--set", "epochs=3").json["curves"]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert set(rows[0]) >= {"objective", "train_ndcg@10", "validation_ndcg@10"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--curves", "curves.pgn"], "'curves.pgn' has no suffix of a picture format; end it with one of "),
        (
            ["--curves", "nowhere/curves.png"],
            "there is no folder 'nowhere' to save curves.png in; create it, or choose",
        ),
        (
            ["--validation-share", "2"],
            "--validation-share 2 is not a valid share; pass more than 0 and at most 0.5, such as 0.1.",
        ),
        (["--validation-share", "0"], "--validation-share 0 is not a valid share"),
    ],
)
def test_what_cannot_be(train: Cli, tmp_path: Path, options: list[str], message: str) -> None:
    answer = train(*options)
    assert answer.code == 2
    assert message in answer.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", [("--curves", "curves.png"), ("--validation-share", "0.1")])
def test_a_model_without_epochs(cli: Cli, world: Path, tmp_path: Path, option: tuple[str, str]) -> None:
    answer = cli("train", world / "ratings.csv", "-o", tmp_path / "my.model", "--model", "popularity", *option)
    assert answer.code == 2
    assert f"{option[0]} needs a model that is fitted in epochs; popularity is not. Remove {option[0]}." in answer.err


def test_the_picture_does_not_replace_what_is_read_or_made(train: Cli, world: Path, tmp_path: Path) -> None:
    answer = train("-o", tmp_path / "both.png", "--curves", tmp_path / "both.png")
    assert answer.code == 2
    assert "both.png; choose another --curves." in answer.err

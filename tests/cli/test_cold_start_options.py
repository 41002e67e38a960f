"""Items and users without values on the command line: kept by --include-unrated, placed by their attributes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import alsatian as al

Cli = Callable[..., Any]
ALS = ("--set", "factors=4", "--set", "item_attributes=taste", "--set", "user_attributes=taste")


@pytest.fixture
def train(cli: Cli, world: Path, tmp_path: Path) -> Callable[..., Any]:
    """Train on the world of movies, with tables of items and users that name some more."""
    items, users = tmp_path / "i.csv", tmp_path / "u.csv"
    items.write_text("item,taste\n" + "".join(f"{n},{('left', 'right')[n % 2]}\n" for n in range(1, 61)))
    users.write_text("user,taste\n" + "".join(f"{n},{('left', 'right')[n % 2]}\n" for n in range(1, 81)))
    source = ("train", world / "ratings.csv", "-o", tmp_path / "m.model")
    return lambda *options: cli(*source, "--items", items, "--users", users, *options)


def test_new_items_and_users_get_lists(cli: Cli, train: Callable[..., Any], tmp_path: Path) -> None:
    answer = train("--include-unrated", *ALS)
    assert (answer.code, answer.err) == (0, "")
    assert "items without any value (include_unrated)." in answer.out
    model = al.load(tmp_path / "m.model")
    assert model.params["item_attributes"] == ["taste"]
    listed = cli("recommend", tmp_path / "m.model", "--user", "80", "--json").lines[0]
    assert {row["source"] for row in listed["items"]} == {"attributes"}
    assert {row["source"] for row in cli("similar", tmp_path / "m.model", "60", "--json").lines[0]["items"]} == {
        "attributes"
    }


def test_a_hint_where_there_is_nothing_to_place(train: Callable[..., Any]) -> None:
    answer = train("--set", "item_attributes=taste")
    assert (
        "every item has values, so item_attributes has no effect; "
        "--include-unrated adds the items of --items without values" in answer.out
    )


def test_what_cannot_be(cli: Cli, train: Callable[..., Any], world: Path, tmp_path: Path) -> None:
    wrong = train("--set", "item_attributes=tast")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    assert (
        "item_attributes='tast' is not a column of the item table; choose from 'taste'. Did you mean 'taste'?"
        in wrong.err
    )
    alone = cli("train", world / "ratings.csv", "-o", tmp_path / "x.model", "--include-unrated")
    assert (alone.code, "pass items= (--items) or users= (--users)" in alone.err) == (2, True)


def test_a_visitor_joins_a_model_that_places_users(
    cli: Cli, train: Callable[..., Any], world: Path, tmp_path: Path
) -> None:
    assert train("--include-unrated", "--set", "factors=4", "--set", "user_attributes=taste").code == 0
    joined = cli("recommend", tmp_path / "m.model", "--like", "3", "--retrain", world / "ratings.csv")
    assert joined.code == 0, joined.err


@pytest.mark.parametrize(
    "settings",
    [
        ALS,
        (
            "--members",
            "implicit-als:factors=4:item_attributes=taste:user_attributes=taste,item-knn",
            "--weights",
            "1,1",
        ),
    ],
    ids=["als", "blend"],
)
def test_a_refit_still_places_items(
    cli: Cli, train: Callable[..., Any], world: Path, tmp_path: Path, settings: tuple[str, ...]
) -> None:
    """The model remembers its items and what is known of them, also of those that the source does not name."""
    assert train("--include-unrated", *settings).code == 0
    arguments = ("recommend", tmp_path / "m.model", "--like", "3", "--where", "taste = 'right'", "-n", "60", "--json")
    anew = cli(*arguments, "--retrain", world / "ratings.csv")
    assert anew.code == 0, anew.err
    sources = {row["item"]: row["source"] for row in anew.json["items"]}
    assert {item for item, source in sources.items() if source == "attributes"} == set(range(41, 61, 2))


def test_explanations_say_what_places(cli: Cli, train: Callable[..., Any], tmp_path: Path) -> None:
    assert train("--include-unrated", *ALS).code == 0
    item = cli("explain", tmp_path / "m.model", "--user", "7", "60")
    assert item.out.splitlines()[0] == "60, represented by taste"
    user = cli("explain", tmp_path / "m.model", "--user", "80", "3")
    assert "attributes (taste)" in user.out
    record = cli("explain", tmp_path / "m.model", "--user", "80", "60", "--json").json
    assert (record["placed_by"], record["reasons"]) == ({"user": ["taste"], "item": ["taste"]}, [])


def test_a_hint_for_parts_with_nothing_to_place(train: Callable[..., Any]) -> None:
    answer = train("--members", "implicit-als:factors=4:item_attributes=taste,popularity", "--weights", "1,1")
    assert "every item has values, so item_attributes has no effect" in answer.out

"""Items as people write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alsatian.cli.item_lookup import parse_like
from alsatian.errors import ParameterError

Cli = Callable[..., Any]


@pytest.fixture
def find(cli: Cli, world: Path) -> Callable[[str], Any]:
    """Ask what is similar to an item; the answer names it."""
    return lambda written: cli("similar", world / "implicit.model", "--json", "-n", "1", "--", written)


@pytest.mark.parametrize(
    ("text", "written", "value"),
    [
        ("Toy Story", "Toy Story", None),
        ("Toy Story=4.5", "Toy Story", 4.5),
        ("Toy Story = 4", "Toy Story", 4.0),
        ("E=MC2", "E=MC2", None),
        ("E=MC2=3", "E=MC2", 3.0),
        ("debt=-1", "debt", -1.0),
        ("x=.5", "x", 0.5),
        ("x=1e1", "x", 10.0),
        ("x=nan", "x=nan", None),
        ("x=inf", "x=inf", None),
        ("x=1_000", "x=1_000", None),
        ("x=", "x=", None),
        ("1984=5", "1984", 5.0),
    ],
)
def test_the_value_follows_the_last_equals_sign_if_it_is_a_number(text: str, written: str, value: Any) -> None:
    assert parse_like(text) == (written, value)


@pytest.mark.parametrize("text", ["Toy Story=4,5", "Up = 1,000 ", "E=mc2=-4.5.1"])
def test_a_value_that_is_no_number(text: str) -> None:
    with pytest.raises(ParameterError, match=r"which is not a number; write it like 4\.5\."):
        parse_like(text)


@pytest.mark.parametrize("text", ["", "  ", " =4", "=4"])
def test_a_like_of_nothing(text: str) -> None:
    with pytest.raises(ParameterError, match="has no item"):
        parse_like(text)


@pytest.mark.parametrize(
    ("written", "item"),
    [
        ("7", 7),
        ("iron man", 1),
        ("IRON MAN 2", 3),
        ("the matrix", 4),
        ("[rec]", 11),
        ("e=mc2", 9),
        ("Toy Story (1995)", 2),
    ],
)
def test_an_id_or_the_same_title_is_found_without_a_word(find: Callable[[str], Any], written: str, item: int) -> None:
    answer = find(written)
    assert (answer.json["item"], answer.err) == (item, "")


def test_a_slip_is_told(find: Callable[[str], Any]) -> None:
    answer = find("toy sotry")
    assert answer.json["item"] == 2
    assert answer.err == "using 'Toy Story (1995)' for 'toy sotry'\n"


def test_an_unclear_title_lists_what_it_could_be_and_takes_the_most_rated(
    find: Callable[[str], Any], world: Path
) -> None:
    import alsatian as al

    data = al.load(world / "implicit.model").data
    counts = {item: int(data.item_counts[data.item_ids.row(item)]) for item in (5, 7)}
    answer = find("star wars")
    assert answer.json["item"] == max(counts, key=lambda item: counts[item])
    first, head, *candidates = answer.err.splitlines()
    assert head.split() == ["item", "title", "values"]
    assert first.startswith("'star wars' matches several items; using the one with the most values.")
    assert {"A New Hope" in line for line in candidates} == {True, False}
    assert candidates[0].startswith("→")
    assert len(candidates) == 2


def test_an_unknown_title_fails_with_the_nearest(find: Callable[[str], Any]) -> None:
    answer = find("iron lady")
    assert (answer.code, answer.out) == (1, "")
    assert "no item 'iron lady' in this model, neither as an id nor as a title; " in answer.err
    answer = find("qqqqqqqq")
    assert "no title is similar to it." in answer.err
    assert answer.err.count("\n") == 1


def test_an_unknown_id(find: Callable[[str], Any]) -> None:
    assert find("4711").code == 1


def test_without_titles_only_ids_are_known(cli: Cli, world: Path, tmp_path: Path) -> None:
    model = tmp_path / "plain.model"
    assert cli("train", world / "ratings.csv", "-o", model, "--set", "factors=3").code == 0
    assert cli("similar", model, "7").code == 0
    answer = cli("similar", model, "Iron Man")
    assert answer.code == 1
    assert "its item ids are integers" in answer.err
    answer = cli("similar", model, "4711")
    assert "no item 4711 (int) in this model; it has 40 items" in answer.err

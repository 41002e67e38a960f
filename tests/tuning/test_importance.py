"""A study file read again, and which settings mattered."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.tuning import tune
from alsatian.tuning.importance import importances, read_study
from alsatian.tuning.optuna_sampler import open_journal
from support.searches import SMALL_SPACE, SPLIT, trials_without_seconds


@pytest.mark.parametrize("sampler", ["tpe", "grid"])
def test_a_study_file_tells_what_the_search_told(some_ratings: Interactions, tmp_path: Path, sampler: str) -> None:
    space = SMALL_SPACE if sampler == "tpe" else {"factors": [2, 4], "biases": [True, False], "reg": (0.1, 10.0, "log")}
    trials = {"trials": 6} if sampler == "tpe" else {}
    path = tmp_path / "a.study"
    study = tune("explicit-als:epochs=3" if sampler == "grid" else "explicit-als", some_ratings, space=space,
                 sampler=sampler, split=SPLIT, study_file=path, **trials)  # fmt: skip
    again = read_study(path, [some_ratings.binarize(4), some_ratings])
    assert trials_without_seconds(again) == trials_without_seconds(study)
    assert (again.space, again.metric, again.higher_is_better) == (study.space, study.metric, study.higher_is_better)
    assert again.model.params == study.model.params
    assert again.data is some_ratings


def test_the_setting_that_matters_is_found(some_ratings: Interactions) -> None:
    space = {"reg": (0.01, 1000.0, "log"), "factors": (2, 3)}
    study = tune("explicit-als:epochs=3", some_ratings, space=space, trials=20, sampler="random", split=SPLIT)
    shares = importances(study)
    assert sum(shares.values()) == pytest.approx(1)
    assert max(shares, key=shares.__getitem__) == "reg"


def test_too_few_trials_say_nothing(some_ratings: Interactions) -> None:
    assert importances(tune("explicit-als", some_ratings, space=SMALL_SPACE, trials=2, split=SPLIT)) == {}


def test_what_is_no_study_file(some_ratings: Interactions, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello\n")
    for name in ("text", "absent"):
        with pytest.raises(ParameterError, match="is not a study file; pass a file from"):
            read_study(tmp_path / name, [some_ratings])
    optuna.create_study(storage=open_journal(tmp_path / "other"), study_name="alsatian")
    with pytest.raises(ParameterError, match="other has no search of 'alsatian tune'"):
        read_study(tmp_path / "other", [some_ratings])


def test_ends_of_many_digits(some_ratings: Interactions, tmp_path: Path) -> None:
    """A grid tries both ends, which are part of the range that the file tells."""
    space = {"reg": (0.123456789, 1.0), "seed": [1, 2]}
    study = tune("explicit-als:epochs=1:factors=2", some_ratings, space=space, sampler="grid", split=SPLIT,
                 study_file=tmp_path / "a.study")  # fmt: skip
    again = read_study(tmp_path / "a.study", [some_ratings])
    assert again.space == study.space
    assert importances(again) == importances(study)


class TestStudyFileOfFormat1:
    """The settings of fixtures/format_1/biased-mf.study have the names of version 0.1: lr, nu, implicit_terms."""

    FILE = Path(__file__).parents[1] / "fixtures" / "format_1" / "biased-mf.study"

    def test_it_is_read_by_the_names_of_today(self, some_ratings: Interactions) -> None:
        study = read_study(self.FILE, [some_ratings])
        assert list(study.space) == ["learning_rate", "reg"]
        assert {name for trial in study for name in trial.settings} == {"learning_rate", "reg"}
        assert study.model.params["learning_rate"] == study.best.settings["learning_rate"]
        assert (study.model.params["reg_exponent"], study.model.params["svdpp"]) == (0.6, False)

    def test_a_search_does_not_continue_it(self, some_ratings: Interactions, tmp_path: Path) -> None:
        copy = tmp_path / "old.study"
        copy.write_bytes(self.FILE.read_bytes())
        with pytest.raises(
            ParameterError,
            match=r"old\.study cannot be continued: it is from an older version .* another study file\.$",
        ):
            tune("biased-mf", some_ratings, trials=5, split=SPLIT, study_file=copy)
        assert read_study(copy, [some_ratings]).rows

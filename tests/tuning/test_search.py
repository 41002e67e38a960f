"""A search finds what one can see, says what a plain fit says, and is the same every time."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

import alsatian as al
from alsatian import evaluation
from alsatian.data.interactions import Interactions
from alsatian.errors import DependencyError, FitError, ParameterError
from alsatian.models import EASE, BiasedMF, ExplicitALS, ImplicitALS, ItemKNN, Popularity
from alsatian.split import from_spec
from alsatian.tuning import search, tune
from support.notebook import FakeKernel, assert_agrees_with_text
from support.searches import SMALL_SPACE, SPLIT, trials_without_seconds


class TestGrid:
    REGS = (0.1, 10.0, 1000.0)

    def test_finds_what_one_can_see(self, checkerboard: Interactions) -> None:
        """Everybody gives 5 or 1: the less regularization, the nearer the predictions."""
        space = {"reg": list(self.REGS)}
        study = tune(ExplicitALS(factors=2), checkerboard, space=space, sampler="grid", split=SPLIT)
        assert [trial.settings["reg"] for trial in study] == [0.1, 10.0, 1000.0]
        assert study.best.settings == {"reg": 0.1}
        assert study.best.value < 0.5
        assert study.rows[1].value > study.best.value
        assert study.rows[2].value > 1.5

    def test_figures_are_those_of_a_plain_fit(self, checkerboard: Interactions) -> None:
        """One fit stands for all of its numbers of epochs."""
        space = {"epochs": [1, 2, 4], "reg": list(self.REGS)}
        study = tune(ExplicitALS(factors=2), checkerboard, space=space, sampler="grid", split=SPLIT, patience=9)
        (part,) = from_spec(SPLIT, checkerboard)
        assert len(study) == 3
        for trial in study:
            for epochs in (1, 2, 4):
                model = ExplicitALS(factors=2, reg=trial.settings["reg"], epochs=epochs).fit(part.train)
                assert trial.curve[epochs] == pytest.approx(evaluation.rmse(model, part), abs=1e-12)
            assert trial.value == min(trial.curve.values()) == trial.curve[trial.settings["epochs"]]

    def test_folds_are_averaged(self, checkerboard: Interactions) -> None:
        study = tune("explicit-als:factors=2", checkerboard, space={"reg": [1.0]}, sampler="grid", split="k-fold:3")
        errors = [
            evaluation.rmse(ExplicitALS(factors=2, reg=1.0).fit(part.train), part)
            for part in from_spec("k-fold:3", checkerboard)
        ]
        assert study.best.value == pytest.approx(sum(errors) / 3)

    def test_a_model_without_epochs(self, some_ratings: Interactions) -> None:
        likes = some_ratings.binarize(4)
        study = tune("ease", likes, space={"reg": [1.0, 100.0]}, sampler="grid", metric="recall@5")
        (part,) = from_spec("per-user:10", likes)
        for trial in study:
            options = {"metrics": ["recall@5"], "bootstrap": 0}
            judged = evaluation.evaluate(EASE(**trial.settings), part, **options)["ease"]
            assert trial.value == pytest.approx(judged.metrics["recall@5"])
            assert trial.curve == {}


class TestBest:
    def test_the_model_and_the_last_fit(self, some_ratings: Interactions) -> None:
        study = tune("explicit-als", some_ratings, trials=6, space=SMALL_SPACE, split=SPLIT)
        assert study.best.value == min(trial.value for trial in study if trial.state == "complete")
        assert {name: study.model.params[name] for name in SMALL_SPACE} == study.best.settings
        assert not hasattr(study.model, "data")
        model = study.fit(progress=False)
        assert model.training["digest"] == some_ratings.digest
        assert len(model.history) == study.best.settings["epochs"]

    def test_begins_with_the_model_as_it_is(self, some_ratings: Interactions) -> None:
        study = tune(ImplicitALS(epochs=3), some_ratings.binarize(4), trials=2, space=["reg", "alpha"])
        assert study.rows[0].settings == {"reg": 20.0, "alpha": 2.0}
        assert (study.metric, study.higher_is_better) == ("ndcg@10", True)

    def test_only_what_may_be_learned_from_is_looked_at(self, some_ratings: Interactions) -> None:
        parts = al.split.random(some_ratings, share=0.2)
        other = replace(parts, held_out=some_ratings.where(some_ratings.values > 4))
        searches = [
            tune("explicit-als", on, trials=3, space=SMALL_SPACE, split=SPLIT) for on in (parts, other, parts.train)
        ]
        assert (
            trials_without_seconds(searches[0])
            == trials_without_seconds(searches[1])
            == trials_without_seconds(searches[2])
        )
        assert searches[0].data is parts.train

    def test_a_validation_part_is_what_is_judged_on(self, some_ratings: Interactions) -> None:
        parts = al.split.random(some_ratings, share=0.2, validation=0.25)
        study = tune("explicit-als:factors=4", parts, space={"reg": [1.0]})
        assert parts.validation is not None
        model = ExplicitALS(factors=4, reg=1.0).fit(parts.train)
        assert study.best.value == pytest.approx(evaluation.rmse(model, parts.validation))
        assert study.split == "random:0.2, validation"


class TestDeterminism:
    @pytest.mark.parametrize("sampler", ["tpe", "random"])
    def test_a_second_search_is_the_first(self, some_ratings: Interactions, sampler: Any) -> None:
        searches = [
            tune(
                "explicit-als",
                some_ratings,
                trials=13,
                space=SMALL_SPACE,
                sampler=sampler,
                split=SPLIT,
                threads=threads,
            )
            for threads in (1, 2)
        ]
        assert trials_without_seconds(searches[0]) == trials_without_seconds(searches[1])
        other = tune("explicit-als", some_ratings, trials=3, space=SMALL_SPACE, sampler=sampler, split=SPLIT, seed=1)
        assert trials_without_seconds(other) != trials_without_seconds(searches[0])[:3]

    def test_workers(self, some_ratings: Interactions) -> None:
        searches = [
            tune("explicit-als", some_ratings, trials=13, space=SMALL_SPACE, split=SPLIT, workers=3) for _ in "ab"
        ]
        assert trials_without_seconds(searches[0]) == trials_without_seconds(searches[1])
        alone = tune("explicit-als", some_ratings, trials=6, space=SMALL_SPACE, split=SPLIT)
        assert (
            trials_without_seconds(alone) == trials_without_seconds(searches[0])[:6]
        )  # until what was found decides what is tried


class TestEnding:
    def test_patience(self, some_ratings: Interactions) -> None:
        """Without regularization a fit only gets worse once it knows the ratings by heart."""
        model = ExplicitALS(factors=8, reg=0.001)
        study = tune(model, some_ratings, space={"epochs": (1, 200)}, split=SPLIT, patience=4)
        assert len(study) == 1
        assert len(study.best.curve) == study.best.settings["epochs"] + 4 < 200

    def test_pruning(self, some_ratings: Interactions) -> None:
        options: dict[str, Any] = {"trials": 20, "space": {"reg": (0.1, 1e4, "log"), "epochs": (1, 12)}, "split": SPLIT}
        model = ExplicitALS(factors=4)
        study = tune(model, some_ratings, sampler="random", **options)
        pruned = [trial for trial in study if trial.state == "pruned"]
        assert pruned
        assert all(trial.number >= 8 and 3 <= len(trial.curve) < 12 for trial in pruned)
        assert all(trial.value == trial.curve[max(trial.curve)] > study.best.value for trial in pruned)
        whole = tune(model, some_ratings, sampler="random", prune=False, **options)
        assert {trial.state for trial in whole} == {"complete"}
        assert whole.best.settings == study.best.settings

    def test_a_schedule_that_knows_its_end_is_not_cut_short(self, some_ratings: Interactions) -> None:
        study = tune(BiasedMF(factors=2), some_ratings, trials=3, space={"epochs": (2, 9)}, split=SPLIT)
        (part,) = from_spec(SPLIT, some_ratings)
        for trial in study:
            model = BiasedMF(factors=2, **trial.settings).fit(part.train, progress=False)
            assert trial.value == pytest.approx(evaluation.rmse(model, part), abs=1e-12)

    def test_failures_are_told(self, some_ratings: Interactions) -> None:
        study = tune("explicit-als", some_ratings, space={"factors": [2, 500]}, sampler="grid", split=SPLIT)
        good, bad = study
        assert (good.state, bad.state, bad.value) == ("complete", "failed", None)
        assert bad.error is not None
        assert "factors=500 is more than the data allows" in bad.error
        assert "[1 complete, 1 failed]" in str(study)

    def test_where_nothing_succeeds(self, some_ratings: Interactions) -> None:
        with pytest.raises(FitError, match=r"none of 5 trials succeeded; the first failed with: factors=\d+ is more"):
            tune("explicit-als", some_ratings, space={"factors": (500, 600)}, split=SPLIT)

    def test_timeout(self, some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
        """By a clock on which every trial takes a second."""
        seconds, run_trial = [0.0], search.run_trial

        def attempt_for_a_second(*arguments: Any) -> Any:
            seconds[0] += 1
            return run_trial(*arguments)

        monkeypatch.setattr(search, "run_trial", attempt_for_a_second)
        monkeypatch.setattr(search, "time", SimpleNamespace(perf_counter=lambda: seconds[0]))
        study = tune("explicit-als", some_ratings, trials=1000, space=SMALL_SPACE, split=SPLIT, timeout=2.5)
        assert len(study) == 3
        with pytest.raises(ParameterError, match="the timeout ended before the first trial; pass a longer"):
            tune("explicit-als", some_ratings, space=SMALL_SPACE, timeout=0)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"sampler": "tpa"}, "sampler='tpa' is not one of tpe, random, grid. Did you mean 'tpe'?"),
        ({"metric": "ndgc"}, "'ndgc' is not a metric"),
        ({"metric": "coverage"}, "coverage does not measure accuracy; choose one of rmse"),
        ({"model": "implicit-als", "metric": "rmse"}, "implicit-als does not predict ratings, so it has no rmse"),
        ({"model": "popularity"}, "popularity has no hyper-parameter to search"),
        ({"split": "random:x"}, "'x' is not a valid share of random"),
        ({"trials": 0}, "trials=0 is too small; the minimum is 1."),
        ({"sampler": "grid", "trials": 9}, "trials=9 has no effect: a grid tries all 16 points; drop trials."),
        ({"patience": 0}, "patience=0 is too small"),
        ({"workers": 0}, "workers=0 is too small"),
        ({"seed": -1}, "seed=-1 is too small"),
        ({"timeout": -1}, "timeout=-1 is out of bounds"),
        ({"data": [1, 2]}, "tune takes Interactions or a Split, not list; pass al.read(...)."),
        ({"space": {"reg": (2.0, 1.0)}}, "reg from 2 to 1 is not a range"),
    ],
)
def test_what_is_refused(some_ratings: Interactions, options: dict[str, Any], complaint: str) -> None:
    call = {"model": "explicit-als", "data": some_ratings} | options
    with pytest.raises(ParameterError) as caught:
        tune(**call)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_optuna(some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(DependencyError) as caught:
        tune("ease", some_ratings)
    assert str(caught.value) == "this needs optuna, which is not installed; run: pip install 'alsatian[tune]'"


def test_tables(some_ratings: Interactions) -> None:
    study = tune(ItemKNN(), some_ratings.binarize(4), trials=4)
    frame = study.to_pandas()
    assert list(frame) == ["number", "state", "value", "weighting", "k", "shrinkage", "seconds"]
    assert frame["value"].tolist() == [trial.value for trial in study]
    assert study.to_polars()["k"].to_list() == [trial.settings["k"] for trial in study]
    assert study.to_arrow().column_names == list(frame)
    record = json.loads(study.to_json())
    assert record["best"]["value"] == study.best.value
    assert record["best_params"] == study.model.params
    assert [row["settings"] for row in record["rows"]] == [trial.settings for trial in study]
    lines = str(study).splitlines()
    assert lines[0] == "item-knn: ndcg@10 of 4 trials on per-user:10"
    assert lines[1].split() == ["trial", "ndcg@10", "weighting", "k", "shrinkage", "time"]
    assert "[4 complete]" in lines
    assert_agrees_with_text(study)


def test_a_notebook_shows_the_best_trial_so_far(some_ratings: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = FakeKernel(monkeypatch)
    study = tune(ItemKNN(), some_ratings.binarize(4), trials=2)
    (line,) = kernel.final_lines
    assert line.startswith("tuning item-knn 2/2 in ")
    assert f"ndcg@10 {study.best.value:.4f}: weighting=" in line


def test_a_model_with_nothing_declared_searches_what_it_is_told(some_ratings: Interactions) -> None:
    study = tune(Popularity(), some_ratings, space={"by": ["count", "mean"]}, sampler="grid")
    assert study.best.settings == {"by": "count"}

"""Learning curves: the numbers are those of the models, and the pictures show them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import alsatian as al
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, DependencyError, ParameterError, Unsupported
from alsatian.evaluation import epoch_metrics
from alsatian.evaluation import learning_curves as module
from alsatian.models import MODELS, BayesianMF, BiasedMF, Blend, ExplicitALS, ImplicitALS, Model, Popularity
from alsatian.split import Split

SMALL = {"factors": 4, "epochs": 4}
ITERATIVE = {name: model for name, model in MODELS.items() if model.iterates is True}


@pytest.fixture
def parts(some_ratings: Interactions) -> Split:
    return al.split.per_user(some_ratings, n=3, seed=1)


def rmse(model: Model, part: Interactions) -> float:
    return al.metrics.rmse(model.predict_rows(part.users, part.items, clip=True), part.values)


def test_the_numbers_are_those_of_the_model_that_a_shorter_fit_gives(parts: Split) -> None:
    curves = al.LearningCurves(parts.held_out)
    ExplicitALS(**SMALL).fit(parts.train, callbacks=[curves])
    rows = curves.rows()
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]
    for epochs, row in enumerate(rows, 1):
        model = ExplicitALS(**SMALL | {"epochs": epochs}).fit(parts.train)
        assert row["objective"] == model.history[-1].objective
        assert row["train_rmse"] == rmse(model, parts.train)
        assert row["validation_rmse"] == rmse(model, parts.held_out) == al.evaluation.rmse(model, parts)


def test_ranking_metrics(parts: Split) -> None:
    likes = Split("likes", parts.train.binarize(4), parts.held_out.binarize(4))
    curves = al.LearningCurves(likes.held_out, ["ndcg@5", "ndcg@10"])
    model = ImplicitALS(**SMALL).fit(likes.train, callbacks=[curves])
    last = curves.rows()[-1]
    assert last["validation_ndcg@5"] == pytest.approx(al.evaluation.ndcg(model, likes, 5))
    assert last["validation_ndcg@10"] == pytest.approx(al.evaluation.ndcg(model, likes, 10))
    assert last["train_ndcg@10"] > last["validation_ndcg@10"]  # lists of what was learned from hold it


def test_every_metric_is_that_of_evaluate(parts: Split) -> None:
    names = [*epoch_metrics.RATING_METRICS, *(f"{name}@5" for name in epoch_metrics.LISTS)]
    curves = al.LearningCurves(parts.held_out, names, train=False)
    model = ExplicitALS(**SMALL, solver="cg").fit(parts.train, callbacks=[curves])
    table = al.evaluate(model, parts, metrics=names, bootstrap=0)
    last = curves.rows()[-1]
    for name in names:
        assert last[f"validation_{name}"] == pytest.approx(table["explicit-als"].metrics[name])


def test_without_a_choice_the_metric_suits_the_model(parts: Split) -> None:
    for model, name in ((ExplicitALS(**SMALL), "train_rmse"), (ImplicitALS(**SMALL), "train_ndcg@10")):
        curves = al.LearningCurves()
        model.fit(parts.train, callbacks=[curves])
        assert [column for column in curves.rows()[0] if "_" in column] == [name]


def test_a_function_is_a_metric(parts: Split) -> None:
    def bias(model: Model, part: Interactions) -> float:
        return float((model.predict_rows(part.users, part.items) - part.values).mean())

    curves = al.LearningCurves(parts.held_out, [bias], train=False)
    model = ExplicitALS(**SMALL).fit(parts.train, callbacks=[curves])
    assert curves.rows()[-1]["validation_bias"] == bias(model, parts.held_out)
    assert "train_bias" not in curves.rows()[-1]
    with pytest.raises(ParameterError, match="it is unknown whether a higher validation_bias is better"):
        curves.best()


@pytest.mark.parametrize("name", ITERATIVE)
def test_every_model_that_iterates_has_a_curve(name: str, parts: Split) -> None:
    few = {"epochs": 3, "factors": 4, "draws": 2, "burn_in": 1}
    model = ITERATIVE[name](**{key: value for key, value in few.items() if key in ITERATIVE[name].hyperparameters})
    curves = al.LearningCurves(parts.held_out)
    model.fit(parts.train, callbacks=[curves])
    rows = curves.rows()
    assert [row["objective"] for row in rows] == [epoch.objective for epoch in model.history]
    assert len(rows) == 3
    assert all(math.isfinite(number) for row in rows for number in list(row.values())[2:])


def test_models_that_do_not_iterate_say_so(parts: Split) -> None:
    for name, kind in MODELS.items():
        model = kind(**{"factors": 2} if "factors" in kind.hyperparameters else {})
        if name not in ITERATIVE and not model.iterates:
            assert model.fit(parts.train).history == []
    assert set(ITERATIVE) == {"explicit-als", "implicit-als", "biased-mf", "bayesian-mf", "bias"}
    assert Blend(members=["popularity", "implicit-als"]).iterates
    assert not Blend(members=["popularity", "ease"]).iterates
    with pytest.raises(ParameterError, match=r"no epoch was recorded; .* with epochs: explicit-als, implicit-als, b"):
        al.LearningCurves().plot()


def test_bayesian_draws_so_far(parts: Split) -> None:
    """During burn-in a curve shows the last draw, then the mean of those kept."""
    curves = al.LearningCurves(parts.held_out)
    model = BayesianMF(factors=3, draws=4, burn_in=2).fit(parts.train, callbacks=[curves])
    errors = [row["validation_rmse"] for row in curves.rows()]
    assert errors[-1] == rmse(model, parts.held_out)
    assert errors[-1] < errors[0]
    settings = {"factors": 3, "draws": 2, "burn_in": 2}
    assert errors[3] == pytest.approx(rmse(BayesianMF(**settings).fit(parts.train), parts.held_out), rel=1e-5)


def test_parts_of_a_blend_have_curves_of_their_own(parts: Split) -> None:
    curves = al.LearningCurves(parts.held_out)
    blend = Blend(members=[ExplicitALS(**SMALL), BiasedMF(**SMALL)], weights=[1, 1], by="score")
    blend.fit(parts.train, callbacks=[curves])
    assert [fit.model for fit in curves.fits] == ["explicit-als", "biased-mf"]
    assert module.label_fits(curves.fits) == ("", ["explicit-als", "biased-mf"])


def test_fits_are_named_by_what_differs(parts: Split) -> None:
    curves = al.LearningCurves(parts.held_out)
    for factors in (2, 3):
        ExplicitALS(factors=factors, epochs=2).fit(parts.train, callbacks=[curves])
    assert module.label_fits(curves.fits) == ("factors", ["2", "3"])
    assert [row["factors"] for row in curves.rows()] == [2, 2, 3, 3]
    ExplicitALS(factors=3, epochs=2, reg=2.0).fit(parts.train, callbacks=[curves])
    assert module.label_fits(curves.fits)[1] == ["factors=2, reg=0.8", "factors=3, reg=0.8", "factors=3, reg=2"]
    ExplicitALS(factors=3, epochs=2, reg=2.0).fit(parts.train, callbacks=[curves])
    assert module.label_fits(curves.fits)[1][2:] == ["factors=3, reg=2 (3)", "factors=3, reg=2 (4)"]


def test_the_best_epoch(parts: Split) -> None:
    curves = al.LearningCurves(parts.held_out)
    settings = {"factors": 8, "reg": 0.0, "bias_reg": 0.0, "learning_rate": 0.05, "epochs": 30, "schedule": "constant"}
    BiasedMF(**settings).fit(parts.train, callbacks=[curves])
    errors = [row["validation_rmse"] for row in curves.rows()]
    assert curves.best()["epoch"] == 1 + int(np.argmin(errors)) < 30


def test_the_best_epoch_is_by_the_measure_of_each_fit(parts: Split) -> None:
    curves = al.LearningCurves(parts.held_out)
    for model in (ExplicitALS(**SMALL), ImplicitALS(**SMALL)):
        model.fit(parts.train, callbacks=[curves])
    ranked = [row["validation_ndcg@10"] for row in curves.rows() if row["fit"] == 2]
    assert curves.best()["epoch"] == 1 + int(np.argmax(ranked))
    assert "validation_rmse" in curves.best(0)


def test_of_equals_the_first_epoch_is_the_best(parts: Split) -> None:
    def constant_metric(model: Model, part: Interactions) -> float:
        return 0.5

    curves = al.LearningCurves(parts.held_out, [constant_metric])
    curves.metrics = [epoch_metrics.EpochMetric("alike", constant_metric, "max")]
    ExplicitALS(**SMALL).fit(parts.train, callbacks=[curves])
    assert curves.best()["epoch"] == 1


def test_tables(parts: Split) -> None:
    curves = al.LearningCurves(parts.held_out)
    for model in (
        ExplicitALS(**SMALL),
        Blend(members=[ExplicitALS(factors=2, epochs=2), Popularity()], weights=[1, 1]),
    ):
        model.fit(parts.train, callbacks=[curves])
    names = ["fit", "model", "factors", "epochs", "epoch", "seconds", "objective", "train_rmse", "validation_rmse"]
    for frame in (curves.to_pandas(), curves.to_polars()):
        assert list(frame.columns) == names
        assert frame["epoch"].to_list() == [1, 2, 3, 4, 1, 2]
        assert frame["validation_rmse"].to_list() == [row["validation_rmse"] for row in curves.rows()]
    assert curves.to_arrow().column_names == names
    assert repr(curves) == "LearningCurves(2 fits, 6 epochs)"


def test_values_that_the_fit_learns_from_judge_nothing(some_ratings: Interactions, parts: Split) -> None:
    overlap = some_ratings.where(np.arange(len(some_ratings)) % 2 == 0)
    with pytest.raises(DataError, match=r"[\d,]+ of [\d,]+ validation values are also in the training data"):
        ExplicitALS(**SMALL).fit(parts.train, callbacks=[al.LearningCurves(overlap)])


def test_a_part_of_other_data_is_refused(parts: Split, checkerboard: Interactions) -> None:
    with pytest.raises(
        DataError, match="users of the validation part are not those of the training data; take both from"
    ):
        ExplicitALS(**SMALL).fit(parts.train, callbacks=[al.LearningCurves(checkerboard)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"validation": 0.1}, r"validation=0\.1 is not Interactions; pass a held-out part, such as al\.split"),
        ({"metrics": "rsme"}, r"there is no metric 'rsme'; choose rmse, mae, .* Did you mean 'rmse'\?"),
        ({"metrics": ["rmse@3"]}, r"there is no metric 'rmse@3'"),
        ({"metrics": ["ndcg@0"]}, r"there is no metric 'ndcg@0'"),
        ({"train": False}, r"train=False without validation leaves nothing to evaluate"),
    ],
)
def test_settings_that_cannot_be(options: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        al.LearningCurves(**options)


def test_an_error_of_a_model_that_predicts_nothing(parts: Split) -> None:
    with pytest.raises(Unsupported, match="implicit-als does not predict ratings; use a list metric, such as ndcg@10"):
        ImplicitALS(**SMALL).fit(parts.train, callbacks=[al.LearningCurves(metrics="rmse")])


class TestPictures:
    @pytest.fixture
    def curves(self, parts: Split) -> al.LearningCurves:
        curves = al.LearningCurves(parts.held_out, ["rmse", "ndcg@10"])
        for factors in (2, 4, 8):
            ExplicitALS(factors=factors, epochs=5).fit(parts.train, callbacks=[curves])
        return curves

    def test_what_is_drawn(self, curves: al.LearningCurves) -> None:
        figure = curves.plot()
        objective, rmse, ndcg = figure.axes
        assert [len(axes.lines) for axes in (objective, rmse, ndcg)] == [3, 9, 9]  # solid, dashed, and a dot, for each
        rows = [row for row in curves.rows() if row["factors"] == 2]
        assert objective.lines[0].get_ydata() == pytest.approx([row["objective"] for row in rows])
        dashed, solid, dot = rmse.lines[:3]
        assert solid.get_ydata() == pytest.approx([row["validation_rmse"] for row in rows])
        assert dashed.get_ydata() == pytest.approx([row["train_rmse"] for row in rows])
        assert dot.get_xydata()[0].tolist() == [curves.best(0)["epoch"], curves.best(0)["validation_rmse"]]
        assert ndcg.lines[2].get_ydata()[0] == max(row["validation_ndcg@10"] for row in rows)
        (legend,) = figure.legends
        assert legend.get_title().get_text() == "factors"
        assert [text.get_text() for text in legend.get_texts()] == ["2", "4", "8"]

    def test_colors_follow_the_numbers(self, parts: Split) -> None:
        """The darkest is the least, whatever was fitted first."""
        curves = al.LearningCurves(parts.held_out)
        for reg in (10.0, 0.1, 1.0):
            ExplicitALS(factors=2, epochs=1, reg=reg).fit(parts.train, callbacks=[curves])
        shades = [sum(line.get_color()[:3]) for line in curves.plot().axes[0].lines]
        assert shades[1] < shades[2] < shades[0]

    @pytest.mark.parametrize(("suffix", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
    def test_files(self, curves: al.LearningCurves, tmp_path: Path, suffix: str, head: bytes) -> None:
        curves.plot(tmp_path / f"curves.{suffix}", names=["a", "b", "c"])
        (written,) = tmp_path.iterdir()
        assert written.read_bytes().startswith(head)

    def test_in_a_notebook(self, curves: al.LearningCurves) -> None:
        for shown in (curves, curves.plot()):
            assert shown._repr_png_().startswith(b"\x89PNG")
        assert al.LearningCurves()._repr_png_() is None

    def test_what_cannot_be_drawn(self, curves: al.LearningCurves, tmp_path: Path) -> None:
        with pytest.raises(ParameterError, match=r"end it with one of .*\.png.* Did you mean 'png'\?"):
            curves.plot(tmp_path / "curves.pgn")
        with pytest.raises(ParameterError, match="names has 2 labels for 3 fits; pass one for each"):
            curves.plot(names=["a", "b"])

    def test_without_matplotlib(self, curves: al.LearningCurves, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
        with pytest.raises(DependencyError, match=r"needs matplotlib, .* run: pip install 'alsatian\[plot\]'"):
            curves.plot()

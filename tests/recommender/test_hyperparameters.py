"""Every bad setting is refused before any work, in one line that says what to do."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import AlsatianError, ParameterError
from alsatian.models import MODELS, BiasedMF, BiasModel, ExplicitALS, ImplicitALS, Popularity, PureSVD
from support.notebook import HtmlTable

REFUSED: list[tuple[type, dict[str, Any], str]] = [
    (ExplicitALS, {"reg": -0.1}, "reg=-0.1 is too small; the minimum is 0."),
    (ExplicitALS, {"reg": float("nan")}, "reg=nan is not finite; pass a number such as"),
    (ExplicitALS, {"reg": float("inf")}, "reg=inf is not finite"),
    (ExplicitALS, {"reg": "0.1"}, "reg='0.1' is not a number; pass a number, such as"),
    (ExplicitALS, {"reg": True}, "reg=True is not a number"),
    (ExplicitALS, {"reg": None}, "reg=None is not a number"),
    (ExplicitALS, {"factors": 8.0}, "factors=8.0 is not a whole number"),
    (ExplicitALS, {"factors": -1}, "factors=-1 is too small; the minimum is 0."),
    (ExplicitALS, {"epochs": 0}, "epochs=0 is too small; the minimum is 1."),
    (ExplicitALS, {"tol": 2}, "tol=2 is too large; the maximum is 1."),
    (ExplicitALS, {"seed": -1}, "seed=-1 is too small"),
    (ExplicitALS, {"reg_exponent": 3}, "reg_exponent=3 is too large; the maximum is 2."),
    (ExplicitALS, {"biases": 1}, "biases=1 is not true or false"),
    (ExplicitALS, {"solver": "qr"}, "solver='qr' is not one of auto, cholesky, cg."),
    (ExplicitALS, {"solver": "choleski"}, "Did you mean 'cholesky'?"),
    (ExplicitALS, {"precision": "float16"}, "precision='float16' is not one of float32, float64."),
    (ExplicitALS, {"cg_steps": 3}, "cg_steps=3 has no effect with solver='auto'; pass solver='cg'."),
    (ExplicitALS, {"cg_steps": 0, "solver": "cg"}, "cg_steps=0 is too small"),
    (ExplicitALS, {"unobserved_weight": 1.0}, "which biases do not support; pass biases=False."),
    (ExplicitALS, {"factors": 0, "biases": False}, "leaves nothing to learn"),
    (ExplicitALS, {"factors": 0, "nonnegative": True}, "nonnegative=True has no effect with factors=0; drop it"),
    (ExplicitALS, {"solver": "cholesky", "nonnegative": True}, "does not support nonnegative=True; pass solver='auto'"),
    (ImplicitALS, {"solver": "cg", "nonnegative": True}, "solver='cg' does not support nonnegative=True"),
    (ExplicitALS, {"alpha": 2.0}, "It belongs to implicit-als."),
    (ExplicitALS, {"loss": "hu"}, "It belongs to implicit-als."),
    (ExplicitALS, {"factor": 2}, "Did you mean 'factors'?"),
    (ImplicitALS, {"biases": True}, "It belongs to explicit-als."),
    (ImplicitALS, {"factors": 0}, "factors=0 is too small; the minimum is 1."),
    (ImplicitALS, {"loss": "rendle", "alpha": 2}, "alpha=2 has no effect with loss='rendle'"),
    (ImplicitALS, {"loss": "rendle", "alpha": 2}, "drop it, or pass loss='hu'."),
    (ImplicitALS, {"unobserved_weight": 0.1}, "unobserved_weight=0.1 has no effect with loss='hu'"),
    (ImplicitALS, {"unobserved_weight": 0.1}, "drop it, or pass loss='rendle'"),
    (ImplicitALS, {"loss": "implicit", "unobserved_weight": 0.1}, "has no effect with loss='implicit'"),
    (ImplicitALS, {"alpha": -1}, "alpha=-1 is too small; the minimum is 0."),
    (PureSVD, {"factors": 0}, "factors=0 is too small; the minimum is 1."),
    (PureSVD, {"energy": 1.5}, "energy=1.5 is too large; the maximum is 1."),
    (PureSVD, {"energy": 0.9, "factors": 8}, "energy=0.9 and factors=8 both set the number of factors; drop"),
    (PureSVD, {"impute": "median"}, "impute='median' is not one of zero, user, item, mean, biases."),
    (BiasModel, {"user_reg": -1.0}, "user_reg=-1 is too small; the minimum is 0."),
    (BiasModel, {"reg": 1.0}, "It belongs to explicit-als"),
    (Popularity, {"by": "median"}, "by='median' is not one of count, mean."),
    (Popularity, {"damping": 5.0}, "damping=5 has no effect with by='count'; drop it, or pass by='mean'."),
    (Popularity, {"damping": -1.0, "by": "mean"}, "damping=-1 is too small; the minimum is 0."),
    (Popularity, {"days": 0}, "days=0 is too small; the minimum is 1."),
    (Popularity, {"days": 0.5}, "days=0.5 is not a whole number; pass a whole number, such as 1."),
    (Popularity, {"factors": 2}, "It belongs to explicit-als, implicit-als, biased-mf"),
    (BiasedMF, {"optimizer": "adagrad"}, "optimizer='adagrad' is not one of sgd, momentum, adam."),
    (BiasedMF, {"momentum": 0.5}, "momentum=0.5 has no effect with optimizer='sgd'; pass"),
    (BiasedMF, {"momentum": 1.0, "optimizer": "adam"}, "momentum=1 is too large; the maximum is 0.999."),
    (BiasedMF, {"decay": 0.9}, "decay=0.9 has no effect with schedule='cosine'; pass schedule='exponential'."),
    (BiasedMF, {"schedule": "step"}, "schedule='step' is not one of constant, exponential, cosine."),
    (BiasedMF, {"batch": 0}, "batch=0 is too small; the minimum is 1."),
    (BiasedMF, {"learning_rate": -1}, "learning_rate=-1 is too small; the minimum is 0."),
    (BiasedMF, {"validation_share": 0.9}, "validation_share=0.9 is too large; the maximum is 0.5."),
    (BiasedMF, {"patience": 4}, "patience=4 has no effect without validation; pass validation_share, such as "),
    (BiasedMF, {"alpha": 2}, "It belongs to implicit-als."),
]  # fmt: skip


@pytest.mark.parametrize(("model", "settings", "message"), REFUSED)
def test_a_bad_setting_is_refused(model: type, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError) as caught:
        model(**settings)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_parameter_error_is_a_value_error_and_ours() -> None:
    with pytest.raises(ValueError, match="reg") as caught:
        ExplicitALS(reg=-1)
    assert isinstance(caught.value, AlsatianError)


@pytest.mark.parametrize("model", [ExplicitALS, ImplicitALS, PureSVD])
def test_more_factors_than_the_data_allows_are_refused(model: type, ratings: Interactions) -> None:
    with pytest.raises(
        ParameterError, match=r"factors=5 is more than the data allows: it has 4 users and 5 items; pass at most 4\."
    ):
        model(factors=5).fit(ratings)
    model(factors=4).fit(ratings)


def test_numpy_numbers_are_taken_and_become_plain_ones() -> None:
    model = ExplicitALS(factors=np.int64(3), reg=np.float32(0.5), biases=np.bool_(True))
    assert {type(model.params[name]) for name in ("factors", "reg", "biases")} == {int, float, bool}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_signature_lists_the_parameters_with_their_defaults(model: type) -> None:
    signature = inspect.signature(model)
    defaults = {name: p.default for name, p in signature.parameters.items()}
    assert defaults == {name: declaration.default for name, declaration in model.hyperparameters.items()}
    assert model(**defaults).params == model().params
    assert all(declared.doc for declared in model.hyperparameters.values())


def test_what_is_printed_is_what_was_changed() -> None:
    assert repr(ExplicitALS()) == "ExplicitALS()"
    assert repr(ExplicitALS(factors=7, solver="cg")) == "ExplicitALS(factors=7, solver='cg')"


def test_a_notebook_shows_all_parameters_and_the_fit(ratings: Interactions) -> None:
    model = ExplicitALS(factors=2, epochs=3)
    table = HtmlTable(model)
    assert table.caption == repr(model)
    assert table.rows[0] == ["parameter", "value", "default"]
    assert [row[0] for row in table.rows[1:]] == list(model.params)
    rows = {name: rest for name, *rest in table.rows}
    assert rows["factors"] == ["2", repr(ExplicitALS().factors)]
    assert rows["solver"] == ["'auto'", ""]
    assert table.number_columns == {"value", "default"}
    assert table.notes == ["not fitted"]
    fitted = HtmlTable(model.fit(ratings))
    assert fitted.rows == table.rows
    assert fitted.notes[0] == f"fitted on {ratings}"
    assert fitted.notes[1].startswith("3 epochs, objective ")
    assert HtmlTable(ExplicitALS()).rows[0] == ["parameter", "value"]


@pytest.mark.parametrize("model", MODELS.values())
def test_a_notebook_shows_every_model(model: type[Any]) -> None:
    assert HtmlTable(model()).caption == repr(model())


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("factors", "12", 12),
        ("reg", "1e-2", 0.01),
        ("biases", "False", False),
        ("cg_steps", "none", None),
        ("solver", "cg", "cg"),
    ],
)
def test_a_setting_is_read_from_a_command_line(name: str, written: str, value: Any) -> None:
    assert ExplicitALS.param(name).parse(name, written) == value


@pytest.mark.parametrize(
    ("name", "written", "message"),
    [
        ("factors", "twelve", "factors=twelve is not a whole number."),
        ("factors", "1.5", "factors=1.5 is not a whole number."),
        ("reg", "-1", "reg=-1 is too small; the minimum is 0."),
        ("biases", "maybe", "biases=maybe is not valid; pass true or false."),
        ("solver", "qr", "solver='qr' is not one of auto, cholesky, cg."),
    ],
)
def test_a_bad_setting_on_a_command_line_is_refused(name: str, written: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        ExplicitALS.param(name).parse(name, written)


@pytest.mark.parametrize("threads", [0, -1])
def test_a_fit_needs_a_thread(ratings: Interactions, threads: int) -> None:
    with pytest.raises(ParameterError, match=f"threads={threads} is out of bounds"):
        ExplicitALS(factors=2).fit(ratings, threads=threads)


@pytest.mark.parametrize("n", [0, -3, 2.5, True, "ten"])
def test_a_list_has_a_length(ratings: Interactions, n: Any) -> None:
    model = Popularity().fit(ratings)
    with pytest.raises(ParameterError, match=r"n=.* is not a valid list length; pass 1 or more\."):
        model.recommend("alice", n=n)


def test_a_word_for_the_unknown_must_be_known(ratings: Interactions) -> None:
    model = ExplicitALS(factors=2).fit(ratings)
    with pytest.raises(ParameterError, match="unknown='guess' is not valid; choose 'raise', 'skip' or 'popular'"):
        model.recommend("alice", unknown="guess")
    with pytest.raises(ParameterError, match="unknown='popular' is not valid; choose 'raise', 'skip' or 'bias'"):
        model.predict("alice", "up", unknown="popular")

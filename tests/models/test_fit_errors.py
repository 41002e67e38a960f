"""Where the numbers go wrong, the fit says for whom, and what to change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, FitError
from alsatian.models import ExplicitALS, ImplicitALS
from support.problems import MATRIX, from_matrix


def with_values(data: Interactions, values: np.ndarray) -> Interactions:
    return Interactions.build(data.user_ids, data.item_ids, data.users, data.items, values.astype(np.float32))


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_singular_system_names_the_row(ratings: Interactions, precision: str) -> None:
    """Without regularization, a user of three values cannot have four factors and a bias."""
    model = ExplicitALS(factors=4, reg=0.0, precision=precision)
    with pytest.raises(
        FitError,
        match=r"user 'alice' with 3 values has no finite, unique solution at 4 factors and reg=0; increase reg",
    ):
        model.fit(ratings)


def test_a_fit_error_is_an_arithmetic_error(ratings: Interactions) -> None:
    with pytest.raises(ArithmeticError):
        ExplicitALS(factors=4, reg=0.0).fit(ratings)


@pytest.mark.parametrize("solver", ["cholesky", "cg"])
@pytest.mark.parametrize("model", [ExplicitALS, ImplicitALS])
@pytest.mark.parametrize("huge", [1e30, 3e38])
def test_values_that_overflow_name_a_row(some_ratings: Interactions, model: Any, solver: str, huge: float) -> None:
    values = np.where(some_ratings.values > 4, huge, some_ratings.values)
    with pytest.raises(FitError, match=r"(user|item) \d+ with .* values? has no finite"):
        model(factors=4, solver=solver).fit(with_values(some_ratings, values), progress=False)


def test_a_failed_fit_leaves_the_model_as_it_was(ratings: Interactions) -> None:
    model = ExplicitALS(factors=2).fit(ratings)
    before, factors = model.recommend("alice").items, model.user_factors.copy()
    model.reg = 0.0
    with pytest.raises(FitError):
        model.fit(with_values(ratings, np.full(len(ratings), 3e38)))
    assert model.recommend("alice").items == before
    assert np.array_equal(model.user_factors, factors)


def test_an_unfitted_model_stays_unfitted_after_a_failure(ratings: Interactions) -> None:
    model = ExplicitALS(factors=4, reg=0.0)
    with pytest.raises(FitError):
        model.fit(ratings)
    assert not hasattr(model, "data")


@pytest.mark.parametrize("bad", [0.0, -2.0])
def test_amounts_of_zero_and_less_are_refused_by_implicit_als(ratings: Interactions, bad: float) -> None:
    values = ratings.values.copy()
    values[4] = bad
    data = with_values(ratings, values)
    with pytest.raises(DataError, match=f"implicit-als requires values above 0, and 1 of .* {bad:g}") as caught:
        ImplicitALS(factors=2).fit(data)
    assert "use_values=False" in str(caught.value)
    ImplicitALS(factors=2, use_values=False).fit(data)


@pytest.mark.parametrize("bad", [0, -3])
def test_a_visitor_brings_no_such_amounts_either(ratings: Interactions, bad: float) -> None:
    model = ImplicitALS(factors=2).fit(ratings)
    with pytest.raises(DataError, match="implicit-als requires values above 0"):
        model.fold_in({"up": bad})


def test_a_column_that_nobody_rated_becomes_zero() -> None:
    """After a split an item may be left without values: it has no factors, and its prediction is the mean and bias."""
    data = from_matrix(np.column_stack([MATRIX, np.zeros(4)]))
    model = ExplicitALS(factors=2).fit(data, progress=False)
    assert model.item_bias is not None
    assert model.user_bias is not None
    assert not model.item_factors[5].any()
    assert model.predict(0, 5, unknown="bias")[0] == pytest.approx(model.mean[0] + model.user_bias[0])

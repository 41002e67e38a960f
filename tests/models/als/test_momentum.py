"""Momentum changes how soon a fit arrives, not where; `auto` ends with exact users."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.kernels import Side
from alsatian.models import ExplicitALS, ImplicitALS
from alsatian.models.als.momentum import Momentum
from alsatian.models.als.solver import MAX_FACTORS_EXACT
from support.cases import user_history

EACH_MODEL = pytest.mark.parametrize("model", [ExplicitALS, ImplicitALS])


def fit(model: Any, data: Interactions, **settings: Any) -> Any:
    return model(**{"factors": 8, "precision": "float64"} | settings).fit(data, progress=False)


@EACH_MODEL
def test_the_second_step_goes_on_by_a_third(model: Any, some_ratings: Interactions) -> None:
    """s / (s + 2) for s = 1, beyond where plain ALS comes to."""
    first, second = (fit(model, some_ratings, epochs=n, accelerate=False).item_factors for n in (1, 2))
    moved = fit(model, some_ratings, epochs=2).item_factors
    np.testing.assert_allclose(moved, second + (second - first) / 3, rtol=1e-9, atol=1e-12)


@EACH_MODEL
def test_ten_epochs_with_momentum_come_as_far_as_fifteen_without(model: Any, some_ratings: Interactions) -> None:
    plain = fit(model, some_ratings, epochs=15, accelerate=False).history[-1].objective
    assert fit(model, some_ratings, epochs=10).history[-1].objective <= 1.001 * plain


@EACH_MODEL
def test_momentum_arrives_where_plain_epochs_arrive(model: Any, checkerboard: Interactions) -> None:
    plain, moved = (fit(model, checkerboard, factors=3, epochs=400, accelerate=to).history for to in (False, True))
    assert moved[-1].objective == pytest.approx(plain[-1].objective, rel=1e-6)


def test_a_step_back_restores_both_factors_and_bias_and_begins_anew() -> None:
    momentum, side = Momentum(), Side(np.zeros((2, 1)), np.zeros(2))
    momentum.move(side)
    assert not momentum.is_active
    side.factors[:], side.bias[:] = 3.0, 6.0
    momentum.move(side)
    assert side.factors.tolist() == [[4.0], [4.0]]
    assert side.bias.tolist() == [8.0, 8.0]
    momentum.undo(side)
    assert side.factors.tolist() == [[3.0], [3.0]]
    assert side.bias.tolist() == [6.0, 6.0]
    assert not momentum.is_active


@pytest.mark.parametrize(
    "solver",
    [{"solver": "cholesky"}, {"solver": "cg", "cg_steps": 1}, {"nonnegative": True}],
    ids=["exact", "cg", "non-negative"],
)
def test_a_step_too_far_is_taken_back(
    solver: dict[str, Any], monkeypatch: pytest.MonkeyPatch, some_ratings: Interactions
) -> None:
    """Steps five times too long would raise the objective again and again; taken back, they never do."""

    def leap(self: Momentum, side: Side) -> None:
        before, self.last_solution = self.last_solution, Side(side.factors.copy(), None)
        if before is not None:
            self.steps += 1
            side.factors[:] += 5 * (side.factors - before.factors)

    monkeypatch.setattr(Momentum, "move", leap)
    undone = []
    undo = Momentum.undo
    monkeypatch.setattr(Momentum, "undo", lambda self, side: (undone.append(1), undo(self, side)))
    losses = [epoch.objective for epoch in fit(ImplicitALS, some_ratings, epochs=12, **solver).history]
    assert undone
    assert all(b <= a for a, b in zip(losses, losses[1:], strict=False))


@EACH_MODEL
@pytest.mark.parametrize("factors", [MAX_FACTORS_EXACT, MAX_FACTORS_EXACT + 1])
def test_auto_ends_with_users_that_fold_in_exactly(model: Any, factors: int, some_ratings: Interactions) -> None:
    fitted = fit(model, some_ratings, factors=factors, epochs=3)
    visitor = fitted.fold_in(user_history(some_ratings, 7))
    np.testing.assert_allclose(visitor.batch.vectors[0], fitted.user_factors[7], rtol=1e-8)


def test_auto_is_exact_for_few_factors_and_conjugate_gradient_for_more(some_ratings: Interactions) -> None:
    for factors, other in ((MAX_FACTORS_EXACT, "cholesky"), (MAX_FACTORS_EXACT + 1, "cg")):
        auto, same = (
            fit(ImplicitALS, some_ratings, factors=factors, epochs=3, solver=name) for name in ("auto", other)
        )
        np.testing.assert_array_equal(auto.item_factors, same.item_factors)
    assert auto.history[-1].objective < same.history[-1].objective  # the users' last half-sweep was exact

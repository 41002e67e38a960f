"""Biased matrix factorization: what its history, schedules and visitors promise."""

from __future__ import annotations

import numpy as np
import pytest

from alsatian.errors import FitError
from alsatian.interactions import Interactions
from alsatian.models import BiasedMF
from oracles import cells, objective

SMALL = {"factors": 6, "epochs": 4}


@pytest.mark.parametrize("nu", [0.0, 0.5, 1.0])
def test_the_history_holds_the_exact_objective(some_ratings: Interactions, nu: float) -> None:
    model = BiasedMF(**SMALL, nu=nu, reg=0.3, bias_reg=0.3).fit(some_ratings, progress=False)
    matrix = cells(some_ratings)
    ridges = [0.3 * counts**nu for counts in (some_ratings.by_user.counts, some_ratings.item_counts)]
    confidence = np.where(matrix > 0, 1.0, np.nan)
    sides = (model.user_factors, model.item_factors, *ridges, model.user_bias, model.item_bias)
    expected = objective(confidence, matrix, 0.0, *sides, float(model.mean[0]))
    assert model.history[-1].objective == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("settings", [{}, {"optimizer": "momentum", "lr": 0.003}, {"optimizer": "adam"}, {"batch": 5}])
def test_the_objective_descends(some_ratings: Interactions, settings: dict[str, object]) -> None:
    model = BiasedMF(factors=6, epochs=20, nu=1, reg=0.05, bias_reg=0.05, **settings).fit(some_ratings, progress=False)
    objectives = [epoch.objective for epoch in model.history]
    assert objectives[-1] < 0.8 * objectives[0]
    assert objectives == sorted(objectives, reverse=True)


def test_schedules() -> None:
    def rates(**settings: object) -> list[float]:
        model = BiasedMF(epochs=4, lr=0.1, **settings)
        return [round(model.rate(epoch), 6) for epoch in (1, 2, 3, 4)]

    assert rates(schedule="constant") == [0.1, 0.1, 0.1, 0.1]
    assert rates(schedule="exponential", decay=0.5) == [0.1, 0.05, 0.025, 0.0125]
    assert rates(schedule="exponential") == [0.1, 0.095, 0.09025, 0.085737]
    assert rates(schedule="cosine") == [0.1, 0.085355, 0.05, 0.014645]


def test_a_rate_that_is_too_large_is_named(some_ratings: Interactions) -> None:
    with pytest.raises(
        FitError, match=r"no longer finite after epoch \d+ at lr=10; pass a smaller one, such as lr=2\.5"
    ):
        BiasedMF(**SMALL, lr=10).fit(some_ratings, progress=False)


@pytest.mark.parametrize("nu", [0.5, 1.0])
def test_a_visitor_is_the_minimum_of_the_loss_over_a_new_row(some_ratings: Interactions, nu: float) -> None:
    """A fit long enough comes to where every user is her own ridge regression."""
    settings = {"factors": 3, "epochs": 1000, "lr": 0.05, "nu": nu, "reg": 0.4, "bias_reg": 0.2}
    model = BiasedMF(**settings).fit(some_ratings, progress=False)
    for user in (0, 5, 9):
        items, values = some_ratings.by_user.row(user)
        visitor = model.fold_in(dict(zip(items.tolist(), values.tolist(), strict=True)))
        assert visitor.audience.vectors is not None
        assert visitor.audience.offsets is not None
        assert model.user_bias is not None
        np.testing.assert_allclose(visitor.audience.vectors[0], model.user_factors[user], atol=0.01)
        assert visitor.audience.offsets[0] == pytest.approx(model.user_bias[user], abs=0.01)


def test_without_regularization_a_visitor_takes_the_least_factors(some_ratings: Interactions) -> None:
    model = BiasedMF(**SMALL, reg=0, bias_reg=0).fit(some_ratings, progress=False)
    visitor = model.fold_in({3: 5, 4: 1})
    np.testing.assert_allclose(visitor.predict([3, 4]), [5, 1], atol=1e-3)


def test_a_weight_says_how_much_an_entry_counts(some_ratings: Interactions) -> None:
    """Weights of 1 change no bit; an entry of weight 20 is met much more closely."""
    data = some_ratings

    def fit(weights: np.ndarray) -> BiasedMF:
        columns = (data.users, data.items, data.values, None, weights.astype(np.float32))
        return BiasedMF(**SMALL).fit(Interactions.build(data.user_ids, data.item_ids, *columns), progress=False)

    plain, ones = BiasedMF(**SMALL).fit(data, progress=False), np.ones(len(data))
    assert np.array_equal(fit(ones).item_factors, plain.item_factors)
    errors = np.abs(plain.predict(data.users, data.items) - data.values)
    worst = int(errors.argmax())
    ones[worst] = 20
    assert abs(fit(ones).predict(data.users[worst], data.items[worst])[0] - data.values[worst]) < errors[worst] / 2

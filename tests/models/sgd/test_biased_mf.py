"""Biased matrix factorization: what its history, schedules and visitors promise."""

from __future__ import annotations

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import FitError, ParameterError
from alsatian.models import BiasedMF
from support.oracles import cells, objective

SMALL = {"factors": 6, "epochs": 4}


@pytest.mark.parametrize("reg_exponent", [0.0, 0.5, 1.0])
def test_the_history_holds_the_exact_objective(some_ratings: Interactions, reg_exponent: float) -> None:
    model = BiasedMF(**SMALL, reg_exponent=reg_exponent, reg=0.3, bias_reg=0.3).fit(some_ratings, progress=False)
    matrix = cells(some_ratings)
    ridges = [0.3 * counts**reg_exponent for counts in (some_ratings.by_user.counts, some_ratings.item_counts)]
    confidence = np.where(matrix > 0, 1.0, np.nan)
    sides = (model.user_factors, model.item_factors, *ridges, model.user_bias, model.item_bias)
    expected = objective(confidence, matrix, 0.0, *sides, float(model.mean[0]))
    assert model.history[-1].objective == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    "settings", [{}, {"optimizer": "momentum", "learning_rate": 0.003}, {"optimizer": "adam"}, {"batch": 5}]
)
def test_the_objective_descends(some_ratings: Interactions, settings: dict[str, object]) -> None:
    model = BiasedMF(factors=6, epochs=20, reg_exponent=1, reg=0.05, bias_reg=0.05, **settings).fit(
        some_ratings, progress=False
    )
    objectives = [epoch.objective for epoch in model.history]
    assert objectives[-1] < 0.8 * objectives[0]
    assert objectives == sorted(objectives, reverse=True)


def test_schedules() -> None:
    def rates(**settings: object) -> list[float]:
        model = BiasedMF(epochs=4, learning_rate=0.1, **settings)
        return [round(model.learning_rate_at(epoch), 6) for epoch in (1, 2, 3, 4)]

    assert rates(schedule="constant") == [0.1, 0.1, 0.1, 0.1]
    assert rates(schedule="exponential", decay=0.5) == [0.1, 0.05, 0.025, 0.0125]
    assert rates(schedule="exponential") == [0.1, 0.095, 0.09025, 0.085737]
    assert rates(schedule="cosine") == [0.1, 0.085355, 0.05, 0.014645]


def test_a_rate_that_is_too_large_is_named(some_ratings: Interactions) -> None:
    with pytest.raises(
        FitError,
        match=r"no longer finite after epoch \d+ at learning_rate=10; pass a smaller .* such as learning_rate=2\.5",
    ):
        BiasedMF(**SMALL, learning_rate=10).fit(some_ratings, progress=False)


@pytest.mark.parametrize("reg_exponent", [0.5, 1.0])
def test_a_visitor_is_the_minimum_of_the_loss_over_a_new_row(some_ratings: Interactions, reg_exponent: float) -> None:
    """A fit long enough comes to where every user is her own ridge regression."""
    settings = {
        "factors": 3,
        "epochs": 1000,
        "learning_rate": 0.05,
        "reg_exponent": reg_exponent,
        "reg": 0.4,
        "bias_reg": 0.2,
    }
    model = BiasedMF(**settings).fit(some_ratings, progress=False)
    for user in (0, 5, 9):
        items, values = some_ratings.by_user.row(user)
        visitor = model.fold_in(dict(zip(items.tolist(), values.tolist(), strict=True)))
        assert visitor.batch.vectors is not None
        assert visitor.batch.offsets is not None
        assert model.user_bias is not None
        np.testing.assert_allclose(visitor.batch.vectors[0], model.user_factors[user], atol=0.01)
        assert visitor.batch.offsets[0] == pytest.approx(model.user_bias[user], abs=0.01)


def test_without_regularization_a_visitor_takes_the_least_factors(some_ratings: Interactions) -> None:
    model = BiasedMF(**SMALL, reg=0, bias_reg=0).fit(some_ratings, progress=False)
    visitor = model.fold_in({3: 5, 4: 1})
    np.testing.assert_allclose(visitor.predict([3, 4]), [5, 1], atol=1e-3)


def test_a_weight_says_how_much_an_entry_counts(some_ratings: Interactions) -> None:
    """Weights of 1 change no bit; an entry of weight 20 is met much more closely."""
    data = some_ratings

    def fit(weights: np.ndarray) -> BiasedMF:
        return BiasedMF(**SMALL).fit(weighted(data, weights), progress=False)

    plain, ones = BiasedMF(**SMALL).fit(data, progress=False), np.ones(len(data))
    assert np.array_equal(fit(ones).item_factors, plain.item_factors)
    errors = np.abs(plain.predict(data.users, data.items) - data.values)
    worst = int(errors.argmax())
    ones[worst] = 20
    assert abs(fit(ones).predict(data.users[worst], data.items[worst])[0] - data.values[worst]) < errors[worst] / 2


def test_early_stopping_keeps_the_epoch_that_predicts_best(some_ratings: Interactions) -> None:
    settings = {"factors": 8, "epochs": 100, "reg": 0, "bias_reg": 0, "learning_rate": 0.05, "schedule": "constant"}
    model = BiasedMF(**settings, validation_share=0.3, patience=2).fit(some_ratings, progress=False)
    errors = [epoch.validation for epoch in model.history]
    assert len(errors) < 100
    assert all(error is not None for error in errors)
    best = int(np.argmin(errors))
    assert best == len(errors) - 3
    shorter = BiasedMF(**settings | {"epochs": best + 1}, validation_share=0.3).fit(some_ratings, progress=False)
    assert np.array_equal(shorter.item_factors, model.item_factors)


def test_without_validation_nothing_is_held_out(some_ratings: Interactions) -> None:
    assert {epoch.validation for epoch in BiasedMF(**SMALL).fit(some_ratings, progress=False).history} == {None}


def test_too_few_values_to_hold_some_out(ratings: Interactions) -> None:
    with pytest.raises(
        ParameterError, match=r"validation_share=1e-09 holds out 0 of 13 values, .* pass validation_share=0"
    ):
        BiasedMF(factors=2, validation_share=1e-9).fit(ratings)


def weighted(data: Interactions, weights: np.ndarray, values: np.ndarray | None = None) -> Interactions:
    columns = data.users, data.items, data.values if values is None else values, None, weights.astype(np.float32)
    return Interactions.build(data.user_ids, data.item_ids, *columns)


def test_values_of_weight_zero_teach_and_judge_nothing(some_ratings: Interactions) -> None:
    """Whatever they are, in the part that is learned from as in the one held out."""
    rng, settings = np.random.default_rng(0), SMALL | {"validation_share": 0.3}
    weights = (rng.random(len(some_ratings)) < 0.5).astype(np.float32)
    absurd = np.where(weights > 0, some_ratings.values, np.float32(1000))
    first, other = (
        BiasedMF(**settings).fit(weighted(some_ratings, weights, values), progress=False)
        for values in (some_ratings.values, absurd)
    )
    assert np.array_equal(first.item_factors, other.item_factors)
    errors = [epoch.validation for epoch in first.history]
    assert errors == [epoch.validation for epoch in other.history]
    assert all(error is not None and 0 < error < 3 for error in errors)


@pytest.mark.parametrize("part", [True, False], ids=["held out", "learned from"])
def test_both_parts_need_values_that_weigh_something(some_ratings: Interactions, part: bool) -> None:
    drawn = np.random.default_rng([0, 1]).random(len(some_ratings)) < 0.3  # as the model does with seed 0
    with pytest.raises(
        ParameterError, match=r"validation_share=0\.3 holds out \d+ of \d+ values, .* pass validation_share=0"
    ):
        BiasedMF(**SMALL, validation_share=0.3).fit(weighted(some_ratings, drawn == part), progress=False)


SVDPP = SMALL | {"svdpp": True, "learning_rate": 0.01, "reg": 0.3, "bias_reg": 0.3}


def test_users_contain_what_their_items_imply(some_ratings: Interactions) -> None:
    """Koren 2008, eq. 15; the objective counts the explicit part of a user's factors, and z."""
    model = BiasedMF(**SVDPP).fit(some_ratings, progress=False)
    assert model.implicit_factors is not None
    seen = cells(some_ratings) > 0
    implied = (seen / np.sqrt(seen.sum(axis=1, keepdims=True))) @ model.implicit_factors
    own, counts = model.user_factors - implied, (seen.sum(axis=1), seen.sum(axis=0))
    errors = (
        cells(some_ratings) - model.predict_rows(*np.indices(seen.shape, np.int32).reshape(2, -1)).reshape(seen.shape)
    )[seen]
    penalty = 0.3 * np.sqrt(counts[0]) @ ((own**2).sum(axis=1) + model.user_bias**2)
    sizes = (model.item_factors**2).sum(axis=1) + model.item_bias**2 + (model.implicit_factors**2).sum(axis=1)
    expected = (errors**2).sum() + penalty + 0.3 * np.sqrt(counts[1]) @ sizes
    assert model.history[-1].objective == pytest.approx(expected, rel=1e-5)


def test_implicit_terms_lower_the_objective(some_ratings: Interactions) -> None:
    model = BiasedMF(**SVDPP | {"epochs": 60}).fit(some_ratings, progress=False)
    objectives = [epoch.objective for epoch in model.history]
    assert objectives[-1] < 0.8 * objectives[0]


def test_a_visitor_of_svdpp_is_solved_beside_what_her_items_imply(some_ratings: Interactions) -> None:
    model = BiasedMF(**SVDPP | {"epochs": 5}).fit(some_ratings, progress=False)
    assert model.implicit_factors is not None
    assert model.item_bias is not None
    items = np.array([3, 4, 9])
    history = dict(zip(items.tolist(), [5.0, 1.0, 4.0], strict=True))
    implied = model.implicit_factors[items].sum(axis=0) / np.sqrt(3)
    wide = np.column_stack([model.item_factors[items], np.ones(3)])
    target = np.array([5, 1, 4]) - model.mean[0] - model.item_bias[items] - model.item_factors[items] @ implied
    expected = np.linalg.solve(wide.T @ wide + 0.3 * np.sqrt(3) * np.eye(7), wide.T @ target)
    expected[:-1] += implied
    visitor = model.fold_in(history)
    assert visitor.batch.vectors is not None
    np.testing.assert_allclose(visitor.batch.vectors[0], expected[:-1], rtol=1e-4, atol=1e-5)

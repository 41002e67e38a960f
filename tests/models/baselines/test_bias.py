"""Mean and biases against the normal equations, and as the ALS without factors that they are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.errors import FitError, Unsupported
from alsatian.models import BiasModel, ExplicitALS
from support.problems import MATRIX, from_matrix, random_ratings


def all_biases_at_once(data: Interactions, user_reg: float, item_reg: float) -> tuple[NDArray[np.float64], ...]:
    """Return the biases of users and items by one least squares problem."""
    users, items = len(data.user_ids), len(data.item_ids)
    design = np.zeros((len(data), users + items))
    design[np.arange(len(data)), data.users] = 1
    design[np.arange(len(data)), users + data.items] = 1
    weights = np.ones(len(data)) if data.by_user.weights is None else data.by_user.weights.astype(float)
    ridge = np.diag(np.repeat([user_reg, item_reg], [users, items]).astype(float))
    solution = np.linalg.solve(
        (design.T * weights) @ design + ridge,
        (design.T * weights) @ (data.values - np.average(data.values, weights=weights)),
    )
    return solution[:users], solution[users:]


@pytest.mark.parametrize("weighted", [False, True])
def test_the_biases_solve_the_normal_equations(weighted: bool) -> None:
    data = random_ratings(30, 20, 0.2, seed=3)
    if weighted:
        dense = np.zeros((30, 20))
        dense[data.users, data.items] = data.values
        data = from_matrix(dense, weights=np.random.default_rng(0).uniform(0.5, 2, dense.shape))
    model = BiasModel(user_reg=4, item_reg=1.5, epochs=300).fit(data, progress=False)
    user_bias, item_bias = all_biases_at_once(data, 4, 1.5)
    np.testing.assert_allclose(model.user_bias, user_bias, atol=1e-7)
    np.testing.assert_allclose(model.item_bias, item_bias, atol=1e-7)
    assert model.predict(2, 3)[0] == pytest.approx(data.mean + user_bias[2] + item_bias[3], abs=1e-6)


def test_it_is_als_without_factors(some_ratings: Interactions) -> None:
    model = BiasModel(user_reg=2, item_reg=2, epochs=200).fit(some_ratings, progress=False)
    als = ExplicitALS(factors=0, reg=2, reg_exponent=0, epochs=200, precision="float64").fit(
        some_ratings, progress=False
    )
    np.testing.assert_allclose(model.predict(range(80), range(80)), als.predict(range(80), range(80)), atol=1e-5)
    assert model.history[-1].objective == pytest.approx(als.history[-1].objective, rel=1e-9)


def test_the_objective_descends_and_a_callback_may_stop(some_ratings: Interactions) -> None:
    model = BiasModel().fit(some_ratings, progress=False)
    losses = [epoch.objective for epoch in model.history]
    assert losses == sorted(losses, reverse=True)
    assert len(model.fit(some_ratings, callbacks=[lambda epoch: epoch.epoch == 2]).history) == 2


def test_everybody_gets_the_items_of_the_highest_bias(ratings: Interactions) -> None:
    model = BiasModel().fit(ratings)
    best = [ratings.item_ids.id_of(int(row)) for row in np.argsort(-model.item_bias)]
    for user in ("alice", "dave"):
        assert model.recommend(user, exclude_seen=False).items == best
    with pytest.raises(
        Unsupported, match=r"similar\(\) is not supported by bias\. Models that support it: explicit-als, "
    ):
        model.similar("up")


def test_whoever_rates_high_is_predicted_high_values(ratings: Interactions) -> None:
    """Her reasons are the same for every item: how far her values lie above what those items get."""
    model = BiasModel(user_reg=2).fit(ratings)
    visitor = model.fold_in({"up": 5, "heat": 5})
    above = {item: 5 - model.mean[0] - model.item_bias[ratings.item_ids.row(item)] for item in ("up", "heat")}
    explanation = visitor.explain("cars")
    assert {reason.item: reason.contribution for reason in explanation.reasons} == pytest.approx(
        {item: part / (2 + 2) for item, part in above.items()}
    )
    assert visitor.predict("cars") > model.fold_in({"up": 1, "heat": 1}).predict("cars")


def test_without_regularization_a_row_of_no_weight_has_no_bias() -> None:
    weights = np.where(np.arange(4)[:, None] == 1, 0.0, np.ones_like(MATRIX))
    data = from_matrix(MATRIX, weights=weights)
    BiasModel().fit(data)
    with pytest.raises(FitError, match="a row whose weights are all 0 has no bias without regularization; increase"):
        BiasModel(user_reg=0).fit(data)

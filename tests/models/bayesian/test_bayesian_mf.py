"""BayesianMF: what its draws say, how sure it is, and what its chain goes through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError, ParameterError, Unsupported
from alsatian.models import BayesianMF, ExplicitALS
from alsatian.persistence.save_load import load, save
from alsatian.recommender.fit_run import Epoch
from support import problems

SMALL = {"factors": 3, "draws": 8, "burn_in": 4}


@pytest.fixture(scope="module")
def generated() -> tuple[Interactions, np.ndarray]:
    """Ratings made by the model itself, with noise of standard deviation 0.5; and which cells they are."""
    rng = np.random.default_rng(3)
    users, items = 150, 100
    truth = 3 + rng.normal(0, 0.5, (users, 1)) + rng.normal(-0.4, 0.5, items)
    truth += rng.normal(0, 0.7, (users, 2)) @ rng.normal(0, 0.7, (2, items))
    noisy = truth + rng.normal(0, 0.5, truth.shape)
    observed = rng.random(truth.shape) < 0.3
    return problems.from_matrix(noisy * observed), np.where(observed, np.nan, noisy)


@pytest.fixture(scope="module")
def sampled(generated: tuple[Interactions, np.ndarray]) -> BayesianMF:
    return BayesianMF(factors=4, draws=150, burn_in=30, seed=1).fit(generated[0], progress=False)


def test_the_noise_of_made_ratings_is_found(sampled: BayesianMF) -> None:
    assert 1 / np.sqrt(sampled.noise.mean()) == pytest.approx(0.5, rel=0.05)


def test_nine_in_ten_unseen_values_lie_in_their_interval(
    sampled: BayesianMF, generated: tuple[Interactions, np.ndarray]
) -> None:
    users, items = (rows.astype(np.int32) for rows in np.nonzero(~np.isnan(generated[1])))
    predicted, spread = sampled.predict(users, items, return_std=True)
    inside = np.abs(generated[1][users, items] - predicted) < 1.645 * spread
    assert inside.mean() == pytest.approx(0.9, abs=0.02)


def test_a_prediction_is_the_mean_of_the_draws_and_its_deviation_their_spread(sampled: BayesianMF) -> None:
    users, items, draws, k = np.arange(20), np.arange(20), 150, 4
    x = sampled.user_factors.reshape(-1, draws, k)[users] * np.sqrt(draws)
    y = sampled.item_factors.reshape(-1, draws, k)[items] * np.sqrt(draws)
    each = sampled.means + sampled.user_biases[users] + sampled.item_biases[items] + (x * y).sum(axis=2)
    predicted, spread = sampled.predict(users, items, return_std=True)
    assert predicted == pytest.approx(each.mean(axis=1), rel=1e-4)
    assert spread == pytest.approx(np.sqrt(each.var(axis=1) + (1 / sampled.noise).mean()), rel=1e-4)
    assert np.array_equal(predicted, sampled.predict(users, items))


def test_less_is_known_of_a_user_with_few_values(generated: tuple[Interactions, np.ndarray]) -> None:
    data = generated[0]
    few = data.where((data.users != 0) | (np.arange(len(data)) < 2))
    model = BayesianMF(factors=4, draws=60, burn_in=20).fit(few, progress=False)
    _, spread = model.predict([0, 1, 10_000], 5, unknown="bias", return_std=True)
    assert spread[1] < spread[0] < spread[2]


def test_the_unknown_vary_as_much_as_users_and_items_do(sampled: BayesianMF) -> None:
    """Against 400 people and items drawn from each draw's priors, put together as the model's equation says."""
    rng, draws = np.random.default_rng(0), 150
    (user_mean, _), (item_mean, _) = priors = sampled.user_prior.swapaxes(0, 1), sampled.item_prior.swapaxes(0, 1)
    x, y = (
        mean[:, None] + rng.standard_normal((draws, 400, 5)) / np.sqrt(precision)[:, None] for mean, precision in priors
    )
    m = sampled.means - (user_mean[:, :-1] * item_mean[:, :-1]).sum(axis=1) - user_mean[:, -1] - item_mean[:, -1]
    centered = sampled.item_factors[5].reshape(draws, 4) * np.sqrt(draws)
    bias = sampled.item_biases[5] + item_mean[:, -1] - (centered * user_mean[:, :-1]).sum(axis=1)
    fifth = np.column_stack([centered + item_mean[:, :-1], bias])[:, None]
    for item, theirs in ((10_000, y), (5, fifth)):
        values = m[:, None] + x[..., -1] + theirs[..., -1] + (x * theirs)[..., :-1].sum(axis=2)
        predicted, spread = sampled.predict(10_000, item, unknown="bias", return_std=True)
        assert predicted[0] == pytest.approx(values.mean(), abs=0.02)
        assert spread[0] ** 2 == pytest.approx(values.var() + (1 / sampled.noise).mean(), rel=0.03)


def test_a_visitor_with_a_users_history_is_predicted_like_the_user(sampled: BayesianMF) -> None:
    items, values = sampled.data.by_user.row(7)
    visitor = sampled.fold_in(dict(zip(items.tolist(), np.clip(values, *sampled.data.scale).tolist(), strict=True)))
    unseen = [item for item in range(100) if item not in items]
    difference = visitor.predict(unseen) - sampled.predict(7, unseen)
    assert np.sqrt((difference**2).mean()) < 0.1


def test_what_is_folded_in_is_the_mean_of_many_draws_of_that_user() -> None:
    """Draws given the items, by the same half-sweep that the fit makes, average to what a visitor gets."""
    from alsatian import kernels
    from alsatian.models.bayesian.gibbs import GibbsChain

    data = problems.random_ratings()
    model = BayesianMF(factors=3, draws=1, burn_in=5).fit(data, progress=False)
    chain = GibbsChain(data, 3, 0, 1)
    for _ in range(6):
        chain.sweep()
    form = kernels.Weighting(0, chain.noise, chain.noise, -chain.noise * chain.mean, 0)
    prior, total, mean = chain.users.prior, 0.0, chain.zero_mean_state()[0]
    for _ in range(300):
        chain.users.prior = prior
        chain.users.draw(form, chain.items.side, chain.rng, 1)
        chain.users.prior = prior
        users = chain.zero_mean_state()[1]
        assert users.bias is not None
        total = total + np.column_stack([users.factors, users.bias])
    visitors = model.encode_histories(data.by_user)
    assert model.means[0] == pytest.approx(mean)
    actual = np.column_stack([visitors.vectors, visitors.offsets])  # type: ignore[list-item]
    assert np.abs(actual - total / 300).max() < 0.25
    assert np.sqrt(np.mean((actual - total / 300) ** 2)) < 0.03


def test_values_in_other_units_give_the_same_model_in_those_units(generated: tuple[Interactions, np.ndarray]) -> None:
    data = generated[0]
    hundredfold = replace(data.by_user, values=data.values * 100 - 700)
    other = replace(data, by_user=hundredfold, scale=(-10_000.0, 10_000.0))
    plain, scaled = (BayesianMF(**SMALL).fit(some, progress=False).predict([1, 2], [3, 4]) for some in (data, other))
    np.testing.assert_allclose(scaled, plain * 100 - 700, rtol=1e-3)


def test_history_is_the_error_of_each_sweep(generated: tuple[Interactions, np.ndarray]) -> None:
    data = generated[0]
    model = BayesianMF(factors=3, draws=1, burn_in=9).fit(data, progress=False)
    assert len(model.history) == 10
    errors = model.predict_rows(data.users, data.items) - data.values
    assert model.history[-1].objective == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-4)


def test_weights_count_as_precision(generated: tuple[Interactions, np.ndarray]) -> None:
    data = generated[0]
    weights = np.random.default_rng(0).uniform(0.5, 2, len(data)).astype(np.float32)
    weighted = replace(data, by_user=replace(data.by_user, weights=weights))
    model = BayesianMF(factors=3, draws=1, burn_in=9).fit(weighted, progress=False)
    errors = model.predict_rows(data.users, data.items) - data.values
    assert model.history[-1].objective == pytest.approx(np.sqrt(np.average(errors**2, weights=weights)), rel=1e-4)


@pytest.mark.parametrize("last", [2, 7])
def test_a_callback_ends_the_fit_with_the_draws_so_far(last: int, tmp_path: Path) -> None:
    def enough(epoch: Epoch) -> bool:
        return epoch.epoch == last

    model = BayesianMF(**SMALL).fit(problems.random_ratings(), progress=False, callbacks=[enough])
    assert len(model.history) == last
    assert len(model.noise) == max(1, last - 4)
    save(model, tmp_path / "a.model")
    assert np.array_equal(load(tmp_path / "a.model").predict(1, 5), model.predict(1, 5))


def test_thinned_draws_are_every_so_many_of_the_chain() -> None:
    data = problems.random_ratings()
    dense, thin = (
        BayesianMF(factors=3, burn_in=2, draws=draws, thin=every).fit(data, progress=False)
        for draws, every in ((6, 1), (2, 3))
    )
    assert np.array_equal(thin.user_biases, dense.user_biases[:, [2, 5]])
    assert np.array_equal(thin.noise, dense.noise[[2, 5]])


def test_other_seeds_draw_otherwise() -> None:
    data = problems.random_ratings()
    one, other = (BayesianMF(**SMALL, seed=seed).fit(data, progress=False) for seed in (0, 1))
    assert not np.array_equal(one.noise, other.noise)


def test_deviations_of_the_unknown_follow_the_word(sampled: BayesianMF) -> None:
    predicted, spread = sampled.predict([1, 10_000], [2, 2], unknown="skip", return_std=True)
    assert np.isnan(predicted).tolist() == np.isnan(spread).tolist() == [False, True]
    assert spread.dtype == np.float32


def test_reasons_are_given_by_other_models(sampled: BayesianMF) -> None:
    with pytest.raises(
        Unsupported, match=r"explain\(\) is not supported by bayesian-mf\. Models that support it: explicit-als, "
    ):
        sampled.explain(1, 2)


def test_other_models_have_no_deviations(ratings: Interactions) -> None:
    with pytest.raises(TypeError, match="return_std"):
        ExplicitALS(factors=2).fit(ratings).predict("alice", "up", return_std=True)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reg": 0.1}, "bayesian-mf has no parameter 'reg'"),
        ({"draws": 0}, "draws=0 is too small; the minimum is 1."),
        ({"burn_in": -1}, "burn_in=-1 is too small; the minimum is 0."),
        ({"thin": 0}, "thin=0 is too small; the minimum is 1."),
        ({"factors": 0}, "factors=0 is too small; the minimum is 1."),
    ],
)
def test_a_bad_setting_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        BayesianMF(**settings)


def test_values_beyond_single_precision_are_named() -> None:
    with pytest.raises(FitError, match=r"user 0 has no finite draw at 2 factors; .* rescale them\."):
        BayesianMF(factors=2, draws=1).fit(problems.from_matrix(problems.MATRIX * 1e30), progress=False)


def test_values_all_alike_are_predicted() -> None:
    model = BayesianMF(**SMALL).fit(problems.from_matrix((problems.MATRIX > 0) * 4.0), progress=False)
    assert model.predict(0, 0)[0] == pytest.approx(4, abs=0.5)


def test_weighted_values_all_alike_are_predicted() -> None:
    """Their weighted mean is not exactly theirs, so their variance is what rounding left, and no measure of noise."""
    weights = np.random.default_rng(1).uniform(0.5, 2, (40, 30))
    data = problems.from_matrix(np.full((40, 30), 3.3), weights=weights)
    assert 0 < abs(data.mean - float(data.values[0])) < 1e-12
    model = BayesianMF(**SMALL).fit(data, progress=False)
    assert 0.009 < 1 / np.sqrt(model.noise.mean()) < 1
    assert model.predict(0, 0)[0] == pytest.approx(3.3, abs=0.2)


def test_data_almost_without_noise_is_learned() -> None:
    """The sum of squared residuals must not be a difference of large numbers, nor the noise vanish."""
    rng = np.random.default_rng(0)
    users, items = np.divmod(np.arange(60 * 40, dtype=np.int32), 40)
    values = (rng.normal(size=60)[users] * rng.normal(size=40)[items]).astype(np.float32)
    data = Interactions.build(IdMap(np.arange(60), "user"), IdMap(np.arange(40), "item"), users, items, values)
    model = BayesianMF(factors=4, draws=20, burn_in=20).fit(data, progress=False)
    assert model.history[-1].objective < 0.05 * values.std()

"""A fit against NumPy on dense matrices, from the definitions in the papers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.models import ExplicitALS, ImplicitALS
from alsatian.models.als.base import ALS
from support.oracles import cells, objective
from support.problems import from_matrix, random_ratings

Dense = NDArray[np.float64]
COMMON: dict[str, Any] = {"factors": 4, "precision": "float64"}
MODELS: dict[str, ALS] = {
    "explicit": ExplicitALS(reg=0.1, reg_exponent=1.0, **COMMON),
    "explicit, plain reg": ExplicitALS(reg=2.0, reg_exponent=0.0, **COMMON),
    "explicit, no biases": ExplicitALS(reg=0.1, reg_exponent=0.7, biases=False, **COMMON),
    "zeros as data": ExplicitALS(reg=2.0, reg_exponent=0.0, biases=False, unobserved_weight=1.0, **COMMON),
    "some zeros as data": ExplicitALS(reg=0.1, reg_exponent=0.5, biases=False, unobserved_weight=0.25, **COMMON),
    "hu": ImplicitALS(loss="hu", alpha=3, reg=2.0, **COMMON),
    "hu, counted reg": ImplicitALS(loss="hu", alpha=3, reg=0.01, reg_exponent=1, **COMMON),
    "hu, pairs alike": ImplicitALS(loss="hu", alpha=3, reg=2.0, use_values=False, **COMMON),
    "rendle": ImplicitALS(loss="rendle", unobserved_weight=0.2, reg=0.05, **COMMON),
    "implicit": ImplicitALS(loss="implicit", alpha=4, reg=2.0, **COMMON),
}
EACH_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(scope="module")
def data() -> Interactions:
    return random_ratings(30, 20, 0.2, seed=3)


def weighed(model: ALS, data: Interactions) -> tuple[Dense, Dense, float, float]:
    """Return confidence and target of every cell (confidence NaN where unobserved), w0 and nu, from the papers."""
    v = cells(data)
    observed = v > 0
    if isinstance(model, ExplicitALS):
        return np.where(observed, 1.0, np.nan), v, model.unobserved_weight, model.reg_exponent
    assert isinstance(model, ImplicitALS)
    if not model.use_values:
        v = observed.astype(float)
    if model.loss == "rendle":
        w0 = model.unobserved_weight
        assert w0 is not None
        return np.where(observed, v + w0, np.nan), v / (v + w0), w0, 1.0
    assert model.alpha is not None
    base = 1.0 if model.loss == "hu" else 0.0
    confidence = np.where(observed, base + model.alpha * v, np.nan)
    return confidence, observed.astype(float), 1.0, 0.0 if model.reg_exponent is None else model.reg_exponent


def ridges(model: ALS, data: Interactions) -> tuple[Dense, Dense]:
    _, _, w0, nu = weighed(model, data)
    users, items = cells(data, np.ones(len(data))).shape
    by_user, by_item = data.by_user.counts + w0 * items, data.item_counts + w0 * users
    return model.reg * by_user**nu, model.reg * by_item**nu


def one_side(
    confidence: Dense, target: Dense, w0: float, fixed: Dense, fixed_bias: Dense | None, ridge: Dense
) -> Dense:
    """Return for each row the minimum of the objective, the other side fixed; the last column is the bias."""
    wide = fixed if fixed_bias is None else np.column_stack([fixed, np.ones(len(fixed))])
    shift = 0.0 if fixed_bias is None else fixed_bias
    c = np.where(np.isnan(confidence), w0, confidence)
    t = np.where(np.isnan(confidence), 0.0, target - shift)
    rows = zip(c, t, ridge, strict=True)
    return np.array(
        [np.linalg.solve((wide.T * a) @ wide + r * np.eye(wide.shape[1]), wide.T @ (a * b)) for a, b, r in rows]
    )


@EACH_MODEL
def test_one_more_epoch_is_one_more_alternation(model: ALS, data: Interactions) -> None:
    """Items with the users of the epoch before fixed, then users with the new items fixed."""
    plain = model.params | {"accelerate": False}
    before, after = (type(model)(**plain | {"epochs": n}).fit(data, progress=False) for n in (3, 4))
    confidence, target, w0, _ = weighed(model, data)
    target = target - after.mean[0]
    by_user, by_item = ridges(model, data)
    items = one_side(confidence.T, target.T, w0, before.user_factors, before.user_bias, by_item)
    users = one_side(confidence, target, w0, after.item_factors, after.item_bias, by_user)
    for expected, factors, bias in (
        (items, after.item_factors, after.item_bias),
        (users, after.user_factors, after.user_bias),
    ):
        actual = factors if bias is None else np.column_stack([factors, bias])
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-9)


@EACH_MODEL
@pytest.mark.parametrize("solver", [{}, {"solver": "cg", "cg_steps": 2}], ids=["cholesky", "cg"])
def test_the_recorded_objective_is_the_loss_over_all_cells(
    model: ALS, solver: dict[str, Any], data: Interactions
) -> None:
    fitted = type(model)(**model.params | {"epochs": 2} | solver).fit(data, progress=False)
    confidence, target, w0, _ = weighed(model, data)
    by_user, by_item = ridges(model, data)
    sides = (fitted.user_factors, fitted.item_factors, by_user, by_item, fitted.user_bias, fitted.item_bias)
    loss = objective(confidence, target, w0, *sides, mean=float(fitted.mean[0]))
    assert fitted.history[-1].objective == pytest.approx(loss, rel=1e-7)


@EACH_MODEL
def test_the_objective_descends_in_every_epoch(model: ALS, data: Interactions) -> None:
    for precision in ("float32", "float64"):
        fitted = type(model)(**model.params | {"epochs": 12, "precision": precision}).fit(data, progress=False)
        losses = [epoch.objective for epoch in fitted.history]
        assert all(b <= a * (1 + 1e-6) for a, b in zip(losses, losses[1:], strict=False))
        assert losses[-1] < losses[0]


def test_rendle_is_his_loss_up_to_a_constant(data: Interactions) -> None:
    """sum over observed of v (1 - s)^2 + w0 sum over all of s^2 differs from ours by the same for any scores s."""
    model = ImplicitALS(loss="rendle", unobserved_weight=0.2, **COMMON)
    confidence, target, w0, _ = weighed(model, data)
    v, none = cells(data), np.zeros(1)
    rng = np.random.default_rng(0)
    gaps = []
    for _ in range(3):
        users, items = (rng.standard_normal((side, 3)) for side in v.shape)
        scores = users @ items.T
        his = float((v * (1 - scores) ** 2).sum() + w0 * (scores**2).sum())
        ours = objective(confidence, target, w0, users, items, none.repeat(len(users)), none.repeat(len(items)))
        gaps.append(his - ours)
    assert gaps == pytest.approx([gaps[0]] * 3)


def test_mean_and_biases_alone_are_a_least_squares_problem(data: Interactions) -> None:
    """factors=0: (v - m - b_u - b_i)^2 with n_u reg b_u^2 and n_i reg b_i^2, solved for all biases at once."""
    model = ExplicitALS(factors=0, reg=0.1, reg_exponent=1, epochs=500, tol=1e-15, precision="float64").fit(
        data, progress=False
    )
    users, items = len(data.user_ids), len(data.item_ids)
    design = np.zeros((len(data), users + items))
    design[np.arange(len(data)), data.users] = 1
    design[np.arange(len(data)), users + data.items] = 1
    ridge = 0.1 * np.concatenate([data.by_user.counts, data.item_counts])
    mean = data.values.mean(dtype=np.float64)
    biases = np.linalg.solve(design.T @ design + np.diag(ridge), design.T @ (data.values - mean))
    np.testing.assert_allclose(model.user_bias, biases[:users], atol=1e-6)
    np.testing.assert_allclose(model.item_bias, biases[users:], atol=1e-6)
    assert model.predict(2, 3)[0] == pytest.approx(mean + biases[2] + biases[users + 3], abs=1e-5)


def test_zeros_as_data_finds_the_best_approximation_of_the_matrix() -> None:
    """Without regularization, k factors of all cells are the first k singular vectors (Eckart and Young 1936)."""
    rng = np.random.default_rng(0)
    matrix = rng.integers(1, 6, (15, 10)) * (rng.random((15, 10)) < 0.5)
    model = ExplicitALS(
        factors=3,
        reg=1e-9,
        reg_exponent=0,
        biases=False,
        unobserved_weight=1,
        epochs=3000,
        tol=1e-14,
        precision="float64",
    ).fit(from_matrix(matrix.astype(float)), progress=False)
    u, s, v = np.linalg.svd(matrix)
    best = (u[:, :3] * s[:3]) @ v[:3]
    np.testing.assert_allclose(model.user_factors @ model.item_factors.T, best, atol=1e-3)
    assert model.history[-1].objective == pytest.approx(float((s[3:] ** 2).sum()), rel=1e-6)


def test_weights_count_like_repeated_rows() -> None:
    """A value of weight 2 is two ratings by two users of one taste: here the same system, added up by hand."""
    data = random_ratings(12, 9, 0.4, seed=1)
    weight = np.where(cells(data) >= 4, 2.0, 1.0)
    weighted = from_matrix(cells(data), weights=weight)
    model = ExplicitALS(factors=2, reg_exponent=0.0, reg=1.0, precision="float64").fit(weighted, progress=False)
    mean = np.average(data.values, weights=weight[data.users, data.items])
    assert model.mean[0] == pytest.approx(mean)
    confidence = np.where(cells(data) > 0, weight, np.nan)
    expected = one_side(confidence, cells(data) - mean, 0.0, model.item_factors, model.item_bias, np.ones(12))
    np.testing.assert_allclose(np.column_stack([model.user_factors, model.user_bias]), expected, rtol=1e-6)


def test_equal_weights_of_two_double_the_loss_and_halve_the_regularization(data: Interactions) -> None:
    twos = from_matrix(cells(data), weights=np.full((30, 20), 2.0))
    plain = ExplicitALS(factors=3, reg_exponent=0.0, reg=1.0, precision="float64").fit(data, progress=False)
    double = ExplicitALS(factors=3, reg_exponent=0.0, reg=2.0, precision="float64").fit(twos, progress=False)
    np.testing.assert_allclose(double.user_factors, plain.user_factors, rtol=1e-6)
    assert double.history[-1].objective == pytest.approx(2 * plain.history[-1].objective)


@EACH_MODEL
def test_single_precision_is_close_to_double(model: ALS, data: Interactions) -> None:
    wide, single = (
        type(model)(**model.params | {"epochs": 3, "precision": p}).fit(data, progress=False)
        for p in ("float64", "float32")
    )
    assert single.user_factors.dtype == np.float32
    np.testing.assert_allclose(single.predict(4, range(20)), wide.predict(4, range(20)), rtol=1e-2, atol=1e-3)
    assert single.history[-1].objective == pytest.approx(wide.history[-1].objective, rel=1e-4)

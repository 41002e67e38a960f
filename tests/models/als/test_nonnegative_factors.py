"""Non-negative factors: the same objective under a bound, so that factors read as parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import nnls

from alsatian import kernels
from alsatian.data.interactions import Interactions
from alsatian.kernels import Side
from alsatian.models import ExplicitALS, ImplicitALS
from alsatian.models.als.base import ALS
from alsatian.models.als.momentum import Momentum
from support.cases import user_history
from support.oracles import cells, objective
from support.problems import from_matrix, random_ratings

Dense = NDArray[np.float64]
COMMON: dict[str, Any] = {"factors": 4, "precision": "float64", "nonnegative": True}
NMF: dict[str, Any] = {"biases": False, "unobserved_weight": 1, "reg": 0, "nonnegative": True, "precision": "float64"}
MODELS: dict[str, ALS] = {
    "explicit": ExplicitALS(reg=0.1, reg_exponent=1.0, **COMMON),
    "explicit, no biases": ExplicitALS(reg=0.1, reg_exponent=1.0, biases=False, **COMMON),
    "nmf": ExplicitALS(factors=4, **NMF),
    "hu": ImplicitALS(loss="hu", alpha=3, reg=2.0, **COMMON),
    "rendle": ImplicitALS(loss="rendle", unobserved_weight=0.2, reg=0.05, **COMMON),
}
EACH_MODEL = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


@pytest.fixture(scope="module")
def data() -> Interactions:
    return random_ratings(30, 20, 0.2, seed=3)


def fit(model: ALS, data: Interactions, **settings: Any) -> ALS:
    return type(model)(**model.params | settings).fit(data, progress=False)


def cells_of(model: ALS, data: Interactions, mean: float) -> tuple[Dense, Dense, float]:
    """Return confidence (w0 where nothing was observed) and target of every cell, and w0; see the docstrings."""
    v = cells(data)
    observed = v > 0
    if isinstance(model, ExplicitALS):
        w0 = model.unobserved_weight
        return np.where(observed, 1.0, w0), np.where(observed, v - mean, 0.0), w0
    assert isinstance(model, ImplicitALS)
    if model.loss == "hu":
        return np.where(observed, 1 + 3 * v, 1.0), observed.astype(float), 1.0
    return v + 0.2, v / (v + 0.2), 0.2


def ridges(model: ALS, data: Interactions, w0: float) -> tuple[Dense, Dense]:
    reg, nu = model.effective_value("reg"), model.effective_value("reg_exponent")
    users, items = cells(data).shape
    return reg * (data.by_user.counts + w0 * items) ** nu, reg * (data.item_counts + w0 * users) ** nu


def one_side(c: Dense, t: Dense, fixed: Dense, fixed_bias: Dense | None, ridge: Dense) -> Dense:
    """Return SciPy's solution of each row; a free bias is two columns, 1 and -1, of which one becomes zero."""
    ones = np.ones((len(fixed), 1))
    wide = fixed if fixed_bias is None else np.hstack([fixed, ones, -ones])
    rows = []
    for weight, target, r in zip(c, t - (0 if fixed_bias is None else fixed_bias), ridge, strict=True):
        left = np.vstack([np.sqrt(weight)[:, None] * wide, np.sqrt(r) * np.eye(wide.shape[1])])
        x = nnls(left, np.append(np.sqrt(weight) * target, np.zeros(wide.shape[1])))[0]
        rows.append(x if fixed_bias is None else [*x[:-2], x[-2] - x[-1]])
    return np.array(rows)


@EACH_MODEL
def test_one_more_epoch_is_one_more_alternation(model: ALS, data: Interactions) -> None:
    before, after = (fit(model, data, epochs=n, accelerate=False) for n in (3, 4))
    confidence, target, w0 = cells_of(model, data, after.mean[0])
    by_user, by_item = ridges(model, data, w0)
    items = one_side(confidence.T, target.T, before.user_factors, before.user_bias, by_item)
    users = one_side(confidence, target, after.item_factors, after.item_bias, by_user)
    for expected, factors, bias in (
        (items, after.item_factors, after.item_bias),
        (users, after.user_factors, after.user_bias),
    ):
        actual = factors if bias is None else np.column_stack([factors, bias])
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-8)


@EACH_MODEL
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_factors_are_never_negative_and_the_recorded_objective_descends(
    model: ALS, precision: str, data: Interactions
) -> None:
    fitted = fit(model, data, epochs=12, precision=precision)
    assert fitted.user_factors.min() == fitted.item_factors.min() == 0
    losses = [epoch.objective for epoch in fitted.history]
    assert all(b <= a * (1 + 1e-6) for a, b in zip(losses, losses[1:], strict=False))
    confidence, target, w0 = cells_of(model, data, float(fitted.mean[0]))
    sides = (fitted.user_factors, fitted.item_factors, *ridges(model, data, w0), fitted.user_bias, fitted.item_bias)
    loss = objective(np.where(cells(data) > 0, confidence, np.nan), target, w0, *sides)
    assert losses[-1] == pytest.approx(loss, rel=1e-5 if precision == "float32" else 1e-9)


def test_biases_are_free(data: Interactions) -> None:
    fitted = fit(MODELS["explicit"], data)
    assert (fitted.user_bias < 0).any()
    assert (fitted.item_bias < 0).any()


def test_momentum_never_leads_below_zero(monkeypatch: pytest.MonkeyPatch, data: Interactions) -> None:
    half_sweep, least = kernels.half_sweep, []

    def watched(rows: Any, form: Any, fixed: Side, *args: Any, **kwargs: Any) -> tuple[float, int]:
        least.append(fixed.factors.min(initial=0))
        return half_sweep(rows, form, fixed, *args, **kwargs)

    move, moved = Momentum.move, []
    monkeypatch.setattr(kernels, "half_sweep", watched)
    monkeypatch.setattr(Momentum, "move", lambda self, side: (move(self, side), moved.append(side.factors.min())))
    fit(MODELS["explicit"], data, epochs=10)
    assert min(moved) < 0
    assert min(least) == 0


def test_a_taste_is_a_part(checkerboard: Interactions) -> None:
    """Users like the items of their own parity: one factor for each parity, and everybody has only her own."""
    model = ImplicitALS(factors=2, reg=1.0, epochs=50, nonnegative=True).fit(checkerboard.binarize(4), progress=False)
    for factors in (model.user_factors, model.item_factors):
        own = factors.argmax(axis=1)
        assert (own[::2] == own[0]).all()
        assert (own[1::2] == 1 - own[0]).all()
        rows = np.arange(len(factors))
        assert (factors[rows, own] > 0.1).all()
        assert not factors[rows, 1 - own].any()
    assert {item % 2 for item in model.fold_in([4, 8]).recommend(10).items} == {0}
    assert {item % 2 for item in model.similar(5, n=10).items} == {1}


def test_a_product_of_two_nonnegative_matrices_is_found_again() -> None:
    rng = np.random.default_rng(0)
    users, items = (rng.random((rows, 3)) * (rng.random((rows, 3)) < 0.5) for rows in (40, 25))
    matrix = users @ items.T + 1e-9  # so that all cells are there
    model = ExplicitALS(factors=3, epochs=1000, tol=1e-12, **NMF).fit(from_matrix(matrix), progress=False)
    np.testing.assert_allclose(model.user_factors @ model.item_factors.T, matrix, atol=0.01)


def test_the_setting_for_nmf_reaches_what_multiplicative_updates_reach(data: Interactions) -> None:
    """Lee and Seung 1999: W *= V H' / W H H', H *= W' V / W' W H, here from three starts; zeros are data."""
    v, best = cells(data), np.inf
    for seed in range(3):
        rng = np.random.default_rng(seed)
        w, h = rng.random((len(v), 4)), rng.random((4, v.shape[1]))
        for _ in range(3000):
            w *= v @ h.T / (w @ (h @ h.T) + 1e-12)
            h *= w.T @ v / ((w.T @ w) @ h + 1e-12)
        best = min(best, float(((v - w @ h) ** 2).sum()))
    actual = min(fit(MODELS["nmf"], data, epochs=300, seed=seed).history[-1].objective for seed in range(3))
    assert actual <= 1.005 * best


@EACH_MODEL
def test_a_user_folds_in_to_the_same_factors_however_the_fit_came_there(model: ALS, data: Interactions) -> None:
    fitted = fit(model, data, epochs=6)
    for user in (0, 7, 19):
        visitor = fitted.fold_in(user_history(data, user))
        assert visitor.batch.vectors[0].tobytes() == fitted.user_factors[user].tobytes()


def test_an_explanation_tells_what_a_little_more_would_change(data: Interactions) -> None:
    """Without biases a part is in proportion to its value, as long as no factor becomes or ceases to be zero."""
    model = fit(MODELS["explicit, no biases"], data)
    user = next(row for row, x in enumerate(model.user_factors) if np.count_nonzero(x) == 2)
    history = user_history(data, user)
    item = model.fold_in(history).recommend(1, exclude_seen=False).items[0]
    explanation = model.explain(user, item)
    for reason in explanation.reasons:
        little = 1 / 128 if reason.value < 5 else -1 / 128
        other = model.fold_in(history | {reason.item: reason.value + little}).explain(item)
        change = reason.contribution * little / reason.value
        assert other.score - explanation.score == pytest.approx(change, rel=1e-6, abs=1e-12)

"""What a half-sweep returns is the loss of the design, and what it solves is that loss's minimum."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from alsatian.kernels import Side
from support.oracles import half_objective
from support.problems import FORMS, Problem, problem

CASES = [pytest.param(form, False, id=form) for form in FORMS] + [pytest.param("explicit", True, id="explicit, biases")]


@pytest.mark.parametrize("weights", [False, True], ids=["alike", "weighted"])
@pytest.mark.parametrize("steps", [0, 1, 3], ids=["exact", "1 step", "3 steps"])
@pytest.mark.parametrize(("form", "biases"), CASES)
def test_the_loss_is_the_objective_summed_over_every_cell(
    kernel: ModuleType, form: str, biases: bool, steps: int, weights: bool
) -> None:
    p = problem(form, 9, biases=biases, weights=weights, precision="float64")
    solution, loss, _ = p.solve(kernel, steps)
    assert loss == pytest.approx(half_objective(p, solution), rel=1e-9)


@pytest.mark.parametrize(("form", "biases"), CASES)
def test_the_loss_is_right_in_single_precision(kernel: ModuleType, form: str, biases: bool) -> None:
    p = problem(form, 9, biases=biases)
    solution, loss, _ = p.solve(kernel)
    assert loss == pytest.approx(half_objective(p, solution), rel=1e-4)


@pytest.mark.parametrize(("form", "biases"), CASES)
def test_the_slope_of_the_objective_is_zero_at_the_solution(kernel: ModuleType, form: str, biases: bool) -> None:
    """Finite differences, one unknown of every row at a time: up and down cost the same, and more than staying."""
    p = problem(form, 5, biases=biases, weights=True, precision="float64", columns=70, lengths=(1, 4, 30, 60))
    solution, loss, _ = p.solve(kernel)
    step = 1e-3
    for unknown in range(5 + biases):
        up, down = (half_objective(p, _moved(solution, unknown, by)) for by in (step, -step))
        assert abs(up - down) / (2 * step) < 1e-5 * loss
        assert min(up, down) > loss


def _moved(solution: Side, unknown: int, by: float) -> Side:
    factors = solution.factors.copy()
    if unknown < factors.shape[1]:
        factors[:, unknown] += by
        return Side(factors, solution.bias)
    assert solution.bias is not None
    return Side(factors, solution.bias + by)


@pytest.mark.parametrize(("form", "biases"), CASES)
def test_more_steps_come_closer_to_the_exact_solution(kernel: ModuleType, form: str, biases: bool) -> None:
    p = problem(form, 9, biases=biases, precision="float64", columns=120)
    exact, least, _ = p.solve(kernel)
    losses = [p.solve(kernel, steps)[1] for steps in (1, 2, 3, 10)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > least
    close, returned_loss, _ = p.solve(kernel, 50)
    assert returned_loss == pytest.approx(least, rel=1e-10)
    np.testing.assert_allclose(close.factors, exact.factors, atol=1e-8)


def test_one_factor_and_one_entry_by_hand(kernel: ModuleType) -> None:
    """c f^2 x + r x = c t f: with c = 2, t = 3 - 1, f = 2 and r = 1 that is 9 x = 8."""
    p = problem("explicit", 1, weights=True, lengths=(1,), columns=1, precision="float64")
    rows = p.rows._replace(values=np.array([3], np.float32), weights=np.array([2], np.float32))
    form = p.form._replace(target_shift=-1.0)
    by_hand = Problem(rows, form, Side(np.array([[2.0]]), None), None, np.array([1.0]), p.start)
    solution, loss, _ = by_hand.solve(kernel)
    assert solution.factors.item() == pytest.approx(8 / 9)
    assert loss == pytest.approx(2 * (2 - 2 * 8 / 9) ** 2 + (8 / 9) ** 2)


def test_zeros_as_data_is_a_ridge_regression_on_the_dense_matrix(kernel: ModuleType) -> None:
    p = problem("zeros as data", 6, precision="float64", lengths=(3, 20, 1), columns=40)
    values = p.observed
    values[values > 0] = p.rows.values
    fixed = p.fixed.factors
    solution, _, _ = p.solve(kernel)
    for row, ridge in enumerate(p.ridge):
        closed = np.linalg.solve(fixed.T @ fixed + ridge * np.eye(6), fixed.T @ values[row])
        np.testing.assert_allclose(solution.factors[row], closed, rtol=1e-9)


def test_a_bias_is_a_factor_whose_other_side_is_one(kernel: ModuleType) -> None:
    p = problem("explicit", 4, biases=True, precision="float64")
    solution, _, _ = p.solve(kernel)
    wide = np.column_stack([p.fixed.factors, np.ones(len(p.fixed.factors))])
    assert solution.bias is not None
    assert p.fixed.bias is not None
    for row, ridge in enumerate(p.ridge):
        part = slice(p.rows.indptr[row], p.rows.indptr[row + 1])
        f, t = wide[p.rows.indices[part]], p.rows.values[part] - 3 - p.fixed.bias[p.rows.indices[part]]
        closed = np.linalg.solve(f.T @ f + ridge * np.eye(5), f.T @ t)
        np.testing.assert_allclose([*solution.factors[row], solution.bias[row]], closed, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("form", ["explicit", "zeros as data", "hu"])
def test_an_entry_of_weight_two_counts_like_two_entries(kernel: ModuleType, form: str) -> None:
    """True where the unobserved count nothing (w0 = 0), or where c - w0 doubles too; here by hand for w0 = 0."""
    p = problem(form, 4, precision="float64", lengths=(6, 6))
    explicit = Problem(p.rows, p.form._replace(unobserved=0.0), p.fixed, None, p.ridge, p.start)
    twice = Problem(
        p.rows._replace(indptr=p.rows.indptr * 2, indices=p.rows.indices.repeat(2), values=p.rows.values.repeat(2)),
        *(explicit.form, explicit.fixed, None, p.ridge, p.start),
    )
    weighted = Problem(
        p.rows._replace(weights=np.full(12, 2, np.float32)), *(explicit.form, p.fixed, None, p.ridge, p.start)
    )
    once, loss, _ = weighted.solve(kernel)
    both, same, _ = twice.solve(kernel)
    np.testing.assert_allclose(once.factors, both.factors, rtol=1e-10)
    assert loss == pytest.approx(same)

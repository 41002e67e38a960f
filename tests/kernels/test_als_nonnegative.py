"""A half-sweep with `nonnegative` finds each row's best factors of 0 and more: SciPy's, the twin's, by any start."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from scipy.optimize import nnls

from alsatian.kernels import Side, weighted_entries
from alsatian.kernels.types import Array
from support import twins
from support.oracles import half_objective
from support.problems import FORMS, Problem, problem

CASES = [pytest.param(form, False, id=form) for form in FORMS] + [pytest.param("explicit", True, id="explicit, biases")]
TOLERANCE = {"float32": 2e-4, "float64": 1e-9}


def solve(p: Problem, kernel: object, threads: int = 2) -> tuple[Side, float, int]:
    solution = Side(p.start.factors.copy(), None if p.start.bias is None else p.start.bias.copy())
    loss, failed = kernel.half_sweep(  # type: ignore[attr-defined]
        p.rows, p.form, p.fixed, p.gram, p.ridge, solution, threads=threads, nonnegative=True
    )
    return solution, loss, failed


def unknowns(side: Side) -> Array:
    return side.factors if side.bias is None else np.column_stack([side.factors, side.bias])


def system(p: Problem, row: int) -> tuple[Array, Array]:
    """Return A and b of a row, in double precision."""
    part = slice(p.rows.indptr[row], p.rows.indptr[row + 1])
    confidence, target = weighted_entries(p.rows, p.form, p.fixed)
    wide = unknowns(Side(p.fixed.factors, None if p.fixed.bias is None else np.ones(len(p.fixed.factors))))
    f = wide[p.rows.indices[part]].astype(np.float64)
    a = (f.T * (confidence[part] - p.form.unobserved)) @ f + p.ridge[row] * np.eye(f.shape[1])
    return a if p.gram is None else a + p.gram, f.T @ target[part]


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("factors", [1, 3, 8, 17, 32])
@pytest.mark.parametrize(("form", "biases"), CASES)
def test_the_native_kernel_equals_its_twin(
    kernel: ModuleType, form: str, biases: bool, factors: int, precision: str
) -> None:
    p = problem(form, factors, biases=biases, weights=form != "implicit", precision=precision)
    (actual, loss, failed), (expected, expected_loss, _) = solve(p, kernel), solve(p, twins)
    assert failed == -1
    atol = TOLERANCE[precision] * np.abs(unknowns(expected)).max()
    np.testing.assert_allclose(unknowns(actual), unknowns(expected), rtol=0, atol=atol)
    assert loss == pytest.approx(expected_loss, rel=TOLERANCE[precision])


@pytest.mark.parametrize("form", FORMS)
def test_it_is_what_scipy_finds(kernel: ModuleType, form: str) -> None:
    """A = U'U turns the regression into min |U x - U'^-1 b| with x >= 0."""
    p = problem(form, 9, precision="float64")
    actual = solve(p, kernel)[0].factors
    assert (actual == 0).mean() > 0.1  # the bound matters here
    for row, mine in enumerate(actual):
        a, b = system(p, row)
        root = np.linalg.cholesky(a)
        np.testing.assert_allclose(mine, nnls(root.T, np.linalg.solve(root, b))[0], rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize(("form", "biases"), CASES)
def test_nothing_pulls_a_factor_but_against_the_bound(kernel: ModuleType, form: str, biases: bool) -> None:
    """Karush, Kuhn, Tucker: the slope is zero where x > 0 and for the bias, and downhill only below zero elsewhere."""
    p = problem(form, 9, biases=biases, precision="float64")
    solution = unknowns(solve(p, kernel)[0])
    bounded = np.arange(solution.shape[1]) < 9
    assert (solution[:, :9] >= 0).all()
    assert not biases or (solution[:, 9] < 0).any()
    for row, x in enumerate(solution):
        a, b = system(p, row)
        slope = (a @ x - b) / np.abs(b).max(initial=1e-30)
        at_bound = bounded & (x == 0)
        assert (slope[at_bound] > -1e-9).all()
        np.testing.assert_allclose(slope[~at_bound], 0, atol=1e-9)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("form", "biases"), CASES)
def test_the_loss_is_the_objective_summed_over_every_cell(
    kernel: ModuleType, form: str, biases: bool, precision: str
) -> None:
    p = problem(form, 9, biases=biases, precision=precision)
    solution, loss, _ = solve(p, kernel)
    assert loss == pytest.approx(half_objective(p, solution), rel=TOLERANCE[precision] / 10)
    assert loss >= p.solve(kernel)[1]  # without the bound it is less


@pytest.mark.parametrize(("form", "biases"), CASES)
def test_where_the_descent_starts_makes_no_difference(kernel: ModuleType, form: str, biases: bool) -> None:
    p = problem(form, 12, biases=biases, precision="float64")
    nothing = Side(0 * p.start.factors, None if p.start.bias is None else 0 * p.start.bias)
    far = Side(50 * p.start.factors, None if p.start.bias is None else 50 * p.start.bias)
    expected = unknowns(solve(p, kernel)[0])
    for start in (nothing, far):
        actual = unknowns(solve(replace(p, start=start), kernel)[0])
        np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_a_row_whose_best_factors_are_positive_is_solved_as_without_the_bound(kernel: ModuleType) -> None:
    p = problem("explicit", 1, precision="float64")
    plain, bounded = p.solve(kernel)[0].factors, solve(p, kernel)[0].factors
    np.testing.assert_allclose(bounded, np.maximum(plain, 0), rtol=1e-12)
    assert 0 < np.count_nonzero(bounded) < np.count_nonzero(plain)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("factors", [3, 8])
def test_very_long_rows_are_shared_by_the_threads(kernel: ModuleType, factors: int, biases: bool) -> None:
    p = problem("explicit", factors, biases=biases, lengths=(140_000, 5, 0), columns=141_000)
    (alone, loss, _), (together, same, _) = (solve(p, kernel, threads) for threads in (1, 3))
    assert (unknowns(together).tobytes(), same) == (unknowns(alone).tobytes(), loss)
    expected = unknowns(solve(p, twins)[0])
    np.testing.assert_allclose(unknowns(alone), expected, rtol=0, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("form", "biases"), CASES)
def test_any_number_of_threads_gives_the_same_bits(kernel: ModuleType, form: str, biases: bool, precision: str) -> None:
    lengths = tuple(np.random.default_rng(1).integers(0, 60, 200).tolist())
    p = problem(form, 19, biases=biases, precision=precision, lengths=lengths)
    alone, loss, _ = solve(p, kernel, threads=1)
    for threads in (2, 4):
        together, same, _ = solve(p, kernel, threads)
        assert (unknowns(together).tobytes(), same) == (unknowns(alone).tobytes(), loss)


def test_rows_without_entries_become_zero(kernel: ModuleType) -> None:
    p = problem("explicit", 8, biases=True, lengths=(0, 40, 0))
    solution = unknowns(solve(p, kernel)[0])
    assert solution.any(axis=1).tolist() == [False, True, False]


def test_without_a_ridge_a_factor_that_describes_nothing_becomes_zero(kernel: ModuleType) -> None:
    """No item has any of factor 1: where Cholesky finds no unique solution, the descent finds one."""
    p = problem("zeros as data", 4, precision="float64")
    p.fixed.factors[:, 1] = 0
    p = replace(p, gram=twins.gram(p.fixed.factors), ridge=0 * p.ridge)
    assert p.solve(kernel)[2] == 1
    (actual, loss, failed), (expected, expected_loss, _) = solve(p, kernel), solve(p, twins)
    assert failed == -1
    assert not actual.factors[:, 1].any()
    np.testing.assert_allclose(actual.factors, expected.factors, atol=1e-10)
    assert loss == pytest.approx(expected_loss, rel=1e-9)


@pytest.mark.parametrize("where", ["values", "fixed"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_numbers_that_overflow_or_are_not_finite_fail(kernel: ModuleType, bad: float, where: str) -> None:
    p = problem("explicit" if where == "fixed" else "hu", 8, lengths=(20, 150, 20))
    if where == "fixed":
        fixed = p.fixed.factors.copy()
        fixed[p.rows.indices[20:170]] = bad  # every column, so every row
        assert solve(replace(p, fixed=Side(fixed, None)), kernel)[2] == 0
    else:
        values = p.rows.values.copy()
        values[30] = 3e38 if bad == 1e30 else bad  # of row 1
        assert solve(replace(p, rows=p.rows._replace(values=values)), kernel)[2] == 1

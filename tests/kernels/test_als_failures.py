"""A row that has no finite and unique solution is named, and the other rows are solved all the same."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from alsatian.kernels import Side
from support import twins
from support.problems import Problem, problem

PRECISIONS = pytest.mark.parametrize("precision", ["float32", "float64"])


def with_ridge(p: Problem, ridge: np.ndarray) -> Problem:
    return Problem(p.rows, p.form, p.fixed, p.gram, ridge.astype(p.ridge.dtype), p.start)


@PRECISIONS
def test_a_row_with_fewer_entries_than_factors_is_singular_without_regularization(
    kernel: ModuleType, precision: str
) -> None:
    p = problem("explicit", 8, precision=precision, lengths=(0, 40, 60, 5, 60, 3))
    _, _, failed = with_ridge(p, np.zeros(6)).solve(kernel)
    assert failed == 3  # the first of rows 3 and 5, whatever the order in which they were solved


@PRECISIONS
@pytest.mark.parametrize("factors", [1, 8, 33])
def test_two_equal_columns_are_singular(kernel: ModuleType, precision: str, factors: int) -> None:
    p = problem("explicit", factors, biases=True, precision=precision, lengths=(90, 90))
    p.fixed.factors[:, factors // 2] = 1  # the same column as the bias's
    _, _, failed = with_ridge(p, np.array([1.0, 0.0])).solve(kernel)
    assert failed == 1


@PRECISIONS
def test_the_rows_beside_a_failed_one_are_solved(kernel: ModuleType, precision: str) -> None:
    p = problem("explicit", 8, precision=precision, lengths=(20, 2, 20))
    whole, _, _ = p.solve(kernel)
    partly, _, failed = with_ridge(p, p.ridge * [1, 0, 1]).solve(kernel)
    assert failed == 1
    assert np.array_equal(partly.factors[[0, 2]], whole.factors[[0, 2]])


def test_an_indefinite_system_fails_like_in_the_twin(kernel: ModuleType) -> None:
    """The form of the library `implicit` with alpha v below 1: observed cells weigh less than unobserved ones."""
    p = problem("implicit", 4, precision="float64", lengths=(30, 149), ridge=1e-3)
    light = Problem(p.rows, p.form._replace(confidence_slope=-5.0), p.fixed, p.gram, p.ridge, p.start)
    assert light.solve(kernel)[2] == light.solve(twins)[2] == 0


@pytest.mark.parametrize("steps", [0, 3], ids=["exact", "conjugate gradient"])
@pytest.mark.parametrize("where", ["values", "fixed"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_numbers_that_overflow_or_are_not_finite_fail(kernel: ModuleType, bad: float, where: str, steps: int) -> None:
    p = problem("explicit" if where == "fixed" else "hu", 8, lengths=(20, 150, 20))
    if where == "fixed":
        fixed = p.fixed.factors.copy()
        fixed[p.rows.indices[20:170]] = bad  # every column, so every row
        assert Problem(p.rows, p.form, Side(fixed, None), None, p.ridge, p.start).solve(kernel, steps)[2] == 0
    else:
        values = p.rows.values.copy()
        values[30] = 3e38 if bad == 1e30 else bad  # of row 1
        rows = p.rows._replace(values=values)
        assert Problem(rows, p.form, p.fixed, p.gram, p.ridge, p.start).solve(kernel, steps)[2] == 1

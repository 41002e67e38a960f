"""The native half-sweep and its NumPy twin give the same numbers."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from alsatian.kernels import NO_ROW_IS_AS_LONG, Side
from support import twins
from support.problems import FORMS, Problem, problem

FACTORS = [0, 1, 7, 8, 16, 17, 31, 32, 64, 65, 100]  # below, at and above whole vectors and tiles
CASES = [
    pytest.param(form, biases, factors, id=f"{form}{', biases' if biases else ''}, {factors} factors")
    for form, biases in [(form, False) for form in FORMS] + [("explicit", True)]
    for factors in FACTORS
    if factors or biases
]
TOLERANCE = {"float32": 1e-4, "float64": 1e-9}


def difference(actual: Side, expected: Side) -> float:
    """Return the largest difference, relative to the largest number."""
    pairs = [(actual.factors, expected.factors)]
    if expected.bias is not None:
        assert actual.bias is not None
        pairs.append((actual.bias, expected.bias))
    gap = max((float(np.abs(a - b).max()) for a, b in pairs if b.size), default=0.0)
    size = max((float(np.abs(b).max()) for _, b in pairs if b.size), default=1.0)
    return gap / max(size, 1e-30)


def compare(kernel: ModuleType, p: Problem, steps: int) -> None:
    precision = str(p.ridge.dtype)
    actual, loss, failed = p.solve(kernel, steps)
    expected, expected_loss, _ = p.solve(twins, steps)
    assert failed == -1
    assert difference(actual, expected) <= TOLERANCE[precision]
    assert loss == pytest.approx(expected_loss, rel=TOLERANCE[precision])


@pytest.mark.parametrize("steps", [0, 3], ids=["exact", "conjugate gradient"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize(("form", "biases", "factors"), CASES)
def test_the_native_kernel_equals_its_twin(
    kernel: ModuleType, form: str, biases: bool, factors: int, precision: str, steps: int
) -> None:
    for weights in (False, True):
        if not (weights and form == "implicit"):  # a weight below 1 would make that form's system indefinite
            p = problem(form, factors, biases=biases, weights=weights, precision=precision)
            compare(kernel, p, steps)


@pytest.mark.parametrize("steps", [0, 3], ids=["exact", "conjugate gradient"])
@pytest.mark.parametrize("form", FORMS)
def test_a_row_longer_than_ten_thousand_equals_its_twin(kernel: ModuleType, form: str, steps: int) -> None:
    compare(kernel, problem(form, 17, lengths=(3, 10_500, 0, 12_345, 1), columns=13_000), steps)


@pytest.mark.parametrize(("form", "biases"), [("hu", False), ("implicit", False), ("explicit", True)])
@pytest.mark.parametrize("factors", [3, 8])
def test_very_long_rows_are_shared_by_the_threads(kernel: ModuleType, form: str, biases: bool, factors: int) -> None:
    """Rows beyond Schedule::kLong entries are summed in parts: the same numbers, and the same bits at any threads."""
    p = problem(form, factors, biases=biases, lengths=(140_000, 5, 0, 132_000), columns=141_000)
    compare(kernel, p, 0)
    alone, together = (p.solve(kernel, threads=threads)[0] for threads in (1, 3))
    assert together.factors.tobytes() == alone.factors.tobytes()


@pytest.mark.parametrize("steps", [0, 3], ids=["exact", "conjugate gradient"])
@pytest.mark.parametrize("factors", [7, 8, 65])
def test_a_shared_matrix_that_is_diagonal_equals_its_twin(kernel: ModuleType, factors: int, steps: int) -> None:
    p = problem("hu", factors)
    assert p.gram is not None
    compare(kernel, replace(p, gram=np.diag(np.diag(p.gram))), steps)


@pytest.mark.parametrize("exact_from", [0, 5, 140_000, 140_001])
def test_conjugate_gradient_leaves_long_rows_to_the_exact_solver(kernel: ModuleType, exact_from: int) -> None:
    p = problem("hu", 8, lengths=(4, 5, 140_000), columns=141_000)
    mixed, exact, stepwise = (
        p.solve(kernel, steps, exact_from=limit)[0].factors
        for steps, limit in ((2, exact_from), (0, NO_ROW_IS_AS_LONG), (2, NO_ROW_IS_AS_LONG))
    )
    for row, length in enumerate((4, 5, 140_000)):
        assert (mixed[row] == (exact if length >= exact_from else stepwise)[row]).all()
    assert p.solve(twins, 2, exact_from=exact_from)[0].factors == pytest.approx(mixed, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("steps", [0, 3], ids=["exact", "conjugate gradient"])
@pytest.mark.parametrize("factors", [7, 8])
def test_a_visitor_with_few_entries_equals_the_twin(kernel: ModuleType, factors: int, steps: int) -> None:
    compare(kernel, problem("explicit", factors, biases=True, lengths=(3,)), steps)


@pytest.mark.parametrize("biases", [False, True])
def test_rows_without_entries_become_zero(kernel: ModuleType, biases: bool) -> None:
    p = problem("explicit", 8, biases=biases, lengths=(0, 4, 0))
    solution, _, failed = p.solve(kernel)
    assert failed == -1
    assert not solution.factors[[0, 2]].any()
    assert solution.factors[1].any()
    assert solution.bias is None or not solution.bias[[0, 2]].any()


def test_no_rows_at_all_is_no_work(kernel: ModuleType) -> None:
    p = problem("hu", 4, lengths=(0,))
    no_rows = p.rows._replace(indptr=np.zeros(1, np.int64))
    nothing = Problem(no_rows, p.form, p.fixed, p.gram, p.ridge[:0], Side(p.start.factors[:0], None))
    assert nothing.solve(kernel)[1:] == (0.0, -1)


@pytest.mark.parametrize("steps", [0, 3], ids=["exact", "conjugate gradient"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("form", FORMS)
def test_any_number_of_threads_gives_the_same_bits(kernel: ModuleType, form: str, precision: str, steps: int) -> None:
    lengths = tuple(np.random.default_rng(1).integers(0, 60, 200).tolist())
    p = problem(form, 19, precision=precision, lengths=lengths)
    alone, loss, _ = p.solve(kernel, steps, threads=1)
    for threads in (2, 4):
        together, same_loss, _ = p.solve(kernel, steps, threads)
        assert together.factors.tobytes() == alone.factors.tobytes()
        assert same_loss == loss


def test_the_same_bits_come_out_of_one_row_and_of_many(kernel: ModuleType) -> None:
    """What fold-in rests on: a row does not depend on its neighbors."""
    p = problem("hu", 16)
    together, _, _ = p.solve(kernel)
    for row in range(len(p.ridge)):
        part = slice(p.rows.indptr[row], p.rows.indptr[row + 1])
        rows = p.rows._replace(
            indptr=np.array([0, part.stop - part.start]), indices=p.rows.indices[part], values=p.rows.values[part]
        )
        row_problem = Problem(rows, p.form, p.fixed, p.gram, p.ridge[row : row + 1], Side(p.start.factors[:1], None))
        alone, _, _ = row_problem.solve(kernel)
        assert alone.factors.tobytes() == together.factors[row : row + 1].tobytes()


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("factors", FACTORS[1:])
def test_gram_equals_its_twin(kernel: ModuleType, factors: int, precision: str) -> None:
    rng = np.random.default_rng(factors)
    for rows in (0, 1, 47, 48, 49, 9_000):
        wide = rng.standard_normal((rows, factors)).astype(precision)
        expected = twins.gram(wide.astype(np.float64), 0.5)
        actual = kernel.gram(wide, 0.5)
        assert np.abs(actual - expected).max() <= 1e-5 * max(rows, 1)
        assert np.array_equal(actual, actual.T)
        assert actual.tobytes() == kernel.gram(wide, 0.5, threads=1).tobytes()

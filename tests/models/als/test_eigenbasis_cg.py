"""Conjugate gradient in the axes of the matrix that all rows share: the same regression, sooner solved."""

from __future__ import annotations

import numpy as np
import pytest

from alsatian import kernels
from alsatian.kernels import NO_ROW_IS_AS_LONG, Side
from alsatian.models.als import eigenbasis_cg
from support.problems import Problem, problem


def solved(p: Problem, steps: int, threads: int = 1, turned: bool = True) -> tuple[np.ndarray, float]:
    solution = Side(p.start.factors.copy(), None)
    if turned:
        basis, rest = eigenbasis_cg.eigenbasis(p.fixed, p.gram, steps, threads), (p.ridge, solution, steps)
        loss, failed = eigenbasis_cg.eigenbasis_half_sweep(
            p.rows, p.form, basis, *rest, exact_from=NO_ROW_IS_AS_LONG, threads=threads
        )
    else:
        rest = (p.fixed, p.gram, p.ridge, solution, steps)
        loss, failed = kernels.half_sweep(p.rows, p.form, *rest, exact_from=NO_ROW_IS_AS_LONG, threads=threads)
    assert failed == -1
    return solution.factors, loss


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_it_ends_at_the_exact_solution(precision: str) -> None:
    p = problem("hu", 8, precision=precision)
    actual, loss = solved(p, steps=60)
    exact, least = solved(p, steps=0, turned=False)
    assert actual == pytest.approx(exact, rel=1e-3, abs=1e-3 * float(np.abs(exact).max()))
    assert loss == pytest.approx(least, rel=1e-4)


@pytest.mark.parametrize("steps", [1, 2])
def test_as_many_steps_come_closer(steps: int) -> None:
    p = problem("hu", 8, columns=500)
    least = solved(p, steps=0, turned=False)[1]
    assert 1.5 * (solved(p, steps)[1] - least) < solved(p, steps, turned=False)[1] - least


def test_any_number_of_threads_gives_the_same_bits() -> None:
    rng = np.random.default_rng(0)
    factors = rng.standard_normal((3 * eigenbasis_cg.ROTATE_CHUNK_ROWS + 1, 33)).astype(np.float32)
    _, own = eigenbasis_cg.decompose_gram(kernels.gram(factors))
    assert eigenbasis_cg.rotate(factors, own, 1).tobytes() == eigenbasis_cg.rotate(factors, own, 3).tobytes()


def test_axes_are_those_of_the_matrix() -> None:
    gram = np.array([[2.0, 1.0], [1.0, 2.0]])
    spread, own = eigenbasis_cg.decompose_gram(gram)
    assert spread == pytest.approx([1, 3])
    assert (own * spread) @ own.T == pytest.approx(gram)


def test_rounding_never_makes_the_matrix_negative() -> None:
    spread, _ = eigenbasis_cg.decompose_gram(kernels.gram(np.ones((5, 40), np.float32)))
    assert spread.min() == 0

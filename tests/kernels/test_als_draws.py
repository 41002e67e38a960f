"""A half-sweep with an offset and noise draws each row from its posterior: the twin's numbers, and the right spread."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from alsatian.kernels import Side
from alsatian.kernels.types import Array
from support import twins
from support.problems import Problem, problem

TOLERANCE = {"float32": 2e-4, "float64": 1e-9}


def posterior(factors: int, biases: bool, **settings: object) -> tuple[Problem, Array, Array]:
    """Return rows with a full prior precision in place of a ridge, the offset it goes with, and noise."""
    p = problem("explicit", factors, biases=biases, weights=True, **settings)  # type: ignore[arg-type]
    rng = np.random.default_rng(factors)
    unknowns, precision = factors + biases, p.ridge.dtype
    spread = rng.standard_normal((unknowns, 2 * unknowns))
    gram = (spread @ spread.T / unknowns + np.eye(unknowns)).astype(precision)
    noise = rng.standard_normal((len(p.ridge), unknowns)).astype(precision)
    return replace(p, gram=gram, ridge=0 * p.ridge), rng.standard_normal(unknowns).astype(precision), noise


def draw(
    kernel: object, p: Problem, offset: Array | None, noise: Array | None, threads: int = 2
) -> tuple[Array, float]:
    """Return all unknowns of each row, the bias last, and the loss."""
    solution = Side(np.empty_like(p.start.factors), None if p.start.bias is None else np.empty_like(p.start.bias))
    loss, failed = kernel.half_sweep(  # type: ignore[attr-defined]
        p.rows, p.form, p.fixed, p.gram, p.ridge, solution, threads=threads, rhs_offset=offset, noise=noise
    )
    assert failed == -1
    return np.column_stack([part for part in solution if part is not None]), loss


def system(p: Problem, row: int) -> tuple[Array, Array]:
    """Return A and b of a row, without the offset."""
    part = slice(p.rows.indptr[row], p.rows.indptr[row + 1])
    at, weights = p.rows.indices[part], p.rows.weights[part]  # type: ignore[index]
    f, t = p.fixed.factors[at].astype(np.float64), p.rows.values[part] - 3.0
    if p.fixed.bias is not None:
        f, t = np.column_stack([f, np.ones(len(at))]), t - p.fixed.bias[at]
    assert p.gram is not None
    return p.gram + (f.T * weights) @ f, f.T @ (weights * t)


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("biases", [False, True], ids=["factors", "factors and bias"])
@pytest.mark.parametrize("factors", [1, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 40])
def test_a_draw_equals_the_twins(kernel: ModuleType, factors: int, biases: bool, precision: str) -> None:
    p, offset, noise = posterior(factors, biases, precision=precision)
    for terms in ((offset, noise), (offset, None), (None, noise), (None, None)):
        (actual, loss), (expected, expected_loss) = draw(kernel, p, *terms), draw(twins, p, *terms)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=TOLERANCE[precision] * np.abs(expected).max())
        assert loss == pytest.approx(expected_loss, rel=TOLERANCE[precision])


@pytest.mark.parametrize("biases", [False, True], ids=["factors", "factors and bias"])
@pytest.mark.parametrize("factors", [3, 8])
def test_a_gram_over_the_bias_too_is_stepped_towards_like_in_the_twin(
    kernel: ModuleType, factors: int, biases: bool
) -> None:
    p, _, _ = posterior(factors, biases, precision="float64")
    actual, expected = p.solve(kernel, steps=3)[0], p.solve(twins, steps=3)[0]
    np.testing.assert_allclose(actual.factors, expected.factors, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("factors", [7, 8])
def test_the_loss_is_the_squared_error_of_what_was_drawn(kernel: ModuleType, factors: int) -> None:
    """sum_e c (t - f'x)^2, all that a sampler needs; without noise + x'(gram)x - 2 offset'x, which a fit lowers."""
    p, offset, noise = posterior(factors, True, precision="float64")
    for noise_rows, whole in ((noise, 0), (None, 1)):
        drawn, loss = draw(kernel, p, offset, noise_rows)
        prior = np.einsum("ri,ij,rj->", drawn, p.gram, drawn) - 2 * (drawn @ offset).sum()
        assert loss == pytest.approx(squared_error(p, drawn) + whole * prior, rel=1e-9)


def squared_error(p: Problem, drawn: Array) -> float:
    values, at = p.rows.values - 3.0 - p.fixed.bias[p.rows.indices], p.rows.indices  # type: ignore[index]
    rows = np.repeat(np.arange(len(drawn)), np.diff(p.rows.indptr))
    errors = values - (p.fixed.factors[at] * drawn[rows, :-1]).sum(axis=1) - drawn[rows, -1]
    return float((p.rows.weights * errors**2).sum())


@pytest.mark.parametrize("biases", [False, True], ids=["factors", "factors and bias"])
@pytest.mark.parametrize("factors", [2, 8])
def test_many_draws_have_the_posteriors_mean_and_covariance(kernel: ModuleType, factors: int, biases: bool) -> None:
    """40,000 draws of one small row, each a row of its own: mean A^-1 (b + offset), covariance A^-1."""
    p, offset, _ = posterior(factors, biases, lengths=(5,), columns=30)
    copies, length = 40_000, len(p.rows.indices)
    rows = p.rows._replace(
        indptr=length * np.arange(copies + 1),
        indices=np.tile(p.rows.indices, copies),
        values=np.tile(p.rows.values, copies),
        weights=np.tile(p.rows.weights, copies),  # type: ignore[arg-type]
    )
    start = Side(np.zeros((copies, factors), np.float32), np.zeros(copies, np.float32) if biases else None)
    many = replace(p, rows=rows, ridge=np.zeros(copies, np.float32), start=start)
    noise = np.random.default_rng(5).standard_normal((copies, len(offset)), np.float32)
    drawn, _ = draw(kernel, many, offset, noise)
    a, b = system(p, 0)
    covariance = np.linalg.inv(a)
    spread = np.sqrt(np.diag(covariance))
    np.testing.assert_allclose((drawn.mean(axis=0) - covariance @ (b + offset)) / spread, 0, atol=5 / np.sqrt(copies))
    np.testing.assert_allclose(
        (np.cov(drawn.T).reshape(a.shape) - covariance) / np.outer(spread, spread), 0, atol=7 / np.sqrt(copies)
    )


@pytest.mark.parametrize("biases", [False, True], ids=["factors", "factors and bias"])
@pytest.mark.parametrize("factors", [3, 8])
def test_a_row_without_entries_is_drawn_from_its_prior(kernel: ModuleType, factors: int, biases: bool) -> None:
    p, offset, noise = posterior(factors, biases, precision="float64", lengths=(0, 3, 0))
    drawn, _ = draw(kernel, p, offset, noise)
    root = np.linalg.cholesky(p.gram)  # type: ignore[arg-type]
    expected = np.linalg.solve(p.gram, offset) + np.linalg.solve(root.T, noise[[0, 2]].T).T  # type: ignore[arg-type]
    np.testing.assert_allclose(drawn[[0, 2]], expected, rtol=1e-9)


@pytest.mark.parametrize("factors", [3, 8])
def test_very_long_rows_are_drawn_too_and_threads_change_no_bit(kernel: ModuleType, factors: int) -> None:
    p, offset, noise = posterior(factors, True, lengths=(140_000, 5, 0), columns=141_000)
    (alone, loss), (together, same) = (draw(kernel, p, offset, noise, threads) for threads in (1, 3))
    expected, _ = draw(twins, p, offset, noise)
    np.testing.assert_allclose(alone, expected, rtol=0, atol=2e-4 * np.abs(expected).max())
    assert (together.tobytes(), same) == (alone.tobytes(), loss)

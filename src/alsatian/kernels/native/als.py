"""Alternating least squares: one side of an alternation, and the Gram matrix that its rows share."""

from __future__ import annotations

import numpy as np

from alsatian.kernels.native import build
from alsatian.kernels.types import NO_ROW_IS_AS_LONG, Array, Rows, Side, Weighting, usable_threads


def gram(factors: Array, scale: float = 1.0, threads: int | None = None) -> Array:
    """Return scale F'F (k x k) of the factors F (rows x k), in their precision, float32 or float64."""
    out = np.empty((factors.shape[1],) * 2, factors.dtype)
    build.native.gram(factors, scale, out, usable_threads(threads))
    return out


def half_sweep(
    rows: Rows,
    weighting: Weighting,
    fixed: Side,
    gram: Array | None,
    ridge: Array,
    solution: Side,
    steps: int = 0,
    *,
    exact_from: int = NO_ROW_IS_AS_LONG,
    threads: int | None = None,
    rhs_offset: Array | None = None,
    noise: Array | None = None,
    nonnegative: bool = False,
) -> tuple[float, int]:
    """Solve every row of one side in place; return its loss and the first row that failed, or -1.

    For each row, over its entries e with the fixed side's factors f (and a constant 1 where biases are learned)

        (w0 G + sum_e (c_e - w0) f_e f_e' + r I) x = sum_e c_e t_e f_e

    which is the normal equation of implicit ALS (Hu, Koren and Volinsky 2008, "Collaborative filtering for implicit
    feedback datasets", eq. 4), and with w0 = 0 that of explicit ALS. c_e and c_e t_e are what `weighting` makes of an
    entry, t_e less the fixed side's bias.

    rows: the entries of each row (their indices are rows of `fixed`). fixed: factors (columns x k), biases or None.
    gram: w0 G, or any matrix that all rows share (unknowns x unknowns, a bias last), or None. ridge (rows): r of each
    row. solution: where steps begin, and the result; with a bias exactly if `fixed` has one. All arrays but those of
    `rows` have one precision, float32 or float64.

    `steps` = 0 solves exactly, by Cholesky; else so many steps of conjugate gradient start from `solution`,
    preconditioned by the diagonal (Takacs, Pilaszy and Tikk 2011), except in rows of `exact_from` entries or more,
    which are solved exactly anyway. The loss is

        sum over rows of  sum_e c_e (t_e - f_e'x)^2 + r |x|^2 + x'(gram)x - w0 sum_e (f_e'x)^2

    where the last two terms are w0 times the squares of the unobserved.

    Draws, with `steps` = 0: `rhs_offset` (unknowns) is added to every row's right side b (and -2 rhs_offset'x to the
    loss), and `noise` z (rows x unknowns) makes x = A^-1 b + L^-T z, where A = L L' is the system: with standard normal
    z, a draw from the normal distribution of mean A^-1 b and precision A. With noise the loss is (for samplers)
    sum over rows of sum_e c_e (t_e - f_e'x)^2 alone, summed from the residuals themselves.

    With `nonnegative` (and `steps` = 0, no noise) x is the minimum of the same regression with no factor below 0 (a
    bias is free), by coordinate descent from `solution` (Franc, Hlavac and Navara 2005).

    A row without entries becomes zero if there is neither an offset nor noise. A row whose system is singular or whose
    result is not finite fails and stays as it was; the others are solved all the same.
    """
    solver, sampling = (steps, exact_from, nonnegative), (rhs_offset, noise)
    return build.native.half_sweep(  # type: ignore[no-any-return]
        rows, weighting, fixed, gram, ridge, solution, solver, sampling, usable_threads(threads)
    )

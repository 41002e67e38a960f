"""Alternating least squares: the half-sweep over the rows of one side, and the Gram matrix that they share."""

from __future__ import annotations

import numpy as np

from alsatian.kernels.native import build
from alsatian.kernels.types import NO_ROW_IS_AS_LONG, Array, Rows, Side, Weighting, usable_threads


def gram(factors: Array, scale: float = 1.0, threads: int | None = None) -> Array:
    """Return scale F'F (k x k) for the factors F (rows x k), in their precision: float32 or float64."""
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
    """Solve every row of one side in place; return the loss and the first row that failed, or -1.

    For each row, with the factors f_e of the fixed side (and a constant 1 if biases are fitted) of its entries e:

        (w0 G + sum_e (c_e - w0) f_e f_e' + r I) x = sum_e c_e t_e f_e

    This is the normal equation of implicit ALS (Hu, Koren and Volinsky 2008, "Collaborative filtering for implicit
    feedback datasets", eq. 4), and with w0 = 0 that of explicit ALS. `weighting` computes c_e and c_e t_e from an
    entry; the bias of the fixed side is subtracted from t_e.

    rows: the entries of each row; their indices are rows of `fixed`.
    fixed: factors (columns x k), and biases (columns) or None.
    gram: w0 G, or any matrix that all rows share (unknowns x unknowns, the bias last), or None.
    ridge (rows): r of each row.
    solution: the starting point of the steps, and the result. It has biases if and only if `fixed` has them.
    All arrays except those of `rows` have the same precision, float32 or float64.

    `steps` = 0 solves exactly, by Cholesky factorization. Otherwise this many steps of conjugate gradient start from
    `solution`, preconditioned by the diagonal (Takacs, Pilaszy and Tikk 2011). Rows with `exact_from` entries or more
    are always solved exactly. The loss is

        sum over rows of  sum_e c_e (t_e - f_e'x)^2 + r |x|^2 + x'(gram)x - w0 sum_e (f_e'x)^2

    where the last two terms are w0 times the squared scores of the unobserved pairs.

    Sampling (`steps` = 0): `rhs_offset` (unknowns) is added to the right-hand side b of every row, and -2 rhs_offset'x
    to the loss. `noise` z (rows x unknowns) gives x = A^-1 b + L^-T z, where A = L L' is the matrix of the system. With
    standard normal z, this is a draw from the normal distribution with mean A^-1 b and precision A. With noise the loss
    is only sum over rows of sum_e c_e (t_e - f_e'x)^2, summed from the residuals.

    With `nonnegative` (`steps` = 0, no noise), x is the minimum of the same regression under the constraint that no
    factor is below 0; the bias is free. It is found by coordinate descent from `solution` (Franc, Hlavac and Navara
    2005).

    A row without entries becomes zero if there is neither an offset nor noise. A row fails if its system is singular or
    its result is not finite. Such a row stays unchanged, and the other rows are solved.
    """
    solver, sampling = (steps, exact_from, nonnegative), (rhs_offset, noise)
    return build.native.half_sweep(  # type: ignore[no-any-return]
        rows, weighting, fixed, gram, ridge, solution, solver, sampling, usable_threads(threads)
    )

"""Conjugate gradient in the eigenbasis of the matrix that all rows share, which takes fewer steps.

With w0 G = V D V' (V orthogonal), a row's system (w0 G + sum_e (c - w0) f f' + r I) x = sum_e c t f becomes

    (D + sum_e (c - w0) g g' + r I) z = sum_e c t g,   g = V'f,  z = V'x,

with the same loss. The product with the shared matrix takes k operations for each step of each row instead of k^2. The
diagonal, which is the preconditioner, now contains all of the shared matrix, so fewer steps reach the same accuracy.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.kernels import Rows, Side, Weighting

ROTATE_CHUNK_ROWS = 4096  # rows of a product; fixed, so that the bits do not depend on the threads


class Basis(NamedTuple):
    """The fixed side in the form that `eigenbasis_half_sweep` takes.

    fixed: the side, unchanged (axes is None) or in the axes V of w0 G. gram: w0 G in these axes, or None.
    axes: V, in which gram is diagonal, or None.
    """

    fixed: Side
    gram: NDArray[Any] | None
    axes: NDArray[Any] | None = None


def eigenbasis(fixed: Side, gram: NDArray[Any] | None, steps: int, threads: int) -> Basis:
    """Return the fixed side in the axes of `gram`, or unchanged without steps or without a shared matrix.

    gram: w0 G of the fixed side, or None. steps: the steps of conjugate gradient, 0 to solve exactly.
    """
    if not steps or gram is None:
        return Basis(fixed, gram)
    eigenvalues, axes = decompose_gram(gram)
    return Basis(Side(rotate(fixed.factors, axes, threads), None), np.diag(eigenvalues), axes)


def eigenbasis_half_sweep(
    rows: Rows,
    weighting: Weighting,
    basis: Basis,
    ridge: NDArray[Any],
    solution: Side,
    steps: int,
    *,
    exact_from: int,
    threads: int,
    nonnegative: bool = False,
) -> tuple[float, int]:
    """Solve rows in the axes of the basis, with the arguments and results of `kernels.half_sweep`."""
    rotated = solution if basis.axes is None else Side(rotate(solution.factors, basis.axes, threads), None)
    result = kernels.half_sweep(
        rows,
        weighting,
        basis.fixed,
        basis.gram,
        ridge,
        rotated,
        steps,
        exact_from=exact_from,
        threads=threads,
        nonnegative=nonnegative,
    )
    if basis.axes is not None:
        solution.factors[:] = rotate(rotated.factors, basis.axes.T, threads)
    return result


def decompose_gram(gram: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return D (k,) and V (k, k) of a matrix V D V'.

    For a matrix that is not finite, return its diagonal and the identity, so that the kernel reports failed rows.
    """
    if not np.isfinite(gram).all():
        return np.diag(gram), np.eye(len(gram), dtype=gram.dtype)
    with _blas_controller().limit(limits=1, user_api="blas"):
        eigenvalues, axes = np.linalg.eigh(gram.astype(np.float64))
    return np.maximum(eigenvalues, 0).astype(gram.dtype), axes.astype(gram.dtype)


def rotate(factors: NDArray[Any], axes: NDArray[Any], threads: int) -> NDArray[Any]:
    """Return factors times axes, with the same bits for any number of threads."""
    out, axes = np.empty_like(factors), np.ascontiguousarray(axes)

    def rotate_chunk(start: int) -> None:
        np.matmul(factors[start : start + ROTATE_CHUNK_ROWS], axes, out=out[start : start + ROTATE_CHUNK_ROWS])

    with _blas_controller().limit(limits=1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        list(pool.map(rotate_chunk, range(0, len(factors), ROTATE_CHUNK_ROWS)))
    return out


@cache
def _blas_controller() -> Any:
    """Return the controller of BLAS threads. Creating it takes longer than an epoch on small data."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()

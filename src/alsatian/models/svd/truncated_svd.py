"""The largest singular values of a sparse matrix and their right singular vectors, by LAPACK or by ARPACK.

Both run on one BLAS thread and from a fixed start, so that the same matrix always gives the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.errors import FitError, ParameterError

Float64Array = NDArray[np.float64]
MAX_DENSE_CELLS = 25_000_000  # a matrix of at most this many cells (200 MB) may be formed densely
MAX_ENERGY_FACTORS = 512  # maximum number of factors of a larger matrix in the search for an energy
FIRST_ENERGY_FACTORS = 32  # number of factors at which that search begins
ROUNDING_SHARE = float(np.finfo(np.float32).eps)  # relative to the largest value, smaller ones are rounding errors


def max_factors(rows: int, columns: int) -> int:
    """Return the maximum number of factors of a matrix. All factors are possible only if it may be formed densely."""
    return min(rows, columns) - (rows * columns > MAX_DENSE_CELLS)


def largest_singular(matrix: Any, factors: int) -> tuple[Float64Array, Float64Array]:
    """Return the largest singular values, descending, and their right singular vectors (columns, factors).

    The largest entry of each vector is positive. Fewer are returned if the matrix has fewer nonzero singular values.
    Raises FitError if the decomposition fails.
    """
    from scipy.sparse.linalg import ArpackError
    from threadpoolctl import threadpool_limits

    dense = matrix.shape[0] * matrix.shape[1] <= MAX_DENSE_CELLS and 3 * factors > min(matrix.shape)
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            values, vectors = (_lapack if dense else _arpack)(matrix.astype(np.float64), factors)
    except (ArpackError, np.linalg.LinAlgError) as error:
        raise FitError(f"the decomposition into {factors} factors failed ({error}); pass fewer factors.") from error
    nonzero = values > ROUNDING_SHARE * values[0]
    vectors = vectors[:, nonzero]
    return values[nonzero], vectors * np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(vectors.shape[1])])


def _lapack(matrix: Any, factors: int) -> tuple[Float64Array, Float64Array]:
    _, values, right = np.linalg.svd(matrix.toarray(), full_matrices=False)
    return values[:factors], right[:factors].T


def _arpack(matrix: Any, factors: int) -> tuple[Float64Array, Float64Array]:
    """Compute the eigenvectors B of the smaller of R'R and RR', then the singular values of R in the space of B.

    scipy.sparse.linalg.svds does the same, but its restarts of ARPACK are random (for matrices of low rank).
    """
    from scipy.sparse.linalg import LinearOperator, eigsh

    tall = matrix if matrix.shape[0] >= matrix.shape[1] else matrix.T.tocsr()
    gram = LinearOperator((tall.shape[1],) * 2, matvec=lambda x: tall.T @ (tall @ x), dtype=np.float64)
    rng = np.random.default_rng(0)
    _, basis = eigsh(gram, factors, v0=rng.standard_normal(tall.shape[1]), rng=rng)
    basis, _ = np.linalg.qr(basis)
    left, values, right = np.linalg.svd(tall @ basis, full_matrices=False)
    return values, basis @ right.T if tall is matrix else left


def rank_for_energy(matrix: Any, energy: float) -> tuple[Float64Array, Float64Array]:
    """Return the largest singular values and vectors that keep this share of the squared Frobenius norm.

    Their number is doubled until the share is reached. Raises ParameterError if that takes too many factors.
    """
    rows, columns = matrix.shape
    dense = rows * columns <= MAX_DENSE_CELLS
    limit = min(max_factors(rows, columns), rows if dense else MAX_ENERGY_FACTORS)
    total, factors = float((matrix.data.astype(np.float64) ** 2).sum()), min(FIRST_ENERGY_FACTORS, limit)
    while True:
        values, vectors = largest_singular(matrix, factors)
        energies = np.cumsum(values**2) / total
        if energies[-1] >= energy - 1e-12 or factors == limit:
            break
        factors = min(2 * factors, limit)
    if not dense and energies[-1] < energy - 1e-12:
        raise ParameterError(
            f"energy={energy:g} needs more than {limit} factors (which keep {energies[-1]:.3f}), the maximum for "
            f"{rows:,} x {columns:,} cells (over {MAX_DENSE_CELLS:,}); pass a lower energy, or factors."
        )
    count = int(np.searchsorted(energies, energy - 1e-12)) + 1
    return values[:count], vectors[:, :count]

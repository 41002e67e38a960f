"""Alternating least squares in NumPy: the twins of `cpp/als/`."""

from __future__ import annotations

import numpy as np

from alsatian.kernels.types import NO_ROW_IS_AS_LONG, Array, Rows, Side, Weighting, weighted_entries


def gram(factors: Array, scale: float = 1.0, threads: int | None = None) -> Array:
    """Return scale F'F, computed in float64."""
    wide = factors.astype(np.float64)
    return (scale * wide.T @ wide).astype(factors.dtype)


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
    """Solve the system of each row in float64; return the loss and the first row that failed, or -1."""
    confidence, target = weighted_entries(rows, weighting, fixed)
    columns = fixed.factors if fixed.bias is None else np.column_stack([fixed.factors, np.ones(len(fixed.factors))])
    unknowns = columns.shape[1]
    outside = np.zeros((unknowns, unknowns)) if gram is None else gram.astype(np.float64)
    offset = np.zeros(unknowns) if rhs_offset is None else rhs_offset
    drawn = rhs_offset is not None or noise is not None
    loss, failed = 0.0, -1
    for row in range(len(solution.factors)):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        f, c, ct = columns[rows.indices[part]].astype(np.float64), confidence[part], target[part]
        system = outside + (f.T * (c - weighting.unobserved)) @ f + ridge[row] * np.eye(len(outside))
        right = f.T @ ct + offset
        try:
            exact = steps == 0 or len(c) >= exact_from
            if len(c) == 0 and not drawn:
                x = np.zeros(unknowns)
            elif nonnegative:
                x = _descend(system, right, _join(solution, row), solution.factors.shape[1])
            else:
                x = _solve(system, right, _join(solution, row), 0 if exact else steps)
            if noise is not None:
                x = x + np.linalg.solve(np.linalg.cholesky(system).T, noise[row])
        except np.linalg.LinAlgError:
            failed = row if failed < 0 else failed
            continue
        solution.factors[row] = x[: solution.factors.shape[1]]
        if solution.bias is not None:
            solution.bias[row] = x[-1]
        rest = ct if noise is None else ct - c * (f @ x)
        loss += np.divide(rest**2, c, out=np.zeros_like(c), where=c != 0).sum()
        if noise is None:
            loss += x @ system @ x - 2 * right @ x
    return loss, failed


def _join(side: Side, row: int) -> Array:
    return side.factors[row] if side.bias is None else np.append(side.factors[row], side.bias[row])


def _solve(system: Array, right: Array, start: Array, steps: int) -> Array:
    if steps == 0:
        np.linalg.cholesky(system)  # raises if it is not positive definite
        return np.linalg.solve(system, right)
    x = start.astype(np.float64)
    residual, diagonal = right - system @ x, np.diag(system)
    search = residual / diagonal
    rz = residual @ search
    for _ in range(steps):
        if rz <= 0 or search @ system @ search <= 0:
            break
        length = rz / (search @ system @ search)
        x = x + length * search
        residual = residual - length * system @ search
        previous, rz = rz, residual @ (residual / diagonal)
        search = residual / diagonal + rz / previous * search
    return x


def _descend(system: Array, right: Array, start: Array, bounded: int) -> Array:
    """Minimize x'A x / 2 - b'x by coordinate descent. The first `bounded` unknowns must be at least 0.

    It has converged when, scaled by the square roots of A's diagonal, no step exceeds 16 eps times the largest unknown.
    """
    x = start.astype(np.float64)
    residual, diagonal = right - system @ x, np.diag(system)
    if not (np.isfinite(diagonal) & (diagonal >= 0)).all():
        raise np.linalg.LinAlgError
    for _ in range(1000):
        before = x.copy()
        for c, pivot in enumerate(diagonal):
            to = x[c] + residual[c] / pivot if pivot > 0 else 0.0
            to = max(to, 0.0) if c < bounded else to
            residual -= (to - x[c]) * system[c]
            x[c] = to
        step, size = (np.sqrt(diagonal) * np.abs(numbers) for numbers in (x - before, x))
        if step.max() <= 16 * np.finfo(np.float64).eps * size.max():
            break
    return x

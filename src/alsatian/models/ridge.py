"""Ridge regression of many numbers at once, its regularization chosen by the data that it learns from."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
STRENGTHS = 10.0 ** np.arange(-6, 2.01, 0.25)  # to choose from, as shares of the largest eigenvalue


def ridge(features: Any, targets: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return intercepts b (targets) and coefficients W (features, targets) of t = b + W'a, a row of features, with

        min over b, W:  sum over rows of weight |t - b - W'a|^2 + strength |W|^2

    and the strength at which generalized cross-validation (Golub, Heath and Wahba 1979, eq. 1.4) is least:

        sum over rows of weight |t - b - W'a|^2 / (rows - trace of the hat matrix)^2

    With A and T centred and weighted, A'A = V diag(s) V' and C = V'A'T, W is V (C / (s + strength)), and both parts
    follow from s and C alone. Memory: features^2 numbers.
    """
    from threadpoolctl import threadpool_limits

    total = weights.sum()
    center, mean = features.T @ weights / total, weights @ targets / total
    weighted = features * weights[:, None]
    deviations = targets - mean
    with threadpool_limits(limits=1, user_api="blas"):  # so that threads never change a bit
        gram = (features.T @ weighted).toarray() - total * np.outer(center, center)
        s, basis = np.linalg.eigh(gram)
        s = np.maximum(s, 0)
        rotated = basis.T @ (weighted.T @ deviations)
        strength = _strength(s, rotated, float(weights @ (deviations**2).sum(axis=1)), len(weights))
        found: Floats = basis @ (rotated / (s + strength)[:, None])
        return mean - center @ found, found


def _strength(s: Floats, rotated: Floats, whole: float, rows: int) -> float:
    """Return the strength of the least generalized cross-validation; `whole` is the error without features."""
    if not s.any():
        return 1.0  # no feature tells one row from another
    strengths = STRENGTHS * float(s.max())
    shrunk = 1 / (s + strengths[:, None])  # (strengths, features)
    errors = whole - (2 * shrunk - s * shrunk**2) @ (rotated**2).sum(axis=1)
    free = np.maximum(rows - 1 - (s * shrunk).sum(axis=1), 1)  # the intercept takes one
    return float(strengths[np.argmin(errors / free**2)])

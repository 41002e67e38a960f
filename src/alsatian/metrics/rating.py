"""Rating metrics: the errors of predicted values."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rmse(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return the root of the mean squared error.

    >>> rmse([3.0, 5.0], [4.0, 5.0])
    0.7071067811865476
    """
    return float(np.sqrt(np.mean(_errors(predicted, actual) ** 2)))


def mae(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return the mean absolute error.

    >>> mae([3.0, 5.0], [4.0, 5.0])
    0.5
    """
    return float(np.mean(np.abs(_errors(predicted, actual))))


def r2(predicted: ArrayLike, actual: ArrayLike) -> float:
    """Return the coefficient of determination, 1 - (sum of squared errors) / (sum of squares around the mean).

    1 is perfect; 0 is the score of always predicting the mean. NaN if all actual values are equal.

    >>> r2([1.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    0.5
    """
    actual = np.asarray(actual, np.float64)
    total_squares = float(np.sum((actual - actual.mean()) ** 2))
    return 1 - float(np.sum(_errors(predicted, actual) ** 2)) / total_squares if total_squares else float("nan")


def _errors(predicted: ArrayLike, actual: ArrayLike) -> NDArray[np.float64]:
    return np.asarray(predicted, np.float64) - np.asarray(actual, np.float64)

"""Encode attributes as binary features, and learn a ridge regression on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.catalog import TITLE, Catalog, Column

MIN_ROWS_PER_FEATURE = 5  # a feature of fewer training rows is dropped
MAX_FEATURES = 1000  # the most frequent features are kept; the cost grows with the cube of their number
NUMBER_BINS = 10  # intervals of a numeric column
MAX_NUMBER_CATEGORIES = 32  # a numeric column with at most this many distinct values is categorical, given enough rows
_TITLE_WORD = re.compile(r"[^\W\d_]+")  # a word of a title; the year is not a word


def encode_attributes(table: Catalog, names: Sequence[str], train_rows: NDArray[np.bool_]) -> Any:
    """Return a sparse matrix (rows, features), 1 where a row has a feature of the named columns.

    Titles are split into words, other text at "|" (as genres are). Numbers are binned into ten intervals with about
    equally many rows, or treated as categories if there are few distinct values. A missing value has no feature.
    Features that occur in fewer than five training rows are dropped, and at most 1,000 are kept.
    """
    from scipy.sparse import csr_array

    numbers: dict[tuple[str, str], int] = {}
    rows, columns = [], []
    for name in names:
        for row, features in enumerate(_column_features(table.columns[name], name == TITLE)):
            for feature in dict.fromkeys(features):
                rows.append(row)
                columns.append(numbers.setdefault((name, feature), len(numbers)))
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(train_rows), len(numbers)))
    counts = np.asarray(matrix[train_rows].sum(axis=0)).ravel()
    most_frequent = np.argsort(-counts, kind="stable")[:MAX_FEATURES]
    return matrix[:, most_frequent[counts[most_frequent] >= MIN_ROWS_PER_FEATURE]]


def _column_features(column: Column, is_title: bool) -> Iterable[Sequence[str]]:
    if column.type in ("int64", "float64") and column.valid.any():
        return _number_features(np.asarray(column.values, np.float64), column.valid)
    return _text_features(column, is_title)


def _text_features(column: Column, is_title: bool) -> Iterator[Sequence[str]]:
    for value in column.tolist():
        text = "" if value is None else str(value)
        yield (
            _TITLE_WORD.findall(text.lower())
            if is_title
            else [word.strip() for word in text.split("|") if word.strip()]
        )


def _number_features(values: NDArray[np.float64], valid: NDArray[np.bool_]) -> Iterator[Sequence[str]]:
    """Yield the interval of each number, between quantiles of all; few distinct numbers are categories."""
    distinct = np.unique(values[valid])
    is_categorical = len(distinct) <= min(MAX_NUMBER_CATEGORIES, valid.sum() // MIN_ROWS_PER_FEATURE)
    edges = distinct if is_categorical else np.quantile(values[valid], np.arange(1, NUMBER_BINS) / NUMBER_BINS)
    for interval, is_valid in zip(np.searchsorted(edges, values).tolist(), valid.tolist(), strict=True):
        yield [str(interval)] if is_valid else []


Float64Array = NDArray[np.float64]
RELATIVE_STRENGTHS = 10.0 ** np.arange(-6, 2.01, 0.25)  # candidates, relative to the largest eigenvalue


def ridge(features: Any, targets: Float64Array, weights: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return the intercepts b (targets,) and coefficients W (features, targets) of a ridge regression t = b + W'a.

    a is a row of features and t a row of targets. The solution is

        min over b, W:  sum over rows of weight |t - b - W'a|^2 + strength |W|^2

    The strength minimizes the generalized cross-validation error (Golub, Heath and Wahba 1979, eq. 1.4):

        sum over rows of weight |t - b - W'a|^2 / (rows - trace of the hat matrix)^2

    With A and T centred and weighted, A'A = V diag(s) V' and C = V'A'T, W is V (C / (s + strength)). Both terms of the
    error follow from s and C alone. Memory: features^2 numbers.
    """
    from threadpoolctl import threadpool_limits

    total = weights.sum()
    center, mean = features.T @ weights / total, weights @ targets / total
    weighted = features * weights[:, None]
    deviations = targets - mean
    with threadpool_limits(limits=1, user_api="blas"):  # so that the number of threads never changes a bit
        gram = (features.T @ weighted).toarray() - total * np.outer(center, center)
        s, basis = np.linalg.eigh(gram)
        s = np.maximum(s, 0)
        rotated = basis.T @ (weighted.T @ deviations)
        strength = _choose_strength(s, rotated, float(weights @ (deviations**2).sum(axis=1)), len(weights))
        coefficients: Float64Array = basis @ (rotated / (s + strength)[:, None])
        return mean - center @ coefficients, coefficients


def _choose_strength(s: Float64Array, rotated: Float64Array, total_error: float, rows: int) -> float:
    """Return the strength with the smallest cross-validation error; `total_error` is the error without features."""
    if not s.any():
        return 1.0  # all rows have the same features
    strengths = RELATIVE_STRENGTHS * float(s.max())
    inverse = 1 / (s + strengths[:, None])  # (strengths, features)
    errors = total_error - (2 * inverse - s * inverse**2) @ (rotated**2).sum(axis=1)
    degrees_of_freedom = np.maximum(rows - 1 - (s * inverse).sum(axis=1), 1)  # the intercept uses one
    return float(strengths[np.argmin(errors / degrees_of_freedom**2)])

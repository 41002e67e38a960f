"""Attributes as numbers: each row of a table becomes the words that it holds, 1 where it has one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.catalog import TITLE, Catalog, Column

MIN_ROWS_PER_WORD = 5  # rows to learn from that must have a word, so that it says something
MAX_WORDS = 1000  # words to learn from, the commonest: the cost grows with their third power
NUMBER_BINS = 10  # as many words for a column of numbers
MAX_NUMBER_CATEGORIES = (
    32  # up to so many different numbers are each a word of its own, if there are enough rows for each
)
_TITLE_WORD = re.compile(r"[^\W\d_]+")  # of a title, without its year


def encode_attributes(table: Catalog, names: Sequence[str], train_rows: NDArray[np.bool_]) -> Any:
    """Return a sparse matrix (rows, words), 1 where a row has a word of these columns.

    A title has words; other text is parted at "|", as genres are, else it is one word; a number is the one of ten
    intervals with equally many rows in which it lies. A missing value has none.
    """
    from scipy.sparse import csr_array

    numbers: dict[tuple[str, str], int] = {}
    rows, columns = [], []
    for name in names:
        for row, words in enumerate(_column_words(table.columns[name], name == TITLE)):
            for word in dict.fromkeys(words):
                rows.append(row)
                columns.append(numbers.setdefault((name, word), len(numbers)))
    matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(train_rows), len(numbers)))
    counts = np.asarray(matrix[train_rows].sum(axis=0)).ravel()
    commonest = np.argsort(-counts, kind="stable")[:MAX_WORDS]
    return matrix[:, commonest[counts[commonest] >= MIN_ROWS_PER_WORD]]


def _column_words(column: Column, is_title: bool) -> Iterable[Sequence[str]]:
    if column.type in ("int64", "float64") and column.valid.any():
        return _interval_words(np.asarray(column.values, np.float64), column.valid)
    return _text_words(column, is_title)


def _text_words(column: Column, is_title: bool) -> Iterator[Sequence[str]]:
    for value in column.tolist():
        text = "" if value is None else str(value)
        yield (
            _TITLE_WORD.findall(text.lower())
            if is_title
            else [word.strip() for word in text.split("|") if word.strip()]
        )


def _interval_words(values: NDArray[np.float64], valid: NDArray[np.bool_]) -> Iterator[Sequence[str]]:
    """Yield the interval of each number, between quantiles of all; few different numbers are words themselves."""
    distinct = np.unique(values[valid])
    is_categorical = len(distinct) <= min(MAX_NUMBER_CATEGORIES, valid.sum() // MIN_ROWS_PER_WORD)
    edges = distinct if is_categorical else np.quantile(values[valid], np.arange(1, NUMBER_BINS) / NUMBER_BINS)
    for interval, is_valid in zip(np.searchsorted(edges, values).tolist(), valid.tolist(), strict=True):
        yield [str(interval)] if is_valid else []


Float64Array = NDArray[np.float64]
RELATIVE_STRENGTHS = 10.0 ** np.arange(-6, 2.01, 0.25)  # to choose from, as shares of the largest eigenvalue


def ridge(features: Any, targets: Float64Array, weights: Float64Array) -> tuple[Float64Array, Float64Array]:
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
        strength = _choose_strength(s, rotated, float(weights @ (deviations**2).sum(axis=1)), len(weights))
        coefficients: Float64Array = basis @ (rotated / (s + strength)[:, None])
        return mean - center @ coefficients, coefficients


def _choose_strength(s: Float64Array, rotated: Float64Array, total_error: float, rows: int) -> float:
    """Return the strength of the least generalized cross-validation; `whole` is the error without features."""
    if not s.any():
        return 1.0  # no feature tells one row from another
    strengths = RELATIVE_STRENGTHS * float(s.max())
    inverse = 1 / (s + strengths[:, None])  # (strengths, features)
    errors = total_error - (2 * inverse - s * inverse**2) @ (rotated**2).sum(axis=1)
    degrees_of_freedom = np.maximum(rows - 1 - (s * inverse).sum(axis=1), 1)  # the intercept takes one
    return float(strengths[np.argmin(errors / degrees_of_freedom**2)])

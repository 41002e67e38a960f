"""Attributes as numbers: each row of a table becomes the words that it holds, 1 where it has one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.catalog import TITLE, Catalog, Column

LEAST = 5  # rows to learn from that must have a word, so that it says something
MOST = 1000  # words to learn from, the commonest: the cost grows with their third power
BINS = 10  # as many words for a column of numbers
CATEGORIES = 32  # up to so many different numbers are each a word of its own, if there are enough rows for each
_WORD = re.compile(r"[^\W\d_]+")  # of a title, without its year


def features(table: Catalog, names: Sequence[str], learn_from: NDArray[np.bool_]) -> Any:
    """Return a sparse matrix (rows, words), 1 where a row has a word of these columns.

    A title has words; other text is parted at "|", as genres are, else it is one word; a number is the one of ten
    intervals with equally many rows in which it lies. A missing value has none.
    """
    from scipy.sparse import csr_array

    numbers: dict[tuple[str, str], int] = {}
    rows, columns = [], []
    for name in names:
        for row, words in enumerate(_words(table.columns[name], name == TITLE)):
            for word in dict.fromkeys(words):
                rows.append(row)
                columns.append(numbers.setdefault((name, word), len(numbers)))
    whole = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(learn_from), len(numbers)))
    counts = np.asarray(whole[learn_from].sum(axis=0)).ravel()
    commonest = np.argsort(-counts, kind="stable")[:MOST]
    return whole[:, commonest[counts[commonest] >= LEAST]]


def _words(column: Column, is_title: bool) -> Iterable[Sequence[str]]:
    if column.type in ("int64", "float64") and column.valid.any():
        return _intervals(np.asarray(column.values, np.float64), column.valid)
    return _texts(column, is_title)


def _texts(column: Column, is_title: bool) -> Iterator[Sequence[str]]:
    for value in column.tolist():
        text = "" if value is None else str(value)
        yield _WORD.findall(text.lower()) if is_title else [part.strip() for part in text.split("|") if part.strip()]


def _intervals(values: NDArray[np.float64], valid: NDArray[np.bool_]) -> Iterator[Sequence[str]]:
    """Yield the interval of each number, between quantiles of all; few different numbers are words themselves."""
    different = np.unique(values[valid])
    few = len(different) <= min(CATEGORIES, valid.sum() // LEAST)
    edges = different if few else np.quantile(values[valid], np.arange(1, BINS) / BINS)
    for place, known in zip(np.searchsorted(edges, values).tolist(), valid.tolist(), strict=True):
        yield [str(place)] if known else []


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

"""The kernels in NumPy: the same names and signatures, plain, slow and right. Tests hold the two equal.

A kernel checks nothing about ids, draws no random numbers and prints nothing: arrays in, arrays out.
`threads` is accepted and ignored here.
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.descent import row_sums as row_sums
from alsatian.kernels.descent import sgd as sgd
from alsatian.kernels.descent import squared_error as squared_error
from alsatian.kernels.near import co_counts as co_counts
from alsatian.kernels.near import neighbors as neighbors
from alsatian.kernels.near import neighbors_for as neighbors_for
from alsatian.kernels.near import top_n_dense as top_n_dense
from alsatian.kernels.near import top_n_sums as top_n_sums
from alsatian.kernels.panels import PANEL, Panels, order_items
from alsatian.kernels.types import CHUNK, NEVER, Array, Rows, Side, TextFile, Weighting, entries


def counting_sort(
    keys: NDArray[np.int32],
    n_keys: int,
    columns: Sequence[Array],
    threads: int | None = None,
) -> tuple[NDArray[np.int64], list[Array]]:
    """Sort columns by keys in [0, n_keys), stably; also return where each key's rows begin (n_keys + 1)."""
    order = np.argsort(keys, kind="stable")
    indptr = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=n_keys))]).astype(np.int64)
    return indptr, [column[order] for column in columns]


def sort_rows(
    indptr: NDArray[np.int64], keys: NDArray[np.int32], columns: Sequence[Array], threads: int | None = None
) -> int:
    """Sort each row's keys in place, stably, and the columns with them; return how many keys repeat the one before."""
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    order = np.lexsort((keys, rows))
    for column in (keys, *columns):
        column[:] = column[order]
    return int(((keys[1:] == keys[:-1]) & (rows[1:] == rows[:-1])).sum())


def transpose(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    columns: Sequence[Array],
    n_columns: int,
    threads: int | None = None,
) -> tuple[NDArray[np.int64], list[Array]]:
    """Turn compressed rows into compressed columns: indptr, and [row of each entry, *columns]."""
    rows = np.repeat(np.arange(len(indptr) - 1, dtype=np.int32), np.diff(indptr))
    return counting_sort(indices, n_columns, [rows, *columns])


def gram(factors: Array, scale: float = 1.0, threads: int | None = None) -> Array:
    """Return scale F'F."""
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
    exact_from: int = NEVER,
    threads: int | None = None,
    rhs_offset: Array | None = None,
    noise: Array | None = None,
    nonnegative: bool = False,
) -> tuple[float, int]:
    """Solve every row of one side in place; return its loss and the first row that failed, or -1.

    For each row, over its entries e with the fixed side's factors f (and a constant 1 where biases are learned)

        (w0 G + sum_e (c_e - w0) f_e f_e' + r I) x = sum_e c_e t_e f_e

    `gram` is w0 G, or any matrix that all rows share (unknowns x unknowns, a bias last), or None; `ridge` is r for
    each row. `steps` = 0 solves exactly; else so many steps of conjugate gradient start from `solution`,
    preconditioned by the diagonal, except in rows of `exact_from` entries or more, which are solved exactly anyway.
    The loss is

        sum over rows of  sum_e c_e (t_e - f_e'x)^2 + r |x|^2 + x'(gram)x - w0 sum_e (f_e'x)^2

    where the last two terms are w0 times the squares of the unobserved.

    Draws, with `steps` = 0: `rhs_offset` (unknowns) is added to every row's right side b (and -2 rhs_offset'x to the
    loss), and `noise` z (rows x unknowns) makes x = A^-1 b + L^-T z, where A = L L' is the system: with standard normal
    z, a draw from the normal distribution of mean A^-1 b and precision A. With noise the loss is (for samplers)
    sum over rows of sum_e c_e (t_e - f_e'x)^2 alone, summed from the residuals themselves.

    With `nonnegative` (and `steps` = 0, no noise) x is the minimum of the same regression with no factor below 0 (a
    bias is free), by coordinate descent from `solution`.

    A row without entries becomes zero if there is neither an offset nor noise.
    """
    confidence, target = entries(rows, weighting, fixed)
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
        np.linalg.cholesky(system)  # refuses what is not positive definite
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
    """Return the minimum of x'A x / 2 - b'x whose first unknowns, so many, are 0 or above: each in turn takes its best.

    It is found when, in units of the roots of A's diagonal, no step is more than 16 roundings of the largest unknown.
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


def pack_items(factors: NDArray[np.float32], bias: NDArray[np.float32] | None) -> Panels:
    """Lay items out for `top_k`."""
    panels, (items, k) = order_items(factors, bias), factors.shape
    wide = np.zeros((len(panels.cells) * PANEL, k + 1), np.float32)
    wide[:items, 0], wide[items:, 0] = 0 if bias is None else bias[panels.order], -np.inf
    wide[:items, 1:] = factors[panels.order]
    panels.cells[:] = wide.reshape(-1, PANEL, k + 1).transpose(0, 2, 1)
    return panels


def top_k(
    panels: Panels,
    queries: NDArray[np.float32],
    rows: NDArray[np.int32],
    n: int,
    seen: tuple[NDArray[np.int64], NDArray[np.int32]] | None = None,
    allowed: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the n items of the highest bias + query . factors for `queries[rows]`, and the scores; see top_n_dense."""
    cells, items = panels.cells, len(panels.order)
    wide = np.empty((items, cells.shape[1]))
    wide[panels.order] = cells.transpose(0, 2, 1).reshape(-1, cells.shape[1])[:items]
    lines = (wide[:, 0] + queries[rows] @ wide[:, 1:].T).astype(np.float32)
    return top_n_dense(lines, rows, n, seen, allowed)


def pair_scores(
    left: NDArray[np.float32],
    left_rows: NDArray[np.int32],
    right: NDArray[np.float32],
    right_rows: NDArray[np.int32],
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Return left[left_rows[i]] . right[right_rows[i]] for every i."""
    scores: NDArray[np.float32] = np.einsum("ij,ij->i", left[left_rows], right[right_rows])
    return scores


def count_lines(file: int, size: int, chunk: int = CHUNK, threads: int | None = None) -> NDArray[np.int64] | None:
    """Return how many lines begin before each chunk of a file, and how many in all; None if it cannot be read."""
    text = os.pread(file, size, 0)
    begins = [0, *(place for place in range(1, size) if text[place - 1 : place] == b"\n")]
    return np.searchsorted(begins, chunk * np.arange(-(-size // chunk) + 1)) if len(text) == size else None


def read_fields(
    text: TextFile,
    starts: NDArray[np.int64],
    columns: Sequence[Array | None],
    threads: int | None = None,
) -> bool:
    """Write field c of each line into columns[c], unless that is None; False if any line is not plain.

    Plain are printable ASCII without quotes, as many fields as columns, integers as they are printed, finite decimals.
    """
    integer, decimal = r"-?[1-9][0-9]{0,17}|0", r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?"
    lines = os.pread(text.file, text.size, 0).decode("latin-1").split("\n")
    lines = lines[text.header : int(starts[-1])]
    for place, line in enumerate(lines):
        if text.carriage_returns and not line.endswith("\r"):
            return False
        line = line.removesuffix("\r") if text.carriage_returns else line
        fields = line.split(text.delimiter)
        if len(fields) != len(columns) or not all(" " <= c <= "~" and ord(c) != text.quote for f in fields for c in f):
            return False
        for field, column in zip(fields, columns, strict=True):
            if column is None:
                continue
            whole = column.dtype != np.float32
            if not re.fullmatch(integer if whole else decimal, field):
                return False
            if whole and not np.iinfo(column.dtype).min <= int(field) <= np.iinfo(column.dtype).max:
                return False
            with np.errstate(over="ignore"):
                column[place] = int(field) if whole else np.float32(field)
            if not np.isfinite(column[place]):
                return False
    return True


class Dictionary:
    """Texts and their numbers. Text n is the UTF-8 bytes [offsets[n], offsets[n + 1])."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}

    def number(
        self, data: NDArray[np.uint8], offsets: NDArray[np.int32], kept: NDArray[np.bool_] | None = None
    ) -> NDArray[np.int32]:
        """Return the number of each text that is kept (None: of all), in the order in which they first appear."""
        parts = [data[start:end].tobytes() for start, end in itertools.pairwise(offsets)]
        chosen = parts if kept is None else itertools.compress(parts, kept)
        return np.array([self._numbers.setdefault(text, len(self._numbers)) for text in chosen], np.int32)

    def sorted(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int32]]:
        """Return the texts in the order of their bytes, as bytes and offsets, and the place of each number there."""
        texts = sorted(self._numbers)
        offsets = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        places = np.argsort([self._numbers[text] for text in texts]).astype(np.int32)
        return np.frombuffer(b"".join(texts), np.uint8), offsets, places

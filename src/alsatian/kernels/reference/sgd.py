"""Stochastic gradient descent on biased matrix factorization in NumPy: the twins of `cpp/sgd/`.

The loss of an entry (u, i, v) with weight w, shares a_u and a_i of the regularization of its rows, and the implicit
term s_u of SVD++ (or zero) is

    w (v - mean - b_u - b_i - (x_u + s_u).y_i)^2
        + a_u (reg |x_u|^2 + bias_reg b_u^2) + a_i (reg |y_i|^2 + bias_reg b_i^2)

and a slope is minus half its gradient. Unlike in the other kernels, the order of the entries matters.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.types import Array, Blocks, SgdSide, StepRule

SECOND_MOMENT_DECAY, ADAM_EPSILON = 0.999, 1e-8


def sgd(
    blocks: Blocks,
    rounds: NDArray[np.int32],
    users: SgdSide,
    items: SgdSide,
    sums: Array | None,
    slopes: Array | None,
    rule: StepRule,
    threads: int | None = None,
) -> None:
    """Process the entries of these rounds in order, and update the rows of the user and item of each in place.

    Round r has the blocks (a, a + r) of all stripes a, which share no user and no item. `sums` (users, width) is s,
    which is constant. For each entry, w e y_i is added to `slopes`, from which the implicit factors are updated.
    """
    stripes = math.isqrt(len(blocks.starts) - 1)
    for shift in rounds:
        for stripe in range(stripes):
            block = stripe * stripes + (stripe + shift) % stripes
            begin, end = blocks.starts[block], blocks.starts[block + 1]
            for first in range(begin, end, rule.batch):
                _walk(blocks, range(first, min(end, first + rule.batch)), users, items, sums, slopes, rule)


def _walk(
    blocks: Blocks,
    entries: range,
    users: SgdSide,
    items: SgdSide,
    sums: Array | None,
    slopes: Array | None,
    rule: StepRule,
) -> None:
    """Sum the slopes of each row over a batch of entries, then update every row of the batch by one step."""
    slopes_of_rows: tuple[dict[int, list[Array]], dict[int, list[Array]]] = {}, {}
    for e in entries:
        u, i = blocks.users[e], blocks.items[e]
        x, y = users.factors[u, 0], items.factors[i, 0]
        whole = x if sums is None else x + sums[u]
        error = _difference(blocks, e, users, items, sums, rule.mean)
        error *= 1.0 if blocks.weights is None else blocks.weights[e]
        if slopes is not None:
            slopes[u] += error * y
        for side, row, row_factors, other_factors, rows in (
            (users, u, x, y, slopes_of_rows[0]),
            (items, i, y, whole, slopes_of_rows[1]),
        ):
            factors = error * other_factors - rule.reg * side.share[row] * row_factors
            bias = error - rule.bias_reg * side.share[row] * side.bias[row, 0]
            rows.setdefault(int(row), []).append(np.append(factors, bias))
    for side, rows in ((users, slopes_of_rows[0]), (items, slopes_of_rows[1])):
        for row, parts in rows.items():
            slope = np.sum(parts, axis=0)
            side.steps[row] += len(side.factors[row]) == 3  # only Adam counts steps
            _step(side.factors[row], slope[:-1], int(side.steps[row]), rule)
            _step(side.bias[row], slope[-1], int(side.steps[row]), rule)


def _step(row: Array, slope: Array, steps: int, rule: StepRule) -> None:
    """Move row[0] along the slope; its moments are row[1] (momentum), or row[1] and row[2] (Adam)."""
    if len(row) == 1:
        row[0] += rule.rate * slope
    elif len(row) == 2:
        row[1] = rule.momentum * row[1] + slope
        row[0] += rule.rate * row[1]
    else:  # Kingma and Ba 2015, algorithm 1
        row[1] = rule.momentum * row[1] + (1 - rule.momentum) * slope
        row[2] = SECOND_MOMENT_DECAY * row[2] + (1 - SECOND_MOMENT_DECAY) * slope**2
        first, second = row[1] / (1 - rule.momentum**steps), row[2] / (1 - SECOND_MOMENT_DECAY**steps)
        row[0] += rule.rate * first / (np.sqrt(second) + ADAM_EPSILON)


def squared_error(
    blocks: Blocks,
    users: SgdSide,
    items: SgdSide,
    sums: Array | None,
    mean: float,
    threads: int | None = None,
) -> float:
    """Return the sum over the entries of w (v - prediction)^2."""
    differences = np.array([_difference(blocks, e, users, items, sums, mean) for e in range(len(blocks.users))])
    return float(np.sum(differences**2 * (1.0 if blocks.weights is None else blocks.weights)))


def _difference(blocks: Blocks, e: int, users: SgdSide, items: SgdSide, sums: Array | None, mean: float) -> float:
    """Return v - prediction of an entry."""
    u, i = blocks.users[e], blocks.items[e]
    whole = users.factors[u, 0].astype(np.float64) + (0 if sums is None else sums[u])
    return float(blocks.values[e] - mean - users.bias[u, 0] - items.bias[i, 0] - whole @ items.factors[i, 0])


def row_sums(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], rows: Array, threads: int | None = None
) -> NDArray[np.float32]:
    """Return, for each compressed row, the sum of the `rows` to which its indices point."""
    selected = rows[indices].astype(np.float64)
    sums = [selected[begin:end].sum(axis=0) for begin, end in itertools.pairwise(indptr)]
    return np.array(sums, np.float32).reshape(len(indptr) - 1, rows.shape[1])

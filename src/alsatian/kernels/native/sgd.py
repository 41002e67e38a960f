"""Stochastic gradient descent on biased matrix factorization."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian.kernels.native import build
from alsatian.kernels.types import Blocks, SgdSide, StepRule, usable_threads


def sgd(
    blocks: Blocks,
    rounds: NDArray[np.int32],
    users: SgdSide,
    items: SgdSide,
    sums: NDArray[np.float32] | None,
    slopes: NDArray[np.float32] | None,
    rule: StepRule,
    threads: int | None = None,
) -> None:
    """Process the entries of these rounds in order, and update the rows of the user and item of each in place.

    The loss of an entry (u, i, v) with weight w, shares a_u and a_i of the regularization of its rows, and the implicit
    term s_u of SVD++ (or zero) is

        w (v - mean - b_u - b_i - (x_u + s_u).y_i)^2
            + a_u (reg |x_u|^2 + bias_reg b_u^2) + a_i (reg |y_i|^2 + bias_reg b_i^2)

    and a slope is minus half its gradient (Koren, Bell and Volinsky 2009, "Matrix factorization techniques for
    recommender systems"; with s_u Koren 2008, "Factorization meets the neighborhood"). Unlike in the other kernels, the
    order of the entries matters. The step of a row along its slope depends on its moments; see `SgdSide`.

    Round r has the blocks (a, a + r) of all stripes a. They share no user and no item, so threads never update the same
    row (Gemulla et al. 2011, "Large-scale matrix factorization with distributed stochastic gradient descent").

    sums (users x width): s, which is constant during the call, or None.
    slopes (users x width): for each entry with error e, w e y_i is added to it; the implicit factors are updated from
    it. None if `sums` is None.
    The width must be a multiple of the vector width; CACHE_LINE_FLOATS is one.
    """
    build.native.sgd(blocks, rounds, users, items, sums, slopes, rule, usable_threads(threads))


def squared_error(
    blocks: Blocks,
    users: SgdSide,
    items: SgdSide,
    sums: NDArray[np.float32] | None,
    mean: float,
    threads: int | None = None,
) -> float:
    """Return the sum over the entries of w (v - mean - b_u - b_i - (x_u + s_u).y_i)^2; the arrays are as in `sgd`."""
    return build.native.squared_error(  # type: ignore[no-any-return]
        blocks, users, items, sums, mean, usable_threads(threads)
    )


def row_sums(
    indptr: NDArray[np.int64], indices: NDArray[np.int32], rows: NDArray[np.float32], threads: int | None = None
) -> NDArray[np.float32]:
    """Return, for each compressed row, the sum of the `rows` (any x width, as in `sgd`) to which its indices point."""
    out = np.empty((len(indptr) - 1, rows.shape[1]), np.float32)
    build.native.row_sums(indptr, indices, rows, out, usable_threads(threads))
    return out

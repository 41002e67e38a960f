"""The state of a fit by stochastic gradient descent: both sides, the moments of their gradients, and the data.

The entries are sorted into a fixed grid of blocks, so the order of steps does not depend on the number of threads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.kernels import CACHE_LINE_FLOATS, Blocks, SgdSide, StepRule
from alsatian.models.sgd.svdpp import SvdppTerm

MOMENTS_PER_OPTIMIZER = {"sgd": 0, "momentum": 1, "adam": 2}  # moments of the gradients per row
IMPLICIT_RATE_RATIO = 0.02  # learning rate of the implicit factors, relative to that of the others
EPOCH_PARTS = 4  # updates of the implicit factors per epoch
MIN_STRIPES = 16  # also for small data, so that all threads have work
MAX_STRIPES = 64
STRIPE_CACHE_BYTES = 1 << 19  # the items of a stripe fit into the second-level cache


@dataclass(frozen=True)
class SgdSettings:
    """The hyper-parameters of `BiasedMF` that a fit needs, under the same names. momentum is never None."""

    factors: int
    optimizer: str
    momentum: float
    batch: int
    reg: float
    bias_reg: float
    reg_exponent: float
    init: float
    svdpp: bool
    seed: int


class SgdState:
    """The state of one fit: `run_epoch` makes a pass over the data, and `objective` returns the exact loss.

    users, items (SgdSide): the factors and biases of each side, with moments. mean: m of the loss, weighted.
    stripes: the number of row ranges of each side, for the grid of blocks. svdpp: the implicit term, or None.
    """

    def __init__(self, settings: SgdSettings, rows: CSR, threads: int) -> None:
        self.settings, self.threads = settings, threads
        self.rng = np.random.default_rng(settings.seed)
        self.mean = float(np.average(rows.values.astype(np.float64), weights=rows.weights))
        moments = MOMENTS_PER_OPTIMIZER[settings.optimizer]
        width = -(-settings.factors // CACHE_LINE_FLOATS) * CACHE_LINE_FLOATS
        self.stripes = stripe_count(rows.n_columns, 4 * width * (1 + moments))
        self.blocks = self.to_blocks(rows)
        self.user_counts, self.item_counts = rows.counts, np.bincount(rows.indices, minlength=rows.n_columns)
        self.users = self._initial_side(self.user_counts, width, moments)
        self.items = self._initial_side(self.item_counts, width, moments)
        self.svdpp = SvdppTerm(rows, width, settings.reg_exponent, settings.reg, threads) if settings.svdpp else None

    def to_blocks(self, rows: CSR) -> Blocks:
        """Return the entries as a grid of blocks, in the form that the kernels take."""
        shape = rows.n_rows, rows.n_columns
        return sort_into_blocks(
            rows.row_numbers, rows.indices, rows.values, rows.weights, shape, self.stripes, self.threads
        )

    def _initial_side(self, counts: NDArray[np.int64], width: int, moments: int) -> SgdSide:
        """Draw small random factors, with biases of 0. A row without entries stays zero."""
        rows, k = len(counts), self.settings.factors
        factors = pad_to_cache_lines((rows, 1 + moments, width))
        factors[:, 0, :k] = self.rng.standard_normal((rows, k), np.float32) * np.float32(self.settings.init)
        factors[counts == 0] = 0
        bias = np.zeros((rows, 1 + moments), np.float32)
        share = np.maximum(counts, 1) ** (self.settings.reg_exponent - 1.0)
        return SgdSide(factors, bias, np.zeros(rows, np.int32), share.astype(np.float32))

    def run_epoch(self, rate: float) -> None:
        """Process every block once, with the rounds in a new random order. rate: the learning rate."""
        settings = self.settings
        rule = StepRule(self.mean, rate, settings.reg, settings.bias_reg, settings.momentum, settings.batch)
        rounds = self.rng.permutation(self.stripes).astype(np.int32)
        if self.svdpp is None:
            kernels.sgd(self.blocks, rounds, self.users, self.items, None, None, rule, self.threads)
            return
        for epoch_part in np.array_split(rounds, EPOCH_PARTS):
            sums, slopes = self.svdpp.sums, self.svdpp.slopes
            kernels.sgd(self.blocks, epoch_part, self.users, self.items, sums, slopes, rule, self.threads)
            self.svdpp.step(rate * IMPLICIT_RATE_RATIO, len(epoch_part) / self.stripes)

    def objective(self) -> float:
        """Return the exact loss on the training data, with regularization."""
        penalties = self._side_regularization(self.users, self.user_counts) + self._side_regularization(
            self.items, self.item_counts
        )
        if self.svdpp is not None:
            penalties += self.svdpp.regularization()
        return self.squared_error(self.blocks) + penalties

    def squared_error(self, blocks: Blocks) -> float:
        """Return the weighted sum of squared errors over entries, which may be held out."""
        sums = None if self.svdpp is None else self.svdpp.sums
        return kernels.squared_error(blocks, self.users, self.items, sums, self.mean, self.threads)

    def _side_regularization(self, side: SgdSide, counts: NDArray[np.int64]) -> float:
        """Return the sum over rows of n^reg_exponent (reg |x|^2 + bias_reg b^2)."""
        x, b = side.factors[:, 0], side.bias[:, 0].astype(np.float64)
        squares = self.settings.reg * np.einsum("ij,ij->i", x, x).astype(np.float64) + self.settings.bias_reg * b**2
        return float((counts**self.settings.reg_exponent * squares).sum())

    def state_arrays(self) -> dict[str, NDArray[np.float32]]:
        """Return copies of the learned arrays by name, without moments and padding, for `Model.set_state`."""
        k = self.settings.factors
        users = self.users.factors[:, 0] if self.svdpp is None else self.users.factors[:, 0] + self.svdpp.sums
        arrays = {
            "user_factors": users[:, :k],
            "item_factors": self.items.factors[:, 0, :k],
            "user_bias": self.users.bias[:, 0],
            "item_bias": self.items.bias[:, 0],
            "mean": np.array([self.mean], np.float32),
        }
        if self.svdpp is not None:
            arrays["implicit_factors"] = self.svdpp.factors[:, :k]
        return {name: array.copy() for name, array in arrays.items()}


def pad_to_cache_lines(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return zeros that begin at a cache line, so that no vector lies across two lines."""
    size = math.prod(shape)
    buffer = np.zeros(size + CACHE_LINE_FLOATS, np.float32)
    start = -buffer.ctypes.data // buffer.itemsize % CACHE_LINE_FLOATS
    return buffer[start : start + size].reshape(shape)


def stripe_count(items: int, row_bytes: int) -> int:
    """Return the number of stripes of users and of items, which depends on the data and not on the threads.

    row_bytes: the size of an item with its moments.
    """
    return int(np.clip(-(-items * row_bytes // STRIPE_CACHE_BYTES), MIN_STRIPES, MAX_STRIPES))


def sort_into_blocks(
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    values: NDArray[np.float32],
    weights: NDArray[np.float32] | None,
    shape: tuple[int, int],
    stripes: int,
    threads: int,
) -> Blocks:
    """Sort entries into blocks of the grid (stripes x stripes).

    A stripe is a range of rows, and all stripes have about the same number of entries. The entries of a block keep
    their order. shape: (users, items). weights: of the entries, or None.
    """
    user_stripes, item_stripes = (
        _assign_stripes(np.bincount(rows, minlength=count), stripes)
        for rows, count in zip((users, items), shape, strict=True)
    )
    keys = user_stripes[users] * np.int32(stripes) + item_stripes[items]
    columns = [users, items, values] + ([] if weights is None else [weights])
    starts, sorted_columns = kernels.counting_sort(keys, stripes * stripes, columns, threads)
    return Blocks(
        sorted_columns[0], sorted_columns[1], sorted_columns[2], None if weights is None else sorted_columns[3], starts
    )


def _assign_stripes(counts: NDArray[np.int64], stripes: int) -> NDArray[np.int32]:
    """Return the stripe of each row, ascending."""
    middle = np.cumsum(counts) - counts / 2
    return np.minimum(middle * stripes / max(int(counts.sum()), 1), stripes - 1).astype(np.int32)


class EarlyStopping:
    """Keeps the state with the lowest error on held-out entries.

    patience: stop after this many epochs without a lower error. best_state: the arrays of the best epoch.
    """

    def __init__(self, sgd: SgdState, held_out: CSR, patience: int) -> None:
        self.sgd, self.patience = sgd, patience
        self.entries = sgd.to_blocks(held_out)
        self.weight = len(held_out.values) if held_out.weights is None else float(held_out.weights.sum(dtype=float))
        self.best_error, self.epochs_since_best = math.inf, 0
        self.best_state: dict[str, NDArray[Any]] = {}

    def update(self) -> float:
        """Return the weighted RMSE after an epoch, and keep the state if the error is the lowest so far."""
        error = math.sqrt(self.sgd.squared_error(self.entries) / self.weight)
        self.epochs_since_best += 1
        if error < self.best_error:
            self.best_error, self.epochs_since_best, self.best_state = error, 0, self.sgd.state_arrays()
        return error

    @property
    def should_stop(self) -> bool:
        """Whether `patience` epochs have passed without a lower error."""
        return self.epochs_since_best >= self.patience

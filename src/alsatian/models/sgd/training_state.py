"""What stochastic gradient descent holds while it runs: both sides with their moments, and the data in blocks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.kernels import CACHE_LINE_FLOATS, Blocks, SgdSide, StepRule
from alsatian.models.sgd.svdpp import ImplicitTerms

if TYPE_CHECKING:
    from alsatian.models.sgd.biased_mf import BiasedMF
from typing import Any

MOMENTS = {"sgd": 0, "momentum": 1, "adam": 2}  # of the gradients, which an optimizer keeps for each row
RATE = 0.02  # of the implicit factors, as a share of the others' rate
PARTS = 4  # of an epoch, after each of which the implicit factors move


class Descent:
    """One fit: `epoch` walks all blocks once, `objective` is the exact loss."""

    def __init__(self, model: BiasedMF, rows: CSR, threads: int) -> None:
        self.model, self.threads = model, threads
        self.rng = np.random.default_rng(model.seed)
        self.mean = float(np.average(rows.values.astype(np.float64), weights=rows.weights))
        moments, width = MOMENTS[model.optimizer], -(-model.factors // CACHE_LINE_FLOATS) * CACHE_LINE_FLOATS
        self.stripes = stripes_for(rows.columns, 4 * width * (1 + moments))
        self.blocks = self.blocks_of(rows)
        self.user_counts, self.item_counts = rows.counts, np.bincount(rows.indices, minlength=rows.columns)
        self.users = self._side(self.user_counts, width, moments)
        self.items = self._side(self.item_counts, width, moments)
        self.terms = ImplicitTerms(rows, width, model.nu, model.reg, threads) if model.implicit_terms else None

    def blocks_of(self, rows: CSR) -> Blocks:
        """Sort entries into the grid of blocks."""
        shape = rows.rows, rows.columns
        return blocks_of(rows.row_numbers, rows.indices, rows.values, rows.weights, shape, self.stripes, self.threads)

    def _side(self, counts: NDArray[np.int64], width: int, moments: int) -> SgdSide:
        """Begin with small random factors and without biases; a row without entries stays zero."""
        rows, k = len(counts), self.model.factors
        factors = on_lines((rows, 1 + moments, width))
        factors[:, 0, :k] = self.rng.standard_normal((rows, k), np.float32) * np.float32(self.model.init)
        factors[counts == 0] = 0
        bias = np.zeros((rows, 1 + moments), np.float32)
        share = np.maximum(counts, 1) ** (self.model.nu - 1.0)
        return SgdSide(factors, bias, np.zeros(rows, np.int32), share.astype(np.float32))

    def epoch(self, rate: float) -> None:
        """Walk every block once, the rounds in a new random order."""
        model = self.model
        rule = StepRule(self.mean, rate, model.reg, model.bias_reg, model.kept, model.batch)
        rounds = self.rng.permutation(self.stripes).astype(np.int32)
        if self.terms is None:
            kernels.sgd(self.blocks, rounds, self.users, self.items, None, None, rule, self.threads)
            return
        for part in np.array_split(rounds, PARTS):
            sums, slopes = self.terms.sums, self.terms.slopes
            kernels.sgd(self.blocks, part, self.users, self.items, sums, slopes, rule, self.threads)
            self.terms.step(rate * RATE, len(part) / self.stripes)

    def objective(self) -> float:
        """Return the loss over the data that it walks, with regularization."""
        penalties = self._penalty(self.users, self.user_counts) + self._penalty(self.items, self.item_counts)
        if self.terms is not None:
            penalties += self.terms.penalty()
        return self.squared_error(self.blocks) + penalties

    def squared_error(self, blocks: Blocks) -> float:
        """Return the sum of the squared errors over some entries, weighted."""
        sums = None if self.terms is None else self.terms.sums
        return kernels.squared_error(blocks, self.users, self.items, sums, self.mean, self.threads)

    def _penalty(self, side: SgdSide, counts: NDArray[np.int64]) -> float:
        """Return sum over rows of n^nu (reg |x|^2 + bias_reg b^2)."""
        x, b = side.factors[:, 0], side.bias[:, 0].astype(np.float64)
        squares = self.model.reg * np.einsum("ij,ij->i", x, x).astype(np.float64) + self.model.bias_reg * b**2
        return float((counts**self.model.nu * squares).sum())

    def learned(self) -> dict[str, NDArray[np.float32]]:
        """Return what a model keeps."""
        k = self.model.factors
        users = self.users.factors[:, 0] if self.terms is None else self.users.factors[:, 0] + self.terms.sums
        found = {
            "user_factors": users[:, :k],
            "item_factors": self.items.factors[:, 0, :k],
            "user_bias": self.users.bias[:, 0],
            "item_bias": self.items.bias[:, 0],
            "mean": np.array([self.mean], np.float32),
        }
        if self.terms is not None:
            found["implicit_factors"] = self.terms.factors[:, :k]
        return {name: array.copy() for name, array in found.items()}


def on_lines(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return zeros that begin with a line of the cache, so that no vector lies on two."""
    size = math.prod(shape)
    room = np.zeros(size + CACHE_LINE_FLOATS, np.float32)
    start = -room.ctypes.data // room.itemsize % CACHE_LINE_FLOATS
    return room[start : start + size].reshape(shape)


MOST_THREADS = 16  # that small data keeps busy: the least number of stripes
MOST_STRIPES = 64
CACHED = 1 << 19  # bytes of the items' rows in a stripe: they stay in the second-level cache


def stripes_for(items: int, row_bytes: int) -> int:
    """Return into how many stripes to cut users and items: by the data alone, whatever the threads."""
    return int(np.clip(-(-items * row_bytes // CACHED), MOST_THREADS, MOST_STRIPES))


def blocks_of(
    users: NDArray[np.int32],
    items: NDArray[np.int32],
    values: NDArray[np.float32],
    weights: NDArray[np.float32] | None,
    shape: tuple[int, int],
    stripes: int,
    threads: int,
) -> Blocks:
    """Sort entries into blocks. Stripes are ranges of rows with about as many entries each; a block keeps the order."""
    of_user, of_item = (
        _stripes(np.bincount(rows, minlength=count), stripes) for rows, count in zip((users, items), shape, strict=True)
    )
    keys = of_user[users] * np.int32(stripes) + of_item[items]
    columns = [users, items, values] + ([] if weights is None else [weights])
    starts, moved = kernels.counting_sort(keys, stripes * stripes, columns, threads)
    return Blocks(moved[0], moved[1], moved[2], None if weights is None else moved[3], starts)


def _stripes(counts: NDArray[np.int64], stripes: int) -> NDArray[np.int32]:
    """Return the stripe of each row, ascending."""
    middle = np.cumsum(counts) - counts / 2
    return np.minimum(middle * stripes / max(int(counts.sum()), 1), stripes - 1).astype(np.int32)


class EarlyStopping:
    """Keeps what was learned where the held-out error was least; over after `patience` epochs that are no better."""

    def __init__(self, descent: Descent, held_out: CSR, patience: int) -> None:
        self.descent, self.patience = descent, patience
        self.entries = descent.blocks_of(held_out)
        self.weight = len(held_out.values) if held_out.weights is None else float(held_out.weights.sum(dtype=float))
        self.least, self.since = math.inf, 0
        self.best: dict[str, NDArray[Any]] = {}

    def look(self) -> float:
        """Return the root mean squared error after an epoch."""
        error = math.sqrt(self.descent.squared_error(self.entries) / self.weight)
        self.since += 1
        if error < self.least:
            self.least, self.since, self.best = error, 0, self.descent.learned()
        return error

    @property
    def over(self) -> bool:
        return self.since >= self.patience

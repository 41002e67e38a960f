"""The data of a half-sweep: the entries of one side with their ridges, and totals of all data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.kernels import Side, Weighting


class HalfProblem(NamedTuple):
    """The rows of one side that a half-sweep solves.

    entries: values by row. ridge (rows): r of each row. ids: for error messages (None: visitors, or a block).
    """

    entries: CSR
    ridge: NDArray[Any]
    ids: IdMap | None


class DataSummary(NamedTuple):
    """Totals of the data: numbers of users, items and values, the (weighted) mean and the sum of the values."""

    users: int
    items: int
    values: int
    mean: float
    total: float

    @classmethod
    def from_data(cls, data: Interactions) -> DataSummary:
        """Return the totals of interactions in memory."""
        total = float(data.values.sum(dtype=np.float64))
        return cls(len(data.user_ids), len(data.item_ids), len(data), data.mean, total)


def unobserved_gram(fixed: Side, weighting: Weighting, threads: int | None = None) -> NDArray[Any] | None:
    """Return w0 F'F (factors, factors) of a fixed side, or None if w0 is zero."""
    return kernels.gram(fixed.factors, weighting.unobserved, threads) if weighting.unobserved else None


def zero_side(template: Side, rows: int) -> Side:
    """Return a side of `rows` zeros, with the number of factors, biases and dtype of another side."""
    dtype = template.factors.dtype
    return Side(
        np.zeros((rows, template.factors.shape[1]), dtype), None if template.bias is None else np.zeros(rows, dtype)
    )


def regularization(problem: HalfProblem, side: Side) -> float:
    """Return the regularization of a side in the objective, the sum over rows of r (|x|^2 + b^2)."""
    squares = np.einsum("ij,ij->i", side.factors, side.factors, dtype=np.float64)
    if side.bias is not None:
        squares += side.bias.astype(np.float64) ** 2
    return float(problem.ridge.astype(np.float64) @ squares)

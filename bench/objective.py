"""The objectives that all participants minimize, evaluated in float64 from anyone's factors. NumPy only.

implicit (Hu, Koren and Volinsky 2008, eq. 3), c = 1 + alpha v, over all pairs of a user and an item:

    sum over observed of c (1 - x.y)^2 + sum over the others of (x.y)^2 + reg (sum |x|^2 + sum |y|^2)

explicit (Zhou et al. 2008, with biases), m the mean of the values, n the count of a row's values:

    sum over observed of (v - m - b_u - b_i - x.y)^2 + reg (sum n_u^nu (|x|^2 + b_u^2) + sum n_i^nu (|y|^2 + b_i^2))
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

BLOCK = 1 << 14


class Data(NamedTuple):
    """Observed values, sorted by user."""

    users: Any
    items: Any
    values: Any

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.users[-1]) + 1, int(self.items.max()) + 1


class Factors(NamedTuple):
    """What a fit learned."""

    users: Any
    items: Any
    user_bias: Any = None
    item_bias: Any = None
    mean: float = 0.0


def implicit(data: Data, learned: Factors, alpha: float, reg: float, threads: int = 2) -> float:
    def loss(scores: Any, values: Any) -> Any:  # of observed pairs, less what the sum over all pairs counts for them
        return (1 + alpha * values) * (1 - scores) ** 2 - scores**2

    grams = [side.T.astype(np.float64) @ side.astype(np.float64) for side in (learned.users, learned.items)]
    everywhere = float(np.sum(grams[0] * grams[1]))  # sum of (x.y)^2 over all pairs: trace of X'X Y'Y
    penalty = reg * float(np.trace(grams[0]) + np.trace(grams[1]))
    return _over_observed(data, learned, loss, threads) + everywhere + penalty


def explicit(data: Data, learned: Factors, reg: float, nu: float, threads: int = 2) -> float:
    def loss(scores: Any, values: Any) -> Any:
        return (values - scores) ** 2

    penalty = 0.0
    sides = ((data.users, learned.users, learned.user_bias), (data.items, learned.items, learned.item_bias))
    for rows, factors, bias in sides:
        squares = np.einsum("ij,ij->i", factors, factors, dtype=np.float64) + np.asarray(bias, np.float64) ** 2
        penalty += reg * float(np.bincount(rows, minlength=len(factors)).astype(np.float64) ** nu @ squares)
    return _over_observed(data, learned, loss, threads) + penalty


def scores(learned: Factors, users: Any, items: Any) -> Any:
    """Return mean + biases + x.y of pairs, in float64."""
    predicted = np.einsum("ij,ij->i", learned.users[users], learned.items[items], dtype=np.float64) + learned.mean
    if learned.user_bias is not None:
        predicted += learned.user_bias[users]
        predicted += learned.item_bias[items]
    return predicted


def _over_observed(data: Data, learned: Factors, loss: Callable[[Any, Any], Any], threads: int) -> float:
    def block(start: int) -> float:
        part = slice(start, start + BLOCK)
        values = data.values[part].astype(np.float64)
        return float(loss(scores(learned, data.users[part], data.items[part]), values).sum())

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(block, range(0, len(data.values), BLOCK)))

"""Seeded synthetic ratings with the shape of well-known data sets, for speed and memory only: never quote accuracy.

Items follow a power law and users a log-normal; values are a low-rank model plus biases plus noise, in half stars.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RANK = 16
BLOCK = 1 << 20


class Shape(NamedTuple):
    users: int
    items: int
    ratings: int


SHAPES = {
    "tiny": Shape(500, 300, 12_000),
    "ml-1m": Shape(6_040, 3_706, 1_000_209),
    "ml-10m": Shape(69_878, 10_677, 10_000_054),
    "ml-20m": Shape(138_493, 26_744, 20_000_263),
    "large": Shape(400_000, 1_000_000, 30_000_000),
}
Columns = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]


def generate(shape: Shape, seed: int = 7) -> Columns:
    """Return users, items and values, sorted by user, no pair twice."""
    rng = np.random.default_rng(seed)
    users, items = _pairs(shape, rng)
    user_factors, item_factors = (_factors(count, rng) for count in (shape.users, shape.items))
    user_bias, item_bias = 0.35 * rng.standard_normal(shape.users), 0.45 * rng.standard_normal(shape.items)
    values = np.empty(len(users), np.float32)
    for start in range(0, len(users), BLOCK):
        u, i = users[start : start + BLOCK], items[start : start + BLOCK]
        taste = np.einsum("ij,ij->i", user_factors[u], item_factors[i])
        noise = 0.75 * rng.standard_normal(len(u))
        values[start : start + BLOCK] = 3.53 + user_bias[u] + item_bias[i] + 0.45 * taste + noise
    values = np.clip(np.round(values * 2) / 2, 0.5, 5).astype(np.float32)
    return users, rng.permutation(shape.items).astype(np.int32)[items], values


def _pairs(shape: Shape, rng: np.random.Generator) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Draw a third more pairs than wanted, drop repeated ones, keep a random choice of as many as wanted."""
    activity = rng.lognormal(0, 1.15, shape.users)
    activity = np.maximum(activity, 20 / 144 * activity.mean())  # MovieLens lists users of 20 ratings or more
    counts = np.round(activity / activity.sum() * shape.ratings * 1.35).astype(np.int64) + 3
    users = np.repeat(np.arange(shape.users), np.minimum(counts, shape.items // 2))
    popularity = np.cumsum((np.arange(shape.items) + 30.0) ** -1.15)
    items = np.searchsorted(popularity / popularity[-1], rng.random(len(users))).clip(max=shape.items - 1)
    pairs = np.unique(users * shape.items + items)
    if len(pairs) > shape.ratings:
        pairs = np.sort(rng.choice(pairs, shape.ratings, replace=False))
    return (pairs // shape.items).astype(np.int32), (pairs % shape.items).astype(np.int32)


def _factors(count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.standard_normal((count, RANK), dtype=np.float32) / np.float32(RANK**0.25)

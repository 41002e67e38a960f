"""Parts of the data by a named protocol: to learn from one, and to judge on the other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alsatian.errors import ParameterError
from alsatian.interactions import Interactions


@dataclass(frozen=True)
class Split:
    """Parts with names. Users and items keep their row numbers in all parts."""

    name: str
    train: Interactions
    held_out: Interactions


def per_user(data: Interactions, n: int = 10, seed: int = 0) -> Split:
    """Hold out n random values of each user, but never more than half of what the user has.

    >>> from alsatian import samples
    >>> parts = per_user(samples.load("movielens-small"), n=10)
    """
    if not isinstance(data, Interactions):
        raise ParameterError(f"per_user takes what al.read gives, not a {type(data).__name__}; pass al.read(...).")
    if isinstance(n, bool) or not isinstance(n, int | np.integer):
        raise ParameterError(f"n={n!r} is not a whole number; pass how many values of each user to hold out.")
    if n < 1:
        raise ParameterError(f"n={n} holds nothing out; pass 1 or more.")
    counts = data.by_user.counts
    draws = np.random.default_rng(seed).random(len(data))
    order = np.lexsort((draws, data.users))  # each user's entries in random order
    place = np.arange(len(data)) - np.repeat(data.by_user.indptr[:-1], counts)
    held = np.zeros(len(data), bool)
    held[order[place < np.repeat(np.minimum(n, counts // 2), counts)]] = True
    return Split(f"per-user:{n}", data.where(~held), data.where(held))

"""Protocols that hold out people: models meet them only when they come with a part of their history to fold in
(strong generalization, Marlin 2004, "Collaborative filtering: a machine learning perspective", section 3.3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import whole
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.split.split import Mask, Split, check_data, check_share, generator

SHARE = 0.2  # of the values of each held-out user


def strong(
    data: Interactions, users: float = 0.1, share: float = SHARE, seed: int = 0, *, validation: float = 0.0
) -> Split:
    """Hold out random users, with a random share of their values to judge on and the others to fold in.

    users, validation: how many of the users with two values or more: a share, or a whole number from 1 on.
    share: of each such user's values that is held out, at least one, and never all.
    """
    name = _named(f"strong:{users}", share)
    rng = generator(seed)
    order = rng.permutation(_splittable(check_data("strong", data)))
    test, chosen = _how_many("users", users, order), _how_many("validation", validation, order) if validation else 0
    if test + chosen >= len(order):
        raise ParameterError(f"{name} with validation={validation} leaves nobody to learn from; pass less.")
    held = _held(data, check_share("share", share), rng)
    sides = [_of_users(data, order[:test]), _of_users(data, order[test : test + chosen])]
    train = data.where(~(sides[0] | sides[1]))
    inner = of_users(f"{name}, validation", data, train, sides[1], held) if chosen else None
    return of_users(name, data, train, sides[0], held, inner)


def user_folds(data: Interactions, k: int = 5, share: float = SHARE, seed: int = 0) -> list[Split]:
    """Return k splits: each user with two values or more is held out in exactly one of them, as in `strong`."""
    name = _named(f"user-folds:{whole('k', k, 2)}", share)
    rng = generator(seed)
    order = rng.permutation(_splittable(check_data("user_folds", data)))
    if k > len(order):
        raise ParameterError(f"k={k} is more than the {len(order):,} users with two values or more; pass fewer folds.")
    held = _held(data, check_share("share", share), rng)
    sides = [_of_users(data, order[fold::k]) for fold in range(k)]
    return [of_users(name, data, data.where(~side), side, held, fold=at + 1) for at, side in enumerate(sides)]


def of_users(
    name: str,
    data: Interactions,
    train: Interactions,
    side: Mask,
    held: Mask,
    validation: Split | None = None,
    fold: int | None = None,
) -> Split:
    """Return the split that judges on the `held` values of one side, and folds in the others."""
    return Split(name, train, data.where(side & held), data.where(side & ~held), validation, fold)


def _named(name: str, share: float) -> str:
    """Add a share that is not the usual one."""
    return name if share == SHARE else f"{name}:{share}"


def _splittable(data: Interactions) -> NDArray[np.intp]:
    """Return the users who have something to fold in and something to judge on."""
    return np.flatnonzero(data.by_user.counts >= 2)


def _how_many(name: str, given: float, order: NDArray[np.intp]) -> int:
    if isinstance(given, int | np.integer) and not isinstance(given, bool):
        count = whole(name, given, 1)
    else:
        count = max(1, round(len(order) * check_share(name, given)))
    if count >= len(order):
        raise ParameterError(f"{name}={given} leaves nobody of {len(order):,} to learn from; pass less.")
    return count


def _held(data: Interactions, share: float, rng: np.random.Generator) -> Mask:
    """Draw a share of every user's values, at least one and never all."""
    counts = data.by_user.counts
    order = np.lexsort((rng.random(len(data)), data.users))
    place = np.arange(len(data)) - np.repeat(data.by_user.indptr[:-1], counts)
    most = np.minimum(np.maximum(np.rint(counts * share), 1), counts - 1)
    held = np.zeros(len(data), bool)
    held[order[place < np.repeat(most, counts)]] = True
    return held


def _of_users(data: Interactions, users: NDArray[np.integer]) -> Mask:
    """Return which values are of these users."""
    chosen = np.zeros(len(data.user_ids), bool)
    chosen[users] = True
    return np.repeat(chosen, data.by_user.counts)

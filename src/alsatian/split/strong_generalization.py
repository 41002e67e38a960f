"""Protocols that hold out users (strong generalization).

Models do not train on the values of held-out users; a part of these values is folded in before the evaluation.
Source: Marlin 2004, "Collaborative filtering: a machine learning perspective", section 3.3.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import require_int
from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.split.split import Mask, Split, check_data, check_share, make_rng

HELD_OUT_SHARE = 0.2  # the share of the values of each held-out user to evaluate on


def split_users(
    data: Interactions, users: float = 0.1, share: float = HELD_OUT_SHARE, seed: int = 0, *, validation: float = 0.0
) -> Split:
    """Hold out random users: a random share of their values to evaluate on, the others to fold in.

    users, validation: how many of the users with at least two values to hold out, as a share or as a number of users.
    share: the share of the values of each such user to evaluate on: at least one value, and never all.

    Raises ParameterError if no user is left to train on, or if a share is not valid.
    """
    name = _name_with_share(f"new-users:{users}", share)
    rng = make_rng(seed)
    order = rng.permutation(_splittable_users(check_data("new_users", data)))
    test_count = _resolve_user_count("users", users, order)
    validation_count = _resolve_user_count("validation", validation, order) if validation else 0
    if test_count + validation_count >= len(order):
        raise ParameterError(f"{name} with validation={validation} leaves no user to train on; pass less.")
    held_out = _draw_share_per_user(data, check_share("share", share), rng)
    user_masks = [
        _users_mask(data, order[:test_count]),
        _users_mask(data, order[test_count : test_count + validation_count]),
    ]
    train = data.where(~(user_masks[0] | user_masks[1]))
    validation_split = (
        from_users(f"{name}, validation", data, train, user_masks[1], held_out) if validation_count else None
    )
    return from_users(name, data, train, user_masks[0], held_out, validation_split)


def split_user_folds(data: Interactions, k: int = 5, share: float = HELD_OUT_SHARE, seed: int = 0) -> list[Split]:
    """Return k splits, such that each user with at least two values is held out in exactly one, as in `new_users`.

    Raises ParameterError for a k below 2 or above the number of such users.
    """
    name = _name_with_share(f"new-user-folds:{require_int('k', k, 2)}", share)
    rng = make_rng(seed)
    order = rng.permutation(_splittable_users(check_data("new_user_folds", data)))
    if k > len(order):
        raise ParameterError(f"k={k} is more than the {len(order):,} users with two values or more; pass a smaller k.")
    held_out = _draw_share_per_user(data, check_share("share", share), rng)
    user_masks = [_users_mask(data, order[fold::k]) for fold in range(k)]
    return [
        from_users(name, data, data.where(~user_mask), user_mask, held_out, fold=index + 1)
        for index, user_mask in enumerate(user_masks)
    ]


def from_users(
    name: str,
    data: Interactions,
    train: Interactions,
    user_mask: Mask,
    held_out: Mask,
    validation: Split | None = None,
    fold: int | None = None,
) -> Split:
    """Return a split of the values in `user_mask`: those in `held_out` are held out, the others are folded in."""
    return Split(name, train, data.where(user_mask & held_out), data.where(user_mask & ~held_out), validation, fold)


def _name_with_share(name: str, share: float) -> str:
    """Append the share to the name if it is not the default."""
    return name if share == HELD_OUT_SHARE else f"{name}:{share}"


def _splittable_users(data: Interactions) -> NDArray[np.intp]:
    """Return the users with at least two values: one to fold in and one to evaluate on."""
    return np.flatnonzero(data.by_user.counts >= 2)


def _resolve_user_count(name: str, size: float, order: NDArray[np.intp]) -> int:
    if isinstance(size, int | np.integer) and not isinstance(size, bool):
        count = require_int(name, size, 1)
    else:
        count = max(1, round(len(order) * check_share(name, size)))
    if count >= len(order):
        raise ParameterError(f"{name}={size} leaves none of {len(order):,} users to train on; pass less.")
    return count


def _draw_share_per_user(data: Interactions, share: float, rng: np.random.Generator) -> Mask:
    """Draw a share of the values of every user: at least one and never all."""
    counts = data.by_user.counts
    order = np.lexsort((rng.random(len(data)), data.users))
    rank = np.arange(len(data)) - np.repeat(data.by_user.indptr[:-1], counts)
    quota = np.minimum(np.maximum(np.rint(counts * share), 1), counts - 1)
    held_out = np.zeros(len(data), bool)
    held_out[order[rank < np.repeat(quota, counts)]] = True
    return held_out


def _users_mask(data: Interactions, users: NDArray[np.integer]) -> Mask:
    """Return which values belong to these users."""
    is_selected = np.zeros(len(data.user_ids), bool)
    is_selected[users] = True
    return np.repeat(is_selected, data.by_user.counts)

"""Protocols of published papers, reproduced so that results are comparable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import require_int
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, SourceError
from alsatian.split.split import Mask, Split, check_data
from alsatian.split.strong_generalization import from_users

LIKE_ABOVE = 3.5  # ratings above this are likes
MIN_LIKES_PER_USER = 5  # users with fewer likes are dropped
LIANG_HELD_OUT_SHARE = 0.2  # the share of a held-out user's values to evaluate on


def split_liang2018(data: Interactions, users: int = 10_000, seed: int = 98765) -> Split:
    """Split as in Liang, Krishnan, Hoffman and Jebara 2018, "Variational autoencoders for collaborative filtering".

    Ratings above 3.5 are likes, and users with fewer than five likes are dropped. `users` random users are test users,
    and as many are validation users; the others are for training. Only likes of items that occur in the training part
    are used. A random fifth of the likes of each test or validation user is held out, and the others are folded in. If
    fewer than five such likes remain, all of them are folded in.

    The paper uses 10,000 users on MovieLens 20M, 40,000 on Netflix and 50,000 on the Million Song Dataset. It reports
    capped recall at 20 and 50, and NDCG at 100. Random numbers are drawn as in the authors' code, so the same data in
    the same order gives the same parts.

    Raises ParameterError if no user is left to train on, and DataError if there are no likes.
    """
    likes = _binarize_for_liang2018(check_data("liang2018", data))
    active = np.flatnonzero(likes.by_user.counts >= MIN_LIKES_PER_USER)
    if 2 * require_int("users", users, 1) >= len(active):
        raise ParameterError(
            f"users={users:,} for the test and as many for validation leave no user to train on: "
            f"{len(active):,} users have {MIN_LIKES_PER_USER} likes or more; pass fewer."
        )
    order = np.random.RandomState(require_int("seed", seed, 0)).permutation(active)
    train_users, validation_users, test_users = np.split(order, [len(active) - 2 * users, len(active) - users])
    train = likes.where(np.isin(likes.users, train_users))
    item_is_trained = (train.item_counts > 0)[likes.items]

    def make_part(name: str, user_rows: NDArray[np.intp], validation: Split | None = None) -> Split:
        in_part = np.isin(likes.users, user_rows) & item_is_trained
        return from_users(name, likes, train, in_part, _draw_held_out(likes, in_part, seed), validation)

    return make_part(f"liang2018:{users}", test_users, make_part("liang2018, validation", validation_users))


def _binarize_for_liang2018(data: Interactions) -> Interactions:
    if data.recipe.min_rating is not None or data.values.min() == data.values.max():
        return data
    if not (values_above := data.values[data.values > LIKE_ABOVE]).size:
        raise DataError(
            f"liang2018 takes ratings above {LIKE_ABOVE} as likes, but there are none; pass data.binarize(...)."
        )
    return data.binarize(float(values_above.min()))


def _draw_held_out(data: Interactions, in_part: Mask, seed: int) -> Mask:
    """Draw a fifth of the values of each user, user by user, as in the authors' code."""
    rng = np.random.RandomState(seed)
    candidates = np.flatnonzero(in_part)
    held_out = np.zeros(len(data), bool)
    for user_candidates in np.split(candidates, np.flatnonzero(np.diff(data.users[candidates])) + 1):
        if len(user_candidates) >= MIN_LIKES_PER_USER:
            held_out[
                user_candidates[
                    rng.choice(len(user_candidates), int(LIANG_HELD_OUT_SHARE * len(user_candidates)), replace=False)
                ]
            ] = True
    return held_out


def split_movielens_folds(folder: str | Path) -> list[Split]:
    """Return the five official folds of MovieLens 100K, in which u1.test to u5.test of its folder are held out.

    Raises SourceError if one of these files is missing, and DataError if they do not partition the ratings.
    """
    from alsatian.ingest import read

    folder = Path(folder)
    tests = [folder / f"u{fold}.test" for fold in range(1, 6)]
    if missing := [path.name for path in tests if not path.is_file()]:
        raise SourceError(f"{folder} has no {missing[0]}; the folds u1.test to u5.test come with MovieLens 100K.")
    data = read(folder)
    splits = []
    for fold, path in enumerate(tests, 1):
        held_out = _membership_mask(data, read(path, delimiter="\t"), path.name)
        splits.append(Split("movielens-folds", data.where(~held_out), data.where(held_out), fold=fold))
    if sum(len(split.held_out) for split in splits) != len(data):
        raise DataError(
            f"u1.test to u5.test of {folder} do not partition its {len(data):,} ratings; unpack the archive again."
        )
    return splits


def _membership_mask(data: Interactions, part: Interactions, name: str) -> Mask:
    """Return which values of the full data are in a part of it; raises DataError for other values. name: the part."""
    users = data.user_ids.rows(part.user_ids.tolist())[part.users]
    items = data.item_ids.rows(part.item_ids.tolist())[part.items]
    item_count = np.int64(len(data.item_ids))
    membership = np.isin(data.users * item_count + data.items, users * item_count + items)
    if membership.sum() != len(part):
        raise DataError(f"{name} has ratings that are not in the full data; use the files of one folder.")
    return membership

"""Protocols of published papers, as exactly as the data allows, so that results are comparable."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import require_int
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, SourceError
from alsatian.split.split import Mask, Split, check_data
from alsatian.split.strong_generalization import from_users

LIKE_ABOVE = 3.5  # ratings above are likes
MIN_LIKES_PER_USER = 5  # values of each user
LIANG_HELD_OUT_SHARE = 0.2  # of a held-out user's values that is judged on


def split_liang2018(data: Interactions, users: int = 10_000, seed: int = 98765) -> Split:
    """Split as Liang, Krishnan, Hoffman and Jebara 2018, "Variational autoencoders for collaborative filtering".

    Ratings above 3.5 are likes; users with fewer than five are left out. `users` random users are for the test and as
    many for validation, with those of their likes whose items the other users have: a random fifth of each user's is
    held out (who has fewer than five has them all folded in). The paper takes 10,000 on MovieLens 20M, 40,000 on
    Netflix, 50,000 on the Million Song Dataset, and reports capped recall at 20 and 50, NDCG at 100. The draws are
    those of the authors' code, so the same data in the same order gives the same parts.
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
            f"liang2018 takes ratings above {LIKE_ABOVE} as likes, and there are none; pass data.binarize(...)."
        )
    return data.binarize(float(values_above.min()))


def _draw_held_out(data: Interactions, in_part: Mask, seed: int) -> Mask:
    """Draw a fifth of each user's values, one user after another, as the authors' code does."""
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
    """Return the five official folds of MovieLens 100K: u1.test to u5.test of its folder, each held out once."""
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
        raise DataError(f"u1.test to u5.test of {folder} are not the parts of its {len(data):,} ratings.")
    return splits


def _membership_mask(data: Interactions, part: Interactions, name: str) -> Mask:
    """Return which values of the whole a part of it holds."""
    users = data.user_ids.rows(part.user_ids.tolist())[part.users]
    items = data.item_ids.rows(part.item_ids.tolist())[part.items]
    item_count = np.int64(len(data.item_ids))
    membership = np.isin(data.users * item_count + data.items, users * item_count + items)
    if membership.sum() != len(part):
        raise DataError(f"{name} holds ratings that are not in the whole data; take both from one folder.")
    return membership

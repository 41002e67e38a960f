"""Protocols of papers, as exactly as the data allows, so that figures can be compared with published ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import whole
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, SourceError
from alsatian.split.split import Mask, Split, check_data
from alsatian.split.strong_generalization import of_users

LIKED = 3.5  # ratings above are likes
LEAST = 5  # values of each user
SHARE = 0.2  # of a held-out user's values that is judged on


def liang2018(data: Interactions, users: int = 10_000, seed: int = 98765) -> Split:
    """Split as Liang, Krishnan, Hoffman and Jebara 2018, "Variational autoencoders for collaborative filtering".

    Ratings above 3.5 are likes; users with fewer than five are left out. `users` random users are for the test and as
    many for validation, with those of their likes whose items the other users have: a random fifth of each user's is
    held out (who has fewer than five has them all folded in). The paper takes 10,000 on MovieLens 20M, 40,000 on
    Netflix, 50,000 on the Million Song Dataset, and reports capped recall at 20 and 50, NDCG at 100. The draws are
    those of the authors' code, so the same data in the same order gives the same parts.
    """
    likes = _likes(check_data("liang2018", data))
    active = np.flatnonzero(likes.by_user.counts >= LEAST)
    if 2 * whole("users", users, 1) >= len(active):
        raise ParameterError(
            f"users={users:,} for the test and as many for validation leave nobody to learn from: "
            f"{len(active):,} users have {LEAST} likes or more; pass fewer."
        )
    order = np.random.RandomState(whole("seed", seed, 0)).permutation(active)
    learners, choosers, testers = np.split(order, [len(active) - 2 * users, len(active) - users])
    train = likes.where(np.isin(likes.users, learners))
    known = (train.item_counts > 0)[likes.items]

    def part(name: str, people: NDArray[np.intp], validation: Split | None = None) -> Split:
        side = np.isin(likes.users, people) & known
        return of_users(name, likes, train, side, _drawn(likes, side, seed), validation)

    return part(f"liang2018:{users}", testers, part("liang2018, validation", choosers))


def _likes(data: Interactions) -> Interactions:
    if data.recipe.at_least is not None or data.values.min() == data.values.max():
        return data
    if not (above := data.values[data.values > LIKED]).size:
        raise DataError(f"liang2018 takes ratings above {LIKED} as likes, and there are none; pass data.likes(...).")
    return data.likes(float(above.min()))


def _drawn(data: Interactions, side: Mask, seed: int) -> Mask:
    """Draw a fifth of each user's values, one user after another, as the authors' code does."""
    rng = np.random.RandomState(seed)
    places = np.flatnonzero(side)
    held = np.zeros(len(data), bool)
    for mine in np.split(places, np.flatnonzero(np.diff(data.users[places])) + 1):
        if len(mine) >= LEAST:
            held[mine[rng.choice(len(mine), int(SHARE * len(mine)), replace=False)]] = True
    return held


def movielens_folds(folder: str | Path) -> list[Split]:
    """Return the five official folds of MovieLens 100K: u1.test to u5.test of its folder, each held out once."""
    from alsatian.ingest import read

    folder = Path(folder)
    tests = [folder / f"u{fold}.test" for fold in range(1, 6)]
    if missing := [path.name for path in tests if not path.is_file()]:
        raise SourceError(f"{folder} has no {missing[0]}; the folds u1.test to u5.test come with MovieLens 100K.")
    data = read(folder)
    made = []
    for fold, path in enumerate(tests, 1):
        held = _found_in(data, read(path, delimiter="\t"), path.name)
        made.append(Split("movielens-folds", data.where(~held), data.where(held), fold=fold))
    if sum(len(each.held_out) for each in made) != len(data):
        raise DataError(f"u1.test to u5.test of {folder} are not the parts of its {len(data):,} ratings.")
    return made


def _found_in(data: Interactions, part: Interactions, name: str) -> Mask:
    """Return which values of the whole a part of it holds."""
    users = data.user_ids.rows(part.user_ids.tolist())[part.users]
    items = data.item_ids.rows(part.item_ids.tolist())[part.items]
    wide = np.int64(len(data.item_ids))
    held = np.isin(data.users * wide + data.items, users * wide + items)
    if held.sum() != len(part):
        raise DataError(f"{name} holds ratings that are not in the whole data; take both from one folder.")
    return held

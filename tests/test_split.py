"""Splits: parts with names, users and items with the same row numbers in both."""

from __future__ import annotations

import numpy as np
import pytest

from alsatian import split
from alsatian.errors import ParameterError
from alsatian.interactions import Interactions
from oracles import cells


def test_the_parts_are_the_whole_and_share_nothing(some_ratings: Interactions) -> None:
    parts = split.per_user(some_ratings, n=3)
    assert np.array_equal(cells(parts.train) + cells(parts.held_out), cells(some_ratings))
    assert not (cells(parts.train) * cells(parts.held_out)).any()
    assert parts.train.user_ids is parts.held_out.user_ids is some_ratings.user_ids


@pytest.mark.parametrize("n", [2.5, "3", True, None])
def test_n_is_a_whole_number(ratings: Interactions, n: object) -> None:
    with pytest.raises(ParameterError, match=rf"n={n!r} is not a whole number; pass how many values of each user"):
        split.per_user(ratings, n=n)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", ["ratings.csv", {"a": 1}])
def test_only_what_was_read_can_be_split(data: object) -> None:
    with pytest.raises(ParameterError, match=rf"takes what al\.read gives, not a {type(data).__name__}; pass al\.read"):
        split.per_user(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("n", [1, 3, 100])
def test_n_of_each_user_but_never_more_than_half(some_ratings: Interactions, n: int) -> None:
    held = split.per_user(some_ratings, n=n).held_out.by_user.counts
    assert np.array_equal(held, np.minimum(n, some_ratings.by_user.counts // 2))


def test_the_seed_decides(some_ratings: Interactions) -> None:
    one, same, other = (split.per_user(some_ratings, n=3, seed=seed).held_out.digest for seed in (1, 1, 2))
    assert one == same != other


def test_every_entry_has_the_same_chance(some_ratings: Interactions) -> None:
    times = sum((cells(split.per_user(some_ratings, n=2, seed=seed).held_out) > 0).astype(int) for seed in range(200))
    user = int(np.argmax(some_ratings.by_user.counts))
    count = some_ratings.by_user.counts[user]
    held = times[user][cells(some_ratings)[user] > 0]
    expected = 200 * 2 / count
    assert held.sum() == 400
    assert np.abs(held - expected).max() < 5 * np.sqrt(expected)


def test_the_name_says_the_protocol(ratings: Interactions) -> None:
    assert split.per_user(ratings, n=1).name == "per-user:1"


def test_nothing_to_hold_out_is_refused(ratings: Interactions) -> None:
    with pytest.raises(ParameterError, match="n=0 holds nothing out; pass 1 or more"):
        split.per_user(ratings, n=0)

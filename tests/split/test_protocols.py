"""Protocols: what each holds out, and laws for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alsatian import split
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, SourceError
from alsatian.split import Split
from support.oracles import cells
from support.problems import random_ratings

Protocol = Callable[..., Split | list[Split]]

# every protocol, with what is unusual, on data of 120 users and 80 items with times
PROTOCOLS: dict[str, Callable[[Interactions, int], Split | list[Split]]] = {
    "random": lambda data, seed: split.random(data, 0.3, seed),
    "per_user": lambda data, seed: split.per_user(data, 3, seed),
    "per_user, last": lambda data, seed: split.per_user(data, 3, seed, last=True),
    "leave_one_out": lambda data, seed: split.leave_one_out(data, seed),
    "by_time": lambda data, seed: split.by_time(data, 0.3),
    "rolling": lambda data, seed: split.rolling(data, 3, "10d"),
    "folds": lambda data, seed: split.k_fold(data, 4, seed),
    "strong": lambda data, seed: split.new_users(data, 0.3, 0.4, seed),
    "user_folds": lambda data, seed: split.new_user_folds(data, 4, 0.4, seed),
    "liang2018": lambda data, seed: split.liang2018(data, 10, seed),
}
WITH_VALIDATION: dict[str, Callable[[Interactions], Split]] = {
    "random": lambda data: split.random(data, 0.3, validation=0.2),
    "per_user": lambda data: split.per_user(data, 3, validation=2),
    "leave_one_out": lambda data: split.leave_one_out(data, last=True, validation=True),
    "by_time": lambda data: split.by_time(data, 0.3, validation=0.2),
    "strong": lambda data: split.new_users(data, 30, validation=20),
    "liang2018": lambda data: split.liang2018(data, 20),
}


def make_splits(name: str, data: Interactions, seed: int = 0) -> list[Split]:
    splits = PROTOCOLS[name](data, seed)
    return splits if isinstance(splits, list) else [splits]


def parts_of(parts: Split) -> list[Interactions]:
    return [parts.train, parts.held_out] + ([parts.fold_in] if parts.fold_in is not None else [])


@pytest.mark.parametrize("name", PROTOCOLS)
class TestLaws:
    @settings(max_examples=15)
    @given(seed=st.integers(0, 1000))
    def test_no_value_is_in_two_parts(self, name: str, seed: int) -> None:
        for parts in make_splits(name, random_ratings(80, 40, 0.6, seed), seed):
            assert max(np.bincount(np.concatenate([keys(part) for part in parts_of(parts)]))) == 1

    def test_parts_hold_values_of_the_whole_as_they_are(self, name: str, some_ratings: Interactions) -> None:
        data = some_ratings.binarize(4) if name == "liang2018" else some_ratings
        for parts in make_splits(name, some_ratings):
            for part in parts_of(parts):
                assert (cells(part) == cells(data) * (cells(part) > 0)).all()
                assert part.user_ids is some_ratings.user_ids
                assert part.item_ids is some_ratings.item_ids

    def test_nothing_is_lost(self, name: str, some_ratings: Interactions) -> None:
        if name not in ("rolling", "liang2018"):  # these leave values out, as they say
            for parts in make_splits(name, some_ratings):
                assert sum(map(len, parts_of(parts))) == len(some_ratings)

    def test_the_seed_decides(self, name: str, some_ratings: Interactions) -> None:
        first, same, other = ([s.held_out.digest for s in make_splits(name, some_ratings, seed)] for seed in (1, 1, 2))
        assert first == same
        assert (first == other) == (name in ("by_time", "rolling", "per_user, last"))

    def test_a_model_can_be_fitted_and_something_is_held_out(self, name: str, some_ratings: Interactions) -> None:
        for parts in make_splits(name, some_ratings):
            assert len(parts.train) > 0
            assert len(parts.held_out) > 0

    def test_only_what_was_read_can_be_split(self, name: str, some_ratings: Interactions) -> None:
        with pytest.raises(ParameterError, match=r"takes Interactions, not str; pass al\.read"):
            PROTOCOLS[name]("ratings.csv", 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", [-1, "x", 0.5])
@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name not in ("by_time", "rolling")])
def test_a_seed_is_a_whole_number(name: str, seed: Any, some_ratings: Interactions) -> None:
    with pytest.raises(ParameterError, match=r"^seed=.* (is not a whole number|is too small)"):
        PROTOCOLS[name](some_ratings, seed)


def keys(data: Interactions) -> np.ndarray:
    return data.users.astype(np.int64) * len(data.item_ids) + data.items


@pytest.mark.parametrize("name", WITH_VALIDATION)
def test_a_validation_part_has_the_same_train_and_shares_nothing(name: str, some_ratings: Interactions) -> None:
    parts = WITH_VALIDATION[name](some_ratings)
    assert parts.validation is not None
    assert parts.validation.train.digest == parts.train.digest
    everything = [keys(part) for part in [*parts_of(parts), *parts_of(parts.validation)[1:]]]
    assert max(np.bincount(np.concatenate(everything))) == 1
    if name != "liang2018":
        assert sum(map(len, everything)) == len(some_ratings)


class TestPerUser:
    @pytest.mark.parametrize("n", [2.5, "3", True, None])
    def test_n_is_a_whole_number(self, ratings: Interactions, n: object) -> None:
        with pytest.raises(
            ParameterError, match=rf"n={n!r} is not a whole number; pass the number of values to hold out"
        ):
            split.per_user(ratings, n=n)  # type: ignore[arg-type]

    def test_nothing_to_hold_out_is_refused(self, ratings: Interactions) -> None:
        with pytest.raises(ParameterError, match="n=0 holds nothing out; pass 1 or more"):
            split.per_user(ratings, n=0)

    @pytest.mark.parametrize("n", [1, 3, 100])
    def test_n_of_each_user_but_never_more_than_half(self, some_ratings: Interactions, n: int) -> None:
        held = split.per_user(some_ratings, n=n).held_out.by_user.counts
        assert np.array_equal(held, np.minimum(n, some_ratings.by_user.counts // 2))

    def test_every_entry_has_the_same_chance(self, some_ratings: Interactions) -> None:
        times = sum((cells(split.per_user(some_ratings, 2, seed).held_out) > 0).astype(int) for seed in range(200))
        user = int(np.argmax(some_ratings.by_user.counts))
        held = times[user][cells(some_ratings)[user] > 0]
        expected = 200 * 2 / some_ratings.by_user.counts[user]
        assert held.sum() == 400
        assert np.abs(held - expected).max() < 5 * np.sqrt(expected)

    def test_the_last_are_the_newest_of_each_user(self, some_ratings: Interactions) -> None:
        parts = split.per_user(some_ratings, n=2, last=True)
        assert parts.name == "per-user:2:last"
        for user in np.flatnonzero(parts.held_out.by_user.counts):
            train, held = (part.times[part.users == user] for part in (parts.train, parts.held_out))  # type: ignore[index]
            assert train.max() <= held.min()

    def test_leaving_one_out_is_one_of_each_user(self, some_ratings: Interactions) -> None:
        parts = split.leave_one_out(some_ratings, seed=3)
        assert parts.held_out.digest == split.per_user(some_ratings, 1, seed=3).held_out.digest
        assert parts.held_out.by_user.counts.max() == 1


class TestTime:
    def test_a_cut_parts_past_and_future(self, some_ratings: Interactions) -> None:
        parts = split.by_time(some_ratings, 0.25)
        assert parts.train.times is not None
        assert parts.held_out.times is not None
        assert parts.train.times.max() < parts.held_out.times.min()
        assert len(parts.held_out) >= 0.25 * len(some_ratings)
        date = int(parts.held_out.times.min())
        assert split.by_time(some_ratings, date=date).held_out.digest == parts.held_out.digest

    def test_windows_follow_one_another(self, some_ratings: Interactions) -> None:
        windows = split.rolling(some_ratings, 3, "10d", history="20d")
        assert [parts.label for parts in windows] == [f"rolling:3:10d:20d ({fold})" for fold in (1, 2, 3)]
        for parts in windows:
            assert parts.train.times is not None
            assert parts.held_out.times is not None
            start = parts.train.times.max()
            assert parts.held_out.times.min() > start
            assert parts.held_out.times.max() - parts.train.times.min() <= 30 * 86_400
        assert windows[-1].held_out.times.max() == some_ratings.times.max()  # type: ignore[union-attr]

    @pytest.mark.parametrize("name", ["by_time", "rolling", "per_user, last"])
    def test_without_times_there_is_no_order(self, name: str, ratings: Interactions) -> None:
        with pytest.raises(DataError, match="requires times, but this data has none; name the time column"):
            PROTOCOLS[name](ratings, 0)

    def test_an_empty_window_is_named(self, some_ratings: Interactions) -> None:
        with pytest.raises(DataError, match="window 1 of rolling:40:10d has nothing to train on; use fewer"):
            split.rolling(some_ratings, 40, "10d")


class TestFolds:
    def test_each_value_is_held_out_once(self, some_ratings: Interactions) -> None:
        folds = split.k_fold(some_ratings, 5, seed=1)
        assert np.array_equal(sum(cells(parts.held_out) for parts in folds), cells(some_ratings))
        sizes = [len(parts.held_out) for parts in folds]
        assert max(sizes) - min(sizes) <= 1

    def test_each_user_is_held_out_once(self, some_ratings: Interactions) -> None:
        folds = split.new_user_folds(some_ratings, 4)
        held = sum((parts.held_out.by_user.counts > 0).astype(int) for parts in folds)
        assert np.array_equal(held, some_ratings.by_user.counts >= 2)


class TestStrong:
    def test_train_knows_nothing_of_the_people_held_out(self, some_ratings: Interactions) -> None:
        parts = split.new_users(some_ratings, users=25, share=0.4)
        assert parts.fold_in is not None
        people = np.flatnonzero(parts.held_out.by_user.counts)
        assert len(people) == 25
        assert not parts.train.by_user.counts[people].any()
        assert (parts.fold_in.by_user.counts[people] >= 1).all()
        counts = some_ratings.by_user.counts[people]
        expected = np.minimum(np.maximum(np.rint(counts * 0.4), 1), counts - 1)
        assert np.array_equal(parts.held_out.by_user.counts[people], expected)

    def test_somebody_must_be_left(self, ratings: Interactions) -> None:
        with pytest.raises(ParameterError, match="users=4 leaves none of 4 users to train on; pass less"):
            split.new_users(ratings, users=4)


class TestLiang:
    def test_parts_are_those_of_the_authors_code(self, some_ratings: Interactions) -> None:
        """Told anew with data frames, as in the notebook that comes with the paper."""
        import pandas as pd

        frame = pd.DataFrame({"user": some_ratings.users, "item": some_ratings.items, "value": some_ratings.values})
        frame = frame[frame["value"] > 3.5]
        frame = frame[frame.groupby("user")["item"].transform("size") >= 5]
        people = np.array(sorted(frame["user"].unique()))
        np.random.seed(98765)  # noqa: NPY002
        people = people[np.random.permutation(len(people))]  # noqa: NPY002
        train = frame[frame["user"].isin(people[:-40])]
        parts = split.liang2018(some_ratings, users=20)
        assert set(zip(train["user"], train["item"], strict=True)) == pairs(parts.train)
        for part, who in ((parts.validation, people[-40:-20]), (parts, people[-20:])):
            some = frame[frame["user"].isin(who) & frame["item"].isin(train["item"])]
            np.random.seed(98765)  # noqa: NPY002
            held = set()
            for user, group in some.groupby("user"):
                if len(group) >= 5:
                    chosen = np.random.choice(len(group), int(0.2 * len(group)), replace=False)  # noqa: NPY002
                    held |= {(user, item) for item in group["item"].to_numpy()[chosen]}
            assert part is not None
            assert part.fold_in is not None
            assert pairs(part.held_out) == held
            assert pairs(part.fold_in) == set(zip(some["user"], some["item"], strict=True)) - held

    def test_too_few_users_are_refused(self, some_ratings: Interactions) -> None:
        with pytest.raises(ParameterError, match=r"users=10,000 for the test .* leave no user to train on: \d+ users"):
            split.liang2018(some_ratings)


def pairs(data: Interactions) -> set[tuple[int, int]]:
    return set(zip(data.users.tolist(), data.items.tolist(), strict=True))


class TestMovielens:
    def test_the_official_folds(self, movielens_100k: Path) -> None:
        folds = split.movielens_folds(movielens_100k)
        assert [parts.label for parts in folds] == [f"movielens-folds ({fold})" for fold in range(1, 6)]
        assert sum(cells(parts.held_out) > 0 for parts in folds).sum() == 100_000  # type: ignore[union-attr]
        assert folds[0].train.scale == (1, 5)
        test = np.loadtxt(movielens_100k / "u1.test", np.int64)
        held = folds[0].held_out
        assert held.values.sum() == test[:, 2].sum()
        assert held.user_ids.id_of(int(held.users[-1])) == test[:, 0].max()

    def test_another_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match=r"has no u1\.test; the folds u1\.test to u5\.test come with MovieLens"):
            split.movielens_folds(tmp_path)

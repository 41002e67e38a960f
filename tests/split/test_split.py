"""Parts with names: what leaks between them is said, and their names make them again."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from alsatian import split
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError
from alsatian.split import Split, SplitWarning
from support.notebook import HtmlTable
from support.oracles import cells


class TestWarnings:
    def test_a_random_split_knows_the_future(self, some_ratings: Interactions) -> None:
        with pytest.warns(SplitWarning, match=r"held-out values are older than the newest training value, so"):
            split.per_user(some_ratings, n=2)

    def test_a_cut_in_time_does_not(self, some_ratings: Interactions) -> None:
        dense = some_ratings.where((some_ratings.by_user.counts > 12)[some_ratings.users])
        parts = split.by_time(dense, 0.1)
        assert parts.warnings == ()
        assert parts.cold_users.size == parts.cold_items.size == 0

    def test_who_and_what_is_only_held_out_is_counted(self, ratings: Interactions) -> None:
        parts = Split(
            "mine", ratings.where((ratings.users > 0) & (ratings.items != 3)), ratings.where(ratings.users == 0)
        )
        assert parts.warnings == ("3 of 3 held-out values are of 1 user without other values.",)
        assert parts.cold_users.tolist() == [0]
        other = Split("mine", ratings.where(ratings.items != 3), ratings.where(ratings.items == 3))
        assert other.warnings == ("3 of 3 held-out values are of 1 item without training values.",)
        assert other.cold_items.tolist() == [3]
        assert "3 of 3 held-out" in repr(other)

    def test_what_is_in_both_parts_leaks(self, ratings: Interactions) -> None:
        parts = Split("mine", ratings, ratings.where(ratings.users == 0))
        assert parts.warnings == ("3 of 3 held-out values are also in the training part; split again.",)

    def test_inside_the_package_nothing_is_said(self, some_ratings: Interactions) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            split.holdout.split_per_user(some_ratings, n=2)

    def test_parts_of_different_numberings_are_refused(self, ratings: Interactions, some_ratings: Interactions) -> None:
        with pytest.raises(DataError, match="the parts of mine do not have the same users in the same order"):
            Split("mine", ratings, some_ratings)


def test_a_notebook_shows_the_sizes_of_all_parts(some_ratings: Interactions) -> None:
    parts = split.new_users(some_ratings, 0.3, validation=0.2)
    assert parts.fold_in is not None
    assert parts.validation is not None
    table, text = HtmlTable(parts), repr(parts)
    assert table.rows[0] == ["part", "values", "users", "items"]
    assert [row[0] for row in table.rows[1:]] == ["train", "fold_in", "held_out", "validation"]
    assert table.number_columns == {"values", "users", "items"}
    for name, size, *_ in table.rows[1:]:
        assert f"{name} {size}" in text
    for row, part in zip(
        table.rows[1:], (parts.train, parts.fold_in, parts.held_out, parts.validation.held_out), strict=True
    ):
        counted = f"{len(part):,}", str(len(np.unique(part.users))), str(len(np.unique(part.items)))
        assert row[1:] == list(counted)
    assert table.notes == list(parts.warnings) == text.splitlines()[1:]
    assert text.startswith(table.caption.removesuffix(")"))


def test_likes_of_all_parts(some_ratings: Interactions) -> None:
    parts = split.new_users(some_ratings, 0.3, validation=0.2)
    liked = parts.binarize(4)
    assert parts.fold_in is not None
    assert liked.fold_in is not None
    assert liked.validation is not None
    assert np.array_equal(cells(liked.fold_in), cells(parts.fold_in) >= 4)
    assert liked.train.recipe.min_rating == liked.held_out.recipe.min_rating == 4


class TestNames:
    @pytest.mark.parametrize(
        "written",
        ["per-user:3", "per-user:3:last", "leave-one-out", "random:0.3", "by-time:0.3", "by-time:2023-12-01",
         "by-time:2023-12-01T06:30:00",
         "rolling:3:10d", "rolling:3:10d:20d", "k-fold:4", "new-users:0.3", "new-users:25", "new-users:0.3:0.5",
         "new-user-folds:4",
         "new-user-folds:4:0.4", "liang2018:20"],
    )  # fmt: skip
    def test_the_name_makes_the_same_split_again(self, some_ratings: Interactions, written: str) -> None:
        splits = split.from_spec(written, some_ratings, seed=5)
        assert {parts.name for parts in splits} == {written}
        again = split.from_spec(splits[0].name, some_ratings, seed=5)
        assert [parts.held_out.digest for parts in splits] == [parts.held_out.digest for parts in again]

    @pytest.mark.parametrize(
        ("written", "complaint"),
        [
            (0.2, r"the spec of a split must be text, such as 'random:0.2', not float"),
            ("peruser:3", r"'peruser' is not a valid split; write one like per-user:10, .*Did you mean 'per-user'\?"),
            ("per-user:many", "'many' is not a valid n of per-user; write it like per-user:10"),
            ("k-fold:5:6", "'5:6' is not a valid k of k-fold; write it like k-fold:5"),
            ("k-fold:", "'' is not a valid k of k-fold; write it like k-fold:5"),
            ("random:1.5", "share=1.5 is not a valid share; pass a number between 0 and 1"),
        ],
    )
    def test_what_is_no_split_is_named(self, some_ratings: Interactions, written: str, complaint: str) -> None:
        with pytest.raises(ParameterError, match=complaint):
            split.from_spec(written, some_ratings)

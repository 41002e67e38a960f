"""Interactions: sorted, without repeated pairs, by user and by item."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsatian.data.catalog import Catalog
from alsatian.data.csr import CSR
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions, ReadReport, RowArrays
from alsatian.data.recipe import Recipe
from alsatian.errors import DataError, ParameterError, RowsError
from alsatian.models import Popularity
from support.notebook import HtmlTable
from support.problems import ITEMS, MATRIX, USERS

# The same pair three times, in this order: (alice, up) at times 30, 10 and 30, beside one other row.
REPEATED = [("alice", "up", 1.0, 30), ("bob", "iron", 3.0, 5), ("alice", "up", 2.0, 10), ("alice", "up", 4.5, 30)]


def build(
    rows: list[tuple[str, str, float, int]], rule: Any = "raise", timed: bool = True, **more: Any
) -> Interactions:
    users, items = IdMap.from_ids(USERS, "user"), IdMap.from_ids(ITEMS, "item")
    return Interactions.build(
        users,
        items,
        users.rows([row[0] for row in rows]),
        items.rows([row[1] for row in rows]),
        np.array([row[2] for row in rows], np.float32),
        np.array([row[3] for row in rows], np.int64) if timed else None,
        recipe=Recipe(duplicates=rule),
        **more,
    )


def values_of(data: Interactions) -> dict[tuple[Any, Any], float]:
    pairs = zip(data.user_ids.take(data.users), data.item_ids.take(data.items), strict=True)
    return dict(zip(pairs, data.values.tolist(), strict=True))


class TestCompressedRows:
    def test_the_running_example_by_user(self, ratings: Interactions) -> None:
        assert len(ratings) == 13
        assert ratings.by_user.indptr.tolist() == [0, 3, 7, 10, 13]
        items, values = ratings.by_user.row(2)
        assert ratings.item_ids.take(items) == ["heat", "iron", "iron2"]
        assert values.tolist() == [4, 5, 4]

    def test_and_by_item(self, ratings: Interactions) -> None:
        users, values = ratings.by_item.row(0)
        assert ratings.user_ids.take(users) == ["alice", "bob", "dave"]
        assert values.tolist() == [5, 4, 1]
        assert ratings.item_counts.tolist() == [3, 2, 3, 3, 2]
        assert np.array_equal(ratings.by_item.to_scipy().toarray(), MATRIX.T)

    def test_a_scipy_matrix_over_the_same_arrays(self, ratings: Interactions) -> None:
        matrix = ratings.by_user.to_scipy()
        assert np.array_equal(matrix.toarray(), MATRIX)
        assert np.shares_memory(matrix.data, ratings.values)

    def test_taking_rows_in_any_order(self, ratings: Interactions) -> None:
        taken_rows = ratings.by_user.take(np.array([3, 0, 3]))
        assert np.array_equal(taken_rows.to_scipy().toarray(), MATRIX[[3, 0, 3]])

    def test_keeping_entries(self, ratings: Interactions) -> None:
        filtered = ratings.where(ratings.values >= 4)
        assert np.array_equal(filtered.by_user.to_scipy().toarray(), MATRIX * (MATRIX >= 4))
        assert filtered.user_ids is ratings.user_ids

    def test_twice_transposed_is_the_same(self, ratings: Interactions) -> None:
        again = ratings.by_item.transpose()
        assert np.array_equal(again.indptr, ratings.by_user.indptr)
        assert np.array_equal(again.indices, ratings.items)
        assert np.array_equal(again.values, ratings.values)

    def test_weights_go_with_their_entries(self) -> None:
        rows = CSR(
            np.array([0, 2, 3]),
            np.array([0, 1, 0], np.int32),
            np.ones(3, np.float32),
            2,
            np.array([1, 2, 3], np.float32),
        )
        for moved, expected in ((rows.transpose(), [1, 3, 2]), (rows.take(np.array([1, 0])), [3, 1, 2])):
            assert moved.weights is not None
            assert moved.weights.tolist() == expected
        filtered = rows.where(np.array([True, False, True]))
        assert filtered.weights is not None
        assert filtered.weights.tolist() == [1, 3]

    def test_it_is_frozen(self, ratings: Interactions) -> None:
        with pytest.raises(FrozenInstanceError):
            ratings.scale = (0, 1)  # type: ignore[misc]

    def test_it_is_printed_by_its_size(self, ratings: Interactions) -> None:
        assert repr(ratings) == "Interactions(13 values of 4 users and 5 items)"

    def test_a_notebook_shows_how_many_values_each_side_has(self, ratings: Interactions) -> None:
        table = HtmlTable(ratings)
        assert table.caption == repr(ratings)
        assert table.rows == [
            ["side", "number", "fewest values", "median", "most values"],
            ["users", "4", "3", "3", "4"],
            ["items", "5", "2", "3", "3"],
        ]
        assert table.number_columns == set(table.rows[0][1:])
        assert table.notes == ["values from 1 to 5", "columns of items: title, year"]

    def test_a_notebook_shows_times_and_rules(self) -> None:
        two_days = [("alice", "up", 1.0, 0), ("bob", "iron", 3.0, 24 * 3600)]
        likes = build(two_days, rule="max").binarize(2)
        assert HtmlTable(likes).notes == [
            "likes (values of 2 and more)",
            "times from 1970-01-02 to 1970-01-02",
            "Recipe(duplicates='max', min_rating=2.0)",
        ]
        nothing = likes.where(likes.values > 1)
        assert HtmlTable(nothing).rows[1:] == [["users", "4", "0", "0", "0"], ["items", "5", "0", "0", "0"]]


class TestDuplicates:
    def test_they_raise_unless_a_rule_is_chosen(self) -> None:
        with pytest.raises(RowsError) as caught:
            build(REPEATED)
        assert str(caught.value) == (
            "2 rows repeat a pair of user and item, first user 'alice' and item 'up' (values 1, 2, 4.5); "
            "choose a rule: duplicates='last', 'sum', 'max' or 'mean'."
        )

    @pytest.mark.parametrize(("rule", "value"), [("last", 4.5), ("sum", 7.5), ("max", 4.5), ("mean", 2.5)])
    def test_each_rule_makes_one_row_of_a_pair(self, rule: str, value: float) -> None:
        data = build(REPEATED, rule)
        assert values_of(data) == {("alice", "up"): value, ("bob", "iron"): 3.0}
        assert data.report.combined == 2
        assert data.times is not None
        assert data.times.tolist() == [30, 5]

    def test_last_is_the_latest_time_then_the_latest_row(self) -> None:
        rows = [("alice", "up", 1.0, 30), ("alice", "up", 2.0, 40), ("alice", "up", 3.0, 40), ("alice", "up", 4.0, 10)]
        assert values_of(build(rows, "last")) == {("alice", "up"): 3.0}
        assert values_of(build(rows[::-1], "last")) == {("alice", "up"): 2.0}

    def test_without_times_last_is_the_latest_row(self) -> None:
        assert values_of(build(REPEATED, "last", timed=False))["alice", "up"] == 4.5
        assert values_of(build(REPEATED[::-1], "last", timed=False))["alice", "up"] == 1.0

    def test_every_row_is_accounted_for(self) -> None:
        report = ReadReport(read=6, skipped={"missing value": 2})
        data = build(REPEATED, "sum", report=report)
        assert data.report.combined + len(data) + sum(data.report.skipped.values()) == data.report.read

    def test_a_rule_that_is_none_is_refused(self) -> None:
        with pytest.raises(ValueError, match="duplicates='first' is not valid; choose 'last' or 'sum'"):
            Recipe(duplicates="first")  # type: ignore[arg-type]

    @given(
        st.lists(
            st.tuples(st.sampled_from(USERS), st.sampled_from(ITEMS), st.integers(-9, 9).map(float), st.integers(0, 3)),
            min_size=1,
            max_size=40,
        ),
        st.booleans(),
    )
    def test_rules_equal_their_definition(self, rows: list[tuple[str, str, float, int]], timed: bool) -> None:
        groups: dict[tuple[str, str], list[tuple[int, int, float]]] = {}
        for place, (user, item, value, time) in enumerate(rows):
            groups.setdefault((user, item), []).append((time if timed else 0, place, value))
        last = {pair: max(group)[2] for pair, group in groups.items()}
        total = {pair: sum(value for *_, value in group) for pair, group in groups.items()}
        assert values_of(build(rows, "last", timed)) == last
        assert values_of(build(rows, "sum", timed)) == total
        assert values_of(build(rows, "max", timed)) == {
            pair: max(v for *_, v in group) for pair, group in groups.items()
        }
        means = {pair: np.float32(total[pair] / len(group)) for pair, group in groups.items()}
        assert values_of(build(rows, "mean", timed)) == means


class TestDigest:
    def test_the_order_of_rows_makes_no_difference(self) -> None:
        rows = [(user, item, 1.0 + place, place) for place, (user, item) in enumerate(zip(USERS, ITEMS, strict=False))]
        assert build(rows).digest == build(rows[::-1]).digest

    def test_any_change_makes_one(self, ratings: Interactions) -> None:
        mask = np.ones(13, bool)
        mask[4] = False
        others = [ratings.where(mask), ratings.binarize(1), Interactions.build(
            IdMap.from_ids([*USERS[:3], "eve"], "user"), ratings.item_ids, ratings.users, ratings.items, ratings.values
        )]  # fmt: skip
        assert ratings.digest not in {other.digest for other in others}

    def test_equal_data_is_equal_twice(self, ratings: Interactions) -> None:
        assert ratings.where(np.ones(13, bool)).digest == ratings.digest


class TestLikes:
    def test_ratings_from_a_threshold_on_become_ones(self, ratings: Interactions) -> None:
        likes = ratings.binarize(min_rating=4)
        assert np.array_equal(likes.by_user.to_scipy().toarray(), MATRIX >= 4)
        assert likes.scale == (1.0, 1.0)
        assert likes.recipe.value_of(3.5) is None
        assert likes.recipe.value_of(4) == 1.0

    def test_without_a_threshold_all_are(self, ratings: Interactions) -> None:
        assert len(ratings.binarize()) == 13

    def test_a_threshold_above_all_values_is_refused(self, ratings: Interactions) -> None:
        with pytest.raises(DataError, match="no value is at least 6; the largest is 5"):
            ratings.binarize(min_rating=6)


def test_no_rows_are_refused() -> None:
    with pytest.raises(DataError, match="there are no rows to train on"):
        build([])


def test_the_scale_is_what_the_values_hold_unless_declared() -> None:
    assert build(REPEATED, "last").scale == (3.0, 4.5)
    assert build(REPEATED, "last", scale=(0.5, 5.0)).scale == (0.5, 5.0)


def test_a_recipe_survives_json() -> None:
    recipe = FittedRecipe({"user": "who"}, "mean", 3.5)
    assert FittedRecipe.from_json(recipe.to_json() | {"something": "newer"}) == recipe


class TestWeights:
    @pytest.mark.parametrize(("rule", "weight"), [("last", 4.0), ("sum", 7.0), ("mean", 7 / 3)])
    def test_the_weights_of_a_repeated_pair_follow_the_rule_of_its_values(self, rule: str, weight: float) -> None:
        data = build(REPEATED, rule, weights=np.array([1, 9, 2, 4], np.float32))
        assert data.by_user.weights is not None
        assert data.by_user.weights.tolist() == pytest.approx([weight, 9])

    @pytest.mark.parametrize("weights", [[1, -1, 1, 1], [0, 0, 0, 0], [1, np.nan, 1, 1], [1, np.inf, 1, 1]])
    def test_weights_that_cannot_weigh_are_refused(self, weights: list[float]) -> None:
        with pytest.raises(DataError, match="weights must be finite numbers of at least 0, and not all 0"):
            build(REPEATED, "last", weights=np.array(weights, np.float32))


class TestFrozen:
    def test_no_array_can_be_written_to(self) -> None:
        data = build(REPEATED, "last")
        assert data.times is not None
        for array in (data.values, data.items, data.by_user.indptr, data.times, data.by_item.values):
            with pytest.raises(ValueError, match="read-only"):
                array[:] = 1

    def test_likes_stay_what_they_are(self) -> None:
        likes = build(REPEATED, "last").binarize(4)
        assert likes.binarize() is likes
        with pytest.raises(DataError, match=r"these values are already likes \(min_rating=4\); start from the ratings"):
            likes.binarize(3)

    def test_a_mask_of_another_shape_is_refused(self) -> None:
        with pytest.raises(ParameterError, match="a mask must have 2 bool values, one per entry"):
            build(REPEATED, "last").where(np.array([True]))


class TestNumbers:
    def test_a_sum_beyond_float32_is_refused(self) -> None:
        rows = [("alice", "up", 3e38, 1), ("alice", "up", 3e38, 2)]
        with pytest.raises(RowsError, match=r"add up to 6e\+38, too large for float32"):
            build(rows, "sum")

    def test_what_is_not_finite_is_refused(self) -> None:
        with pytest.raises(DataError, match="values must be finite numbers, but the value of row 1 is nan"):
            build([("alice", "up", 1.0, 1), ("bob", "up", float("nan"), 2)])

    def test_nothing_is_nothing_to_learn_from(self) -> None:
        data = build(REPEATED, "last")
        with pytest.raises(DataError, match="the data has no values to train on"):
            Popularity().fit(data.where(np.zeros(2, bool)))


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 2, 0, 3, 1]])
def test_arrays_that_were_given_stay_as_they_are_unless_they_may_be_overwritten(order: list[int]) -> None:
    ids = IdMap.from_ids([1, 2], "user"), IdMap.from_ids([1, 2, 3], "item")
    columns = [np.array([0, 0, 0, 1, 1], np.int32), np.array([2, 0, 1, 1, 0], np.int32), np.arange(5, dtype=np.float32)]
    inputs = [column[order] for column in columns]
    data = Interactions.build(*ids, *inputs)
    assert [column.tolist() for column in inputs] == [column[order].tolist() for column in columns]
    arrays, empty = RowArrays(*inputs), Catalog()
    rebuilt = Interactions.build_in_place(
        *ids, arrays, scale=None, catalog=empty, user_table=empty, recipe=Recipe(), report=ReadReport()
    )
    assert not vars(arrays)
    assert data.items.tolist() == rebuilt.items.tolist() == [0, 1, 2, 0, 1]
    assert data.values.tolist() == rebuilt.values.tolist() == [1, 2, 0, 4, 3]


@pytest.mark.parametrize(("users", "items"), [([0, 2], [0, 0]), ([-1, 0], [0, 0]), ([1, 0], [0, 3]), ([0, 1], [-1, 0])])
def test_numbers_that_no_id_has_are_refused(users: list[int], items: list[int]) -> None:
    ids, ones = (IdMap.from_ids([1, 2], "user"), IdMap.from_ids([1, 2, 3], "item")), np.ones(2, np.float32)
    with pytest.raises(IndexError, match="out of range"):
        Interactions.build(*ids, np.array(users, np.int32), np.array(items, np.int32), ones)

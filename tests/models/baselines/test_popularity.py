"""Popularity by count and by mean, of all time and of the last days, against counting by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError, Unsupported
from alsatian.models import Popularity
from support.oracles import cells
from support.problems import MATRIX, from_matrix

DAY = 86_400


def dated(data: Interactions, days: list[float]) -> Interactions:
    """Return the data with a time for each value, in days after some first day."""
    return replace(data, times=(1_700_000_000 + np.array(days) * DAY).astype(np.int64))


def test_by_default_the_count_ranks(ratings: Interactions) -> None:
    model = Popularity().fit(ratings)
    assert model.recommend("alice", exclude_seen=False).items == ["cars", "iron", "iron2", "heat", "up"]
    assert model.item_counts.tolist() == [3, 2, 3, 3, 2]
    assert not model.predicts_ratings
    with pytest.raises(
        Unsupported, match=r"predict\(\) is not supported by popularity\. Models that support it: explicit-als, "
    ):
        model.predict("alice", "up")


@pytest.mark.parametrize("damping", [0.0, 2.5])
def test_the_damped_mean_in_closed_form(ratings: Interactions, damping: float) -> None:
    values, counts = cells(ratings), (cells(ratings) > 0).sum(axis=0)
    expected = (values.sum(axis=0) + damping * ratings.values.mean()) / (counts + damping)
    model = Popularity(by="mean", damping=damping).fit(ratings)
    np.testing.assert_allclose(model.predict("alice", ratings.item_ids.tolist()), expected, rtol=1e-6)
    best = model.recommend("bob", exclude_seen=False)
    np.testing.assert_allclose(best.scores, np.sort(expected)[::-1], rtol=1e-6)


def test_damping_lets_many_good_values_beat_a_single_better_one() -> None:
    data = from_matrix(np.array([[5.0, 5.0, 1.0], [4.0, 0.0, 1.0], [5.0, 0.0, 2.0], [5.0, 0.0, 1.0]]))
    assert Popularity(by="mean", damping=0).fit(data).recommend(0, n=1, exclude_seen=False).items == [1]
    assert Popularity(by="mean", damping=5).fit(data).recommend(0, n=1, exclude_seen=False).items == [0]


def test_an_item_without_values_has_the_mean_of_all() -> None:
    data = from_matrix(np.column_stack([MATRIX, np.zeros(4)]))
    for damping in (0, 3):
        model = Popularity(by="mean", damping=damping).fit(data)
        assert model.predict(0, 5, unknown="bias")[0] == pytest.approx(data.values.mean())


def test_weights_count_like_repeated_rows() -> None:
    weights = np.where(MATRIX == 5, 3.0, 1.0)
    model = Popularity(by="mean", damping=1).fit(from_matrix(MATRIX, weights=weights))
    mean = (MATRIX * weights).sum() / weights[MATRIX > 0].sum()
    expected = ((MATRIX * weights).sum(axis=0) + mean) / ((weights * (MATRIX > 0)).sum(axis=0) + 1)
    np.testing.assert_allclose(model.predict(0, range(5)), expected, rtol=1e-6)


def test_only_the_last_days_before_the_newest_value_count(ratings: Interactions) -> None:
    """The values in order: alice cars iron up, bob cars heat iron2 up, carol heat iron iron2, dave cars iron iron2."""
    data = dated(ratings, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9.5, 9.9, 10])
    assert Popularity(days=1).fit(data).item_counts.tolist() == [1, 0, 1, 1, 0]  # day 9 is one day ago, and out
    assert Popularity(days=2).fit(data).item_counts.tolist() == [1, 0, 1, 2, 0]
    assert Popularity(days=99).fit(data).item_counts.tolist() == [3, 2, 3, 3, 2]
    means = Popularity(by="mean", damping=0, days=1).fit(data)
    np.testing.assert_allclose(means.predict("bob", ["cars", "iron", "iron2", "up"]), [1, 4, 5, 10 / 3], rtol=1e-6)


def test_what_is_seen_is_left_out_however_old_it_is(ratings: Interactions) -> None:
    data = dated(ratings, [*range(12), 99])
    assert Popularity(days=1).fit(data).recommend("alice").items == ["iron2", "heat"]


def test_days_need_times(ratings: Interactions) -> None:
    with pytest.raises(
        ParameterError, match=r"days=30 needs the time of each value, and this data has none; pass time="
    ):
        Popularity(days=30).fit(ratings)


def test_a_favorite_is_worth_the_top_of_the_scale_by_mean(ratings: Interactions) -> None:
    twenties = replace(ratings, by_user=replace(ratings.by_user, values=ratings.values + 20), scale=(21.0, 25.0))
    visitor = Popularity(by="mean").fit(twenties).fold_in(["cars"])
    assert visitor.batch.histories.values.tolist() == [25.0]

"""Metrics: worked examples, and plain loops as the oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracles
from alsatian import evaluation, metrics, split
from alsatian.errors import DataError, NotFitted, Unsupported
from alsatian.interactions import CSR, Interactions
from alsatian.models import ExplicitALS, ImplicitALS, Model, Popularity


def held(*rows: list[int], items: int = 9) -> CSR:
    indices = np.array([item for row in rows for item in sorted(row)], np.int32)
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return CSR(indptr, indices, np.ones(len(indices), np.float32), items)


def lists(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.int32)


def test_rmse_by_hand() -> None:
    assert metrics.rmse([3, 5, 1], [4, 5, 3]) == pytest.approx(math.sqrt((1 + 0 + 4) / 3))
    assert metrics.rmse(np.float32([2]), np.float32([2])) == 0


def test_ndcg_by_hand() -> None:
    """Held out 1 and 4; the list 4, 0, 1 gains 1 + 1/2 of the possible 1 + 1/log2(3)."""
    assert metrics.ndcg(lists([4, 0, 1]), held([1, 4])) == pytest.approx([(1 + 1 / 2) / (1 + 1 / math.log2(3))])


def test_a_perfect_list_is_one_and_a_wrong_one_zero() -> None:
    found = metrics.ndcg(lists([2, 7], [7, 2], [1, 3], [5, -1]), held([2, 7], [2, 7], [2, 7], [5]))
    assert found.tolist() == [1, 1, 0, 1]


def test_a_list_may_be_shorter_than_what_was_held_out() -> None:
    assert metrics.ndcg(lists([3]), held([1, 3, 5])).tolist() == [1]


def test_a_user_without_held_out_items_has_no_number() -> None:
    assert np.isnan(metrics.ndcg(lists([0, 1]), held([]))).tolist() == [True]


def test_the_place_past_the_end_is_no_item() -> None:
    """-1 must not be read as the last item of the row before."""
    assert metrics.ndcg(lists([0, -1], [-1, -1]), held([8], [0], items=9)).tolist() == [0, 0]


@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 15), st.integers(0, 2**31))
def test_ndcg_equals_plain_loops(users: int, n: int, items: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    best = np.full((users, n), -1, np.int32)
    for row in best:
        length = rng.integers(0, min(n, items) + 1)
        row[:length] = rng.permutation(items)[:length]
    relevant = [np.flatnonzero(rng.random(items) < 0.4).tolist() for _ in range(users)]
    found = metrics.ndcg(best, held(*relevant, items=items))
    expected = oracles.ndcg([[item for item in row if item >= 0] for row in best.tolist()], relevant, n)
    np.testing.assert_allclose(found[~np.isnan(found)], expected, rtol=1e-12)


def test_information_is_how_many_bits_it_takes_to_name_a_user_who_has_the_item() -> None:
    assert metrics.information(np.array([4, 2, 1, 0]), users=4).tolist() == [0, 1, 2, 2]


def test_novelty_by_hand() -> None:
    """Four users; items held by 4, 2 and 1 of them have 0, 1 and 2 bits; a list of nothing has no number."""
    found = metrics.novelty(lists([0, 1, 2], [2, -1, -1], [-1, -1, -1]), np.array([4, 2, 1]), users=4)
    assert found[:2].tolist() == [1, 2]
    assert np.isnan(found[2])


def test_coverage_by_hand() -> None:
    assert metrics.coverage(lists([0, 1], [1, 3], [8, -1]), items=10) == 0.4
    assert metrics.coverage(lists([-1]), items=10) == 0


class TestEvaluation:
    def test_rmse_clips_to_the_scale(self, some_ratings: Interactions) -> None:
        parts = split.per_user(some_ratings, n=2)
        model = ExplicitALS(factors=4, reg=0.01).fit(parts.train, progress=False)
        predicted = np.clip(model.predict(parts.held_out.users, parts.held_out.items), 1, 5)
        assert evaluation.rmse(model, parts) == pytest.approx(metrics.rmse(predicted, parts.held_out.values))

    def test_ndcg_is_that_of_the_recommended_lists(self, some_ratings: Interactions) -> None:
        parts = split.per_user(some_ratings, n=2)
        model = Popularity().fit(parts.train)
        users = np.flatnonzero(parts.held_out.by_user.counts).tolist()
        recommended = [model.recommend(user, n=10).rows.tolist() for user in users]
        held_out = [parts.held_out.by_user.row(user)[0].tolist() for user in users]
        assert evaluation.ndcg(model, parts) == pytest.approx(np.mean(oracles.ndcg(recommended, held_out, 10)))

    def test_a_model_that_may_have_seen_the_answers_is_refused(self, some_ratings: Interactions) -> None:
        parts = split.per_user(some_ratings, n=2)
        model = ExplicitALS(factors=2).fit(some_ratings)
        for measure in (evaluation.rmse, evaluation.ndcg):
            with pytest.raises(
                DataError, match=r"not fitted on the training part of per-user:2; fit it on split\.train"
            ):
                measure(model, parts)

    @pytest.mark.parametrize("model", [Popularity(), ImplicitALS(factors=2)])
    def test_the_error_of_scores_that_are_no_ratings_is_refused(self, some_ratings: Interactions, model: Model) -> None:
        parts = split.per_user(some_ratings, n=2)
        with pytest.raises(Unsupported, match="ranks items and predicts no values; explicit-als does"):
            evaluation.rmse(model.fit(parts.train), parts)

    def test_an_unfitted_model_is_refused(self, some_ratings: Interactions) -> None:
        with pytest.raises(NotFitted):
            evaluation.ndcg(Popularity(), split.per_user(some_ratings))

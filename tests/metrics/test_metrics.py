"""Metrics: worked examples, plain Python as the oracle, and what another library says."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsatian import metrics
from alsatian.data.csr import CSR
from support import oracles

RANKING = ("precision", "recall", "capped_recall", "hit_rate", "ndcg", "average_precision", "reciprocal_rank", "auc")


def held_out_rows(*rows: list[int], items: int = 9) -> CSR:
    indices = np.array([item for row in rows for item in sorted(row)], np.int32)
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    return CSR(indptr, indices, np.ones(len(indices), np.float32), items)


def lists(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.int32)


def measure(name: str, best: np.ndarray, held_out: CSR, at: int | None = None, candidates: int = 9) -> np.ndarray:
    more = (np.full(len(best), candidates), (best >= 0).sum(axis=1)) if name == "auc" else ()
    return getattr(metrics, name)(metrics.hits(best, held_out), held_out.counts, *more, at)


def test_errors_by_hand() -> None:
    assert metrics.rmse([3, 5, 1], [4, 5, 3]) == pytest.approx(math.sqrt((1 + 0 + 4) / 3))
    assert metrics.mae([3, 5, 1], [4, 5, 3]) == pytest.approx((1 + 0 + 2) / 3)
    assert metrics.r2([3, 5, 1], [4, 5, 3]) == pytest.approx(1 - 5 / 2)
    assert metrics.r2([4, 4, 4], [4, 5, 3]) == 0
    assert math.isnan(metrics.r2([1, 2], [3, 3]))
    assert metrics.rmse(np.float32([2]), np.float32([2])) == 0


BY_HAND = {  # held out: 1 and 4; the list: 4, 0, 1, 3; nine items could have been listed
    "precision": {1: 1, 2: 1 / 2, 3: 2 / 3, 4: 2 / 4, 10: 2 / 10},
    "recall": {1: 1 / 2, 2: 1 / 2, 3: 1, 10: 1},
    "capped_recall": {1: 1, 2: 1 / 2, 3: 1},
    "hit_rate": {1: 1, 4: 1},
    "ndcg": {1: 1, 2: 1 / (1 + 1 / math.log2(3)), 3: (1 + 1 / 2) / (1 + 1 / math.log2(3))},
    "average_precision": {1: 1 / 2, 2: 1 / 2, 3: (1 + 2 / 3) / 2},
    "reciprocal_rank": {1: 1, 3: 1},
    "auc": {3: (7 + 6) / 14, 1: (7 + 7 / 2) / 14},
}


@pytest.mark.parametrize("name", RANKING)
def test_lists_by_hand(name: str) -> None:
    for at, expected in BY_HAND[name].items():
        assert measure(name, lists([4, 0, 1, 3]), held_out_rows([1, 4]), at) == pytest.approx([expected])


@pytest.mark.parametrize("name", RANKING)
def test_who_has_nothing_held_out_has_no_number(name: str) -> None:
    assert np.isnan(measure(name, lists([0, 1], [0, 1]), held_out_rows([], [1]))).tolist() == [True, False]


@pytest.mark.parametrize("name", RANKING)
def test_a_perfect_list_is_one_and_a_wrong_one_is_not(name: str) -> None:
    scores = measure(name, lists([2, 7], [7, 2], [1, 3]), held_out_rows([2, 7], [2, 7], [2, 7]))
    assert scores[:2].tolist() == [1, 1]
    assert scores[2] == pytest.approx(2 * 5 / 2 / 14 if name == "auc" else 0)


def test_a_list_may_be_shorter_than_what_was_held_out() -> None:
    assert measure("ndcg", lists([3]), held_out_rows([1, 3, 5])).tolist() == [1]


def test_the_place_past_the_end_is_no_item() -> None:
    """-1 must not be read as the last item of the row before."""
    assert not metrics.hits(lists([0, -1], [-1, -1]), held_out_rows([8], [0], items=9)).any()
    assert metrics.hits(np.empty((0, 3), np.int32), held_out_rows()).shape == (0, 3)


@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 15), st.integers(0, 2**31))
def test_lists_equal_plain_python(users: int, n: int, items: int, seed: int) -> None:
    best, relevant = some_lists(users, min(n, items), items, seed)
    for at in (1, n):
        expected = [
            oracles.ranking_metrics(row[row >= 0], set(relevant_items), at, items)
            for row, relevant_items in zip(best, relevant, strict=True)
            if relevant_items
        ]
        for name in RANKING:
            scores = measure(name, best, held_out_rows(*relevant, items=items), at, items)[
                [bool(relevant_items) for relevant_items in relevant]
            ]
            np.testing.assert_allclose(scores, [metrics_of_list[name] for metrics_of_list in expected], rtol=1e-12)


def some_lists(users: int, n: int, items: int, seed: int) -> tuple[np.ndarray, list[list[int]]]:
    """Return lists as models give them, some short, and what was held out: some of nothing, some of everything."""
    rng = np.random.default_rng(seed)
    best = np.array([rng.permutation(items)[:n] for _ in range(users)], np.int32).reshape(users, n)
    best[np.arange(n) >= rng.choice([n, n, n // 2, 0], users)[:, None]] = -1
    return best, [np.flatnonzero(rng.random(items) < rng.choice([0, 0.2, 0.6, 1])).tolist() for _ in range(users)]


def test_lists_equal_ranx() -> None:
    """As kept by fixtures/ranx_answers.py."""
    reference = json.loads((Path(__file__).parents[1] / "fixtures" / "ranx.json").read_text())
    best = lists(*(row + [-1] * (10 - len(row)) for row in reference.pop("lists")))
    held_out = held_out_rows(*reference.pop("held_out"), items=40)
    for name, expected in reference.items():
        ours, _, at = name.partition("@")
        scores = measure(ours, best, held_out, int(at))
        np.testing.assert_allclose(scores, expected, rtol=1e-9, err_msg=name)


def test_area_with_lists_of_everything_is_exact() -> None:
    """Two held-out items at the places 1 and 3 of five: of 2 x 3 pairs, one is the wrong way round."""
    assert measure("auc", lists([4, 0, 1, 3, 2]), held_out_rows([1, 4], items=5), candidates=5) == pytest.approx(
        [5 / 6]
    )


def test_area_with_a_short_list() -> None:
    """One hit is listed, and no more: of 2 x 3 pairs three are right, and the other three are tied."""
    for best in (lists([4]), lists([4, -1, -1])):
        assert measure("auc", best, held_out_rows([1, 4], items=5), candidates=5) == pytest.approx([4.5 / 6])


def test_information_is_how_many_bits_it_takes_to_name_a_user_who_has_the_item() -> None:
    assert metrics.information(np.array([4, 2, 1, 0]), users=4).tolist() == [0, 1, 2, 2]


def test_novelty_and_popularity_by_hand() -> None:
    """Four users; items held by 4, 2 and 1 of them have 0, 1 and 2 bits; a list of nothing has no number."""
    best, counts = lists([0, 1, 2], [2, -1, -1], [-1, -1, -1]), np.array([4, 2, 1])
    np.testing.assert_allclose(metrics.novelty(best, counts, users=4), [1, 2, np.nan])
    np.testing.assert_allclose(metrics.popularity(best, counts), [7 / 3, 1, np.nan])


def test_coverage_and_gini_by_hand() -> None:
    assert metrics.coverage(lists([0, 1], [1, 3], [8, -1]), items=10) == 0.4
    assert metrics.coverage(lists([-1]), items=10) == 0
    assert metrics.gini(lists([0, 1], [2, 3]), items=4) == 0
    assert metrics.gini(lists([0, 0], [0, 0]), items=4) == 0.75  # always the same one: 1 - 1 / items
    assert math.isnan(metrics.gini(lists([-1]), items=4))


@given(st.integers(0, 2**31))
def test_diversity_equals_plain_python(seed: int) -> None:
    rng = np.random.default_rng(seed)
    users_of = [set(np.flatnonzero(rng.random(6) < 0.5).tolist()) for _ in range(9)]
    best, _ = some_lists(10, 4, 9, seed)
    best[0, 2:] = best[1, 1:] = -1
    scores = metrics.diversity(best, held_out_rows(*map(list, users_of), items=6))
    for row, score in zip(best, scores, strict=True):
        listed_users = [users_of[item] for item in row if item >= 0]
        pairs = [(a, b) for at, a in enumerate(listed_users) for b in listed_users[:at]]
        cosines = [len(a & b) / math.sqrt(len(a) * len(b)) if a and b else 0 for a, b in pairs]
        assert score == pytest.approx(1 - np.mean(cosines), abs=1e-12) if pairs else np.isnan(score)

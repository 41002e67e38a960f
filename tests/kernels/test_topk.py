"""Score and select: the n best items per row, equal to sorting the whole line."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from support import twins


def factors(rows: int, k: int, seed: int = 0) -> np.ndarray:
    """Small whole numbers: their products are exact, so that ties are ties in any order of adding up."""
    return np.random.default_rng([seed, rows, k]).integers(-3, 4, (rows, k)).astype(np.float32)


def seen_by(queries: int, items: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    mask = np.random.default_rng(3).random((queries, items)) < share
    return np.concatenate([[0], np.cumsum(mask.sum(axis=1))]), np.nonzero(mask)[1].astype(np.int32)


def everyone(queries: int) -> np.ndarray:
    return np.arange(queries, dtype=np.int32)


def assert_twins_agree(kernel: ModuleType, *arguments: Any) -> None:
    """Check that both give the same lists and scores."""
    for actual, expected in zip(kernel.top_k(*arguments), twins.top_k(*arguments), strict=True):
        np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("k", [0, 1, 7, 8, 16, 33, 64, 100])
@pytest.mark.parametrize(("queries", "items"), [(1, 1), (6, 15), (7, 16), (53, 17), (100, 1200)])
def test_it_equals_its_twin(kernel: ModuleType, queries: int, items: int, k: int) -> None:
    bias = np.random.default_rng(1).integers(-3, 4, items).astype(np.float32)
    panels = kernel.pack_items(factors(items, k), bias)
    allowed = np.random.default_rng(2).random(items) < 0.7
    for n in (1, 10, items):
        for seen in (None, seen_by(queries, items, 0.3)):
            for mask in (None, allowed):
                arguments = (panels, factors(queries, k, 9), everyone(queries), n, seen, mask)
                assert_twins_agree(kernel, *arguments)


def test_real_numbers_agree_with_the_twin_to_rounding(kernel: ModuleType) -> None:
    rng = np.random.default_rng(0)
    items, users = (rng.standard_normal((rows, 64)).astype(np.float32) for rows in (500, 30))
    panels = kernel.pack_items(items, None)
    best, scores = kernel.top_k(panels, users, everyone(30), 20)
    expected, expected_scores = twins.top_k(panels, users, everyone(30), 20)
    np.testing.assert_allclose(scores, expected_scores, rtol=1e-4)
    assert (best == expected).mean() > 0.99


def test_ties_go_to_the_lower_row(kernel: ModuleType) -> None:
    panels = kernel.pack_items(np.ones((40, 2), np.float32), None)
    best, _ = kernel.top_k(panels, np.ones((1, 2), np.float32), everyone(1), 5)
    assert best.tolist() == [[0, 1, 2, 3, 4]]


def test_a_list_ends_when_the_items_end(kernel: ModuleType) -> None:
    """Three items, of which row 1 has seen all and row 2 has seen item 1."""
    panels = kernel.pack_items(np.array([[1.0], [3.0], [2.0]], np.float32), None)
    seen = (np.array([0, 0, 3, 4]), np.array([0, 1, 2, 1], np.int32))
    best, scores = kernel.top_k(panels, np.ones((3, 1), np.float32), everyone(3), 5, seen)
    assert best.tolist() == [[1, 2, 0, -1, -1], [-1] * 5, [2, 0, -1, -1, -1]]
    assert scores.tolist() == [[3, 2, 1, 0, 0], [0] * 5, [2, 1, 0, 0, 0]]


def test_nothing_allowed_is_an_empty_list(kernel: ModuleType) -> None:
    panels = kernel.pack_items(factors(20, 3), None)
    best, _ = kernel.top_k(panels, factors(2, 3), everyone(2), 4, None, np.zeros(20, bool))
    assert (best == -1).all()


def test_rows_may_repeat_and_come_in_any_order(kernel: ModuleType) -> None:
    panels, users = kernel.pack_items(factors(90, 5), None), factors(9, 5)
    seen = seen_by(9, 90, 0.5)
    whole, _ = kernel.top_k(panels, users, everyone(9), 7, seen)
    rows = np.array([8, 0, 0, 3, 8, 1, 2], np.int32)
    some, _ = kernel.top_k(panels, users, rows, 7, seen)
    assert np.array_equal(some, whole[rows])


def test_nobody_asked_is_nothing_done(kernel: ModuleType) -> None:
    panels = kernel.pack_items(factors(5, 2), None)
    best, scores = kernel.top_k(panels, factors(3, 2), everyone(0), 4)
    assert best.shape == scores.shape == (0, 4)


def test_any_number_of_threads_and_any_company_gives_the_same_bits(kernel: ModuleType) -> None:
    rng = np.random.default_rng(0)
    items, users = (rng.standard_normal((rows, 33)).astype(np.float32) for rows in (700, 300))
    panels, seen = kernel.pack_items(items, items[:, 0].copy()), seen_by(300, 700, 0.1)
    best, scores = kernel.top_k(panels, users, everyone(300), 10, seen, threads=1)
    for threads in (2, 4):
        again = kernel.top_k(panels, users, everyone(300), 10, seen, threads=threads)
        assert again[0].tobytes() == best.tobytes()
        assert again[1].tobytes() == scores.tobytes()
    for row in (0, 5, 77, 299):
        alone = kernel.top_k(panels, users, np.array([row], np.int32), 10, seen)
        assert alone[0].tobytes() == best[row].tobytes()
        assert alone[1].tobytes() == scores[row].tobytes()


@pytest.mark.parametrize("items", [0, 1, 15, 16, 17, 100])
@pytest.mark.parametrize("k", [0, 1, 9])
def test_packing_equals_its_twin(kernel: ModuleType, items: int, k: int) -> None:
    wide, bias = factors(items, k), np.arange(items, dtype=np.float32)
    for optional_bias in (None, bias):
        pairs = zip(kernel.pack_items(wide, optional_bias), twins.pack_items(wide, optional_bias), strict=True)
        for packed, expected in pairs:
            np.testing.assert_array_equal(packed, expected)


def test_scores_of_pairs_equal_their_twin(kernel: ModuleType) -> None:
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((rows, 30)).astype(np.float32) for rows in (50, 60))
    a, b = (rng.integers(rows, size=40_000).astype(np.int32) for rows in (50, 60))
    actual = kernel.pair_scores(left, a, right, b)
    np.testing.assert_allclose(actual, twins.pair_scores(left, a, right, b), rtol=1e-4, atol=1e-5)
    assert actual.tobytes() == kernel.pair_scores(left, a, right, b, threads=1).tobytes()


def uneven(rows: int, k: int, seed: int) -> np.ndarray:
    """Whole numbers times powers of two, some rows long and most short: products and their sums are exact."""
    powers = np.random.default_rng([seed, rows]).integers(-4, 3, (rows, 1))
    return np.ldexp(factors(rows, k, seed), powers).astype(np.float32)


@pytest.mark.parametrize("k", [0, 1, 16, 33])
@pytest.mark.parametrize("queries", [1, 6, 20])
def test_items_of_uneven_length_are_listed_as_if_all_were_looked_at(kernel: ModuleType, queries: int, k: int) -> None:
    items, users = uneven(5_000, k, 1), uneven(queries, k, 2)
    for bias in (None, uneven(5_000, 1, 3)[:, 0], -np.abs(uneven(5_000, 1, 4)[:, 0])):
        panels = kernel.pack_items(items, bias)
        for n in (1, 10, 200):
            for mask in (None, np.arange(5_000) % 97 == 5):
                arguments = (panels, users, everyone(queries), n, seen_by(queries, 5_000, 0.2), mask)
                assert_twins_agree(kernel, *arguments)


@pytest.mark.parametrize("base", [0.0, 3.0, -3.0, 1e4, -1e4])
@pytest.mark.parametrize("size", [1e-42, 1e-22, 1e-3, 1.0, 1e15])
def test_the_bound_holds_for_rounded_scores(kernel: ModuleType, size: float, base: float) -> None:
    """Every item points where the user does, so its score is the bound, but for rounding."""
    rng = np.random.default_rng(0)
    user = rng.standard_normal(64).astype(np.float32)
    items = (user * rng.normal(size, size * 1e-7, (3_000, 1))).astype(np.float32)
    bias = (base * size * rng.normal(1, 1e-7, 3_000)).astype(np.float32)
    panels = kernel.pack_items(items, bias)
    best, scores = kernel.top_k(panels, user[None], everyone(1), 20)
    whole, whole_scores = kernel.top_k(panels, user[None], everyone(1), 3_000)
    np.testing.assert_array_equal(best[0], whole[0, :20])
    np.testing.assert_array_equal(scores[0], whole_scores[0, :20])


def test_what_scores_minus_infinity_is_never_listed(kernel: ModuleType) -> None:
    panels = kernel.pack_items(np.zeros((4, 0), np.float32), np.array([-np.inf, 1, -np.inf, 2], np.float32))
    for twin in (kernel, twins):
        best, _ = twin.top_k(panels, np.zeros((1, 0), np.float32), everyone(1), 3)
        assert best.tolist() == [[3, 1, -1]]


def test_a_score_that_is_no_number_hides_no_other(kernel: ModuleType) -> None:
    items = np.array([[np.nan, 0], [1, 0], [2, 0]], np.float32)
    best, _ = kernel.top_k(kernel.pack_items(items, None), np.ones((1, 2), np.float32), everyone(1), 2)
    assert best.tolist() == [[2, 1]]


@pytest.mark.parametrize("queries", [1, 6])
def test_items_that_cannot_be_listed_are_not_looked_at(kernel: ModuleType, queries: int) -> None:
    items = np.ones((4_000, 8), np.float32)
    items[2_048:] *= 0.5
    panels = kernel.pack_items(items, None)
    panels.cells[128:] = np.inf  # the short ones: who looks there will list them
    best, _ = kernel.top_k(panels, np.ones((queries, 8), np.float32), everyone(queries), 10)
    assert (best < 2_048).all()

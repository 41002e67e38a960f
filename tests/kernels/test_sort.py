"""Counting sort and transposition: how compressed rows are built."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from support import twins


def test_rows_of_one_key_stay_in_their_order(kernel: ModuleType) -> None:
    keys = np.array([2, 0, 2, 1, 0, 2], np.int32)
    indptr, (order,) = kernel.counting_sort(keys, 4, [np.arange(6)])
    assert indptr.tolist() == [0, 2, 3, 6, 6]
    assert order.tolist() == [1, 4, 3, 0, 2, 5]


@pytest.mark.parametrize("count", [0, 1, 5_000, 70_000, 300_000])
@pytest.mark.parametrize("keys", [1, 3, 5_000])
def test_it_equals_its_twin_for_every_type_and_any_threads(kernel: ModuleType, count: int, keys: int) -> None:
    rng = np.random.default_rng(count)
    key = rng.integers(keys, size=count).astype(np.int32)
    columns = [key, np.arange(count), rng.random(count), rng.random(count).astype(np.float32)]
    indptr, expected = twins.counting_sort(key, keys, columns)
    for threads in (1, 2, 4):
        starts, actual = kernel.counting_sort(key, keys, columns, threads)
        assert np.array_equal(starts, indptr)
        for a, b in zip(actual, expected, strict=True):
            assert a.dtype == b.dtype
            assert np.array_equal(a, b)


@pytest.mark.parametrize("bad", [-1, 3, 2**31 - 1])
@pytest.mark.parametrize("place", [0, 100_000, 199_999])
def test_a_key_out_of_range_is_named(kernel: ModuleType, bad: int, place: int) -> None:
    keys = np.zeros(200_000, np.int32)
    keys[place] = bad
    with pytest.raises(IndexError, match=f"^key {bad} is out of range$"):
        kernel.counting_sort(keys, 3, [keys])


def test_columns_may_be_read_only(kernel: ModuleType) -> None:
    """Arrays that are mapped from a model file are."""
    keys = np.array([1, 0], np.int32)
    keys.flags.writeable = False
    assert kernel.counting_sort(keys, 2, [keys])[1][0].tolist() == [0, 1]


def test_transposing_equals_the_twin_and_twice_is_the_identity(kernel: ModuleType) -> None:
    rng = np.random.default_rng(0)
    seen = rng.random((70, 50)) < 0.2
    indptr = np.concatenate([[0], np.cumsum(seen.sum(axis=1))])
    indices, values = np.nonzero(seen)[1].astype(np.int32), rng.random(seen.sum()).astype(np.float32)
    starts, (rows, moved) = kernel.transpose(indptr, indices, [values], 50)
    expected, others = twins.transpose(indptr, indices, [values], 50)
    for a, b in zip([starts, rows, moved], [expected, *others], strict=True):
        assert np.array_equal(a, b)
    back, (columns, same) = kernel.transpose(starts, rows, [moved], 70)
    assert np.array_equal(back, indptr)
    assert np.array_equal(columns, indices)
    assert np.array_equal(same, values)


@pytest.mark.parametrize("longest", [3, 63, 64, 500])
@pytest.mark.parametrize("keys", [5, 300, 70_000, 2**31 - 1])
def test_sorted_rows_equal_the_twin(kernel: ModuleType, longest: int, keys: int) -> None:
    rng = np.random.default_rng(longest)
    lengths = np.append(rng.integers(0, longest + 1, size=40), longest)
    indptr, count = np.concatenate([[0], np.cumsum(lengths)]), int(lengths.sum())
    originals = [rng.integers(keys, size=count).astype(np.int32), np.arange(count), np.arange(count, dtype=np.float32)]
    originals[0][: lengths[0]].sort()  # a row that is sorted already
    expected = [column.copy() for column in originals]
    repeated = twins.sort_rows(indptr, expected[0], expected[1:])
    for threads in (1, 2, 4):
        actual = [column.copy() for column in originals]
        assert kernel.sort_rows(indptr, actual[0], actual[1:], threads) == repeated
        for a, b in zip(actual, expected, strict=True):
            assert np.array_equal(a, b)


def test_keys_that_repeat_are_counted_within_rows_only(kernel: ModuleType) -> None:
    keys = np.array([7, 3, 7, 7, 7, 1], np.int32)
    assert kernel.sort_rows(np.array([0, 4, 4, 6]), keys, []) == 2
    assert keys.tolist() == [3, 7, 7, 7, 1, 7]

"""Neighbors and the lists made from them, equal to their dense twins."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from alsatian.kernels import Sparse
from support import twins

SIMILARITIES = ("cosine", "pearson", "jaccard")


def sparse(rows: int, columns: int, density: float = 0.2, seed: int = 0) -> Sparse:
    """Ratings 1 to 5, rows and columns of very different length, some rows empty: sums of them are exact."""
    rng = np.random.default_rng([seed, rows, columns])
    mask = rng.random((rows, columns)) < 2 * density * rng.random((rows, 1)) * rng.random(columns) * 2
    mask[::7] = False
    indptr = np.concatenate([[0], np.cumsum(mask.sum(axis=1))]).astype(np.int64)
    indices = np.nonzero(mask)[1].astype(np.int32)
    return Sparse(indptr, indices, rng.integers(1, 6, len(indices)).astype(np.float32))


def sizes(rows: Sparse, similarity: str) -> np.ndarray:
    counts = np.diff(rows.indptr)
    squares = np.bincount(np.repeat(np.arange(len(counts)), counts), rows.values**2, minlength=len(counts))
    return (np.sqrt(squares) if similarity == "cosine" else counts).astype(np.float32)


def by_column(kernel: ModuleType, rows: Sparse, columns: int) -> Sparse:
    indptr, (indices, values) = kernel.transpose(rows.indptr, rows.indices, [rows.values], columns)
    return Sparse(indptr, indices, values)


def same(actual: tuple[np.ndarray, np.ndarray], expected: tuple[np.ndarray, np.ndarray]) -> None:
    """Similarities are equal to rounding, and rows are equal where no other has nearly the same similarity."""
    np.testing.assert_allclose(actual[1], expected[1], rtol=1e-5, atol=1e-6)
    close = np.abs(np.diff(expected[1], axis=1, append=0, prepend=2)) < 1e-5
    alone = ~(close[:, :-1] | close[:, 1:])
    alone[:, -1] = False  # of equal ones at the end, others may be cut off
    np.testing.assert_array_equal(actual[0][alone], expected[0][alone])
    assert ((actual[0] < 0) == (expected[0] < 0)).all()


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("shrinkage", [0.0, 4.0])
@pytest.mark.parametrize("k", [1, 10, 79])
def test_neighbors_equal_their_twin(kernel: ModuleType, similarity: str, shrinkage: float, k: int) -> None:
    rows = sparse(80, 60)
    arguments = (rows, 60, sizes(rows, similarity), similarity, shrinkage, k)
    same(kernel.neighbors(*arguments), twins.neighbors(*arguments))


@pytest.mark.parametrize("threads", [1, 3])
def test_shared_columns_equal_their_twin(kernel: ModuleType, threads: int) -> None:
    rows, rng = sparse(80, 60), np.random.default_rng(0)
    left, right = np.sort(rng.integers(0, 80, 500)).astype(np.int32), rng.integers(0, 80, 500).astype(np.int32)
    expected = twins.co_counts(rows, 60, left, right)
    np.testing.assert_array_equal(kernel.co_counts(rows, 60, left, right, threads), expected)
    other_way = kernel.co_counts(rows, 60, right, left, threads)  # in no order
    np.testing.assert_array_equal(other_way, expected)
    assert len(kernel.co_counts(rows, 60, left[:0], right[:0], threads)) == 0


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_values_of_both_signs(kernel: ModuleType, similarity: str) -> None:
    rows = sparse(50, 40)
    rows = rows._replace(values=rows.values - 3)
    arguments = (rows, 40, sizes(rows, similarity), similarity, 2.0, 49)
    actual = kernel.neighbors(*arguments)
    same(actual, twins.neighbors(*arguments))
    assert ((actual[1] > 0) == (actual[0] >= 0)).all()


def test_ties_go_to_the_lower_row(kernel: ModuleType) -> None:
    """Six rows alike: each has the lowest others as neighbors, all with similarity 1."""
    rows = Sparse(np.arange(0, 13, 2), np.tile([0, 3], 6).astype(np.int32), np.ones(12, np.float32))
    actual, similarities = kernel.neighbors(rows, 4, np.full(6, 2, np.float32), "jaccard", 0.0, 3)
    assert actual.tolist() == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2], [0, 1, 2]]
    assert (similarities == 1).all()


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_any_number_of_threads_gives_the_same_bits(kernel: ModuleType, similarity: str) -> None:
    rows = sparse(400, 200)
    rows = rows._replace(values=rows.values / np.float32(3))
    arguments = (rows, 200, sizes(rows, similarity), similarity, 3.0, 15)
    alone = kernel.neighbors(*arguments, threads=1)
    for threads in (2, 4):
        for one, other in zip(kernel.neighbors(*arguments, threads=threads), alone, strict=True):
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("shrinkage", [0.0, 4.0])
def test_neighbors_of_a_row_that_is_there_have_the_same_bits(
    kernel: ModuleType, similarity: str, shrinkage: float
) -> None:
    rows = sparse(80, 60)
    rows = rows._replace(values=rows.values / np.float32(3))
    lengths = sizes(rows, similarity)
    near, similarities = kernel.neighbors(rows, 60, lengths, similarity, shrinkage, 79)
    arguments = (rows, lengths, by_column(kernel, rows, 60), lengths, similarity, shrinkage, 80)
    actual, scores = kernel.neighbors_for(*arguments)
    same((actual, scores), twins.neighbors_for(*arguments))
    for row in range(80):
        others = actual[row] != row
        count = (near[row] >= 0).sum()
        assert actual[row][others][:count].tolist() == near[row][:count].tolist()
        assert scores[row][others][:count].tobytes() == similarities[row][:count].tobytes()


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
@pytest.mark.parametrize("shrinkage", [0.0, 4.0])
def test_long_rows_meet_all_others_in_all_parts(kernel: ModuleType, similarity: str, shrinkage: float) -> None:
    """More rows and columns than a dense tile takes at once, few of them long; the same bits as one by one."""
    rng, columns = np.random.default_rng(0), 5000
    counts = np.where(rng.random(9000) < 0.02, 900, 6)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    indices = np.concatenate([np.sort(rng.choice(columns, count, replace=False)) for count in counts]).astype(np.int32)
    rows = Sparse(indptr, indices, (rng.integers(1, 6, len(indices)) / np.float32(3)).astype(np.float32))
    lengths, some = sizes(rows, similarity), rng.choice(9000, 60, replace=False)
    near, similarities = kernel.neighbors(rows, columns, lengths, similarity, shrinkage, 20)
    entries = np.concatenate([np.arange(*indptr[row : row + 2]) for row in some])
    query_rows = Sparse(np.concatenate([[0], np.cumsum(counts[some])]), indices[entries], rows.values[entries])
    actual, scores = kernel.neighbors_for(
        query_rows, lengths[some], by_column(kernel, rows, columns), lengths, similarity, shrinkage, 21
    )
    for place, row in enumerate(some):
        others = np.flatnonzero(actual[place] != row)[:20]
        assert actual[place][others].tolist() == near[row].tolist()
        assert scores[place][others].tobytes() == similarities[row].tobytes()


@pytest.mark.parametrize("divide", ["nothing", "weights", "parts"])
@pytest.mark.parametrize("n", [1, 7, 30])
def test_best_sums_equal_their_twin(kernel: ModuleType, divide: str, n: int) -> None:
    weights, parts, rng = sparse(20, 25), sparse(25, 30, seed=1), np.random.default_rng(0)
    start, base = rng.integers(0, 3, 20).astype(np.float32), rng.integers(0, 3, 30).astype(np.float32)
    rows, seen = np.array([3, 3, 19, 0], np.int32), sparse(20, 30, seed=2)[:2]
    for begin, level, out, mask in ((None, None, None, None), (start, base, seen, rng.random(30) < 0.6)):
        arguments = (weights, parts, 30, rows, n, begin, level, divide, 0.5, out, mask)
        actual, expected = kernel.top_n_sums(*arguments), twins.top_n_sums(*arguments)
        if divide == "nothing":  # exact, so that ties are ties
            np.testing.assert_array_equal(actual[0], expected[0])
        np.testing.assert_allclose(actual[1], expected[1], rtol=1e-5)
        assert kernel.top_n_sums(*arguments, threads=1)[1].tobytes() == actual[1].tobytes()


@pytest.mark.parametrize("n", [1, 7, 30])
def test_best_equals_its_twin(kernel: ModuleType, n: int) -> None:
    rng = np.random.default_rng(0)
    lines, rows = rng.integers(-3, 4, (4, 30)).astype(np.float32), np.array([3, 3, 19, 0], np.int32)
    for seen, mask in ((None, None), (sparse(20, 30, seed=2)[:2], rng.random(30) < 0.6)):
        actual = kernel.top_n_dense(lines, rows, n, seen, mask)
        expected = twins.top_n_dense(lines, rows, n, seen, mask)
        np.testing.assert_array_equal(actual[0], expected[0])
        np.testing.assert_array_equal(actual[1], expected[1])


def test_wrong_arrays_are_refused(kernel: ModuleType) -> None:
    rows, lengths = sparse(10, 8), np.ones(10, np.float32)
    for wrong, message in (
        ((rows, 3, lengths, "cosine", 0.0, 2), "out of bounds"),
        ((rows, 8, lengths[:9], "cosine", 0.0, 2), "rows"),
        ((rows, 8, lengths, "euclid", 0.0, 2), "similarity must be"),
        ((rows, 8, lengths, "cosine", -1.0, 2), "shrinkage"),
        ((rows._replace(values=rows.values[1:]), 8, lengths, "cosine", 0.0, 2), "the same length"),
    ):
        with pytest.raises(ValueError, match=message):
            kernel.neighbors(*wrong)
    lines, order = np.zeros((2, 8), np.float32), np.array([0, 10], np.int32)
    with pytest.raises(ValueError, match="a row is out of bounds"):
        kernel.top_n_dense(lines, order, 2, rows[:2])
    with pytest.raises(ValueError, match="a row is out of bounds"):
        kernel.top_n_sums(rows, sparse(8, 8), 8, order, 2)
    with pytest.raises(ValueError, match="one byte per item"):
        kernel.top_n_dense(lines, order, 2, None, np.ones(9, bool))

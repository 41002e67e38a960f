"""Stochastic gradient descent: the native walk equals its NumPy twin, and a step follows the slope of the loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from alsatian.kernels import Blocks, SgdSide, StepRule
from alsatian.models.sgd.training_state import sort_into_blocks, stripe_count
from support import twins

MOMENTS = {"sgd": 0, "momentum": 1, "adam": 2}


@dataclass
class Walk:
    """Everything that the kernel is given."""

    blocks: Blocks
    users: SgdSide
    items: SgdSide
    sums: NDArray[Any] | None
    slopes: NDArray[Any] | None
    rule: StepRule

    def run(self, kernel: object, times: int = 1, threads: int = 2) -> Walk:
        """Return where some epochs lead."""
        users, items = (SgdSide(*(array.copy() for array in side)) for side in (self.users, self.items))
        slopes = None if self.slopes is None else self.slopes.copy()
        rounds = np.random.default_rng(5).permutation(int(np.sqrt(len(self.blocks.starts)))).astype(np.int32)
        for _ in range(times):
            kernel.sgd(self.blocks, rounds, users, items, self.sums, slopes, self.rule, threads)  # type: ignore[attr-defined]
        return replace(self, users=users, items=items, slopes=slopes)

    def squared_error(self, kernel: object) -> float:
        mean = self.rule.mean
        return float(kernel.squared_error(self.blocks, self.users, self.items, self.sums, mean, 2))  # type: ignore[attr-defined]

    @property
    def arrays(self) -> list[NDArray[Any]]:
        actual = [*self.users, *self.items, self.slopes]
        return [array for array in actual if array is not None]

    @property
    def bits(self) -> list[bytes]:
        return [array.tobytes() for array in self.arrays]


def walk(
    *,
    optimizer: str = "sgd",
    entries: int = 150,
    shape: tuple[int, int] = (20, 15),
    width: int = 16,
    stripes: int = 4,
    batch: int = 1,
    implicit: bool = False,
    weights: bool = False,
) -> Walk:
    """Return a random problem; biases and moments begin at zero."""
    rng, moments = np.random.default_rng(0), MOMENTS[optimizer]
    users, items = (rng.integers(count, size=entries).astype(np.int32) for count in shape)
    values = rng.integers(1, 6, entries).astype(np.float32)
    entry_weights = rng.uniform(0.5, 2, entries).astype(np.float32) if weights else None

    def side(rows: int) -> SgdSide:
        factors = np.zeros((rows, 1 + moments, width), np.float32)
        factors[:, 0] = rng.standard_normal((rows, width)) / 4
        share = rng.uniform(0.5, 2, rows).astype(np.float32)
        return SgdSide(factors, np.zeros((rows, 1 + moments), np.float32), np.zeros(rows, np.int32), share)

    sums = rng.standard_normal((shape[0], width)).astype(np.float32) / 4 if implicit else None
    return Walk(
        sort_into_blocks(users, items, values, entry_weights, shape, stripes, 2),
        side(shape[0]),
        side(shape[1]),
        sums,
        None if sums is None else np.zeros_like(sums),
        StepRule(mean=3.2, rate=0.02, reg=0.1, bias_reg=0.3, momentum=0.8, batch=batch),
    )


@pytest.mark.parametrize("implicit", [False, True], ids=["plain", "implicit term"])
@pytest.mark.parametrize("batch", [1, 7, 10_000])
@pytest.mark.parametrize("optimizer", MOMENTS)
def test_the_native_walk_equals_its_twin(kernel: ModuleType, optimizer: str, batch: int, implicit: bool) -> None:
    for width, weights in ((0, False), (8, True), (24, False)):
        start = walk(optimizer=optimizer, batch=batch, implicit=implicit, width=width, weights=weights)
        actual, expected = start.run(kernel, times=3), start.run(twins, times=3)
        for one, other in zip(actual.arrays, expected.arrays, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-5)
        assert actual.squared_error(kernel) == pytest.approx(expected.squared_error(twins), rel=1e-4)


@pytest.mark.parametrize("batch", [1, 64])
@pytest.mark.parametrize("optimizer", MOMENTS)
def test_any_number_of_threads_gives_the_same_bits(kernel: ModuleType, optimizer: str, batch: int) -> None:
    """With so many entries that the blocks of a round are really dealt out."""
    start = walk(optimizer=optimizer, entries=200_000, shape=(3000, 2000), width=8, stripes=16, batch=batch)
    alone = start.run(kernel, threads=1)
    for threads in (2, 4):
        together = start.run(kernel, threads=threads)
        assert together.bits == alone.bits
        assert together.squared_error(kernel) == alone.squared_error(kernel)


def test_no_two_blocks_of_a_round_share_a_row() -> None:
    blocks, stripes = walk(entries=5000, shape=(300, 200), stripes=8).blocks, 8
    assert blocks.starts[-1] == 5000
    for shift in range(stripes):
        parts = [a * stripes + (a + shift) % stripes for a in range(stripes)]
        for rows in (blocks.users, blocks.items):
            met = [set(rows[blocks.starts[part] : blocks.starts[part + 1]].tolist()) for part in parts]
            assert sum(map(len, met)) == len(set.union(*met))


def test_the_grid_depends_on_the_data_alone() -> None:
    assert stripe_count(items=1682, row_bytes=256) == 16
    assert stripe_count(items=100_000, row_bytes=256) == 49
    assert stripe_count(items=10_000_000, row_bytes=256) == 64


def loss(w: Walk) -> float:
    """Return the loss of the twin's head, entry by entry, in float64."""
    total = 0.0
    for e, (u, i) in enumerate(zip(w.blocks.users, w.blocks.items, strict=True)):
        weight = 1.0 if w.blocks.weights is None else w.blocks.weights[e]
        x, y = w.users.factors[u, 0], w.items.factors[i, 0]
        whole = x + (0 if w.sums is None else w.sums[u])
        b_u, b_i = w.users.bias[u, 0], w.items.bias[i, 0]
        total += weight * (w.blocks.values[e] - w.rule.mean - b_u - b_i - whole @ y) ** 2
        for side, row, factors, bias in ((w.users, u, x, b_u), (w.items, i, y, b_i)):
            total += side.share[row] * (w.rule.reg * factors @ factors + w.rule.bias_reg * bias**2)
    return float(total)


@pytest.mark.parametrize("implicit", [False, True], ids=["plain", "implicit term"])
def test_a_step_goes_down_the_slope_of_the_loss(implicit: bool) -> None:
    """In one batch with everything in one block, a plain step is -rate / 2 times the gradient of the whole loss."""
    start = walk(entries=30, shape=(6, 5), width=3, stripes=1, batch=1000, implicit=implicit, weights=True)
    doubles = [SgdSide(*(np.asarray(a, np.float64) for a in side)) for side in (start.users, start.items)]
    start = replace(start, users=doubles[0], items=doubles[1])
    start.users.bias[:] += 0.1
    moved = start.run(twins)
    for side, after in ((start.users, moved.users), (start.items, moved.items)):
        for array, reached in ((side.factors, after.factors), (side.bias, after.bias)):
            for place in np.ndindex(*array.shape):
                kept, ends = array[place], []
                for step in (1e-4, -1e-4):
                    array[place] = kept + step
                    ends.append(loss(start))
                array[place] = kept
                slope = (ends[0] - ends[1]) / 2e-4
                assert reached[place] - kept == pytest.approx(-start.rule.rate / 2 * slope, abs=1e-7)


def test_adam_makes_a_first_step_of_the_rate_in_every_direction(kernel: ModuleType) -> None:
    """Both corrected moments of a first step are the slope and its square."""
    start = walk(optimizer="adam", entries=1, shape=(1, 1), stripes=1, width=8)
    moved = start.run(kernel)
    steps = np.abs(moved.users.factors[:, 0] - start.users.factors[:, 0])
    np.testing.assert_allclose(steps, start.rule.rate, rtol=1e-3)
    assert moved.users.steps.tolist() == [1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"users": np.array([9], np.int32)}, "a user is out of bounds"),
        ({"items": np.array([-1], np.int32)}, "an item is out of bounds"),
        ({"values": np.ones(2, np.float32)}, "the same length"),
        ({"weights": np.ones(2, np.float32)}, "the same length"),
        ({"starts": np.array([0, 2])}, "end with the number of entries"),
        ({"starts": np.array([0, 1, 1])}, "stripes"),
    ],
)
def test_entries_that_do_not_fit_are_refused(kernel: ModuleType, changes: dict[str, Any], message: str) -> None:
    start = walk(entries=1, shape=(2, 2), stripes=1, width=8)
    start.blocks = start.blocks._replace(**changes)
    with pytest.raises(ValueError, match=message):
        start.run(kernel)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"factors": np.zeros((2, 1, 16), np.float32)}, "same moments and width"),
        ({"factors": np.zeros((2, 2, 8), np.float32)}, "same moments and width"),
        ({"bias": np.zeros((2, 2), np.float32)}, "bias must be"),
        ({"steps": np.zeros(1, np.int32)}, "match the rows"),
        ({"steps": np.full(2, -1, np.int32)}, "not be negative"),
        ({"share": np.zeros(3, np.float32)}, "match the rows"),
    ],
)
def test_sides_that_do_not_fit_are_refused(kernel: ModuleType, changes: dict[str, Any], message: str) -> None:
    start = walk(entries=4, shape=(2, 2), stripes=1, width=8)
    start.items = start.items._replace(**changes)
    with pytest.raises(ValueError, match=message):
        start.run(kernel)


def test_rows_that_are_no_whole_vectors_are_refused(kernel: ModuleType) -> None:
    with pytest.raises(ValueError, match="multiple of the vector width"):
        walk(width=6).run(kernel)


def test_row_sums_equal_their_twin(kernel: ModuleType) -> None:
    rng = np.random.default_rng(0)
    lengths = np.array([0, 3, 1, 0, 150, 7] * 30)
    indptr, rows = np.concatenate([[0], np.cumsum(lengths)]), rng.standard_normal((40, 16)).astype(np.float32)
    indices = rng.integers(40, size=indptr[-1]).astype(np.int32)
    expected = twins.row_sums(indptr, indices, rows)
    for threads in (1, 3):
        np.testing.assert_allclose(kernel.row_sums(indptr, indices, rows, threads), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indptr": np.array([0, 3])}, "end with"),
        ({"indices": np.array([0, 5], np.int32)}, "out of bounds"),
        ({"rows": np.zeros((2, 7), np.float32)}, "multiple of the vector width"),
    ],
)
def test_row_sums_say_what_does_not_fit(kernel: ModuleType, changes: dict[str, Any], message: str) -> None:
    right = {"indptr": np.array([0, 2]), "indices": np.array([0, 1], np.int32), "rows": np.zeros((2, 8), np.float32)}
    with pytest.raises(ValueError, match=message):
        kernel.row_sums(**right | changes)

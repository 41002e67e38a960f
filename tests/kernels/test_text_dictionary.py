"""Texts become numbers, in the order in which they first appear."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from support import twins


def packed(texts: list[str]) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    parts = [text.encode() for text in texts]
    return np.frombuffer(b"".join(parts), np.uint8), np.cumsum([0, *map(len, parts)]).astype(np.int32)


def test_a_text_has_the_number_of_its_first_appearance(kernel: ModuleType) -> None:
    known = kernel.Dictionary()
    assert known.number(*packed(["up", "alien", "up", ""])).tolist() == [0, 1, 0, 2]
    assert known.number(*packed(["é", "alien"])).tolist() == [3, 1]
    data, offsets, places = known.sorted()
    assert [data[a:b].tobytes().decode() for a, b in zip(offsets, offsets[1:], strict=False)] == [
        "",
        "alien",
        "up",
        "é",
    ]
    assert places.tolist() == [2, 1, 0, 3]


def test_it_equals_its_twin(kernel: ModuleType) -> None:
    rng = np.random.default_rng(0)
    fast, plain = kernel.Dictionary(), twins.Dictionary()
    for most in (10, 5_000, 100_000):
        texts = packed([f"{'x' * (number % 30)}{number}\0" for number in rng.integers(most, size=20_000)])
        for kept in (None, rng.random(20_000) < 0.5):
            assert np.array_equal(fast.number(*texts, kept), plain.number(*texts, kept))
    for a, b in zip(fast.sorted(), plain.sorted(), strict=True):
        assert a.dtype == b.dtype
        assert np.array_equal(a, b)


def test_no_texts(kernel: ModuleType) -> None:
    for known in (kernel.Dictionary(), twins.Dictionary()):
        assert len(known.number(*packed([]))) == 0
        assert [len(array) for array in known.sorted()] == [0, 1, 0]


@pytest.mark.parametrize("offsets", [[], [-1, 2], [0, 2, 1], [0, 4]])
def test_offsets_outside_the_data_are_refused(build: ModuleType, offsets: list[int]) -> None:
    with pytest.raises(ValueError, match="offsets"):
        build.Dictionary().number(np.zeros(3, np.uint8), np.array(offsets, np.int32), None, np.empty(1, np.int32))

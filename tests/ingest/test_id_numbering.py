"""Ids become row numbers in ascending order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from alsatian.ingest.id_numbering import number_integers


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 5), min_size=1))
def test_numbering_is_that_of_unique(values: list[int]) -> None:
    ids, numbers = number_integers(np.array(values), min(values), max(values))
    expected, inverse = np.unique(np.array(values), return_inverse=True)
    assert ids.tolist() == expected.tolist()
    assert numbers.tolist() == inverse.tolist()


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_small_and_large_integers(dtype: type) -> None:
    values: NDArray[Any] = np.array([2**31 - 1, -(2**31), 7, 7], dtype)
    ids, numbers = number_integers(values, -(2**31), 2**31 - 1)
    assert ids.tolist() == [-(2**31), 7, 2**31 - 1]
    assert numbers.tolist() == [2, 0, 1, 1]

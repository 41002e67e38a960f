"""Columns of strings as flat arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsatian._util.string_array import StringArray

STRINGS = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


@given(STRINGS)
def test_it_holds_what_it_was_given(strings: list[str]) -> None:
    text = StringArray.from_strings(strings)
    assert len(text) == len(strings)
    assert text.tolist() == list(text) == strings
    assert [text[row] for row in range(-len(strings), len(strings))] == strings * 2
    assert text[1:] == strings[1:]
    assert text[::-1] == strings[::-1]


@given(STRINGS.filter(bool), st.data())
def test_rows_can_be_taken(strings: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.integers(0, len(strings) - 1)))
    assert StringArray.from_strings(strings).take(np.array(rows, np.int64)).tolist() == [strings[row] for row in rows]


def test_it_is_utf_8_with_offsets() -> None:
    text = StringArray.from_strings(["up", "", "é"])
    assert text.data.tobytes() == b"up\xc3\xa9"
    assert text.offsets.tolist() == [0, 2, 2, 4]


def test_a_row_that_is_not_there() -> None:
    for row in (2, -3):
        with pytest.raises(IndexError):
            StringArray.from_strings(["a", "b"])[row]


def test_what_utf_8_cannot_hold_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        StringArray.from_strings(["\ud800"])

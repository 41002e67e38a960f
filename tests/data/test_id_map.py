"""External ids and row numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsatian.data.id_map import Id, IdMap
from alsatian.errors import DataError, UnknownId, UnknownItem, UnknownUser

INTEGERS = st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1)
WORDS = st.sets(st.text(st.characters(exclude_categories=["Cs"])), min_size=1)


@given(INTEGERS | WORDS)
def test_an_id_goes_to_its_row_and_back(ids: set[Any]) -> None:
    numbered = IdMap.from_ids(ids, "user")
    assert len(numbered) == len(ids)
    for row, id in enumerate(sorted(ids)):
        assert numbered.row(id) == numbered.find(id) == row
        assert numbered.id_of(row) == id
        assert type(numbered.id_of(row)) is type(id)
    assert numbered.tolist() == sorted(ids) == numbered.take(range(len(ids)))


@given(INTEGERS | WORDS, st.integers() | st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_not_there_is_not_found(ids: set[Any], id: Id) -> None:
    numbered = IdMap.from_ids(ids, "user")
    assert (numbered.find(id) >= 0) == (id in ids)


def test_integers_ascend_by_value_and_text_by_code_point() -> None:
    assert IdMap.from_ids([10, 9, -1], "item").tolist() == [-1, 9, 10]
    assert IdMap.from_ids(["é", "z", "Z", "10", "9"], "item").tolist() == ["10", "9", "Z", "z", "é"]


def test_the_order_given_makes_no_difference() -> None:
    assert IdMap.from_ids("cab", "item") == IdMap.from_ids("bca", "item")
    assert IdMap.from_ids([1], "item") != IdMap.from_ids(["1"], "item")


@pytest.mark.parametrize("count", [3, 1000])
def test_many_at_once_equal_one_by_one(count: int) -> None:
    ids = IdMap.from_ids(range(0, 2 * count + 2, 2), "user")
    queries = [0, 3, "4", 4, None, 2.0, True, np.int64(6)] * count
    assert ids.rows(queries).tolist() == [ids.find(id) for id in queries]
    assert ids.rows(queries)[:8].tolist() == [0, -1, -1, 2, -1, -1, -1, 3]
    assert ids.rows(np.array([4, 5])).tolist() == [2, -1]
    words = IdMap.from_ids(map(str, range(count)), "user")
    assert words.rows(["0", 0, np.str_("1")] * count).tolist() == [words.find(id) for id in ["0", 0, "1"] * count]


def test_a_mix_of_integers_and_text_is_no_numbering() -> None:
    with pytest.raises(DataError, match="user ids must be all integers or all text, but '1' is among them"):
        IdMap.from_ids([1, "1"], "user")


def test_numbers_that_are_no_integers_are_no_ids() -> None:
    with pytest.raises(DataError, match=r"item ids must be all integers or all text, but 1\.5 is among them"):
        IdMap.from_ids([1.5, 2], "item")  # type: ignore[list-item]


@pytest.mark.parametrize("written", ["1_5", "+15", " 15", "٣", "x"])
def test_only_plain_digits_are_an_integer_id(written: str) -> None:
    with pytest.raises(UnknownUser):
        IdMap.from_ids([15, 3], "user").parse(written)


@pytest.mark.parametrize(
    ("known", "user", "message"),
    [
        (["61", "62"], 62, "no user 62 (int) in this model; its user ids are text, and '62' exists. Pass '62'."),
        (["61", "62"], 9, "no user 9 (int) in this model; its user ids are text, such as '61', '62'."),
        ([61, 62], "62", "no user '62' (str) in this model; its user ids are integers, and 62 exists. Pass 62."),
        ([61, 62], "x", "no user 'x' (str) in this model; its user ids are integers, such as 61, 62."),
        ([1, 2, 3, 4], 5, "no user 5 (int) in this model; it has 4 users, such as 1, 2, 3."),
        (["alice", "bob"], "alcie", "it has 2 users, such as 'alice', 'bob'. Did you mean 'alice'?"),
    ],
)  # fmt: skip
def test_an_unknown_id_says_its_type_and_the_next_step(known: list[Any], user: Id, message: str) -> None:
    with pytest.raises(UnknownUser) as caught:
        IdMap.from_ids(known, "user").row(user)
    assert str(caught.value).endswith(message)


def test_an_unknown_item_is_its_own_error() -> None:
    with pytest.raises(UnknownItem, match="no item 5"):
        IdMap.from_ids([1], "item").row(5)


def test_ids_are_parsed_to_their_type() -> None:
    assert IdMap.from_ids([1], "user").parse("12") == 12
    assert IdMap.from_ids(["1"], "user").parse("12") == "12"
    with pytest.raises(UnknownId, match="'twelve'"):
        IdMap.from_ids([1], "user").parse("twelve")


@pytest.mark.parametrize("bad", [2**70, -(2**70), float("nan"), b"1", [1], object()])
def test_anything_may_be_asked_for(bad: object) -> None:
    assert IdMap.from_ids([1], "user").find(bad) == IdMap.from_ids(["1"], "user").find(bad) == -1


def test_ids_are_printed_by_their_number() -> None:
    assert repr(IdMap.from_ids(["a", "b"], "item")) == "IdMap(2 items, text)"

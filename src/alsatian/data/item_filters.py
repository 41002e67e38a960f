"""Evaluate a `where` condition on the columns of a catalog with NumPy. The grammar is in `where_grammar`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.where_grammar import (
    LIBRARY_LIMITS,
    AllOf,
    ColumnTest,
    Condition,
    Constant,
    Limits,
    Not,
    compile_like,
    parse_where,
)

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


class AttributeColumn(Protocol):
    """One attribute of all items, as stored in the catalog."""

    @property
    def values(self) -> StringArray | NDArray[Any]:
        """The values of all items; arbitrary where a value is missing."""

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Per item, whether it has a value."""

    @property
    def type(self) -> str:
        """ "text", "int64", "float64" or "bool"."""


class _Truth(NamedTuple):
    """Per item, whether a condition is true and whether it is false; neither if a value is missing."""

    is_true: NDArray[np.bool_]
    is_false: NDArray[np.bool_]


class _DistinctTexts(NamedTuple):
    """The distinct texts of a column, the same texts in lower case, and the position of each item's text in them."""

    texts: list[str]
    lower_texts: list[str]
    codes: NDArray[np.intp]


class ItemFilter:
    """Evaluates conditions on columns of equal length. Each distinct text of a text column is tested once."""

    def __init__(self, columns: Mapping[str, AttributeColumn]) -> None:
        self._columns = columns
        self._types = {name: column.type for name, column in columns.items()}
        self._distinct_texts: dict[str, _DistinctTexts] = {}

    def evaluate(self, where: str, limits: Limits = LIBRARY_LIMITS) -> NDArray[np.bool_]:
        """Return, per item, whether a condition is true (neither false nor unknown).

        Raises ParameterError if `where` is not a valid condition over the columns.
        """
        return self._truth(parse_where(where, self._types, limits)).is_true

    def _truth(self, condition: Condition) -> _Truth:
        if isinstance(condition, ColumnTest):
            return self._test(condition)
        if isinstance(condition, Constant):
            mask = np.full(len(next(iter(self._columns.values())).valid), condition.value)
            return _Truth(mask, ~mask)
        if isinstance(condition, Not):
            return _negate(self._truth(condition.condition))
        parts = map(self._truth, condition.conditions)
        return reduce(_both if isinstance(condition, AllOf) else _either, parts)

    def _test(self, test: ColumnTest) -> _Truth:
        column = self._columns[test.column]
        if test.operator == "null":
            return _Truth(~column.valid, column.valid)
        if isinstance(column.values, StringArray):
            mask = self._test_texts(test)
        else:
            mask = np.asarray(_test_numbers(column.values, test), np.bool_)
        return _Truth(mask & column.valid, ~mask & column.valid)

    def _test_texts(self, test: ColumnTest) -> NDArray[np.bool_]:
        texts, lower_texts, codes = self._distinct(test.column)
        predicate = _text_predicate(test)
        outcomes = list(map(predicate, lower_texts if test.operator == "ilike" else texts))
        return np.array(outcomes or [False], np.bool_)[codes]

    def _distinct(self, name: str) -> _DistinctTexts:
        if name not in self._distinct_texts:
            code_of: dict[str, int] = {}
            codes = [code_of.setdefault(text, len(code_of)) for text in self._columns[name].values.tolist()]
            texts = list(code_of)
            self._distinct_texts[name] = _DistinctTexts(
                texts, [text.lower() for text in texts], np.array(codes, np.intp)
            )
        return self._distinct_texts[name]


def _test_numbers(values: NDArray[Any], test: ColumnTest) -> Any:
    if test.operator == "true":
        return values
    if test.operator == "in":
        return np.isin(values, test.values)
    if test.operator == "between":
        return (test.values[0] <= values) & (values <= test.values[1])
    return _COMPARE[test.operator](values, test.values[0])


def _text_predicate(test: ColumnTest) -> Callable[[str], bool]:
    value = test.values[0]
    if test.operator == "in":
        return frozenset(test.values).__contains__
    if test.operator == "between":
        return lambda text: value <= text <= test.values[1]
    if test.operator == "has":
        return lambda text: value in text and value in text.split("|")
    if test.operator in ("like", "ilike"):
        return compile_like(value.lower() if test.operator == "ilike" else value)
    compare = _COMPARE[test.operator]
    return lambda text: bool(compare(text, value))


def _negate(truth: _Truth) -> _Truth:
    return _Truth(truth.is_false, truth.is_true)


def _both(left: _Truth, right: _Truth) -> _Truth:
    return _Truth(left.is_true & right.is_true, left.is_false | right.is_false)


def _either(left: _Truth, right: _Truth) -> _Truth:
    return _Truth(left.is_true | right.is_true, left.is_false & right.is_false)

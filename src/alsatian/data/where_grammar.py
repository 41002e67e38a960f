"""`where` for strangers: comparisons of the catalog's columns, joined by and, or and not. Nothing else can be said.

    condition  = both { OR both }                both = unary { AND unary }
    unary      = NOT unary | ( condition ) | column test
    test       = comparison literal | [NOT] IN ( literal, ... ) | [NOT] BETWEEN literal AND literal
               | [NOT] LIKE 'pattern' | [NOT] ILIKE 'pattern' | IS [NOT] NULL
    comparison = | == | <> | != | < | <= | > | >=
    literal    = number | 'text' | TRUE | FALSE              column = word | "quoted"

It is a part of the SQL that `where` takes in Python, with the same meaning: a missing value makes a test neither true
nor false, and only what is true is listed. A condition is read here and computed by NumPy; no SQL runs.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.catalog import Catalog, Column
from alsatian.errors import ParameterError, did_you_mean, join_names

MAX_CONDITION_LENGTH, MAX_CONDITION_DEPTH, MAX_CONDITION_TERMS = (
    2_000,
    20,
    200,
)  # characters, brackets, tests and literals

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")"""
    r"""|(?P<word>[^\W\d]\w*)|(?P<sign>==|<>|!=|<=|>=|[=<>(),])|(?P<end>$))"""
)
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "==": operator.eq, "<>": operator.ne, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_KEYWORDS = {"and", "or", "not", "in", "between", "like", "ilike", "is", "null", "true", "false"}


class Truth(NamedTuple):
    """Per item: whether a condition is true, and whether it is false; neither where a value is missing."""

    is_true: NDArray[np.bool_]
    is_false: NDArray[np.bool_]


class ConditionColumns:
    """A catalog's columns, each text with its distinct values once, so that a test looks at these alone."""

    def __init__(self, catalog: Catalog) -> None:
        self.names = list(catalog.columns)
        self._names_by_lower = {name.lower(): name for name in self.names}
        self._columns = catalog.columns
        self._distinct_values: dict[str, tuple[list[str], NDArray[np.intp]]] = {}

    def evaluate(self, where: str) -> NDArray[np.bool_]:
        """Return, per item, whether a condition is true; raises ParameterError for anything but a condition."""
        if not self.names:
            raise ParameterError(f"where={where[:300]!r} needs a catalog, and this model has none; leave it out.")
        return _ConditionParser(where, self).parse()

    def resolve_name(self, identifier: str) -> str | None:
        """Return the name of a column; case does not matter, as in SQL."""
        return self._names_by_lower.get(identifier.lower())

    def column(self, name: str) -> Column:
        return self._columns[name]

    def test(self, name: str, predicate: Callable[[Any], Any]) -> Truth:
        """Return where a test of one value holds; `holds` takes an array of numbers, or one text."""
        column = self._columns[name]
        if not isinstance(column.values, StringArray):
            mask = np.asarray(predicate(column.values), np.bool_)
        else:
            values, codes = self._encode_text(name)
            mask = np.array([predicate(value) for value in values] or [False], np.bool_)[codes]
        return Truth(mask & column.valid, ~mask & column.valid)

    def _encode_text(self, name: str) -> tuple[list[str], NDArray[np.intp]]:
        if name not in self._distinct_values:
            codes_by_value: dict[str, int] = {}
            codes = [
                codes_by_value.setdefault(value, len(codes_by_value)) for value in self._columns[name].values.tolist()
            ]
            self._distinct_values[name] = list(codes_by_value), np.array(codes, np.intp)
        return self._distinct_values[name]


class _ConditionParser:
    """Reads one condition from left to right, and computes it on the way."""

    def __init__(self, where: str, columns: ConditionColumns) -> None:
        self.where, self.columns = where, columns
        if len(where) > MAX_CONDITION_LENGTH:
            self.raise_error(f"is too long; use at most {MAX_CONDITION_LENGTH:,} characters.")
        self.position, self.depth, self.term_count = 0, 0, 0
        self.token_kind, self.token = "", ""
        self.advance()

    def parse(self) -> NDArray[np.bool_]:
        truth = self.parse_or()
        if self.token_kind != "end":
            self.raise_expected("and, or, or the end")
        return truth.is_true

    # The grammar, from the weakest bond to the strongest

    def parse_or(self) -> Truth:
        truth = self.parse_and()
        while self.accept("or"):
            right = self.parse_and()
            truth = Truth(truth.is_true | right.is_true, truth.is_false & right.is_false)
        return truth

    def parse_and(self) -> Truth:
        truth = self.parse_unary()
        while self.accept("and"):
            right = self.parse_unary()
            truth = Truth(truth.is_true & right.is_true, truth.is_false | right.is_false)
        return truth

    def parse_unary(self) -> Truth:
        self.depth += 1
        if self.depth > MAX_CONDITION_DEPTH:
            self.raise_error(f"is too deeply nested; use at most {MAX_CONDITION_DEPTH} brackets.")
        if self.accept("not"):
            truth = _negate(self.parse_unary())
        elif self.accept("("):
            truth = self.parse_or()
            self.expect(")")
        else:
            truth = self.parse_test()
        self.depth -= 1
        return truth

    def parse_test(self) -> Truth:
        self.count_term()
        name = self.parse_column_name()
        if self.accept("is"):
            is_negated = self.accept("not")
            self.expect("null")
            missing = ~self.columns.column(name).valid
            return Truth(~missing, missing) if is_negated else Truth(missing, ~missing)
        if self.token_kind == "sign" and (compare := _OPERATORS.get(self.token)):
            self.advance()
            value = self.parse_literal(name)
            return self.columns.test(name, lambda cells: compare(cells, value))
        is_negated = self.accept("not")
        truth = self.parse_keyword_test(name)
        return _negate(truth) if is_negated else truth

    def parse_keyword_test(self, name: str) -> Truth:
        if self.accept("between"):
            low = self.parse_literal(name)
            self.expect("and")
            high = self.parse_literal(name)
            truth = self.columns.test(name, lambda cells: low <= cells)
            upper = self.columns.test(name, lambda cells: cells <= high)
            return Truth(truth.is_true & upper.is_true, truth.is_false | upper.is_false)
        if self.accept("in"):
            values = self.parse_literals(name)
            if isinstance(self.columns.column(name).values, StringArray):
                return self.columns.test(name, lambda cells: cells in values)
            return self.columns.test(name, lambda cells: np.isin(cells, values))
        if self.lower_token in ("like", "ilike"):
            ignore_case = self.lower_token == "ilike"
            self.advance()
            return self.columns.test(name, self.parse_pattern(name, ignore_case))
        return self.raise_expected("a comparison (=, <>, <, <=, >, >=), in, between, like or is null")

    def parse_column_name(self) -> str:
        if self.token_kind not in ("word", "quoted") or self.lower_token in _KEYWORDS:
            self.raise_expected("a column")
        identifier = self.token[1:-1].replace('""', '"') if self.token_kind == "quoted" else self.token
        if (name := self.columns.resolve_name(identifier)) is None:
            names = self.columns.names
            hint = did_you_mean(identifier, names)
            self.raise_error(
                f"uses {identifier!r}, which is no column of the catalog; its columns are {join_names(names)}.{hint}"
            )
        self.advance()
        return name

    def parse_literals(self, name: str) -> list[Any]:
        self.expect("(")
        values = [self.parse_literal(name)]
        while self.accept(","):
            values.append(self.parse_literal(name))
        self.expect(")")
        return values

    def parse_literal(self, name: str) -> Any:
        """Return a value of the column's kind."""
        self.count_term()
        column_type = self.columns.column(name).type
        if self.token_kind == "number":
            value: Any = float(self.token) if re.search(r"[.eE]", self.token) else int(self.token)
            is_valid = column_type in ("int64", "float64") and abs(value) < 2**63
        elif self.token_kind == "text":
            value, is_valid = self.token[1:-1].replace("''", "'"), column_type == "text"
        elif self.lower_token in ("true", "false"):
            value, is_valid = self.lower_token == "true", column_type == "bool"
        else:
            self.raise_expected("a number, a text in single quotes, true or false")
        if not is_valid:
            expectation = {"text": "a text in single quotes", "bool": "true or false"}.get(column_type, "a number")
            self.raise_error(f"compares {name!r} with {self.token[:40]}; it takes {expectation}.")
        self.advance()
        return value

    def parse_pattern(self, name: str, ignore_case: bool) -> Callable[[str], bool]:
        pattern = self.parse_literal(name)
        if self.columns.column(name).type != "text":
            self.raise_error(f"asks what {name!r} is like, and it is no text; compare it with a number.")
        matches = _compile_like(pattern.lower() if ignore_case else pattern)
        return lambda text: matches(text.lower() if ignore_case else text)

    # Tokens

    @property
    def lower_token(self) -> str:
        return self.token.lower() if self.token_kind == "word" else self.token

    def advance(self) -> None:
        match = _TOKEN.match(self.where, self.position)
        if match is None:
            self.raise_error(
                f"cannot be read from {self.where[self.position : self.position + 20].strip()!r} on; see the guide on where."
            )
        self.position, self.token_kind = match.end(), str(match.lastgroup)
        self.token = match[self.token_kind]

    def accept(self, word: str) -> bool:
        if self.token_kind in ("word", "sign") and self.lower_token == word:
            self.advance()
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            self.raise_expected(word if word.isalpha() else repr(word))

    def count_term(self) -> None:
        self.term_count += 1
        if self.term_count > MAX_CONDITION_TERMS:
            self.raise_error(f"is too long; use at most {MAX_CONDITION_TERMS} names and values.")

    def raise_expected(self, expectation: str) -> NoReturn:
        context = f"{self.token[:40]!r} stands" if self.token else "it ends"
        self.raise_error(
            f'needs {expectation} where {context}; write a condition, such as "year >= 1990 and year < 2000".'
        )

    def raise_error(self, reason: str) -> NoReturn:
        excerpt = self.where if len(self.where) <= 300 else self.where[:300] + "..."
        raise ParameterError(f"where={excerpt!r} {reason}")


def _negate(truth: Truth) -> Truth:
    return Truth(truth.is_false, truth.is_true)


def _compile_like(pattern: str) -> Callable[[str], bool]:
    """Return a test whether a text is like a pattern, in which % is any text and _ any letter.

    Each part between two % is taken where it first occurs, for good ("(?>"): so a test takes the time of a search for
    every part, however many there are.

    >>> _like("Iron%(200_)")("Iron Man (2008)"), _like("U")("Up")
    (True, False)
    """
    first, *parts = (re.escape(part).replace("_", ".") for part in pattern.split("%"))
    inner = "".join(f"(?>.*?{part})" for part in parts[:-1])
    regex = re.compile(f"{first}{inner}.*{parts[-1]}" if parts else first, re.DOTALL)
    return lambda text: regex.fullmatch(text) is not None

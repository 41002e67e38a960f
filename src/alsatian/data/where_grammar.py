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

from alsatian._util.string_array import Text
from alsatian.data.catalog import Catalog, Column
from alsatian.errors import ParameterError, listed, nearest

LONGEST, DEEPEST, MOST = 2_000, 20, 200  # characters, brackets, tests and literals

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<text>'(?:[^']|'')*')|(?P<quoted>"(?:[^"]|"")+")"""
    r"""|(?P<word>[^\W\d]\w*)|(?P<sign>==|<>|!=|<=|>=|[=<>(),])|(?P<end>$))"""
)
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq, "==": operator.eq, "<>": operator.ne, "!=": operator.ne,
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_WORDS = {"and", "or", "not", "in", "between", "like", "ilike", "is", "null", "true", "false"}


class Truth(NamedTuple):
    """Per item: whether a condition is true, and whether it is false; neither where a value is missing."""

    yes: NDArray[np.bool_]
    no: NDArray[np.bool_]


class Columns:
    """A catalog's columns, each text with its distinct values once, so that a test looks at these alone."""

    def __init__(self, catalog: Catalog) -> None:
        self.names = list(catalog.columns)
        self._lower = {name.lower(): name for name in self.names}
        self._columns = catalog.columns
        self._distinct: dict[str, tuple[list[str], NDArray[np.intp]]] = {}

    def matching(self, where: str) -> NDArray[np.bool_]:
        """Return, per item, whether a condition is true; raises ParameterError for anything but a condition."""
        if not self.names:
            raise ParameterError(f"where={where[:300]!r} needs a catalog, and this model has none; leave it out.")
        return _Reader(where, self).condition()

    def named(self, written: str) -> str | None:
        """Return the name of a column; case does not matter, as in SQL."""
        return self._lower.get(written.lower())

    def column(self, name: str) -> Column:
        return self._columns[name]

    def test(self, name: str, holds: Callable[[Any], Any]) -> Truth:
        """Return where a test of one value holds; `holds` takes an array of numbers, or one text."""
        column = self._columns[name]
        if not isinstance(column.values, Text):
            held = np.asarray(holds(column.values), np.bool_)
        else:
            values, places = self._of_text(name)
            held = np.array([holds(value) for value in values] or [False], np.bool_)[places]
        return Truth(held & column.valid, ~held & column.valid)

    def _of_text(self, name: str) -> tuple[list[str], NDArray[np.intp]]:
        if name not in self._distinct:
            numbers: dict[str, int] = {}
            places = [numbers.setdefault(value, len(numbers)) for value in self._columns[name].values.tolist()]
            self._distinct[name] = list(numbers), np.array(places, np.intp)
        return self._distinct[name]


class _Reader:
    """Reads one condition from left to right, and computes it on the way."""

    def __init__(self, where: str, columns: Columns) -> None:
        self.where, self.columns = where, columns
        if len(where) > LONGEST:
            self.refuse(f"is too long; use at most {LONGEST:,} characters.")
        self.at, self.depth, self.tests = 0, 0, 0
        self.kind, self.token = "", ""
        self.step()

    def condition(self) -> NDArray[np.bool_]:
        truth = self.either()
        if self.kind != "end":
            self.expected("and, or, or the end")
        return truth.yes

    # The grammar, from the weakest bond to the strongest

    def either(self) -> Truth:
        truth = self.both()
        while self.takes("or"):
            other = self.both()
            truth = Truth(truth.yes | other.yes, truth.no & other.no)
        return truth

    def both(self) -> Truth:
        truth = self.unary()
        while self.takes("and"):
            other = self.unary()
            truth = Truth(truth.yes & other.yes, truth.no | other.no)
        return truth

    def unary(self) -> Truth:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"is too deeply nested; use at most {DEEPEST} brackets.")
        if self.takes("not"):
            truth = _not(self.unary())
        elif self.takes("("):
            truth = self.either()
            self.demand(")")
        else:
            truth = self.tested()
        self.depth -= 1
        return truth

    def tested(self) -> Truth:
        self.count()
        name = self.name()
        if self.takes("is"):
            negated = self.takes("not")
            self.demand("null")
            missing = ~self.columns.column(name).valid
            return Truth(~missing, missing) if negated else Truth(missing, ~missing)
        if self.kind == "sign" and (compare := _COMPARE.get(self.token)):
            self.step()
            value = self.literal(name)
            return self.columns.test(name, lambda given: compare(given, value))
        negated = self.takes("not")
        truth = self.worded(name)
        return _not(truth) if negated else truth

    def worded(self, name: str) -> Truth:
        if self.takes("between"):
            low = self.literal(name)
            self.demand("and")
            high = self.literal(name)
            truth = self.columns.test(name, lambda given: low <= given)
            other = self.columns.test(name, lambda given: given <= high)
            return Truth(truth.yes & other.yes, truth.no | other.no)
        if self.takes("in"):
            values = self.literals(name)
            if isinstance(self.columns.column(name).values, Text):
                return self.columns.test(name, lambda given: given in values)
            return self.columns.test(name, lambda given: np.isin(given, values))
        if self.lower in ("like", "ilike"):
            fold = self.lower == "ilike"
            self.step()
            return self.columns.test(name, self.pattern(name, fold))
        return self.expected("a comparison (=, <>, <, <=, >, >=), in, between, like or is null")

    def name(self) -> str:
        if self.kind not in ("word", "quoted") or self.lower in _WORDS:
            self.expected("a column")
        written = self.token[1:-1].replace('""', '"') if self.kind == "quoted" else self.token
        if (name := self.columns.named(written)) is None:
            names = self.columns.names
            hint = nearest(written, names)
            self.refuse(f"uses {written!r}, which is no column of the catalog; its columns are {listed(names)}.{hint}")
        self.step()
        return name

    def literals(self, name: str) -> list[Any]:
        self.demand("(")
        values = [self.literal(name)]
        while self.takes(","):
            values.append(self.literal(name))
        self.demand(")")
        return values

    def literal(self, name: str) -> Any:
        """Return a value of the column's kind."""
        self.count()
        kind = self.columns.column(name).type
        if self.kind == "number":
            value: Any = float(self.token) if re.search(r"[.eE]", self.token) else int(self.token)
            fits = kind in ("int64", "float64") and abs(value) < 2**63
        elif self.kind == "text":
            value, fits = self.token[1:-1].replace("''", "'"), kind == "text"
        elif self.lower in ("true", "false"):
            value, fits = self.lower == "true", kind == "bool"
        else:
            self.expected("a number, a text in single quotes, true or false")
        if not fits:
            such = {"text": "a text in single quotes", "bool": "true or false"}.get(kind, "a number")
            self.refuse(f"compares {name!r} with {self.token[:40]}; it takes {such}.")
        self.step()
        return value

    def pattern(self, name: str, fold: bool) -> Callable[[str], bool]:
        pattern = self.literal(name)
        if self.columns.column(name).type != "text":
            self.refuse(f"asks what {name!r} is like, and it is no text; compare it with a number.")
        like = _like(pattern.lower() if fold else pattern)
        return lambda given: like(given.lower() if fold else given)

    # Tokens

    @property
    def lower(self) -> str:
        return self.token.lower() if self.kind == "word" else self.token

    def step(self) -> None:
        found = _TOKEN.match(self.where, self.at)
        if found is None:
            self.refuse(
                f"cannot be read from {self.where[self.at : self.at + 20].strip()!r} on; see the guide on where."
            )
        self.at, self.kind = found.end(), str(found.lastgroup)
        self.token = found[self.kind]

    def takes(self, word: str) -> bool:
        if self.kind in ("word", "sign") and self.lower == word:
            self.step()
            return True
        return False

    def demand(self, word: str) -> None:
        if not self.takes(word):
            self.expected(word if word.isalpha() else repr(word))

    def count(self) -> None:
        self.tests += 1
        if self.tests > MOST:
            self.refuse(f"is too long; use at most {MOST} names and values.")

    def expected(self, what: str) -> NoReturn:
        here = f"{self.token[:40]!r} stands" if self.token else "it ends"
        self.refuse(f'needs {what} where {here}; write a condition, such as "year >= 1990 and year < 2000".')

    def refuse(self, reason: str) -> NoReturn:
        shown = self.where if len(self.where) <= 300 else self.where[:300] + "..."
        raise ParameterError(f"where={shown!r} {reason}")


def _not(truth: Truth) -> Truth:
    return Truth(truth.no, truth.yes)


def _like(pattern: str) -> Callable[[str], bool]:
    """Return a test whether a text is like a pattern, in which % is any text and _ any letter.

    Each part between two % is taken where it first occurs, for good ("(?>"): so a test takes the time of a search for
    every part, however many there are.

    >>> _like("Iron%(200_)")("Iron Man (2008)"), _like("U")("Up")
    (True, False)
    """
    first, *parts = (re.escape(part).replace("_", ".") for part in pattern.split("%"))
    inner = "".join(f"(?>.*?{part})" for part in parts[:-1])
    like = re.compile(f"{first}{inner}.*{parts[-1]}" if parts else first, re.DOTALL)
    return lambda text: like.fullmatch(text) is not None

"""Everything that Alsatian raises on purpose, in one tree.

    AlsatianError
    ├── ParameterError      a setting is out of its bounds, foreign to the model, or in conflict   (ValueError)
    ├── DataError           the data cannot be used as asked                                       (ValueError)
    │   ├── SourceError     a file, folder, table or sample cannot be found or opened
    │   ├── ColumnError     a column is missing or unclear
    │   └── RowsError       rows are missing values, malformed, outside the scale or duplicate
    ├── UnknownId           an id or title that the model does not know                            (LookupError)
    │   ├── UnknownUser
    │   └── UnknownItem
    ├── Unsupported         the model cannot do this; the message says which model can
    ├── NotFitted           a model is used before `fit`
    ├── FitError            the numbers went wrong: singular system, overflow                      (ArithmeticError)
    ├── ModelFileError      a model file is damaged, truncated, of a newer format, or unwritable
    └── DependencyError     an optional package is not installed                                   (ImportError)

Every message is one line: what was wrong, the value, the bound or the nearest valid choice, the next step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class AlsatianError(Exception):
    """The root: catch this to catch all that Alsatian raises on purpose."""


class ParameterError(AlsatianError, ValueError):
    """A setting is out of its bounds, foreign to the model, or in conflict with another."""


class DataError(AlsatianError, ValueError):
    """The data cannot be used as asked."""


class SourceError(DataError):
    """A file, folder, table or sample cannot be found or opened."""


class ColumnError(DataError):
    """A column is missing or unclear."""


class RowsError(DataError):
    """Rows are missing values, malformed, outside the scale or duplicate."""


class UnknownId(AlsatianError, LookupError):
    """An id or title that the model does not know."""


class UnknownUser(UnknownId):
    """A user that the model does not know."""


class UnknownItem(UnknownId):
    """An item or title that the model does not know."""


class Unsupported(AlsatianError):
    """The model cannot do this; the message says which model can."""


class NotFitted(AlsatianError):
    """A model is used before `fit`."""


class FitError(AlsatianError, ArithmeticError):
    """The numbers went wrong in a fit: a singular system or an overflow."""


class ModelFileError(AlsatianError):
    """A model file is damaged, truncated, of a newer format, or cannot be written."""


class DependencyError(AlsatianError, ImportError):
    """An optional package is not installed."""


def did_you_mean(word: str, choices: list[str]) -> str:
    """Return " Did you mean 'x'?" for the choice most like `word`, or "" when none is like it."""
    import difflib

    matches = difflib.get_close_matches(word, choices, n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def pluralize(number: int, noun: str) -> str:
    """Write a number of things.

    >>> pluralize(1, "user"), pluralize(1200, "user")
    ('1 user', '1,200 users')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join_names(names: Iterable[object], limit: int = 12) -> str:
    """Write names for a message.

    >>> join_names(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    words = list(map(repr, names))
    return ", ".join(words[:limit]) + (f" and {len(words) - limit:,} more" if len(words) > limit else "")

"""The exceptions of Alsatian, and helpers to write their messages.

    AlsatianError
    ├── ParameterError      a setting is out of bounds, unknown to the model, or in conflict       (ValueError)
    ├── DataError           the data cannot be used                                                (ValueError)
    │   ├── SourceError     a file, folder, table or data set cannot be found or opened
    │   ├── ColumnError     a column is missing or ambiguous
    │   └── RowsError       rows have missing, malformed, out-of-scale or duplicate values
    ├── UnknownId           an id or title is unknown to the model                                 (LookupError)
    │   ├── UnknownUser
    │   └── UnknownItem
    ├── Unsupported         the model cannot do this; the message says which model can
    ├── NotFitted           a model is used before `fit`
    ├── FitError            a fit failed numerically: singular system, overflow                    (ArithmeticError)
    ├── ModelFileError      a model file is damaged, truncated, of a newer format, or unwritable
    └── DependencyError     an optional package is not installed                                   (ImportError)

Every message is one line: the problem, the value, the bound or the nearest valid choice, and the next step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class AlsatianError(Exception):
    """The base class of all exceptions that Alsatian raises deliberately."""


class ParameterError(AlsatianError, ValueError):
    """A setting is out of bounds, unknown to the model, or in conflict with another."""


class DataError(AlsatianError, ValueError):
    """The data cannot be used."""


class SourceError(DataError):
    """A file, folder, table or data set cannot be found or opened."""


class ColumnError(DataError):
    """A column is missing or ambiguous."""


class RowsError(DataError):
    """Rows have missing, malformed, out-of-scale or duplicate values."""


class UnknownId(AlsatianError, LookupError):
    """An id or title is unknown to the model."""


class UnknownUser(UnknownId):
    """A user is unknown to the model."""


class UnknownItem(UnknownId):
    """An item id or title is unknown to the model."""


class Unsupported(AlsatianError):
    """The model cannot do this; the message says which model can."""


class NotFitted(AlsatianError):
    """A model is used before `fit`."""


class FitError(AlsatianError, ArithmeticError):
    """A fit failed numerically: a singular system or an overflow."""


class ModelFileError(AlsatianError):
    """A model file is damaged, truncated, of a newer format, or cannot be written."""


class DependencyError(AlsatianError, ImportError):
    """An optional package is not installed."""


def did_you_mean(word: str, choices: list[str]) -> str:
    """Return " Did you mean 'x'?" for the choice most similar to `word`, or "" if none is similar."""
    import difflib

    matches = difflib.get_close_matches(word, choices, n=1)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def pluralize(number: int, noun: str) -> str:
    """Format a number of things.

    >>> pluralize(1, "user"), pluralize(1200, "user")
    ('1 user', '1,200 users')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def join_names(names: Iterable[object], limit: int = 12) -> str:
    """Format names for a message.

    >>> join_names(["a", "b", "c"], limit=2)
    "'a', 'b' and 1 more"
    """
    words = list(map(repr, names))
    return ", ".join(words[:limit]) + (f" and {len(words) - limit:,} more" if len(words) > limit else "")

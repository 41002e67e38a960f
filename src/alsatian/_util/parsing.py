"""Numbers, spans of time and moments as people write them in recipes."""

from __future__ import annotations

import math
import re
import sys
from datetime import UTC, date, datetime, time

import numpy as np

from alsatian.errors import ParameterError

_UNITS = ((1e17, 1_000_000_000), (1e14, 1_000_000), (1e11, 1_000))  # from this size on: so many a second
_LARGEST = sys.float_info.max  # an integer may be beyond it
_FARTHEST = 2.0**62  # that is still an integer of 64 bits
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.25}
_SPAN = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([hdwy]?)\s*")


def finite(name: str, given: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Return a finite number within bounds."""
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not -_LARGEST <= given <= _LARGEST:
        raise ParameterError(f"{name}={given!r} is not a finite number; pass a number.")
    if not low <= given <= high:
        bound = f"at least {low:g}" if given < low else f"at most {high:g}"
        raise ParameterError(f"{name}={given:g} is out of bounds; pass {bound}.")
    return float(given)


def whole(name: str, given: object, low: int) -> int:
    """Return a whole number of at least `low`."""
    if isinstance(given, bool) or not isinstance(given, int | np.integer):
        raise ParameterError(f"{name}={given!r} is not a whole number; pass {low} or more.")
    if given < low:
        raise ParameterError(f"{name}={given} is too small; the least is {low}.")
    return int(given)


def as_days(name: str, given: object) -> float:
    """Return a span of time in days.

    >>> as_days("half_life", 30), as_days("half_life", "12h"), as_days("half_life", "2w")
    (30.0, 0.5, 14.0)
    """
    days = given
    if isinstance(given, str):
        if not (found := _SPAN.fullmatch(given)):
            raise ParameterError(f"{name}={given!r} is no span of time; write days, or '12h', '30d', '8w', '1y'.")
        days = float(found[1]) * _DAYS[found[2] or "d"]
    days = finite(name, days)
    if days <= 0:
        raise ParameterError(f"{name}={given!r} is no span of time; it must be above 0.")
    return days


def as_moment(name: str, given: object) -> int:
    """Return a moment as seconds since 1970; without a zone it is in UTC.

    >>> as_moment("reference", "1970-01-02"), as_moment("reference", date(1970, 1, 2))
    (86400, 86400)
    """
    if isinstance(given, str):
        try:
            given = datetime.fromisoformat(given)
        except ValueError:
            raise ParameterError(
                f"{name}={given!r} is no moment; write a date such as 2016-12-31, or seconds since 1970."
            ) from None
    if isinstance(given, date) and not isinstance(given, datetime):
        given = datetime.combine(given, time())
    if isinstance(given, datetime):
        return math.floor((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp())
    return math.floor(finite(name, given, -_FARTHEST, _FARTHEST))


def unit_of(moment: float) -> tuple[float, int]:
    """Return the unit of a time since 1970: from which size on it is taken to be in it, and how many make a second."""
    return next((unit for unit in _UNITS if moment >= unit[0]), (0, 1))

"""Parse the numbers, durations and timestamps of a recipe."""

from __future__ import annotations

import math
import re
import sys
from datetime import UTC, date, datetime, time

import numpy as np

from alsatian.errors import ParameterError

_TIMESTAMP_UNITS = ((1e17, 1_000_000_000), (1e14, 1_000_000), (1e11, 1_000))  # (from this value on, units per second)
_MAX_FLOAT = sys.float_info.max  # Python integers may exceed it
_MAX_TIMESTAMP = 2.0**62  # fits a 64-bit integer
_DAYS_PER_UNIT = {"h": 1 / 24, "d": 1.0, "w": 7.0, "y": 365.25}
_DURATION_PATTERN = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([hdwy]?)\s*")


def require_finite(name: str, value: object, low: float = -math.inf, high: float = math.inf) -> float:
    """Return `value` as a float; raises ParameterError if it is not a finite number within the bounds."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.number)
        or not -_MAX_FLOAT <= value <= _MAX_FLOAT
    ):
        raise ParameterError(f"{name}={value!r} is not a finite number; pass a number.")
    if not low <= value <= high:
        bound = f"at least {low:g}" if value < low else f"at most {high:g}"
        raise ParameterError(f"{name}={value:g} is out of bounds; pass {bound}.")
    return float(value)


def require_int(name: str, value: object, low: int) -> int:
    """Return `value` as an int; raises ParameterError if it is not a whole number of at least `low`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ParameterError(f"{name}={value!r} is not a whole number; pass {low} or more.")
    if value < low:
        raise ParameterError(f"{name}={value} is too small; the minimum is {low}.")
    return int(value)


def parse_duration(name: str, value: object) -> float:
    """Return a duration in days. Raises ParameterError if `value` is not a duration.

    >>> parse_duration("half_life", 30), parse_duration("half_life", "12h"), parse_duration("half_life", "2w")
    (30.0, 0.5, 14.0)
    """
    days = value
    if isinstance(value, str):
        if not (match := _DURATION_PATTERN.fullmatch(value)):
            raise ParameterError(f"{name}={value!r} is not a duration; write days, or '12h', '30d', '8w', '1y'.")
        days = float(match[1]) * _DAYS_PER_UNIT[match[2] or "d"]
    days = require_finite(name, days)
    if days <= 0:
        raise ParameterError(f"{name}={value!r} is not a duration; it must be above 0.")
    return days


def parse_timestamp(name: str, value: object) -> int:
    """Return a time as seconds since 1970. A time without a zone is in UTC.

    Raises ParameterError if `value` is not a date, a time or a number of seconds.

    >>> parse_timestamp("reference", "1970-01-02"), parse_timestamp("reference", date(1970, 1, 2))
    (86400, 86400)
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ParameterError(
                f"{name}={value!r} is not a date or time; write a date such as 2016-12-31, or seconds since 1970."
            ) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if isinstance(value, datetime):
        return math.floor((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    return math.floor(require_finite(name, value, -_MAX_TIMESTAMP, _MAX_TIMESTAMP))


def timestamp_unit(timestamp: float) -> tuple[float, int]:
    """Infer the unit of a time since 1970 from its size.

    Return the smallest time that is read in this unit, and the number of units per second.
    """
    return next((unit for unit in _TIMESTAMP_UNITS if timestamp >= unit[0]), (0, 1))

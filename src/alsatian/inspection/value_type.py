"""Detect whether values are ratings or amounts, and suggest models for them."""

from __future__ import annotations

import numpy as np

from alsatian._util.formatting import format_number
from alsatian.data.interactions import Interactions
from alsatian.ingest.assemble import default_duplicate_rule, look_like_ratings

EXPLICIT, IMPLICIT = "explicit-als", "implicit-als"


def looks_explicit(data: Interactions) -> tuple[bool, str]:
    """Return whether the values look like ratings (few distinct values on a short scale), and the reason."""
    column = data.recipe.columns.get("value")
    low, high = float(data.values.min()), float(data.values.max())
    if data.recipe.makes_confidences:
        return (
            False,
            f"because the values are amounts computed by the recipe: {format_number(low)} to {format_number(high)}",
        )
    if column and low < high and default_duplicate_rule(data.values, column) == "last":
        if not look_like_ratings(data.values):
            return (
                True,
                f"because of the name of column {column!r} (from {format_number(low)} to {format_number(high)})",
            )
        distinct_values = count_distinct(data)
        return True, f"because the values look like ratings: {distinct_values} distinct values from {low:g} to {high:g}"
    if not column:
        return False, "because there is no column of values, so only interactions are counted"
    if low == high:
        return False, f"because all values are {low:g}"
    return (
        False,
        "because the values look like amounts, not ratings: "
        f"{format_number(low)} to {format_number(high)} in {column!r}",
    )


def suggest_models(data: Interactions) -> tuple[list[str], str]:
    """Return the names of the models that suit the values, and the reason."""
    explicit, reason = looks_explicit(data)
    return [EXPLICIT, IMPLICIT] if explicit else [IMPLICIT], reason


def count_distinct(data: Interactions) -> int:
    """Return the number of distinct values."""
    return len(np.unique(data.values))


def suggested_threshold(data: Interactions) -> float:
    """Return the lowest rating that counts as a like: the lowest one in the upper quarter of the scale.

    It is 4 for scales of 0.5 to 5 and 1 to 5, and 8 for a scale of 1 to 10.
    """
    low, high = float(data.values.min()), float(data.values.max())
    return float(data.values[data.values >= low + 0.75 * (high - low)].min())


def describe_huge_amounts(data: Interactions) -> str | None:
    """Return a warning if a few amounts would outweigh all others, else None."""
    typical, high = float(np.quantile(data.values, 0.99)), float(data.values.max())
    if typical <= 0 or high <= 50 * typical:
        return None
    return (
        "a few values are huge, and huge values have a large weight: "
        f"99% are at most {format_number(typical)}, the largest is {format_number(high)}; "
        "--set use_values=false gives all values the same weight"
    )


def above_zero_condition(column: str) -> str:
    """Return the SQL condition that a column is above 0."""
    is_plain_name = column.isidentifier() and column.isascii()
    return f"{column} > 0" if is_plain_name else f'"{column}" > 0'

"""What the values of some data are, ratings or amounts, and which models suit them."""

from __future__ import annotations

import numpy as np

from alsatian._util.formatting import format_number
from alsatian.data.interactions import Interactions
from alsatian.ingest.assemble import default_duplicate_rule, look_like_ratings

EXPLICIT, IMPLICIT = "explicit-als", "implicit-als"


def looks_explicit(data: Interactions) -> tuple[bool, str]:
    """Tell whether the values look like ratings (few different ones on a short scale), and why."""
    column = data.recipe.columns.get("value")
    low, high = float(data.values.min()), float(data.values.max())
    if data.recipe.makes_confidences:
        return (
            False,
            f"because the values are amounts that the recipe makes: {format_number(low)} to {format_number(high)}",
        )
    if column and low < high and default_duplicate_rule(data.values, column) == "last":
        if not look_like_ratings(data.values):
            return (
                True,
                f"because column {column!r} is named like ratings (from {format_number(low)} to {format_number(high)})",
            )
        distinct_values = count_distinct(data)
        return True, f"because the values look like ratings: {distinct_values} different ones from {low:g} to {high:g}"
    if not column:
        return False, "because there is no column of values, only whether and how often"
    if low == high:
        return False, f"because all values are {low:g}"
    return (
        False,
        "because the values look like amounts, not ratings: "
        f"{format_number(low)} to {format_number(high)} in {column!r}",
    )


def suggest_models(data: Interactions) -> tuple[list[str], str]:
    """Return the names of the models that suit the values, and why."""
    explicit, reason = looks_explicit(data)
    return [EXPLICIT, IMPLICIT] if explicit else [IMPLICIT], reason


def count_distinct(data: Interactions) -> int:
    """Return the number of distinct values."""
    return len(np.unique(data.values))


def suggested_threshold(data: Interactions) -> float:
    """Return from which value on a rating is a like: the first in the upper quarter of the scale.

    4 of 0.5 to 5 and of 1 to 5; 8 of 1 to 10.
    """
    low, high = float(data.values.min()), float(data.values.max())
    return float(data.values[data.values >= low + 0.75 * (high - low)].min())


def describe_huge_amounts(data: Interactions) -> str | None:
    """Say so if a few amounts would outweigh all others."""
    typical, high = float(np.quantile(data.values, 0.99)), float(data.values.max())
    if typical <= 0 or high <= 50 * typical:
        return None
    return (
        "a few values are huge, and huge values have a large weight: "
        f"99% are at most {format_number(typical)}, the largest is {format_number(high)}; "
        "--set use_values=false gives all the same weight"
    )


def above_zero_condition(column: str) -> str:
    """Return the SQL condition that a column is above 0."""
    is_plain_name = column.isidentifier() and column.isascii()
    return f"{column} > 0" if is_plain_name else f'"{column}" > 0'

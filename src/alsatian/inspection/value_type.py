"""What the values of some data are, ratings or amounts, and which models suit them."""

from __future__ import annotations

import numpy as np

from alsatian._util.formatting import number
from alsatian.data.interactions import Interactions
from alsatian.ingest.assemble import look_like_ratings, usual_rule

EXPLICIT, IMPLICIT = "explicit-als", "implicit-als"


def judge(data: Interactions) -> tuple[bool, str]:
    """Tell whether the values look like ratings (few different ones on a short scale), and why."""
    column = data.recipe.columns.get("value")
    low, high = float(data.values.min()), float(data.values.max())
    if data.recipe.weighs:
        return False, f"because the values are amounts that the recipe makes: {number(low)} to {number(high)}"
    if column and low < high and usual_rule(data.values, column) == "last":
        if not look_like_ratings(data.values):
            return True, f"because column {column!r} is named like ratings (from {number(low)} to {number(high)})"
        kinds = different(data)
        return True, f"because the values look like ratings: {kinds} different ones from {low:g} to {high:g}"
    if not column:
        return False, "because there is no column of values: what counts is that and how often"
    if low == high:
        return False, f"because all values are {low:g}"
    return False, f"because the values look like amounts, not ratings: {number(low)} to {number(high)} in {column!r}"


def suggested(data: Interactions) -> tuple[list[str], str]:
    """Return the names of the models that suit the values, and why."""
    explicit, why = judge(data)
    return [EXPLICIT, IMPLICIT] if explicit else [IMPLICIT], why


def different(data: Interactions) -> int:
    return len(np.unique(data.values))


def like_from(data: Interactions) -> float:
    """Return from which value on a rating is a like: the first in the upper quarter of the scale.

    4 of 0.5 to 5 and of 1 to 5; 8 of 1 to 10.
    """
    low, high = float(data.values.min()), float(data.values.max())
    return float(data.values[data.values >= low + 0.75 * (high - low)].min())


def huge_amounts(data: Interactions) -> str | None:
    """Say so if a few amounts would outweigh all others."""
    usual, high = float(np.quantile(data.values, 0.99)), float(data.values.max())
    if usual <= 0 or high <= 50 * usual:
        return None
    return (
        f"a few values are huge, and huge values count for much: 99% are at most {number(usual)}, the largest is "
        f"{number(high)}; --set use_values=false takes all alike"
    )


def above_zero(column: str) -> str:
    """Return the SQL condition that a column is above 0."""
    plain = column.isidentifier() and column.isascii()
    return f"{column} > 0" if plain else f'"{column}" > 0'

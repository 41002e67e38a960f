"""A recipe from the command line: a TOML file, overridden by options."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.data.recipe import Recipe


def make_recipe(file: str | None, options: dict[str, Any]) -> Recipe:
    """Return the recipe of a TOML file (None: an empty recipe), overridden by options, which are text.

    Raises ParameterError for an invalid rule, SourceError for a file that cannot be read.
    """
    from alsatian.data.recipe import Recipe

    base = Recipe.from_toml(file) if file else Recipe()
    parsers: dict[str, Callable[[str, Any], Any]] = {
        "events": _parse_weight_pairs,
        "signals": _parse_weight_pairs,
        "unknown_events": _parse_word_or_number,
        "half_life": _parse_word_or_number,
        "reference_date": _parse_date,
    }
    rules = {name: parsers.get(name, _unchanged)(name, value) for name, value in options.items() if value is not None}
    return Recipe(**base.rules() | rules)


def resolve_min_rating(rules: Recipe, min_rating: float | None) -> float | None:
    """Return the min_rating of the option or of the recipe. Raises ParameterError if they differ."""
    if min_rating is not None and rules.min_rating not in (None, min_rating):
        raise ParameterError(
            f"--min-rating {min_rating:g} contradicts the recipe, which sets min_rating={rules.min_rating:g}; "
            "remove one of them."
        )
    return rules.min_rating if min_rating is None else min_rating


def _unchanged(name: str, value: Any) -> Any:
    return value


def _parse_weight_pairs(name: str, text: str) -> dict[str, float]:
    """Parse NAME=WEIGHT,NAME=WEIGHT; a name may contain spaces and "=" signs."""
    weights: dict[str, float] = {}
    for pair in text.split(","):
        key, separator, weight = (part.strip() for part in pair.rpartition("="))
        try:
            number = float(weight)
        except ValueError:
            separator = ""
        if not (key and separator):
            flag = "--" + name
            raise ParameterError(f"{flag} {pair.strip()!r} is not NAME=WEIGHT; write it like {flag} VIEW=1,LIKE=2.")
        if key in weights:
            raise ParameterError(f"--{name} gives {key!r} twice; pass it once.")
        weights[key] = number
    return weights


def _parse_date(name: str, text: str) -> str | float:
    """Parse a date, also as 20161231, or seconds since 1970, which have more than eight digits."""
    return text if len(text.strip()) <= 8 else _parse_word_or_number(name, text)


def _parse_word_or_number(name: str, text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text

"""The options that make a recipe: a TOML file, and flags that say the same and come before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from alsatian.errors import ParameterError

if TYPE_CHECKING:
    from alsatian.data.recipe import Recipe


def make_recipe(file: str | None, given: dict[str, Any]) -> Recipe:
    """Return the recipe of a TOML file (None: an empty one) with the rules that flags give, as they are written.

    Raises ParameterError for what is no rule, SourceError for a file that cannot be read.
    """
    from alsatian.data.recipe import Recipe

    base = Recipe.from_toml(file) if file else Recipe()
    read: dict[str, Callable[[str, Any], Any]] = {
        "events": _weights,
        "signals": _weights,
        "unknown_events": _word_or_number,
        "half_life": _word_or_number,
        "reference": _moment,
    }
    rules = {name: read.get(name, _as_it_is)(name, value) for name, value in given.items() if value is not None}
    return Recipe(**base.rules() | rules)


def likes_from(rules: Recipe, likes: float | None) -> float | None:
    """Return from which value on ratings are likes, as --likes or the recipe says. Raises ParameterError."""
    if likes is not None and rules.at_least not in (None, likes):
        raise ParameterError(f"--likes {likes:g} contradicts the recipe, which says at_least={rules.at_least:g}.")
    return rules.at_least if likes is None else likes


def _as_it_is(name: str, value: Any) -> Any:
    return value


def _weights(name: str, written: str) -> dict[str, float]:
    """Read NAME=WEIGHT,NAME=WEIGHT; a name may hold blanks and signs of equality."""
    weights: dict[str, float] = {}
    for pair in written.split(","):
        key, equals, weight = (part.strip() for part in pair.rpartition("="))
        try:
            number = float(weight)
        except ValueError:
            equals = ""
        if not (key and equals):
            flag = "--" + name
            raise ParameterError(f"{flag} {pair.strip()!r} is not NAME=WEIGHT; write it like {flag} VIEW=1,LIKE=2.")
        if key in weights:
            raise ParameterError(f"--{name} gives {key!r} twice; give it once.")
        weights[key] = number
    return weights


def _moment(name: str, written: str) -> str | float:
    """Read a date, also as 20161231, or seconds since 1970, which have more than eight digits."""
    return written if len(written.strip()) <= 8 else _word_or_number(name, written)


def _word_or_number(name: str, written: str) -> str | float:
    try:
        return float(written)
    except ValueError:
        return written

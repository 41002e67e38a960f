"""Validate and normalize the rules of a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import numpy as np

from alsatian._util.parsing import require_finite
from alsatian.errors import ParameterError


def require_choice(name: str, value: Any, choices: Any) -> Any:
    """Return a value that is one of the choices of a Literal; raises ParameterError for another."""
    if value not in get_args(choices):
        choice_text = " or ".join(map(repr, get_args(choices)))
        raise ParameterError(f"{name}={value!r} is not valid; choose {choice_text}.")
    return value


def parse_weights(name: str, mapping: object, minimum: float = -np.inf) -> dict[str, float]:
    """Return name -> weight; raises ParameterError for another type, or a weight that is not above the minimum."""
    if not isinstance(mapping, Mapping):
        raise ParameterError(
            f"{name}={mapping!r} is not a mapping from names to weights; pass {{'VIEW': 1, 'LIKE': 2}}."
        )
    weights = {str(key): require_finite(f"the weight of {key!r} in {name}", value) for key, value in mapping.items()}
    for key, weight in weights.items():
        if weight <= minimum:
            raise ParameterError(f"the weight of {key!r} in {name} is {weight:g}; it must be above {minimum:g}.")
    return weights


def parse_columns(name: str, mapping: object) -> dict[str, str]:
    """Return role -> name of a column; raises ParameterError for another type."""
    if not isinstance(mapping, Mapping) or not all(isinstance(column, str) for column in mapping.values()):
        raise ParameterError(
            f"{name}={mapping!r} is not a mapping from roles to columns; pass {{'event': 'eventType'}}."
        )
    return {str(role): column for role, column in mapping.items()}


def parse_unknown_events(name: str, value: object) -> Any:
    """Return "raise", "ignore" or a weight; raises ParameterError for anything else."""
    if value in ("raise", "ignore"):
        return value
    if isinstance(value, str):
        raise ParameterError(f"{name}={value!r} is not valid; choose 'raise', 'ignore' or a weight.")
    return require_finite(name, value)

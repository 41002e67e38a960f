"""The search space of a model: the ranges that its parameters declare, or requested ranges.

A parameter declares its range next to its default: `param(default=0.8, search=(0.01, 3, "log"))`. search=True stands
for all of its choices.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from alsatian.errors import ParameterError, join_names
from alsatian.recommender.hyperparameters import Hyperparameters, Param

if TYPE_CHECKING:
    from alsatian.recommender.model import Model

SCALES = ("linear", "log")
GRID_POINTS = 4  # of a range, in a grid


@dataclass(frozen=True)
class Range:
    """All numbers (or integers) from low to high. On the scale "log", each factor of ten has the same weight."""

    low: float
    high: float
    scale: Literal["linear", "log"] = "linear"
    is_integer: bool = False

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high

    def points(self) -> list[Any]:
        """Return a few numbers of the range for a grid, including both ends.

        >>> Range(8, 64, "log", is_integer=True).points()
        [8, 16, 32, 64]
        """
        space = np.geomspace if self.scale == "log" else np.linspace
        values = space(self.low, self.high, GRID_POINTS)
        return list(dict.fromkeys(map(int, np.rint(values)) if self.is_integer else map(float, values)))

    def __str__(self) -> str:
        """Return the range in the exact form that `parse_cli` reads."""
        low, high = (repr(float(end)).removesuffix(".0") for end in (self.low, self.high))
        return f"{low}..{high}:{self.scale}"


@dataclass(frozen=True)
class Choices:
    """A list of values to choose from."""

    values: tuple[Any, ...]

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def points(self) -> list[Any]:
        """Return all values, for a grid."""
        return list(self.values)

    def __str__(self) -> str:
        return ",".join(map(str, self.values))


Space = dict[str, Range | Choices]
SearchSpec = Mapping[str, Any] | Iterable[str]


def default_space(model: Model) -> Space:
    """Return the ranges that the model's parameters declare.

    Settings that are not at their defaults stay fixed, and so do settings that have no effect with the others.
    """
    names = [name for name, param in model.hyperparameters.items() if param.search and name not in model.non_default]
    dimensions = {name: _default_dimension(model, name) for name in names}
    return {name: dimension for name, dimension in dimensions.items() if dimension is not None}


def _default_dimension(model: Hyperparameters, name: str) -> Range | Choices | None:
    """Return a declared range, as far as the other settings allow it, or None."""
    param = model.param(name)
    search = model.search_range(name)
    if search is None:
        return None
    if search is True:
        values = (False, True) if param.kind is bool else param.choices or ()
        allowed = tuple(value for value in values if _setting_conflict(model, name, value) is None)
        return Choices(allowed) if len(allowed) > 1 else None
    low, high, scale = search
    return (
        Range(low, high, scale, param.kind is int) if _setting_conflict(model, name, param.kind(low)) is None else None
    )


def parse_space(model: Model, request: SearchSpec) -> Space:
    """Return the requested space: {"reg": (0.01, 1, "log"), "factors": [16, 32]}, or names with declared ranges.

    Raises ParameterError for settings that the model does not have, and values that are not valid.
    """
    if isinstance(request, str):
        request = [request]
    pairs = request.items() if isinstance(request, Mapping) else ((name, None) for name in request)
    return {name: _parse_dimension(model, name, spec) for name, spec in pairs}


def _parse_dimension(model: Model, name: str, spec: Any) -> Range | Choices:
    param = model.param(name)
    if spec is None:
        if (default := _default_dimension(model, name)) is None:
            raise ParameterError(f"{model.name} declares no search range for {name}; pass {_example(name, param)}.")
        return default
    if isinstance(spec, tuple):
        return _parse_range(model, name, param, spec)
    if not isinstance(spec, list) or not spec:
        raise ParameterError(f"{name}={spec!r} is not a range or a list of values; pass {_example(name, param)}.")
    values = tuple(dict.fromkeys(param.check(name, value) for value in spec))
    for value in values:
        if conflict := _setting_conflict(model, name, value):
            raise conflict
    return Choices(values)


def _parse_range(model: Model, name: str, param: Param, spec: tuple[Any, ...]) -> Range:
    if param.kind not in (int, float):
        raise ParameterError(f"{name} is not a number, so {spec!r} is not valid; pass {_example(name, param)}.")
    search = model.search_range(name)
    default_scale = search[2] if isinstance(search, tuple) else "linear"
    if len(spec) not in (2, 3):
        raise ParameterError(f"{name}={spec!r} is not a range; pass {_example(name, param)}.")
    low, high = (param.check(name, end) for end in spec[:2])
    scale = spec[2] if len(spec) == 3 else default_scale
    if scale not in SCALES:
        raise ParameterError(f"the scale {scale!r} of {name} is not one of {', '.join(SCALES)}.")
    if low >= high:
        raise ParameterError(f"{name} from {low:g} to {high:g} is not a range; put the smaller number first.")
    if scale == "log" and low <= 0:
        raise ParameterError(f"{name} from {low:g} has no log scale; begin above 0, or pass the scale 'linear'.")
    if conflict := _setting_conflict(model, name, low):
        raise conflict
    return Range(low, high, scale, param.kind is int)


def _setting_conflict(model: Hyperparameters, name: str, value: Any) -> ParameterError | None:
    """Return the error of a setting that conflicts with the others, or None."""
    try:
        type(model)(**model.params | {name: value})
    except ParameterError as error:
        return error
    return None


def _example(name: str, param: Param) -> str:
    if param.kind is bool:
        return f"{name}=[False, True]"
    if param.choices:
        return f"{name}={list(param.choices)}"
    low = param.low or 1
    return f"{name}=({low:g}, {low * 10:g}), or a list of values"


def limit_factors(space: Space, limit: int) -> Space:
    """Return a space whose factors are at most `limit`, the number of users or items."""
    factors = space.get("factors")
    if not isinstance(factors, Range) or factors.high <= limit:
        return space
    if limit <= factors.low:
        return space | {"factors": Choices((limit,))}
    return space | {"factors": replace(factors, high=limit)}


def parse_cli(model: type[Model], texts: Iterable[str]) -> dict[str, Any]:
    """Parse search ranges of the command line: reg=0.01..1, reg=0.01..1:log, factors=16,32, or reg.

    >>> from alsatian.models import ExplicitALS
    >>> parse_cli(ExplicitALS, ["reg=0.01..1", "factors=16,32", "epochs"])
    {'reg': (0.01, 1.0), 'factors': [16, 32], 'epochs': None}
    """
    dimensions: dict[str, Any] = {}
    for text in texts:
        name, equals, values = (piece.strip() for piece in text.partition("="))
        if not name or (equals and not values):
            raise ParameterError(f"{text!r} is not a search range; pass for example reg=0.01..1 or factors=16,32.")
        if name in dimensions:
            raise ParameterError(f"{join_names([name])} is listed twice in the search; pass it once.")
        dimensions[name] = _parse_cli_values(model.param(name), name, values) if equals else None
    return dimensions


def _parse_cli_values(param: Param, name: str, text: str) -> Any:
    low, dots, upper = text.partition("..")
    if not dots:
        return [param.parse(name, value.strip()) for value in text.split(",")]
    high, colon, scale = (piece.strip() for piece in upper.partition(":"))
    ends = param.parse(name, low.strip()), param.parse(name, high)
    return (*ends, scale) if colon else ends

"""Hyper-parameters, declared once: constructor, command line, model file and documentation are derived from this."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, dataclass_transform

import numpy as np

from alsatian.errors import ParameterError, did_you_mean
from alsatian.recommender import registry

# Where to search for a better value (tuning/search_space.py): lowest, highest and scale, or True for all choices.
SearchRange = tuple[float, float, Literal["linear", "log"]] | Literal[True]


@dataclass(frozen=True)
class Param:
    """One hyper-parameter: its default, meaning and bounds, and where to search for a better value."""

    default: Any
    doc: str
    kind: type
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    search: SearchRange | None = None

    def check(self, name: str, value: Any) -> Any:
        """Return the value, converted to the type of the parameter. Raises ParameterError if it is not valid."""
        if value is None and self.default is None:
            return None
        accepted = {
            int: (int, np.integer),
            float: (int, float, np.number),
            bool: (bool, np.bool_),
            str: (str,),
        }
        is_boolean = isinstance(value, bool | np.bool_) and self.kind is not bool
        if is_boolean or not isinstance(value, accepted[self.kind]):
            raise ParameterError(
                f"{name}={value!r} is not {_describe_kind(self.kind)}; pass "
                f"{_describe_kind(self.kind)}, such as {self.example}."
            )
        value = self.kind(value)
        if self.kind is float and not math.isfinite(value):
            raise ParameterError(f"{name}={value} is not finite; pass a number such as {self.example}.")
        if self.choices and value not in self.choices:
            raise ParameterError(
                f"{name}={value!r} is not one of {', '.join(self.choices)}.{did_you_mean(value, list(self.choices))}"
            )
        if self.low is not None and value < self.low:
            raise ParameterError(f"{name}={value:g} is too small; the minimum is {self.low:g}.")
        if self.high is not None and value > self.high:
            raise ParameterError(f"{name}={value:g} is too large; the maximum is {self.high:g}.")
        return value

    def to_json(self, value: Any) -> Any:
        """Return a value as JSON, in a form that `check` accepts."""
        return value

    @property
    def example(self) -> str:
        """A valid value as text, for messages: the default, the first choice, or the lower bound."""
        if self.default is not None:
            return str(self.default)
        return self.choices[0] if self.choices else str(self.kind(self.low or 1))

    @property
    def bounds_text(self) -> str:
        """The bounds or choices as text, or an empty string."""
        if self.choices:
            return f" ({', '.join(self.choices)})"
        limits = (("at least", self.low), ("at most", self.high))
        texts = [f"{label} {limit:g}" for label, limit in limits if limit is not None]
        return f" ({', '.join(texts)})" if texts else ""

    def parse(self, name: str, text: str) -> Any:
        """Parse a value from the command line (`--set NAME=VALUE`). Raises ParameterError if it is not valid."""
        if self.default is None and text.lower() in ("", "none"):
            return None
        if self.kind is bool:
            if text.lower() not in ("true", "false"):
                raise ParameterError(f"{name}={text} is not valid; pass true or false.")
            return text.lower() == "true"
        try:
            return self.check(name, self.kind(text))
        except ValueError as error:
            if isinstance(error, ParameterError):
                raise
            message = f"{name}={text} is not {_describe_kind(self.kind)}; pass one, such as {self.example}."
            raise ParameterError(message) from None


def param(
    *,
    default: Any,
    doc: str,
    kind: type | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    search: SearchRange | None = None,
) -> Any:
    """Declare a hyper-parameter of a model class: `factors: int = param(default=64, doc="...", low=1)`."""
    return Param(default, doc, kind or type(default), low, high, choices, search)


@dataclass_transform(kw_only_default=True, field_specifiers=(param,))
class Hyperparameters:
    """A class whose constructor takes the hyper-parameters that it and its bases declare with `param`."""

    hyperparameters: ClassVar[dict[str, Param]] = {}
    name: ClassVar[str] = ""  # in kebab case, as on the command line

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared = {name: value for name, value in vars(cls).items() if isinstance(value, Param)}
        cls.hyperparameters = {**cls.hyperparameters, **declared}
        cls.name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__.removesuffix("Model")).lower()
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{cls.describe()}"
        keyword = inspect.Parameter.KEYWORD_ONLY
        cls.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(name, keyword, default=declaration.default)
                for name, declaration in cls.hyperparameters.items()
            ]
        )

    def __init__(self, **values: Any) -> None:
        for name in values:
            self.param(name)
        for name, declaration in self.hyperparameters.items():
            setattr(self, name, declaration.check(name, values.get(name, declaration.default)))
        self._check_params()

    def _check_params(self) -> None:
        """Raise ParameterError for settings that conflict with each other."""

    @classmethod
    def param(cls, name: str) -> Param:
        """Return the declaration of a parameter.

        Raises ParameterError for an unknown name, with the models that have it or the most similar name.
        """
        if name in cls.hyperparameters:
            return cls.hyperparameters[name]
        owners = registry.models_with_parameter(name)
        hint = f" It belongs to {', '.join(owners)}." if owners else did_you_mean(name, list(cls.hyperparameters))
        raise ParameterError(
            f"{cls.name} has no parameter {name!r}; it has {', '.join(cls.hyperparameters) or 'none'}.{hint}"
        )

    def search_range(self, name: str) -> SearchRange | None:
        """Return the search range of a parameter, given the other settings, or None if it is not searched."""
        return self.hyperparameters[name].search

    def effective_value(self, name: str) -> Any:
        """Return the value in effect: the setting, or the default that None stands for."""
        return getattr(self, name)

    @classmethod
    def describe(cls) -> str:
        """Return one line per parameter with its default, meaning and bounds."""
        lines = [
            f"    {name}={declaration.default!r}: {declaration.doc}{declaration.bounds_text}"
            for name, declaration in cls.hyperparameters.items()
        ]
        return "\n".join(["Parameters:", *lines]) if lines else "It has no parameters."

    @property
    def params(self) -> dict[str, Any]:
        """The hyper-parameters with their values, as a model file stores them and the constructor accepts them."""
        return {name: declaration.to_json(getattr(self, name)) for name, declaration in self.hyperparameters.items()}

    @property
    def non_default(self) -> dict[str, Any]:
        """The hyper-parameters whose values are not their defaults."""
        settings = (
            (name, getattr(self, name), declaration.default) for name, declaration in self.hyperparameters.items()
        )
        return {name: value for name, value, default in settings if value != default}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.non_default.items())})"


def _describe_kind(kind: type) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a string"}[kind]


def check_shapes(state: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError for the first array that is missing or of another shape."""
    for name, shape in shapes.items():
        if name not in state or state[name].shape != shape:
            raise ValueError(f"{name} is missing or does not have the shape {shape}")

"""Hyper-parameters, declared once: constructor, command line, saved header and documentation derive from it."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, dataclass_transform

import numpy as np

from alsatian.errors import ParameterError, nearest

# Where to look for a better value (search_space.py): from, to and the scale; True: among all choices.
Search = tuple[float, float, Literal["linear", "log"]] | Literal[True]


@dataclass(frozen=True)
class Param:
    """One hyper-parameter: its default, meaning and bounds, and where to search for a better value."""

    default: Any
    doc: str
    kind: type
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] | None = None
    search: Search | None = None

    def check(self, name: str, value: Any) -> Any:
        """Return the value in its own type, or raise ParameterError with the bound or the choices."""
        if value is None and self.default is None:
            return None
        accepted = {
            int: (int, np.integer),
            float: (int, float, np.number),
            bool: (bool, np.bool_),
            str: (str,),
        }
        boolean = isinstance(value, bool | np.bool_) and self.kind is not bool
        if boolean or not isinstance(value, accepted[self.kind]):
            raise ParameterError(
                f"{name}={value!r} is not {_named(self.kind)}; pass {_named(self.kind)}, such as {self.example}."
            )
        value = self.kind(value)
        if self.kind is float and not math.isfinite(value):
            raise ParameterError(f"{name}={value} is not finite; pass a number such as {self.example}.")
        if self.choices and value not in self.choices:
            raise ParameterError(
                f"{name}={value!r} is not one of {', '.join(self.choices)}.{nearest(value, list(self.choices))}"
            )
        if self.low is not None and value < self.low:
            raise ParameterError(f"{name}={value:g} is too small; the least is {self.low:g}.")
        if self.high is not None and value > self.high:
            raise ParameterError(f"{name}={value:g} is too large; the most is {self.high:g}.")
        return value

    def plain(self, value: Any) -> Any:
        """Return a value as JSON holds it; `check` takes it back."""
        return value

    @property
    def example(self) -> str:
        if self.default is not None:
            return str(self.default)
        return self.choices[0] if self.choices else str(self.kind(self.low or 1))

    @property
    def bounds(self) -> str:
        """The bounds or choices in words, or nothing."""
        if self.choices:
            return f" ({', '.join(self.choices)})"
        limits = (("at least", self.low), ("at most", self.high))
        parts = [f"{words} {limit:g}" for words, limit in limits if limit is not None]
        return f" ({', '.join(parts)})" if parts else ""

    def parse(self, name: str, written: str) -> Any:
        """Read a value written on a command line (`--set name=written`)."""
        if self.default is None and written.lower() in ("", "none"):
            return None
        if self.kind is bool:
            if written.lower() not in ("true", "false"):
                raise ParameterError(f"{name}={written} is not true or false; write one of the two.")
            return written.lower() == "true"
        try:
            return self.check(name, self.kind(written))
        except ValueError as error:
            if isinstance(error, ParameterError):
                raise
            words = f"{name}={written} is not {_named(self.kind)}; write one, such as {self.example}."
            raise ParameterError(words) from None


def param(
    *,
    default: Any,
    doc: str,
    kind: type | None = None,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] | None = None,
    search: Search | None = None,
) -> Any:
    """Declare a hyper-parameter of a model class: `factors: int = param(default=64, doc="...", low=1)`."""
    return Param(default, doc, kind or type(default), low, high, choices, search)


@dataclass_transform(kw_only_default=True, field_specifiers=(param,))
class Parameters:
    """A class whose constructor takes the hyper-parameters that it and its bases declare with `param`."""

    declared: ClassVar[dict[str, Param]] = {}
    name: ClassVar[str] = ""  # in kebab case, as on the command line

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = {name: value for name, value in vars(cls).items() if isinstance(value, Param)}
        cls.declared = {**cls.declared, **own}
        cls.name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls.__name__).lower()
        cls.__doc__ = f"{inspect.cleandoc(cls.__doc__ or '')}\n\n{cls.described()}"
        keyword = inspect.Parameter.KEYWORD_ONLY
        cls.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [inspect.Parameter(name, keyword, default=p.default) for name, p in cls.declared.items()]
        )

    def __init__(self, **given: Any) -> None:
        for name in given:
            self.param(name)
        for name, declared in self.declared.items():
            setattr(self, name, declared.check(name, given.get(name, declared.default)))
        self._check_params()

    def _check_params(self) -> None:
        """Raise ParameterError for settings that exclude each other."""

    @classmethod
    def param(cls, name: str) -> Param:
        """Return the declaration of a parameter; ParameterError names the model it belongs to, or the nearest."""
        if name in cls.declared:
            return cls.declared[name]
        from alsatian.models import MODELS

        owners = [other for other, model in MODELS.items() if name in model.declared]
        hint = f" It belongs to {', '.join(owners)}." if owners else nearest(name, list(cls.declared))
        raise ParameterError(f"{cls.name} has no parameter {name!r}; it has {', '.join(cls.declared) or 'none'}.{hint}")

    def search_of(self, name: str) -> Search | None:
        """Return where to search for a better value of a parameter, given the other settings, or None."""
        return self.declared[name].search

    def _setting(self, name: str) -> Any:
        """Return the value that counts: as it is given, or what None stands for."""
        return getattr(self, name)

    @classmethod
    def described(cls) -> str:
        """Return a line for each parameter: its default, meaning and bounds."""
        lines = [f"    {name}={p.default!r}: {p.doc}{p.bounds}" for name, p in cls.declared.items()]
        return "\n".join(["Parameters:", *lines]) if lines else "It has no parameters."

    @property
    def params(self) -> dict[str, Any]:
        """The hyper-parameters with their values, as a model file keeps them and the constructor takes them."""
        return {name: declared.plain(getattr(self, name)) for name, declared in self.declared.items()}

    @property
    def changed(self) -> dict[str, Any]:
        """The hyper-parameters whose values are not their defaults."""
        given = ((name, getattr(self, name), declared.default) for name, declared in self.declared.items())
        return {name: value for name, value, default in given if value != default}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.changed.items())})"


def _named(kind: type) -> str:
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[kind]


def check_shapes(learned: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Raise ValueError for the first array that is missing or of another shape."""
    for name, shape in shapes.items():
        if name not in learned or learned[name].shape != shape:
            raise ValueError(f"{name} is missing or does not have the shape {shape}")

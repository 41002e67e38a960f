"""Models as hyper-parameters of another model: given as models, by name, or as text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alsatian.errors import ParameterError, nearest
from alsatian.recommender.hyperparameters import Param

if TYPE_CHECKING:
    from alsatian.recommender.model import Model

_FORMS = "pass models such as ImplicitALS(), or their names"


def named(name: str) -> type[Model]:
    """Return the class of a model by its name on the command line."""
    from alsatian.models import MODELS

    if name not in MODELS:
        raise ParameterError(f"there is no model {name!r}; choose {', '.join(MODELS)}.{nearest(name, list(MODELS))}")
    return MODELS[name]


def made(value: Any) -> Model:
    """Return a new, unfitted model: like the one given, as its name says, or as `plain` wrote it down."""
    from alsatian.recommender.model import Model

    if isinstance(value, Model):
        return type(value)(**value.params)
    if isinstance(value, str):
        return _read(value)
    if isinstance(value, Mapping):
        return named(value["model"])(**value["params"])
    raise ParameterError(f"{value!r} is no model; {_FORMS}.")


def _read(written: str) -> Model:
    """Read "implicit-als" or, with settings, "implicit-als:factors=32:reg=0.1"."""
    name, *pairs = (part.strip() for part in written.split(":"))
    kind = named(name)
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ParameterError(f"{written!r} is not NAME:SETTING=VALUE; write it like implicit-als:factors=64.")
        settings[key] = kind.param(key).parse(key, value)
    return kind(**settings)


def plain(model: Model) -> dict[str, Any]:
    """Return a model and its settings as JSON holds them."""
    return {"model": model.name, "params": model.params}


@dataclass(frozen=True)
class Part(Param):
    """One model."""

    def check(self, name: str, value: Any) -> Model:
        return made(value)

    def parse(self, name: str, written: str) -> Model:
        return made(written)

    def plain(self, value: Any) -> dict[str, Any]:
        return plain(value)


@dataclass(frozen=True)
class Parts(Param):
    """Several models."""

    def check(self, name: str, value: Any) -> tuple[Model, ...]:
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, list | tuple):
            raise ParameterError(f"{name}={value!r} is no list; {_FORMS}.")
        if len(value) < 2:
            raise ParameterError(f"{name} names {len(value)} of at least 2 models; {_FORMS}.")
        return tuple(made(part) for part in value)

    def parse(self, name: str, written: str) -> tuple[Model, ...]:
        return self.check(name, written)

    def plain(self, value: Any) -> list[dict[str, Any]]:
        return [plain(part) for part in value]


def model_param(default: str, doc: str) -> Any:
    """Declare a hyper-parameter that holds a model."""
    return Part(default, doc, object)


def models_param(default: tuple[str, ...], doc: str) -> Any:
    """Declare a hyper-parameter that holds several models."""
    return Parts(default, doc, tuple)

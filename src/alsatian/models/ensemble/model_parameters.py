"""Models as hyper-parameters of another model: passed as models, names, or text with settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alsatian.errors import ParameterError
from alsatian.recommender.hyperparameters import Param
from alsatian.recommender.model import Model
from alsatian.recommender.registry import model_class

_MODEL_HINT = "pass models such as ImplicitALS(), or their names"


def as_model(value: Any) -> Model:
    """Return a new, unfitted model from a model, a name such as "implicit-als:factors=32", or a JSON record.

    Raises ParameterError.
    """
    if isinstance(value, Model):
        return type(value)(**value.params)
    if isinstance(value, str):
        return _parse_model(value)
    if isinstance(value, Mapping):
        model: Model = model_class(value["model"])(**value["params"])
        return model
    raise ParameterError(f"{value!r} is not a model; {_MODEL_HINT}.")


def _parse_model(text: str) -> Model:
    """Parse "implicit-als" or, with settings, "implicit-als:factors=32:reg=0.1"."""
    name, *pairs = (piece.strip() for piece in text.split(":"))
    model_type: type[Model] = model_class(name)
    settings = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ParameterError(f"{text!r} is not NAME:SETTING=VALUE; pass a name such as implicit-als:factors=64.")
        settings[key] = model_type.param(key).parse(key, value)
    return model_type(**settings)


def model_to_json(model: Model) -> dict[str, Any]:
    """Return the name and the settings of a model as a JSON-compatible dictionary."""
    return {"model": model.name, "params": model.params}


@dataclass(frozen=True)
class ModelParam(Param):
    """A hyper-parameter that is one model."""

    def check(self, name: str, value: Any) -> Model:
        return as_model(value)

    def parse(self, name: str, text: str) -> Model:
        return as_model(text)

    def to_json(self, value: Any) -> dict[str, Any]:
        return model_to_json(value)


@dataclass(frozen=True)
class ModelListParam(Param):
    """A hyper-parameter that is a list of at least two models."""

    def check(self, name: str, value: Any) -> tuple[Model, ...]:
        if isinstance(value, str):
            value = value.split(",")
        if not isinstance(value, list | tuple):
            raise ParameterError(f"{name}={value!r} is not a list; {_MODEL_HINT}.")
        if len(value) < 2:
            raise ParameterError(f"{name} needs at least 2 models, not {len(value)}; {_MODEL_HINT}.")
        return tuple(as_model(member) for member in value)

    def parse(self, name: str, text: str) -> tuple[Model, ...]:
        return self.check(name, text)

    def to_json(self, value: Any) -> list[dict[str, Any]]:
        return [model_to_json(member) for member in value]


def model_param(default: str, doc: str) -> Any:
    """Declare a hyper-parameter that is a model."""
    return ModelParam(default, doc, object)


def models_param(default: tuple[str, ...], doc: str) -> Any:
    """Declare a hyper-parameter that is a list of models."""
    return ModelListParam(default, doc, tuple)

"""The models by name: each concrete subclass of `Model` is registered when it is defined.

The registry imports no model. Code that reads a name from a file or a command line first imports `alsatian.models`,
which defines all models in the order in which messages list them.
"""

from __future__ import annotations

from typing import Any

from alsatian.errors import ParameterError, Unsupported, did_you_mean

_MODELS: dict[str, type[Any]] = {}


def register(model_type: type[Any]) -> None:
    """Register a model class under its `name`. A later class of the same name replaces it."""
    _MODELS[model_type.name] = model_type


def registered_models() -> dict[str, type[Any]]:
    """Return the model classes by name, in the order of their definition."""
    return dict(_MODELS)


def model_names() -> list[str]:
    """Return the names of all models, in the order of their definition."""
    return list(_MODELS)


def model_class(name: str) -> type[Any]:
    """Return the class of a model by its name, such as "implicit-als". Raises ParameterError for an unknown name."""
    if name not in _MODELS:
        names = model_names()
        raise ParameterError(f"there is no model {name!r}; choose {', '.join(names)}.{did_you_mean(name, names)}")
    return _MODELS[name]


def models_with_parameter(parameter: str) -> list[str]:
    """Return the names of the models that have a hyper-parameter of this name."""
    return [name for name, model_type in _MODELS.items() if parameter in model_type.hyperparameters]


def models_that_support(capability: str) -> list[str]:
    """Return the names of the models whose default settings have a capability, such as "supports_similar"."""
    return [name for name, model_type in _MODELS.items() if getattr(model_type(), capability)]


def unsupported(method: str, name: str, capability: str) -> Unsupported:
    """Return the error of a model that lacks a method; its message lists the models that have it."""
    names = ", ".join(models_that_support(capability))
    return Unsupported(f"{method}() is not supported by {name}. Models that support it: {names}.")

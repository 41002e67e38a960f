"""The names of model files of format 1 (versions before 0.2), and what they are called today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

MODELS = {"baseline": "bias"}
HYPERPARAMETERS = {
    "explicit-als": {"nu": "reg_exponent"},
    "implicit-als": {"nu": "reg_exponent", "form": "loss"},
    "biased-mf": {
        "nu": "reg_exponent", "lr": "learning_rate", "implicit_terms": "svdpp", "validation": "validation_share",
    },
    "item-knn": {"baselines": "subtract_bias"},
    "user-knn": {"baselines": "subtract_bias"},
    "bias": {"reg_user": "user_reg", "reg_item": "item_reg"},
    "blend": {"parts": "members"},
}  # fmt: skip
RECIPE_RULES = {"at_least": "min_rating", "reference": "reference_date"}
ARRAYS = {"placed_users": "cold_users", "placed_items": "cold_items", "shares": "fitted_weights"}


def translate_header(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header of a format-1 file with today's names of models, hyper-parameters and rules."""
    recipe = {RECIPE_RULES.get(rule, rule): value for rule, value in header["recipe"].items()}
    return {**header, **_translate_model(header), "recipe": recipe}


def translate_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a format-1 file by today's names; "learned.0.shares" is an array of the first member."""
    return {_translate_array(name): array for name, array in arrays.items()}


def _translate_model(record: Mapping[str, Any]) -> dict[str, Any]:
    """Translate {"model": name, "params": {...}}, and the members that its parameters hold."""
    name = MODELS.get(record["model"], record["model"])
    names = HYPERPARAMETERS.get(name, {})
    params = {names.get(param, param): _translate_value(value) for param, value in record["params"].items()}
    return {"model": name, "params": params}


def _translate_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_translate_value(member) for member in value]
    return _translate_model(value) if isinstance(value, dict) and "model" in value else value


def _translate_array(name: str) -> str:
    prefix, _, last = name.rpartition(".")
    return f"{prefix}.{ARRAYS[last]}" if name.startswith("learned.") and last in ARRAYS else name

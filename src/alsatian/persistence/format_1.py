"""Translate the old names in model files of format 1, and in study files of the same versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from alsatian.data.recipe import FORMER_RULES

MODEL_NAMES = {"baseline": "bias"}
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
ARRAYS = {"placed_users": "cold_users", "placed_items": "cold_items", "shares": "fitted_weights"}


SPLITS = {"folds": "k-fold", "strong": "new-users", "user-folds": "new-user-folds"}


def translate_header(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the header of a format-1 file with the current names of models, hyper-parameters and rules."""
    recipe = {FORMER_RULES.get(rule, rule): value for rule, value in header["recipe"].items()}
    return {**header, **_translate_model(header), "recipe": recipe}


def translate_arrays(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of a format-1 file by their current names. "learned.0.shares" belongs to the first member."""
    return {_translate_array(name): array for name, array in arrays.items()}


def translate_settings(model: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by the current names of hyper-parameters. model: its old or current name."""
    names = HYPERPARAMETERS.get(MODEL_NAMES.get(model, model), {})
    return {names.get(name, name): _translate_value(value) for name, value in settings.items()}


def translate_search(search: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of a search in a study file with current names. It is unchanged without old names."""
    protocol, colon, arguments = search["split"].partition(":")
    return {
        **search,
        "model": MODEL_NAMES.get(search["model"], search["model"]),
        "settings": translate_settings(search["model"], search["settings"]),
        "space": translate_settings(search["model"], search["space"]),
        "split": f"{SPLITS.get(protocol, protocol)}{colon}{arguments}",
    }


def _translate_model(record: Mapping[str, Any]) -> dict[str, Any]:
    """Translate {"model": name, "params": {...}}, including the members in its parameters."""
    name = MODEL_NAMES.get(record["model"], record["model"])
    return {"model": name, "params": translate_settings(name, record["params"])}


def _translate_value(value: Any) -> Any:
    if isinstance(value, list):
        return [_translate_value(member) for member in value]
    return _translate_model(value) if isinstance(value, dict) and "model" in value else value


def _translate_array(name: str) -> str:
    prefix, _, last = name.rpartition(".")
    return f"{prefix}.{ARRAYS[last]}" if name.startswith("learned.") and last in ARRAYS else name

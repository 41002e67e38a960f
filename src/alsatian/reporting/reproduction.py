"""How to reproduce a report: versions, settings, seeds, and the call or the command."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from alsatian import kernels
from alsatian._version import __version__
from alsatian.data.interactions import Interactions
from alsatian.evaluation import Evaluation
from alsatian.reporting.fitted_models import FittedModel
from alsatian.split import Split

_MODEL_CALL = re.compile(r"\b[A-Z]\w*\(")  # also the members of an ensemble
OFFICIAL_FOLDS, FOLDER_PLACEHOLDER = "movielens-folds", "folder"  # a split of files


def run_facts(
    data: Interactions, split: Split, evaluation: Evaluation, seed: int, threads: int
) -> list[tuple[str, str]]:
    """Return versions, seed, threads and digests of the run, by name."""
    return [
        ("Alsatian", f"{__version__}, kernels: {kernels.instruction_set}"),
        ("Python", f"{platform.python_version()}, NumPy {np.__version__}, {platform.system()} {platform.machine()}"),
        ("seed", f"{seed}, for splits, learning curves and bootstrap"),
        ("bootstrap samples", f"{evaluation.bootstrap:,}"),
        ("threads", f"{threads}; results do not depend on their number"),
        ("digest of the data", data.digest),
        ("digest of the training part", f"{split.train.digest} ({split.label})"),
    ]


def recipe_rules(data: Interactions) -> list[tuple[str, str]]:
    """Return the columns and the rules of the recipe that turned rows into values."""
    rules = {name: str(value) for name, value in data.recipe.rules().items()}
    if columns := [f"{role}: {name}" for role, name in data.recipe.columns.items() if name]:
        rules["columns"] = ", ".join(columns)
    return list(rules.items())


def model_settings(entries: Sequence[FittedModel]) -> list[dict[str, Any]]:
    """Return all settings of each model, marked if they are not the default."""
    return [
        {
            "label": entry.label,
            "settings": [
                (name, str(value), name in entry.model.non_default) for name, value in entry.model.params.items()
            ],
        }
        for entry in entries
    ]


def python_call(entries: Sequence[FittedModel], evaluation: Evaluation, min_rating: float | None, seed: int) -> str:
    """Return the Python call that builds the report."""
    models = ", ".join(_MODEL_CALL.sub(r"al.\g<0>", repr(entry.model)) for entry in entries if entry.is_requested)
    metrics = ", ".join(repr(name) for name in evaluation.requested_metrics)
    arguments = [
        f"metrics=[{metrics}]",
        f"baseline={evaluation.baseline!r}",
        f"bootstrap={evaluation.bootstrap}",
        f"seed={seed}",
    ]
    arguments += [f"min_rating={min_rating:g}"] if min_rating is not None else []
    split = _format_splits([summary.split for summary in evaluation.splits], seed)
    return f'al.report(\n    [{models}], data,\n    split={split},\n    {", ".join(arguments)},\n).save("report.html")'


def _format_splits(names: Sequence[str], seed: int) -> str:
    """Return the splits as Python code."""
    if len(names) == 1 and names[0] != OFFICIAL_FOLDS:
        return repr(names[0])
    expressions = [
        f"al.split.movielens_folds({FOLDER_PLACEHOLDER})"
        if name == OFFICIAL_FOLDS
        else f"al.split.from_spec({name!r}, data, {seed})"
        for name in names
    ]
    return expressions[0] if len(expressions) == 1 else f"[{', '.join(f'*{expression}' for expression in expressions)}]"

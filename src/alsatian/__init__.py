"""Alsatian: ratings or events in, recommendations out.

>>> import alsatian as al
>>> ratings = al.datasets.load("movielens-small")
>>> split = al.split.per_user(ratings, n=10, seed=0)
>>> model = al.ExplicitALS(factors=8, epochs=2).fit(split.train, progress=False)
>>> len(model.recommend(1, n=5))
5
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from alsatian._version import __version__ as __version__

if TYPE_CHECKING:
    from alsatian import datasets, evaluation, metrics, posters, spark, split
    from alsatian.data.catalog import Catalog
    from alsatian.data.id_map import IdMap
    from alsatian.data.interactions import Interactions
    from alsatian.data.recipe import Recipe
    from alsatian.errors import AlsatianError
    from alsatian.evaluation import Evaluation, evaluate
    from alsatian.evaluation.learning_curves import LearningCurves
    from alsatian.ingest import read
    from alsatian.models import (
        EASE,
        BayesianMF,
        BiasedMF,
        BiasModel,
        Blend,
        ExplicitALS,
        Fallback,
        ImplicitALS,
        ItemKNN,
        Model,
        Popularity,
        PureSVD,
        UserKNN,
    )
    from alsatian.persistence.save_load import load, save
    from alsatian.recommender.recommendations import Recommendations
    from alsatian.reporting import report
    from alsatian.split import Split, SplitWarning
    from alsatian.tuning import Study, tune

# The module of each public name; None: the name is a module itself. Modules are imported on first use, so that
# `import alsatian` and the command line start quickly.
_HOMES = {
    "AlsatianError": "errors",
    "BiasModel": "models",
    "BayesianMF": "models",
    "BiasedMF": "models",
    "Blend": "models",
    "Catalog": "data.catalog",
    "EASE": "models",
    "Evaluation": "evaluation",
    "ExplicitALS": "models",
    "Fallback": "models",
    "IdMap": "data.id_map",
    "ImplicitALS": "models",
    "Interactions": "data.interactions",
    "ItemKNN": "models",
    "LearningCurves": "evaluation.learning_curves",
    "Model": "models",
    "Popularity": "models",
    "PureSVD": "models",
    "Recipe": "data.recipe",
    "Recommendations": "recommender.recommendations",
    "Split": "split",
    "SplitWarning": "split",
    "Study": "tuning",
    "UserKNN": "models",
    "evaluate": "evaluation",
    "datasets": None,
    "evaluation": None,
    "load": "persistence.save_load",
    "metrics": None,
    "posters": None,
    "read": "ingest",
    "report": "reporting",
    "save": "persistence.save_load",
    "spark": None,
    "split": None,
    "tune": "tuning",
}

__all__ = [
    "EASE",
    "AlsatianError",
    "BayesianMF",
    "BiasModel",
    "BiasedMF",
    "Blend",
    "Catalog",
    "Evaluation",
    "ExplicitALS",
    "Fallback",
    "IdMap",
    "ImplicitALS",
    "Interactions",
    "ItemKNN",
    "LearningCurves",
    "Model",
    "Popularity",
    "PureSVD",
    "Recipe",
    "Recommendations",
    "Split",
    "SplitWarning",
    "Study",
    "UserKNN",
    "datasets",
    "evaluate",
    "evaluation",
    "load",
    "metrics",
    "posters",
    "read",
    "report",
    "save",
    "spark",
    "split",
    "tune",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'alsatian' has no attribute {name!r}")
    home = _HOMES[name]
    if home is None:
        return importlib.import_module(f"alsatian.{name}")
    value = getattr(importlib.import_module(f"alsatian.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__

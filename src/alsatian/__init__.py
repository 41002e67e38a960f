"""Alsatian: ratings or events in, recommendations out.

>>> import alsatian as al
>>> ratings = al.samples.load("movielens-small")
>>> split = al.split.per_user(ratings, n=10, seed=0)
>>> model = al.ExplicitALS(factors=8, epochs=2).fit(split.train, progress=False)
>>> len(model.recommend(1, n=5))
5
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alsatian import evaluation, metrics, posters, spark, split
    from alsatian.catalog import Catalog
    from alsatian.curves import LearningCurves
    from alsatian.errors import AlsatianError
    from alsatian.evaluation import Evaluation, evaluate
    from alsatian.ids import Ids
    from alsatian.ingest import read, samples
    from alsatian.interactions import Interactions
    from alsatian.models import (
        EASE,
        Baseline,
        BayesianMF,
        BiasedMF,
        Blend,
        ExplicitALS,
        Fallback,
        ImplicitALS,
        ItemKNN,
        Popularity,
        PureSVD,
        UserKNN,
        index,
    )
    from alsatian.ranking import Recommendations
    from alsatian.recipe import Recipe
    from alsatian.reporting import report
    from alsatian.split import Split, SplitWarning
    from alsatian.store import load, save
    from alsatian.tuning import Study, tune

__version__ = "0.1.0"

# Where each public name lives; a module named None is a public name itself. Loaded on first use,
# so that `import alsatian` and the command line start at once.
_HOMES = {
    "AlsatianError": "errors",
    "Baseline": "models",
    "BayesianMF": "models",
    "BiasedMF": "models",
    "Blend": "models",
    "Catalog": "catalog",
    "EASE": "models",
    "Evaluation": "evaluation",
    "ExplicitALS": "models",
    "Fallback": "models",
    "Ids": "ids",
    "ImplicitALS": "models",
    "Interactions": "interactions",
    "ItemKNN": "models",
    "LearningCurves": "curves",
    "Popularity": "models",
    "PureSVD": "models",
    "Recipe": "recipe",
    "Recommendations": "ranking",
    "Split": "split",
    "SplitWarning": "split",
    "Study": "tuning",
    "UserKNN": "models",
    "evaluate": "evaluation",
    "evaluation": None,
    "index": "models",
    "load": "store",
    "metrics": None,
    "posters": None,
    "read": "ingest",
    "report": "reporting",
    "samples": "ingest",
    "save": "store",
    "spark": None,
    "split": None,
    "tune": "tuning",
}

__all__ = [
    "EASE", "AlsatianError", "Baseline", "BayesianMF", "BiasedMF", "Blend", "Catalog", "Evaluation", "ExplicitALS",
    "Fallback", "Ids", "ImplicitALS", "Interactions", "ItemKNN", "LearningCurves", "Popularity", "PureSVD", "Recipe",
    "Recommendations", "Split", "SplitWarning", "Study", "UserKNN", "evaluate", "evaluation", "index", "load",
    "metrics", "posters", "read", "report", "samples", "save", "spark", "split", "tune",
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

"""The models, by the name they have on the command line and in the model file."""

from alsatian.models.base import Model
from alsatian.models.baseline import Baseline
from alsatian.models.bayesian_mf import BayesianMF
from alsatian.models.biased_mf import BiasedMF
from alsatian.models.blend import Blend
from alsatian.models.ease import EASE
from alsatian.models.explicit_als import ExplicitALS
from alsatian.models.fallback import Fallback
from alsatian.models.implicit_als import ImplicitALS
from alsatian.models.item_knn import ItemKNN
from alsatian.models.popularity import Popularity
from alsatian.models.pure_svd import PureSVD
from alsatian.models.similar_index import index
from alsatian.models.user_knn import UserKNN

MODELS: dict[str, type[Model]] = {
    model.name: model
    for model in (
        ExplicitALS,
        ImplicitALS,
        BiasedMF,
        BayesianMF,
        PureSVD,
        ItemKNN,
        UserKNN,
        EASE,
        Baseline,
        Popularity,
        Blend,
        Fallback,
    )
}

__all__ = [
    "EASE",
    "MODELS",
    "Baseline",
    "BayesianMF",
    "BiasedMF",
    "Blend",
    "ExplicitALS",
    "Fallback",
    "ImplicitALS",
    "ItemKNN",
    "Model",
    "Popularity",
    "PureSVD",
    "UserKNN",
    "index",
]  # fmt: skip

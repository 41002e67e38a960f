"""The models, by the name they have on the command line and in the model file."""

from alsatian.models.als.explicit import ExplicitALS
from alsatian.models.als.implicit import ImplicitALS
from alsatian.models.baselines.bias import BiasModel
from alsatian.models.baselines.popularity import Popularity
from alsatian.models.bayesian.bayesian_mf import BayesianMF
from alsatian.models.ease import EASE
from alsatian.models.ensemble.blend import Blend
from alsatian.models.ensemble.fallback import Fallback
from alsatian.models.factors.ann_index import index
from alsatian.models.knn.item_knn import ItemKNN
from alsatian.models.knn.user_knn import UserKNN
from alsatian.models.sgd.biased_mf import BiasedMF
from alsatian.models.svd.pure_svd import PureSVD
from alsatian.recommender.model import Model

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
        BiasModel,
        Popularity,
        Blend,
        Fallback,
    )
}

__all__ = [
    "EASE",
    "MODELS",
    "BayesianMF",
    "BiasModel",
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

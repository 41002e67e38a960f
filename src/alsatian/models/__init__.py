"""The models. Importing this package defines them all, in the order in which messages and `--help` list them."""

# isort: off
from alsatian.models.als.explicit import ExplicitALS
from alsatian.models.als.implicit import ImplicitALS
from alsatian.models.sgd.biased_mf import BiasedMF
from alsatian.models.bayesian.bayesian_mf import BayesianMF
from alsatian.models.svd.pure_svd import PureSVD
from alsatian.models.knn.item_knn import ItemKNN
from alsatian.models.knn.user_knn import UserKNN
from alsatian.models.ease import EASE
from alsatian.models.baselines.bias import BiasModel
from alsatian.models.baselines.popularity import Popularity
from alsatian.models.ensemble.blend import Blend
from alsatian.models.ensemble.fallback import Fallback
from alsatian.recommender.model import Model
from alsatian.recommender.registry import registered_models
# isort: on

MODELS: dict[str, type[Model]] = registered_models()  # by the name on the command line and in the model file

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
]  # fmt: skip

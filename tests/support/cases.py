"""The models in the settings that the laws are tried on, and their answers as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from alsatian.data.interactions import Interactions
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
from alsatian.recommender.recommendations import Recommendations


@dataclass(frozen=True)
class Case:
    """A model and its settings, and which questions it answers: "predict", "similar", "explain", "fold_in"."""

    model_class: type[Model]
    settings: dict[str, Any]
    answers: frozenset[str]

    @property
    def has_cold_rows(self) -> bool:
        """Whether it is tried on data with items and users that have no value."""
        model = self.model_class(**self.settings)
        return any("item_attributes" in member.non_default for member in getattr(model, "members", [model]))

    def fit(self, data: Interactions, **run: Any) -> Model:
        return self.model_class(**self.settings).fit(data, progress=False, **run)


def arrays(model: Model) -> dict[str, bytes]:
    """Return the bits of everything that was learned."""
    state = {name: getattr(model, name) for name in model.state_arrays}
    return {name: np.asarray(array).tobytes() for name, array in state.items() if array is not None}


def plain_answers(lists: Recommendations) -> list[Any]:
    """Return an answer as plain values."""
    return [(list(lists.queries), lists.counts.tolist(), lists.rows.tolist(), lists.scores.tobytes())]


def user_history(data: Interactions, user: int) -> dict[Any, float]:
    items, values = data.by_user.row(user)
    return dict(zip(data.item_ids.take(items), values.tolist(), strict=True))


FACTOR_MODEL = frozenset({"predict", "similar", "explain", "fold_in"})
NEIGHBORS = frozenset({"predict", "fold_in"})
STEPS = FACTOR_MODEL - {"fold_in"}  # a visitor is solved exactly, and a user came near by steps
SMALL = {"factors": 6, "epochs": 3}
ATTRIBUTE_SETTINGS = {"item_attributes": "title,year", "user_attributes": "age,gender"}
EXPLICIT, IMPLICIT = ExplicitALS(**SMALL), ImplicitALS(**SMALL)
COLD = (
    ExplicitALS(**SMALL, **ATTRIBUTE_SETTINGS),
    ImplicitALS(**SMALL, **ATTRIBUTE_SETTINGS),
)

CASES = {
    "biased mf": Case(BiasedMF, SMALL, STEPS),
    "biased mf, mean and biases": Case(BiasedMF, SMALL | {"factors": 0}, STEPS),
    "biased mf, adam": Case(BiasedMF, SMALL | {"optimizer": "adam", "batch": 9, "validation_share": 0.1}, STEPS),
    "biased mf, svd++": Case(BiasedMF, SMALL | {"svdpp": True, "learning_rate": 0.01}, STEPS),
    "biased mf, frequencies": Case(BiasedMF, SMALL | {"reg_exponent": 0.5, "bias_reg": 0.3}, STEPS),
    "biased mf, by attributes": Case(BiasedMF, SMALL | ATTRIBUTE_SETTINGS, STEPS),
    "explicit": Case(ExplicitALS, SMALL, FACTOR_MODEL),
    "explicit without biases": Case(ExplicitALS, SMALL | {"biases": False}, FACTOR_MODEL),
    "explicit, plain reg": Case(ExplicitALS, SMALL | {"reg_exponent": 0.0, "reg": 1.0}, FACTOR_MODEL),
    "explicit, mean and biases": Case(ExplicitALS, SMALL | {"factors": 0}, FACTOR_MODEL),
    "explicit, zeros as data": Case(ExplicitALS, SMALL | {"biases": False, "unobserved_weight": 0.5}, FACTOR_MODEL),
    "explicit, cg": Case(ExplicitALS, SMALL | {"solver": "cg"}, STEPS),
    "explicit, auto by cg": Case(ExplicitALS, SMALL | {"factors": 40}, FACTOR_MODEL),
    "explicit, by attributes": Case(ExplicitALS, SMALL | ATTRIBUTE_SETTINGS, FACTOR_MODEL),
    "explicit, float64": Case(ExplicitALS, SMALL | {"precision": "float64"}, FACTOR_MODEL),
    "explicit, non-negative": Case(ExplicitALS, SMALL | {"nonnegative": True}, FACTOR_MODEL),
    "explicit, nmf": Case(
        ExplicitALS, SMALL | {"biases": False, "unobserved_weight": 1, "reg": 0, "nonnegative": True}, FACTOR_MODEL
    ),
    "implicit": Case(ImplicitALS, SMALL, FACTOR_MODEL),
    "implicit hu": Case(ImplicitALS, SMALL | {"loss": "hu", "alpha": 5}, FACTOR_MODEL),
    "implicit rendle": Case(ImplicitALS, SMALL | {"loss": "rendle", "unobserved_weight": 0.2}, FACTOR_MODEL),
    "implicit implicit": Case(ImplicitALS, SMALL | {"loss": "implicit", "alpha": 5}, FACTOR_MODEL),
    "implicit, pairs alike": Case(ImplicitALS, SMALL | {"use_values": False}, FACTOR_MODEL),
    "implicit, cg": Case(ImplicitALS, SMALL | {"solver": "cg", "cg_steps": 2}, STEPS),
    "implicit, auto by cg": Case(ImplicitALS, SMALL | {"factors": 40}, FACTOR_MODEL),
    "implicit, by attributes": Case(ImplicitALS, SMALL | ATTRIBUTE_SETTINGS, FACTOR_MODEL),
    "implicit, float64": Case(ImplicitALS, SMALL | {"precision": "float64"}, FACTOR_MODEL),
    "implicit, non-negative": Case(ImplicitALS, SMALL | {"nonnegative": True}, FACTOR_MODEL),
    "implicit rendle, non-negative": Case(
        ImplicitALS, SMALL | {"factors": 40, "loss": "rendle", "nonnegative": True}, FACTOR_MODEL
    ),
    "item-knn": Case(ItemKNN, {"k": 10}, FACTOR_MODEL),
    "item-knn, pearson": Case(ItemKNN, {"similarity": "pearson", "shrinkage": 3}, FACTOR_MODEL),
    "item-knn, jaccard": Case(ItemKNN, {"similarity": "jaccard", "k": 7, "shrinkage": 5}, FACTOR_MODEL),
    "item-knn, tf-idf": Case(ItemKNN, {"weighting": "tf-idf"}, FACTOR_MODEL),
    "item-knn, ratings": Case(ItemKNN, {"subtract_bias": True, "k": 20}, FACTOR_MODEL),
    "user-knn": Case(UserKNN, {"k": 10}, NEIGHBORS),
    "user-knn, pearson": Case(UserKNN, {"similarity": "pearson", "shrinkage": 3}, NEIGHBORS),
    "user-knn, bm25": Case(UserKNN, {"weighting": "bm25"}, NEIGHBORS),
    "user-knn, adjusted": Case(UserKNN, {"similarity": "adjusted-cosine", "k": 30}, NEIGHBORS),
    "user-knn, ratings": Case(UserKNN, {"subtract_bias": True, "k": 20}, NEIGHBORS),
    "ease": Case(EASE, {"reg": 20}, FACTOR_MODEL),
    "bayesian": Case(BayesianMF, {"factors": 5, "draws": 6, "burn_in": 2}, FACTOR_MODEL - {"explain", "fold_in"}),
    "bayesian, thinned": Case(
        BayesianMF, {"factors": 8, "draws": 3, "thin": 2, "seed": 4}, FACTOR_MODEL - {"explain", "fold_in"}
    ),
    "blend by rank": Case(Blend, {"members": [IMPLICIT, Popularity()], "weights": [0.7, 0.3]}, {"similar"}),
    "blend by score": Case(Blend, {"members": [EXPLICIT, Popularity()], "weights": [2, 1], "by": "score"}, {"similar"}),
    "blend of predictions": Case(
        Blend, {"members": [EXPLICIT, ExplicitALS(factors=0)], "weights": [1, 1], "by": "score"}, {"predict", "similar"}
    ),
    "blend, fitted": Case(Blend, {"members": [IMPLICIT, EXPLICIT], "weights": "fit", "by": "score"}, {"similar"}),
    "blend by rank, by attributes": Case(Blend, {"members": [COLD[1], ItemKNN()], "weights": [1, 1]}, {"similar"}),
    "blend of predictions, by attributes": Case(
        Blend, {"members": [COLD[0], BiasModel()], "weights": [1, 1], "by": "score"}, {"predict", "similar"}
    ),
    "fallback, by attributes": Case(Fallback, {"first": COLD[1], "then": Popularity()}, {"similar", "explain"}),
    "fallback": Case(Fallback, {"first": IMPLICIT, "then": Popularity()}, {"similar", "explain"}),
    "fallback for many": Case(
        Fallback, {"first": EXPLICIT, "then": ExplicitALS(factors=0), "min_history": 12}, FACTOR_MODEL - {"fold_in"}
    ),
    "pure svd": Case(PureSVD, {}, FACTOR_MODEL),
    "pure svd, by attributes": Case(PureSVD, {"factors": 5} | ATTRIBUTE_SETTINGS, FACTOR_MODEL),
    "pure svd, user means": Case(PureSVD, {"factors": 5, "impute": "user"}, FACTOR_MODEL),
    "pure svd, item means": Case(PureSVD, {"energy": 0.5, "impute": "item"}, FACTOR_MODEL),
    "pure svd, mean": Case(PureSVD, {"energy": 1.0, "impute": "mean"}, FACTOR_MODEL),
    "pure svd, biases": Case(PureSVD, {"factors": 1, "impute": "biases"}, FACTOR_MODEL),
    "baseline": Case(BiasModel, {}, FACTOR_MODEL - {"similar"}),
    "baseline, sides regularized apart": Case(
        BiasModel, {"user_reg": 30, "item_reg": 0, "epochs": 2}, FACTOR_MODEL - {"similar"}
    ),
    "popularity": Case(Popularity, {}, frozenset({"fold_in"})),
    "popularity by mean": Case(Popularity, {"by": "mean"}, frozenset({"fold_in", "predict"})),
    "popularity, last days": Case(Popularity, {"days": 20}, frozenset({"fold_in"})),
    "popularity by mean, last days": Case(
        Popularity, {"by": "mean", "damping": 0, "days": 1}, frozenset({"fold_in", "predict"})
    ),
}  # fmt: skip

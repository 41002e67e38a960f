"""The models of the accuracy table, of this and other libraries, with their settings.

All have their library's defaults; where these are absurd for the data (EASE with its regularization at 1) or where
a library of another kind of data sets them, also with settings searched in the training part (`grid`), ours too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any


@dataclass(frozen=True)
class ComparedModel:
    """A model by the name its library gives it, and a worker (bench/peers/WORKER.py) that runs it.

    learns: from the ratings (then it predicts them, and lists by what it predicts), or from likes alone.
    grid: values of settings to search in the training part, beside the given ones.
    """

    library: str
    model: str
    learns: str
    settings: dict[str, Any] = field(default_factory=dict)
    grid: dict[str, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def worker(self) -> str:
        return self.library.lower()

    @property
    def label(self) -> str:
        return f"{self.library} {self.written(self.settings)}{', searched' if self.grid else ''}"

    @property
    def candidates(self) -> list[dict[str, Any]]:
        """The settings of the grid, each with the given ones."""
        return [self.settings | dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]

    def written(self, settings: dict[str, Any]) -> str:
        """Return the call of the constructor."""
        return f"{self.model}({', '.join(f'{name}={value!r}' for name, value in settings.items())})"


def _als(factors: str, reg: str, regs: tuple[float, ...], weight: str, weights: tuple[float, ...]) -> dict[str, Any]:
    return {factors: (16, 32, 64), reg: regs, weight: weights}


MODELS = (
    ComparedModel("Alsatian", "ExplicitALS", "ratings"),
    ComparedModel("Alsatian", "BiasedMF", "ratings"),
    ComparedModel("Alsatian", "BiasedMF", "ratings", {"svdpp": True}),
    ComparedModel("Alsatian", "BayesianMF", "ratings"),
    ComparedModel("Alsatian", "PureSVD", "ratings", {"impute": "biases"}),
    ComparedModel("Alsatian", "ItemKNN", "ratings", {"subtract_bias": True}),
    ComparedModel("Alsatian", "UserKNN", "ratings", {"subtract_bias": True}),
    ComparedModel("Alsatian", "BiasModel", "ratings"),
    ComparedModel("Alsatian", "Popularity", "ratings", {"by": "mean"}),
    ComparedModel("Surprise", "SVD", "ratings"),
    ComparedModel(
        "Surprise", "SVD", "ratings",
        {"n_factors": 50}, {"n_epochs": (20, 100), "lr_all": (0.005, 0.01), "reg_all": (0.02, 0.1)},
    ),
    ComparedModel("Surprise", "SVDpp", "ratings"),
    ComparedModel("Surprise", "NMF", "ratings"),
    ComparedModel("Surprise", "KNNBaseline", "ratings"),
    ComparedModel("Surprise", "BaselineOnly", "ratings"),
    ComparedModel("LensKit", "BiasedMFScorer", "ratings"),
    ComparedModel(
        "LensKit", "BiasedMFScorer", "ratings",
        {}, {"embedding_size": (10, 50), "regularization": (0.05, 0.1, 0.15, 0.2)},
    ),
    ComparedModel("LensKit", "ItemKNNScorer", "ratings"),
    ComparedModel("LensKit", "UserKNNScorer", "ratings"),
    ComparedModel("LensKit", "BiasScorer", "ratings"),
    ComparedModel("Alsatian", "ImplicitALS", "likes"),
    ComparedModel(
        "Alsatian", "ImplicitALS", "likes", {}, _als("factors", "reg", (5.0, 10.0, 20.0), "alpha", (1.0, 2.0, 4.0)),
    ),
    ComparedModel("Alsatian", "ImplicitALS", "likes", {"loss": "rendle"}),
    ComparedModel("Alsatian", "EASE", "likes"),
    ComparedModel("Alsatian", "PureSVD", "likes"),
    ComparedModel("Alsatian", "ItemKNN", "likes"),
    ComparedModel("Alsatian", "UserKNN", "likes"),
    ComparedModel("Alsatian", "Blend", "likes", {"members": ["implicit-als", "item-knn"]}),
    ComparedModel("Alsatian", "Fallback", "likes"),
    ComparedModel("Alsatian", "Popularity", "likes"),
    ComparedModel("implicit", "AlternatingLeastSquares", "likes"),
    ComparedModel(
        "implicit", "AlternatingLeastSquares", "likes", {},
        _als("factors", "regularization", (5.0, 10.0, 20.0), "alpha", (2.0, 3.0, 5.0)),
    ),
    ComparedModel("implicit", "BM25Recommender", "likes"),
    ComparedModel("implicit", "CosineRecommender", "likes"),
    ComparedModel("irspack", "IALSRecommender", "likes"),
    ComparedModel(
        "irspack", "IALSRecommender", "likes", {},
        _als("n_components", "reg", (0.003, 0.01, 0.03), "alpha0", (0.1, 0.3, 1.0)),
    ),
    ComparedModel("irspack", "DenseSLIMRecommender", "likes"),
    ComparedModel("irspack", "DenseSLIMRecommender", "likes", {}, {"reg": (30.0, 100.0, 300.0, 1000.0)}),
    ComparedModel("LensKit", "ImplicitMFScorer", "likes"),
    ComparedModel(
        "LensKit", "ImplicitMFScorer", "likes", {},
        _als("embedding_size", "regularization", (5.0, 10.0, 20.0), "weight", (1.0, 2.0, 4.0)),
    ),
    ComparedModel("LensKit", "EASEScorer", "likes"),
    ComparedModel("LensKit", "EASEScorer", "likes", {}, {"regularization": (30.0, 100.0, 300.0, 1000.0)}),
    ComparedModel("LensKit", "ItemKNNScorer", "likes", {"feedback": "implicit"}),
    ComparedModel("LensKit", "UserKNNScorer", "likes", {"feedback": "implicit"}),
    ComparedModel("LensKit", "PopScorer", "likes"),
)  # fmt: skip

"""Who stands in the table of accuracy: models of this and other libraries, with what settings.

Everyone with a library's defaults; where these are absurd for the data (EASE with its regularization at 1) or where
a library of another kind of data sets them, also with settings searched in the training part (`grid`), ours too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import Any


@dataclass(frozen=True)
class Entrant:
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
    def tried(self) -> list[dict[str, Any]]:
        """The settings of the grid, each with the given ones."""
        return [self.settings | dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())]

    def written(self, settings: dict[str, Any]) -> str:
        """Return the call of the constructor."""
        return f"{self.model}({', '.join(f'{name}={value!r}' for name, value in settings.items())})"


def _als(factors: str, reg: str, regs: tuple[float, ...], weight: str, weights: tuple[float, ...]) -> dict[str, Any]:
    return {factors: (16, 32, 64), reg: regs, weight: weights}


ENTRANTS = (
    Entrant("Alsatian", "ExplicitALS", "ratings"),
    Entrant("Alsatian", "BiasedMF", "ratings"),
    Entrant("Alsatian", "BiasedMF", "ratings", {"implicit_terms": True}),
    Entrant("Alsatian", "BayesianMF", "ratings"),
    Entrant("Alsatian", "PureSVD", "ratings", {"impute": "biases"}),
    Entrant("Alsatian", "ItemKNN", "ratings", {"baselines": True}),
    Entrant("Alsatian", "UserKNN", "ratings", {"baselines": True}),
    Entrant("Alsatian", "Baseline", "ratings"),
    Entrant("Alsatian", "Popularity", "ratings", {"by": "mean"}),
    Entrant("Surprise", "SVD", "ratings"),
    Entrant(
        "Surprise", "SVD", "ratings",
        {"n_factors": 50}, {"n_epochs": (20, 100), "lr_all": (0.005, 0.01), "reg_all": (0.02, 0.1)},
    ),
    Entrant("Surprise", "SVDpp", "ratings"),
    Entrant("Surprise", "NMF", "ratings"),
    Entrant("Surprise", "KNNBaseline", "ratings"),
    Entrant("Surprise", "BaselineOnly", "ratings"),
    Entrant("LensKit", "BiasedMFScorer", "ratings"),
    Entrant(
        "LensKit", "BiasedMFScorer", "ratings",
        {}, {"embedding_size": (10, 50), "regularization": (0.05, 0.1, 0.15, 0.2)},
    ),
    Entrant("LensKit", "ItemKNNScorer", "ratings"),
    Entrant("LensKit", "UserKNNScorer", "ratings"),
    Entrant("LensKit", "BiasScorer", "ratings"),
    Entrant("Alsatian", "ImplicitALS", "likes"),
    Entrant(
        "Alsatian", "ImplicitALS", "likes", {}, _als("factors", "reg", (5.0, 10.0, 20.0), "alpha", (1.0, 2.0, 4.0)),
    ),
    Entrant("Alsatian", "ImplicitALS", "likes", {"form": "rendle"}),
    Entrant("Alsatian", "EASE", "likes"),
    Entrant("Alsatian", "PureSVD", "likes"),
    Entrant("Alsatian", "ItemKNN", "likes"),
    Entrant("Alsatian", "UserKNN", "likes"),
    Entrant("Alsatian", "Blend", "likes", {"parts": ["implicit-als", "item-knn"]}),
    Entrant("Alsatian", "Fallback", "likes"),
    Entrant("Alsatian", "Popularity", "likes"),
    Entrant("implicit", "AlternatingLeastSquares", "likes"),
    Entrant(
        "implicit", "AlternatingLeastSquares", "likes", {},
        _als("factors", "regularization", (5.0, 10.0, 20.0), "alpha", (2.0, 3.0, 5.0)),
    ),
    Entrant("implicit", "BM25Recommender", "likes"),
    Entrant("implicit", "CosineRecommender", "likes"),
    Entrant("irspack", "IALSRecommender", "likes"),
    Entrant(
        "irspack", "IALSRecommender", "likes", {},
        _als("n_components", "reg", (0.003, 0.01, 0.03), "alpha0", (0.1, 0.3, 1.0)),
    ),
    Entrant("irspack", "DenseSLIMRecommender", "likes"),
    Entrant("irspack", "DenseSLIMRecommender", "likes", {}, {"reg": (30.0, 100.0, 300.0, 1000.0)}),
    Entrant("LensKit", "ImplicitMFScorer", "likes"),
    Entrant(
        "LensKit", "ImplicitMFScorer", "likes", {},
        _als("embedding_size", "regularization", (5.0, 10.0, 20.0), "weight", (1.0, 2.0, 4.0)),
    ),
    Entrant("LensKit", "EASEScorer", "likes"),
    Entrant("LensKit", "EASEScorer", "likes", {}, {"regularization": (30.0, 100.0, 300.0, 1000.0)}),
    Entrant("LensKit", "ItemKNNScorer", "likes", {"feedback": "implicit"}),
    Entrant("LensKit", "UserKNNScorer", "likes", {"feedback": "implicit"}),
    Entrant("LensKit", "PopScorer", "likes"),
)  # fmt: skip

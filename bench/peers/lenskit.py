"""LensKit: any of its scorers, in the pipelines that it makes for lists and, falling back on biases, for ratings.

A scorer without the setting feedback="implicit" or use_ratings takes ratings where there are any.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any

import numpy as np
import pandas as pd
from lenskit.batch import predict, recommend
from lenskit.data import from_interactions_df
from lenskit.pipeline import topn_pipeline
from lenskit.training import TrainingOptions

from bench.objective import Data
from bench.peers.recommender import answer
from bench.peers.worker import Job, serve

MODULES = {
    "BiasScorer": "basic", "BiasedMFScorer": "als", "EASEScorer": "knn", "ImplicitMFScorer": "als",
    "ItemKNNScorer": "knn", "PopScorer": "basic", "UserKNNScorer": "knn",
}  # fmt: skip


class Adapter:
    def __init__(self, job: Job, settings: dict[str, Any], data: Data) -> None:
        warnings.simplefilter("ignore")
        self.users, self.seed = data.shape[0], job["seed"]
        columns = {"user_id": data.users, "item_id": data.items}
        if rated := np.ptp(data.values) > 0:
            columns["rating"] = data.values
        self.data = from_interactions_df(pd.DataFrame(columns))
        kind = getattr(importlib.import_module(f"lenskit.{MODULES[job['model']]}"), job["model"])
        self.pipeline = topn_pipeline(kind(**settings), predicts_ratings=bool(rated))

    def fit(self) -> None:
        self.pipeline.train(self.data, TrainingOptions(rng=self.seed))

    def predict(self, users: Any, items: Any) -> Any:
        """Return what the pipeline predicts; its answer comes user by user. All unknown items have one number."""
        pairs = pd.DataFrame({"user_id": users, "item_id": items})
        predictions = predict(self.pipeline, pairs.drop_duplicates(), n_jobs=1).to_df()
        return pairs.merge(predictions, on=["user_id", "item_id"], how="left")["score"].to_numpy(np.float64)

    def best(self, n: int) -> Any:
        lists = np.full((self.users, n), -1)
        for key, ranking in recommend(self.pipeline, list(range(self.users)), n, n_jobs=1).items():
            items = ranking.ids()
            lists[key.user_id, : len(items)] = items
        return lists


if __name__ == "__main__":
    serve({"accuracy": lambda job: answer(job, Adapter)})

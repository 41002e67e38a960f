"""implicit: AlternatingLeastSquares, and neighbors by cosine. Its BLAS is told to use one thread, as it says itself.

An entry C of its matrix is the confidence c itself: it solves (Y'Y + sum (C - 1) y y' + reg I) x = sum C y, so
C = 1 + alpha v with its own alpha at 1 is the objective of Hu, Koren and Volinsky (cpu/als.py, user_linear_equation).
"""

from __future__ import annotations

import contextlib
import statistics
import time
from typing import Any

import numpy as np
from implicit import nearest_neighbors
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

from bench.objective import Data, Factors
from bench.peers.recommender import answer
from bench.peers.worker import Job, Watch, clock, fit, load, peak, reset_peak, resident, serve


class Enough(Exception):
    """Ends a fit from inside its callback."""


def confidences(data: Data, alpha: float) -> Any:
    return rows(data, 1 + np.float32(alpha) * data.values)


def rows(data: Data, values: Any) -> Any:
    indptr = np.concatenate([[0], np.cumsum(np.bincount(data.users))])
    return csr_matrix((values, data.items, indptr), shape=data.shape)


class Learner:
    def __init__(self, job: Job, data: Data) -> None:
        self.user_items = confidences(data, job["alpha"])
        self.model = AlternatingLeastSquares(
            factors=job["factors"],
            regularization=job["reg"],
            alpha=1.0,
            iterations=job["epochs"],
            num_threads=job["threads"],
            random_state=job["seed"],
            **job["options"],
        )

    def fit(self, watch: Watch) -> None:
        seconds = []

        def callback(iteration: int, elapsed: float, loss: float | None) -> None:
            seconds.append(elapsed)
            if watch.record(iteration + 1, sum(seconds), self.learned):
                raise Enough

        with contextlib.suppress(Enough):
            self.model.fit(self.user_items, show_progress=False, callback=callback)

    def learned(self) -> Factors:
        return Factors(self.model.user_factors, self.model.item_factors)


def top_n(job: Job) -> dict[str, Any]:
    """Lists for all users at once, and for one user at a time, by a model of two epochs."""
    data = load(job)
    learner = Learner(job, data)
    learner.model.fit(learner.user_items, show_progress=False)
    model, user_items = learner.model, learner.user_items
    everyone = np.arange(user_items.shape[0])
    settings = {"N": job["n"], "filter_already_liked_items": True}
    seconds, _ = clock(lambda: model.recommend(everyone, user_items, **settings))
    calls = []
    for user in np.random.default_rng(0).integers(0, len(everyone), job["calls"]).tolist():
        start = time.perf_counter()
        model.recommend(user, user_items[user], **settings)
        calls.append(time.perf_counter() - start)
    return {"all": seconds, "single": statistics.median(calls)}


def neighbors(job: Job) -> dict[str, Any]:
    """The k nearest items of each; it finds the item itself, too."""
    data = load(job)
    user_items, k = rows(data, data.values), job["settings"]["k"]
    reset_peak()
    before = resident()
    model = nearest_neighbors.CosineRecommender(K=k + 1, num_threads=job["threads"])
    seconds, _ = clock(lambda: model.fit(user_items, show_progress=False))
    most, similarity = peak() - before, model.similarity.tocoo()
    others = similarity.data[(similarity.row != similarity.col) & (similarity.data > 0)]
    return {"seconds": seconds, "similarity": float(others.mean(dtype=np.float64)), "peak_bytes": most}


class Adapter:
    """ALS, or a recommender by nearest neighbors, on the values as they are."""

    def __init__(self, job: Job, settings: dict[str, Any], data: Data) -> None:
        common = {"num_threads": job["threads"], **settings}
        if job["model"] == "AlternatingLeastSquares":
            self.model = AlternatingLeastSquares(random_state=job["seed"], **common)
        else:
            self.model = getattr(nearest_neighbors, job["model"])(**common)
        self.user_items = rows(data, data.values)

    def fit(self) -> None:
        self.model.fit(self.user_items, show_progress=False)

    def predict(self, users: Any, items: Any) -> Any:
        raise NotImplementedError("implicit predicts no values")

    def best(self, n: int) -> Any:
        """Return its lists, user by user, without the seen items that fill short ones up (at -3.4e38)."""
        lists = np.full((self.user_items.shape[0], n), -1)
        for user in range(len(lists)):
            items, scores = self.model.recommend(user, self.user_items[user], N=n)
            real = items[scores > -1e38][:n]
            lists[user, : len(real)] = real
        return lists


if __name__ == "__main__":
    actions = {"top_n": top_n, "neighbors": neighbors, "accuracy": lambda job: answer(job, Adapter)}
    serve({"fit": lambda job: fit(job, Learner), **actions})

"""scikit-surprise: SVD, biased matrix factorization by stochastic gradient descent; it uses one thread."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import surprise
from surprise import SVD, Dataset, Reader

from bench.objective import Data, Factors
from bench.peers.recommender import answer, best_unseen
from bench.peers.worker import Job, Watch, clock, fit, serve


def training_set(data: Data) -> Any:
    frame = pd.DataFrame({"user": data.users, "item": data.items, "value": data.values})
    return Dataset.load_from_df(frame, Reader(rating_scale=(1, 5))).build_full_trainset()


class Learner:
    def __init__(self, job: Job, data: Data) -> None:
        self.shape = data.shape
        self.train = training_set(data)
        self.model = SVD(random_state=job["seed"], **job["options"])

    def fit(self, watch: Watch) -> None:
        seconds, _ = clock(lambda: self.model.fit(self.train))
        watch.record(self.model.n_epochs, seconds, self.learned)

    def learned(self) -> Factors:
        users, items = (
            np.array([to_inner(row) for row in range(count)])
            for to_inner, count in zip((self.train.to_inner_uid, self.train.to_inner_iid), self.shape, strict=True)
        )
        model = self.model
        return Factors(model.pu[users], model.qi[items], model.bu[users], model.bi[items], self.train.global_mean)


class Adapter:
    """Any of its algorithms. An unknown user or item is predicted as the algorithm itself decides."""

    def __init__(self, job: Job, settings: dict[str, Any], data: Data) -> None:
        self.data, self.train, self.seed = data, training_set(data), job["seed"]
        self.algorithm = getattr(surprise, job["model"])(**settings)

    def fit(self) -> None:
        np.random.seed(self.seed)  # noqa: NPY002  (what it draws from)
        self.algorithm.fit(self.train)

    def predict(self, users: Any, items: Any) -> Any:
        pairs = zip(users.tolist(), items.tolist(), strict=True)
        return np.array([self.algorithm.predict(user, item).est for user, item in pairs])

    def best(self, n: int) -> Any:
        users, items = self.data.shape
        scores = [self.algorithm.predict(user, item, clip=False).est for user in range(users) for item in range(items)]
        return best_unseen(np.reshape(scores, (users, items)), self.data, n)


if __name__ == "__main__":
    serve({"fit": lambda job: fit(job, Learner), "accuracy": lambda job: answer(job, Adapter)})

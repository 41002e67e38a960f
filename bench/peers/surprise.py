"""scikit-surprise: SVD, biased matrix factorization by stochastic gradient descent; it uses one thread."""

from __future__ import annotations

import numpy as np
import pandas as pd
from surprise import SVD, Dataset, Reader

from objective import Data, Factors
from peers.common import Job, Watch, clock, fit, serve


class Learner:
    def __init__(self, job: Job, data: Data) -> None:
        frame = pd.DataFrame({"user": data.users, "item": data.items, "value": data.values})
        self.shape = data.shape
        self.train = Dataset.load_from_df(frame, Reader(rating_scale=(1, 5))).build_full_trainset()
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


if __name__ == "__main__":
    serve({"fit": lambda job: fit(job, Learner)})

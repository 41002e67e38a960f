"""irspack: the trainer of IALSRecommender, which brings no BLAS (it is compiled with Eigen).

With loss_type ORIGINAL an entry X counts c = alpha0 + X against the target 1, an empty cell alpha0 against 0, and row
x pays reg (alpha0 items + n)^nu |x|^2: so X = alpha v, alpha0 = 1, nu = 0 is the objective of Hu, Koren and Volinsky.
"""

from __future__ import annotations

from typing import Any

import irspack
import numpy as np
from irspack.recommenders.ials import IALSTrainer, LossType, str_to_solver_type
from scipy.sparse import csr_matrix

from bench.objective import Data, Factors
from bench.peers.recommender import answer, best_unseen
from bench.peers.worker import Job, Watch, clock, fit, serve


class Learner:
    def __init__(self, job: Job, data: Data) -> None:
        indptr = np.concatenate([[0], np.cumsum(np.bincount(data.users))])
        options = {"max_cg_steps": 3, "ialspp_subspace_dimension": 64, **job["options"]}  # its defaults
        solver = str_to_solver_type(options.pop("solver"))
        self.trainer = IALSTrainer(
            csr_matrix((np.float32(job["alpha"]) * data.values, data.items, indptr), shape=data.shape),
            n_components=job["factors"],
            alpha0=1.0,
            reg=job["reg"],
            nu=0.0,
            init_std=0.1,
            solver_type=solver,
            loss_type=LossType.ORIGINAL,
            random_seed=job["seed"],
            n_threads=job["threads"],
            prediction_time_max_cg_steps=5,
            prediction_time_ialspp_iteration=7,
            **options,
        )

    def fit(self, watch: Watch) -> None:
        seconds, epochs, done = 0.0, 0, False
        while not done:
            seconds += clock(self.trainer.run_epoch)[0]
            epochs += 1
            done = watch.record(epochs, seconds, self.learned)

    def learned(self) -> Factors:
        return Factors(self.trainer.core_trainer.user, self.trainer.core_trainer.item)


class Adapter:
    """Any of its recommenders, on the values as they are."""

    def __init__(self, job: Job, settings: dict[str, Any], data: Data) -> None:
        self.data = data
        observed = csr_matrix((data.values, (data.users, data.items)), shape=data.shape)
        common = {"n_threads": job["threads"], "random_seed": job["seed"]} if job["model"] == "IALSRecommender" else {}
        self.model = getattr(irspack, job["model"])(observed, **common, **settings)

    def fit(self) -> None:
        self.model.learn()

    def predict(self, users: Any, items: Any) -> Any:
        raise NotImplementedError("irspack predicts no values")

    def best(self, n: int) -> Any:
        return best_unseen(self.model.get_score_block(0, self.data.shape[0]), self.data, n)


if __name__ == "__main__":
    serve({"fit": lambda job: fit(job, Learner), "accuracy": lambda job: answer(job, Adapter)})

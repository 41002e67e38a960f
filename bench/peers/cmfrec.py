"""cmfrec: CMF_implicit, and CMF with biases; settings as its documentation advises for speed, BLAS on one thread.

CMF_implicit counts c = 1 + alpha X against 1 with the penalty lambda |x|^2: the objective of Hu, Koren and Volinsky.
So it does with use_cg=False. With use_cg=True it comes to rest where (G + sum (1 + alpha X) f f' + lambda I) x = sum
alpha X f instead (seen on a small set, to four digits, 3.5.1; its Cholesky has alpha X and 1 + alpha X there): another
objective, which no choice of X turns into this one.
CMF with scale_lam multiplies a row's lambda, its bias's too, by the number of its values: reg_exponent = 1 of
ExplicitALS.
It has no callback, so a target is sought by fits anew with more and more epochs; their seconds hold its own indexing.
"""

from __future__ import annotations

from typing import Any

from cmfrec import CMF, CMF_implicit
from scipy.sparse import coo_matrix

from bench.objective import Data, Factors
from bench.peers.worker import Job, Watch, clock, fit, serve


class Learner:
    def __init__(self, job: Job, data: Data) -> None:
        self.job = job
        self.x = coo_matrix((data.values, (data.users, data.items)), shape=data.shape)

    def model(self, epochs: int) -> Any:
        job = self.job
        common = {
            "k": job["factors"],
            "lambda_": job["reg"],
            "niter": epochs,
            "nthreads": job["threads"],
            "random_state": job["seed"] + 1,  # it refuses 0
            "precompute_for_predictions": False,
            "finalize_chol": "save" in job,  # its default where quality is judged; its advice where speed is
            "handle_interrupt": False,
            **job["options"],
        }
        if job["form"] == "implicit":
            return CMF_implicit(alpha=job["alpha"], **common)
        if job["reg_exponent"] not in (0, 1):
            raise ValueError(f"cmfrec scales by counts (reg_exponent 1) or not (0), never by {job['reg_exponent']}")
        return CMF(scale_lam=job["reg_exponent"] == 1, user_bias=True, item_bias=True, center=True, **common)

    def fit(self, watch: Watch) -> None:
        if watch.target is None:
            self._anew(watch, self.job["epochs"])
        else:
            self._search(watch)

    def _search(self, watch: Watch) -> None:
        """Find the fewest epochs that reach the target: grow by half until it is reached, then halve the gap."""
        below, epochs = 0, min(2, self.job["epochs"])
        while not self._anew(watch, epochs):
            below, grown = epochs, min(max(8, epochs * 3 // 2), self.job["epochs"])
            if epochs == grown or watch.course[-1][1] * grown / epochs > self.job["cap"]:
                return
            epochs = grown
        best = watch.course[-1], self.fitted
        while epochs - below > 1:
            middle = (below + epochs) // 2
            if self._anew(watch, middle):
                epochs, best = middle, (watch.course[-1], self.fitted)
            else:
                below = middle
        watch.course = [*sorted(point for point in watch.course if point[0] != best[0][0]), best[0]]
        self.fitted = best[1]

    def _anew(self, watch: Watch, epochs: int) -> bool:
        self.fitted = self.model(epochs)
        seconds, _ = clock(lambda: self.fitted.fit(self.x))
        watch.record(epochs, seconds, self.learned)
        return watch.reached

    def learned(self) -> Factors:
        fitted = self.fitted
        if self.job["form"] == "implicit":
            return Factors(fitted.A_, fitted.B_)
        return Factors(fitted.A_, fitted.B_, fitted.user_bias_, fitted.item_bias_, float(fitted.glob_mean_))


if __name__ == "__main__":
    serve({"fit": lambda job: fit(job, Learner)})

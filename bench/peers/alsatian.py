"""Alsatian itself, run like a peer. Epochs are timed by its own history, which begins with the starting values."""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

import alsatian as al
from alsatian import kernels
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.kernels import Side, Weighting
from bench.objective import Data, Factors
from bench.peers.recommender import answer
from bench.peers.worker import Job, Watch, clock, fit, load, peak, reset_peak, resident, serve

WEIGHTINGS = {"implicit": (Weighting(1, 1, 1, 1, 1), 0), "explicit": (Weighting(0, 1, 1, -3.5, 0), 1)}


def interactions(data: Data) -> Interactions:
    """Compressed rows by user and by item from three columns."""
    built = by_user(data)
    built.by_item  # noqa: B018  (made on first use)
    return built


def by_user(data: Data) -> Interactions:
    users, items = (np.arange(int(rows.max()) + 1) for rows in data[:2])
    return Interactions.build(IdMap(users, "user"), IdMap(items, "item"), *data)


class Learner:
    def __init__(self, job: Job, data: Data) -> None:
        self.threads = job["threads"]
        self.data = interactions(data)
        settings = {"factors": job["factors"], "reg": job["reg"], "epochs": job["epochs"], "seed": job["seed"]}
        if job["form"] == "implicit":
            self.model: Any = al.ImplicitALS(alpha=job["alpha"], **settings, **job["options"])
        else:
            self.model = al.ExplicitALS(reg_exponent=job["reg_exponent"], **settings, **job["options"])

    def fit(self, watch: Watch) -> None:
        def callback(epoch: Any) -> bool:
            return watch.record(epoch.epoch, epoch.seconds, self.learned, epoch.objective)

        self.model.fit(self.data, threads=self.threads, progress=False, callbacks=[callback])
        last = self.model.history[-1]  # with what the fit did at its end, after the last callback
        watch.course[-1] = (last.epoch, last.seconds, last.objective)

    def learned(self) -> Factors:
        model = self.model
        return Factors(model.user_factors, model.item_factors, model.user_bias, model.item_bias, float(model.mean[0]))


def half_sweeps(job: Job) -> dict[str, Any]:
    """Exact half-sweeps of both sides, items first: seconds, and the useful operations."""
    data = interactions(load(job))
    weighting, bias = WEIGHTINGS[job["form"]]
    rng, k, threads = np.random.default_rng(0), job["factors"], job["threads"]
    sides = [
        Side(
            0.1 * rng.standard_normal((half.n_rows, k), np.float32), np.zeros(half.n_rows, np.float32) if bias else None
        )
        for half in (data.by_user, data.by_item)
    ]

    def sweep(half: Any, fixed: Side, solved: Side) -> None:
        gram = kernels.gram(fixed.factors, weighting.unobserved, threads) if weighting.unobserved else None
        kernels.half_sweep(
            half.kernel_rows, weighting, fixed, gram, np.full(half.n_rows, 5, np.float32), solved, threads=threads
        )

    users, items = sides
    by_item, _ = clock(lambda: sweep(data.by_item, users, items))
    by_user, _ = clock(lambda: sweep(data.by_user, items, users))
    return {"seconds": by_item + by_user, "by_user": by_user, "by_item": by_item, "kernels": kernels.instruction_set}


def descend(job: Job) -> dict[str, Any]:
    """Seconds of each epoch of gradient descent, with its exact objective; the first, which holds the start, apart."""
    data = interactions(load(job))
    model = al.BiasedMF(factors=job["factors"], epochs=job["epochs"], **job["options"])
    model.fit(data, threads=job["threads"], progress=False)
    ends = [epoch.seconds for epoch in model.history]
    return {"epochs": np.diff(ends).tolist(), "first": ends[0], "objective": model.history[-1].objective}


def top_n(job: Job) -> dict[str, Any]:
    """Lists for all users at once, by the face and by the kernel, and for one user at a time; two epochs' factors."""
    learner = Learner(job, load(job))
    model = learner.model.fit(learner.data, threads=job["threads"], progress=False)
    users = len(model.data.user_ids)
    model.recommend(0, n=job["n"])  # packs the items
    face, _ = clock(lambda: model.recommend(n=job["n"], threads=job["threads"]))
    batch = model.encode_users(np.arange(users, dtype=np.int32))
    kernel, _ = clock(lambda: model.rank(batch, job["n"], True, None, job["threads"]))
    calls = []
    for user in np.random.default_rng(0).integers(0, users, job["calls"]).tolist():
        start = time.perf_counter()
        model.recommend(user, n=job["n"])
        calls.append(time.perf_counter() - start)
    return {"all": face, "kernel": kernel, "single": statistics.median(calls)}


def neighbors(job: Job) -> dict[str, Any]:
    """The neighbors of all items, from rows by user."""
    data = by_user(load(job))
    reset_peak()
    before = resident()
    seconds, model = clock(lambda: al.ItemKNN(**job["settings"]).fit(data, threads=job["threads"], progress=False))
    most, similarities = peak() - before, model.similarities[model.neighbors >= 0]
    return {"seconds": seconds, "similarity": float(similarities.mean(dtype=np.float64)), "peak_bytes": most}


def build(job: Job) -> dict[str, Any]:
    """Both orders from three columns in memory, sorted by user or shuffled."""
    data = load(job)
    if job.get("shuffled"):
        order = np.random.default_rng(0).permutation(len(data.values))
        data = Data(*(column[order] for column in data))
    reset_peak()
    before = resident()
    seconds, built = clock(lambda: interactions(data))
    return {"seconds": seconds, "rows": len(built), "peak_bytes": peak() - before}


def read(job: Job) -> dict[str, Any]:
    """A CSV file to interactions, by user; then the order by item."""
    import duckdb  # noqa: F401  (an import, not reading)

    reset_peak()
    before = resident()
    seconds, data = clock(lambda: al.read(job["path"]))
    most = peak() - before
    transposed, _ = clock(lambda: data.by_item)
    return {"seconds": seconds, "transpose": transposed, "rows": len(data), "peak_bytes": most}


def memory(job: Job) -> dict[str, Any]:
    """The peak of a fit, its data included, above the imports."""
    imports = resident()
    columns = load(job)
    ratings = len(columns.values)
    learner = Learner(job, columns)
    size = Path(job["data"], "values.npy").stat().st_size
    del columns
    reset_peak()
    ready = resident()
    learner.model.fit(learner.data, threads=job["threads"], progress=False)
    model = learner.model
    allowed = 2 * 16 * ratings + model.user_factors.nbytes + model.item_factors.nbytes
    return {
        "peak_bytes": peak() - imports,
        "ready_bytes": ready - imports,
        "allowed_bytes": allowed,
        "column_bytes": size,
    }


class Adapter:
    """Any of the models. An unknown user or item is predicted by the mean and the other side's bias."""

    def __init__(self, job: Job, settings: dict[str, Any], data: Data) -> None:
        self.data, self.threads = interactions(data), job["threads"]
        self.model = getattr(al, job["model"])(**settings)

    def fit(self) -> None:
        self.model.fit(self.data, threads=self.threads, progress=False)

    def predict(self, users: Any, items: Any) -> Any:
        return self.model.predict(users, items, clip=True, unknown="bias")

    def best(self, n: int) -> Any:
        answer = self.model.recommend(n=n, threads=self.threads)
        lists = np.full((len(answer.counts), n), -1)
        lists[np.arange(n) < answer.counts[:, None]] = answer.rows
        return lists


if __name__ == "__main__":
    actions = {"half_sweeps": half_sweeps, "descend": descend, "top_n": top_n, "neighbors": neighbors, "build": build}
    actions |= {"fit": lambda job: fit(job, Learner), "accuracy": lambda job: answer(job, Adapter)}
    serve({"read": read, "memory": memory, **actions})

"""LIBMF, compiled with AVX: gradient descent with a rate for each row (Adagrad), without biases; no callback.

An epoch is what a fit of several takes beyond a fit of one, for the copying and sorting that comes before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from libmf import mf

from peers.common import Job, clock, load, serve


def descend(job: Job) -> dict[str, Any]:
    table = np.column_stack([column.astype(np.float32) for column in load(job)])

    def seconds(epochs: int) -> float:
        learner = mf.MF(k=job["factors"], nr_threads=job["threads"], nr_iters=epochs, quiet=True)
        return clock(lambda: learner.fit(table))[0]

    first = seconds(1)
    return {"epochs": [(seconds(job["epochs"]) - first) / (job["epochs"] - 1)], "first": first}


if __name__ == "__main__":
    serve({"descend": descend})

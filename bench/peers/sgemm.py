"""The machine's rate of single-precision matrix products: NumPy's sgemm, on as many threads as BLAS may use."""

from __future__ import annotations

import numpy as np

from bench.peers.worker import Job, clock, serve

SIZE = 3000


def rate(job: Job) -> dict[str, float]:
    a = np.ones((SIZE, SIZE), np.float32)
    return {"rate": 2 * SIZE**3 / min(clock(lambda: a @ a)[0] for _ in range(4))}


if __name__ == "__main__":
    serve({"rate": rate})

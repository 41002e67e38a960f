"""The machine's own rate of single-precision matrix products: NumPy's sgemm, on the threads its BLAS is given."""

from __future__ import annotations

import numpy as np

from peers.common import Job, clock, serve

SIZE = 3000


def product(job: Job) -> dict[str, float]:
    a = np.ones((SIZE, SIZE), np.float32)
    return {"rate": 2 * SIZE**3 / min(clock(lambda: a @ a)[0] for _ in range(4))}


if __name__ == "__main__":
    serve({"product": product})

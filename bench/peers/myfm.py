"""myFM: Gibbs sampling of factorization machines. Of user and item as one-hot blocks, that is BayesianMF's model.

It uses one thread, and predicts no intervals.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import myfm
import numpy as np
from scipy import sparse

from bench.peers.worker import Job, clock, serve


def fold(job: Job) -> dict[str, Any]:
    """Fit on one file of MovieLens 100K and predict another; RMSE of predictions clipped to 1..5, and seconds."""
    base, test = (np.loadtxt(Path(job[part]), np.int64).T for part in ("base", "test"))
    sizes = job["sizes"]
    model = myfm.MyFMRegressor(rank=job["factors"], random_seed=42)
    draws = {"n_iter": job["sweeps"], "n_kept_samples": job["sweeps"]}
    wide = one_hot(base[:2], sizes)
    seconds, _ = clock(lambda: model.fit(wide, base[2], group_shapes=sizes, **draws))
    errors = np.clip(model.predict(one_hot(test[:2], sizes)), 1, 5) - test[2]
    return {"rmse": float(np.sqrt((errors**2).mean())), "seconds": seconds}


def one_hot(columns: Any, sizes: list[int]) -> Any:
    """Return a row for each value, with a one in the block of users and another in that of items."""
    places = columns + np.array([0, sizes[0]])[:, None]
    count = columns.shape[1]
    return sparse.csr_matrix((np.ones(2 * count), (np.tile(np.arange(count), 2), places.ravel())), (count, sum(sizes)))


if __name__ == "__main__":
    serve({"fold": fold})

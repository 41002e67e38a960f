"""BayesianMF on MovieLens 100K: accuracy, coverage of its intervals and time, beside myFM; how its prior was chosen.

python bench/bayesian.py choose DATA_FOLDER   # validation parts of two training folds (see defaults.py); best last
python bench/bayesian.py folds DATA_FOLDER    # the official folds; the folder with ml-100k.tar.gz
python bench/bayesian.py myfm DATA_FOLDER     # the same with myFM, where that is installed (it may have its own Python)

An official fold's row is RMSE of predictions clipped to 1..5, share of values inside their 90% interval, and seconds.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from data import unpacked

FACTORS, SWEEPS, BURN_IN = 10, 200, 10  # as many as myFM is given
Figures = tuple[float, float, float]  # RMSE, coverage, seconds
Columns = tuple[Any, Any, Any]  # users, items, values


def columns(path: Path) -> Columns:
    users, items, values, _ = np.loadtxt(path, np.int64).T
    return users.astype(np.int32), items.astype(np.int32), values.astype(np.float32)


def ours(train: Columns, test: Columns, **settings: Any) -> Figures:
    from alsatian import BayesianMF, Ids, Interactions, metrics

    ids = Ids(np.arange(944), "user"), Ids(np.arange(1683), "item")
    data = Interactions.build(*ids, *train, scale=(1.0, 5.0))
    begun = time.perf_counter()
    model = BayesianMF(**settings).fit(data, progress=False)
    seconds = time.perf_counter() - begun
    users, items, values = test
    predicted, spread = model.predict_rows(users, items), model.deviations(users, items)
    inside = np.abs(values - predicted) < 1.645 * spread
    return metrics.rmse(np.clip(predicted, 1, 5), values), float(inside.mean()), seconds


def myfm(train: Columns, test: Columns) -> Figures:
    """User and item as two one-hot blocks: biases and pairwise factors, the same model; it predicts no intervals."""
    import myfm
    from scipy import sparse

    def wide(part: Columns) -> Any:
        users, items, _ = part
        at = np.arange(len(users)), np.arange(len(users))
        blocks = [sparse.csr_matrix((np.ones(len(users)), (at[0], ids)), (len(users), n)) for ids, n in
                  ((users, 944), (items, 1683))]  # fmt: skip
        return sparse.hstack(blocks).tocsr()

    x, y = wide(train), wide(test)
    begun = time.perf_counter()
    model = myfm.MyFMRegressor(rank=FACTORS, random_seed=42)
    model.fit(x, train[2], group_shapes=[944, 1683], n_iter=SWEEPS, n_kept_samples=SWEEPS)
    seconds = time.perf_counter() - begun
    errors = np.clip(model.predict(y), 1, 5) - test[2]
    return float(np.sqrt((errors**2).mean())), np.nan, seconds


def folds(folder: Path, name: str, run: Callable[..., Figures], **settings: Any) -> None:
    """Print the mean RMSE and coverage over u1..u5 and the sum of the seconds; then those of each fold."""
    figures = [run(columns(folder / f"u{n}.base"), columns(folder / f"u{n}.test"), **settings) for n in range(1, 6)]
    rmse, inside, seconds = np.array(figures).T
    print(
        f"{name}: RMSE {rmse.mean():.4f}, inside {inside.mean():.3f}, {seconds.sum():.1f} s", rmse.round(4), flush=True
    )


def choose(folder: Path) -> None:
    """Try hyper-priors and numbers of factors on validation parts; the test files are not read."""
    from alsatian.models import gibbs

    parts = []
    for fold in (1, 3):
        users, items, values = columns(folder / f"u{fold}.base")
        held = np.random.default_rng(0).random(len(users)) < 0.2
        parts.append([(users[mask], items[mask], values[mask]) for mask in (~held, held)])
    rows = []
    for shape, rate, factors in itertools.product((10, 50, 100), (0.2, 1, 2), (10, 16, 32)):
        gibbs.SHAPE, gibbs.RATE = float(shape), float(rate)
        figures = [ours(*part, factors=factors)[0] for part in parts]
        rows.append((float(np.mean(figures)), {"SHAPE": shape, "RATE": rate, "factors": factors}))
    for rmse, setting in sorted(rows, key=lambda row: -row[0]):
        print(f"{rmse:.4f}", setting)


def main(what: str, data: Path) -> None:
    folder = unpacked(data, "ml-100k")
    if what == "choose":
        choose(folder)
    elif what == "myfm":
        folds(folder, f"myFM, {FACTORS} factors, {SWEEPS} draws", myfm)
    else:
        same = {"factors": FACTORS, "burn_in": BURN_IN, "draws": SWEEPS - BURN_IN}
        folds(folder, f"BayesianMF, {FACTORS} factors, {SWEEPS} sweeps", ours, **same)
        folds(folder, "BayesianMF()", ours)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

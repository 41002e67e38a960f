"""BayesianMF on MovieLens 100K: accuracy, coverage of its intervals and time, beside myFM; how its prior was chosen.

python bench/bayesian.py folds DATA_FOLDER    # the official folds; the folder with ml-100k.tar.gz
python bench/bayesian.py choose DATA_FOLDER   # validation parts of two training folds (see defaults.py); best last

A row of the folds is RMSE of predictions clipped to 1..5, share of values inside their 90% interval, and seconds of all
five fits. myFM runs in an environment of its own, which is made on first use, fold by fold in turn with BayesianMF.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from alsatian import BayesianMF, Ids, Interactions, kernels, metrics
from alsatian.models import gibbs
from data import unpacked
from harness import run_job

FACTORS, SWEEPS, BURN_IN = 10, 200, 10  # as many as myFM is given
SIZES = [944, 1683]  # of users and items, numbered from 1
Figures = tuple[float, float, float]  # RMSE, coverage, seconds
Columns = tuple[Any, Any, Any]  # users, items, values


def columns(path: Path) -> Columns:
    users, items, values, _ = np.loadtxt(path, np.int64).T
    return users.astype(np.int32), items.astype(np.int32), values.astype(np.float32)


def ours(train: Columns, test: Columns, **settings: Any) -> Figures:
    ids = Ids(np.arange(SIZES[0]), "user"), Ids(np.arange(SIZES[1]), "item")
    data = Interactions.build(*ids, *train, scale=(1.0, 5.0))
    begun = time.perf_counter()
    model = BayesianMF(**settings).fit(data, progress=False)
    seconds = time.perf_counter() - begun
    users, items, values = test
    predicted, spread = model.predict_rows(users, items), model.deviations(users, items)
    inside = np.abs(values - predicted) < 1.645 * spread
    return metrics.rmse(np.clip(predicted, 1, 5), values), float(inside.mean()), seconds


def theirs(base: Path, test: Path) -> Figures:
    """Run myFM on one fold."""
    job = {"action": "fold", "base": str(base), "test": str(test), "sizes": SIZES, "threads": 1}
    found = run_job("myfm", job | {"factors": FACTORS, "sweeps": SWEEPS})
    if "failed" in found:
        raise SystemExit(f"myFM: {found['failed']}")
    return found["rmse"], np.nan, found["seconds"]


def folds(folder: Path) -> None:
    """Print RMSE and coverage, means over u1..u5, the sum of the seconds, and the RMSE of each fold."""
    same = {"factors": FACTORS, "burn_in": BURN_IN, "draws": SWEEPS - BURN_IN}
    names = (
        f"BayesianMF, {FACTORS} factors, {SWEEPS} sweeps",
        f"myFM, {FACTORS} factors, {SWEEPS} sweeps",
        "BayesianMF()",
    )
    rows = []
    for n in range(1, 6):
        paths = folder / f"u{n}.base", folder / f"u{n}.test"
        parts = [columns(path) for path in paths]
        rows.append([ours(*parts, **same), theirs(*paths), ours(*parts)])
        print(f"  u{n}: " + ", ".join(f"{rmse:.4f} in {seconds:.2f} s" for rmse, _, seconds in rows[-1]), flush=True)
    figures = np.array(rows)
    for name, (rmse, inside, seconds) in zip(names, figures.transpose(1, 2, 0), strict=True):
        told = "" if np.isnan(inside).any() else f", inside {inside.mean():.3f}"
        print(f"{name}: RMSE {rmse.mean():.4f}{told}, {seconds.sum():.2f} s", rmse.round(4))
    ratio = figures[:, 1, 2].sum() / figures[:, 0, 2].sum()
    print(f"at equal factors and sweeps {ratio:.1f} times faster ({kernels.usable_threads()} threads; myFM uses one)")


def choose(folder: Path) -> None:
    """Try hyper-priors and numbers of factors on validation parts; the test files are not read."""
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


if __name__ == "__main__":
    {"choose": choose, "folds": folds}[sys.argv[1]](unpacked(Path(sys.argv[2]), "ml-100k"))

"""BayesianMF beside myFM: accuracy, coverage of intervals, time; the choice of its prior.

    python -m bench bayesian folds DATA_FOLDER    # the official folds; the folder with ml-100k.tar.gz
    python -m bench bayesian choose DATA_FOLDER   # validation parts of two training folds (as in `defaults`); best last

A row of the folds is RMSE of predictions clipped to 1..5, share of values inside their 90% interval, and seconds of all
five fits. myFM runs in an environment of its own, created on first use, fold by fold in turn with BayesianMF.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alsatian import BayesianMF, IdMap, Interactions, kernels, metrics
from alsatian.models.bayesian import gibbs
from bench.datasets import unpacked
from bench.harness import run_job
from bench.programs import argument_parser

DURATION = "5 minutes"
FACTORS, SWEEPS, BURN_IN = 10, 200, 10  # myFM has the same
SIZES = [944, 1683]  # of users and items, numbered from 1
Figures = tuple[float, float, float]  # RMSE, coverage, seconds
Columns = tuple[Any, Any, Any]  # users, items, values


def columns(path: Path) -> Columns:
    users, items, values, _ = np.loadtxt(path, np.int64).T
    return users.astype(np.int32), items.astype(np.int32), values.astype(np.float32)


def alsatian_fold(train: Columns, test: Columns, **settings: Any) -> Figures:
    ids = IdMap(np.arange(SIZES[0]), "user"), IdMap(np.arange(SIZES[1]), "item")
    data = Interactions.build(*ids, *train, scale=(1.0, 5.0))
    start = time.perf_counter()
    model = BayesianMF(**settings).fit(data, progress=False)
    seconds = time.perf_counter() - start
    users, items, values = test
    predicted, spread = model.predict_rows(users, items), model.deviations(users, items)
    inside = np.abs(values - predicted) < 1.645 * spread
    return metrics.rmse(np.clip(predicted, 1, 5), values), float(inside.mean()), seconds


def myfm_fold(base: Path, test: Path) -> Figures:
    """Run myFM on one fold."""
    job = {"action": "fold", "base": str(base), "test": str(test), "sizes": SIZES, "threads": 1}
    result = run_job("myfm", job | {"factors": FACTORS, "sweeps": SWEEPS})
    if "failed" in result:
        raise SystemExit(f"myFM: {result['failed']}")
    return result["rmse"], np.nan, result["seconds"]


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
        rows.append([alsatian_fold(*parts, **same), myfm_fold(*paths), alsatian_fold(*parts)])
        print(f"  u{n}: " + ", ".join(f"{rmse:.4f} in {seconds:.2f} s" for rmse, _, seconds in rows[-1]), flush=True)
    figures = np.array(rows)
    for name, (rmse, inside, seconds) in zip(names, figures.transpose(1, 2, 0), strict=True):
        coverage = "" if np.isnan(inside).any() else f", inside {inside.mean():.3f}"
        print(f"{name}: RMSE {rmse.mean():.4f}{coverage}, {seconds.sum():.2f} s", rmse.round(4))
    ratio = figures[:, 1, 2].sum() / figures[:, 0, 2].sum()
    print(f"at equal factors and sweeps {ratio:.1f} times faster ({kernels.usable_threads()} threads; myFM uses one)")


def choose(folder: Path) -> None:
    """Try hyper-priors and numbers of factors on validation parts; the test files are not read."""
    parts = []
    for fold in (1, 3):
        users, items, values = columns(folder / f"u{fold}.base")
        held_out = np.random.default_rng(0).random(len(users)) < 0.2
        parts.append([(users[mask], items[mask], values[mask]) for mask in (~held_out, held_out)])
    rows = []
    for shape, rate, factors in itertools.product((10, 50, 100), (0.2, 1, 2), (10, 16, 32)):
        gibbs.PRECISION_PRIOR_SHAPE, gibbs.PRECISION_PRIOR_RATE = float(shape), float(rate)
        figures = [alsatian_fold(*part, factors=factors)[0] for part in parts]
        rows.append((float(np.mean(figures)), {"shape": shape, "rate": rate, "factors": factors}))
    for rmse, setting in sorted(rows, key=lambda row: -row[0]):
        print(f"{rmse:.4f}", setting)


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    tasks = {"choose": choose, "folds": folds}
    parser.add_argument("task", choices=tasks)
    parser.add_argument("folder", type=Path, metavar="DATA_FOLDER")
    options = parser.parse_args(arguments)
    tasks[options.task](unpacked(options.folder, "ml-100k"))

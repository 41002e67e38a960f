"""The accuracy of BiasedMF on MovieLens 100K: defaults, and searched settings.

python -m bench biased_mf DATA_FOLDER      # the folder with ml-100k.tar.gz

Settings are searched inside the training parts only.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import alsatian as al
from alsatian import evaluation
from bench.datasets import unpacked
from bench.programs import argument_parser

DURATION = "20 minutes"
Settings = dict[str, Any]
PLAIN: list[Settings] = [
    {"reg": reg, "factors": k, "epochs": 50, "learning_rate": 0.02}
    for reg, k in itertools.product((1.0, 1.1, 1.2), (64, 128))
]
SVDPP: list[Settings] = [
    {"reg": reg, "factors": 64, "epochs": 50, "learning_rate": 0.02, "svdpp": True} for reg in (0.9, 1.0, 1.1, 1.2)
]


def random_folds(data: al.Interactions) -> Iterator[al.Split]:
    """Yield five parts of the data in turn, drawn with seed 0."""
    fold = np.random.default_rng(0).permutation(len(data)) % 5
    for part in range(5):
        yield al.Split(f"fold {part + 1}", data.where(fold != part), data.where(fold == part))


def best_settings(split: al.Split, grid: list[Settings]) -> Settings:
    """Return the settings that predict a fifth of the training part best."""
    inner = al.split.random(split.train, 0.2, seed=1)
    errors = [evaluation.rmse(al.BiasedMF(**setting).fit(inner.train, progress=False), inner) for setting in grid]
    return grid[int(np.argmin(errors))]


def errors(model: al.BiasedMF, split: al.Split) -> tuple[float, float]:
    """Return RMSE and MAE of clipped predictions."""
    held_out = split.held_out
    predicted = model.predict_rows(held_out.users, held_out.items, clip=True)
    return evaluation.rmse(model, split), float(np.abs(predicted - held_out.values).mean())


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("folder", type=Path, metavar="DATA_FOLDER")
    folder = unpacked(parser.parse_args(arguments).folder, "ml-100k")
    print("official folds u1-u5, clipped, defaults: RMSE, MAE")
    folds = [errors(al.BiasedMF().fit(fold.train, progress=False), fold) for fold in al.split.movielens_folds(folder)]
    print("  {:.4f} {:.4f}".format(*np.mean(folds, axis=0)))
    ratings = al.read(folder / "u.data", delimiter="\t", scale=(1, 5))
    for name, grid in (("plain", PLAIN), ("SVD++", SVDPP)):
        start, folds = time.perf_counter(), []
        for split in random_folds(ratings):
            setting = best_settings(split, grid)
            folds.append(errors(al.BiasedMF(**setting).fit(split.train, progress=False), split))
            print(f"  {split.name}: {folds[-1][0]:.4f} {folds[-1][1]:.4f} {setting}")
        rmse, mae = np.mean(folds, axis=0)
        print(f"random folds, {name}: RMSE {rmse:.4f}, MAE {mae:.4f} ({time.perf_counter() - start:.0f} s)")

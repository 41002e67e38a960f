"""Accuracy of BiasedMF on MovieLens 100K: its defaults, and settings searched inside the training parts only.

python bench/biased_mf.py DATA_FOLDER      # the folder with ml-100k.tar.gz
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import alsatian as al
from alsatian import evaluation
from data import unpacked

Settings = dict[str, Any]
PLAIN: list[Settings] = [
    {"reg": reg, "factors": k, "epochs": 50, "lr": 0.02} for reg, k in itertools.product((1.0, 1.1, 1.2), (64, 128))
]
IMPLICIT: list[Settings] = [
    {"reg": reg, "factors": 64, "epochs": 50, "lr": 0.02, "implicit_terms": True} for reg in (0.9, 1.0, 1.1, 1.2)
]


def random_folds(data: al.Interactions) -> Iterator[al.Split]:
    """Yield five parts of the data in turn, drawn with seed 0."""
    fold = np.random.default_rng(0).permutation(len(data)) % 5
    for part in range(5):
        yield al.Split(f"fold {part + 1}", data.where(fold != part), data.where(fold == part))


def searched(split: al.Split, grid: list[Settings]) -> Settings:
    """Return the settings that predict a fifth of the training part best."""
    inner = al.split.random(split.train, 0.2, seed=1)
    errors = [evaluation.rmse(al.BiasedMF(**setting).fit(inner.train, progress=False), inner) for setting in grid]
    return grid[int(np.argmin(errors))]


def errors(model: al.BiasedMF, split: al.Split) -> tuple[float, float]:
    """Return RMSE and MAE of clipped predictions."""
    held_out = split.held_out
    predicted = model.predict_rows(held_out.users, held_out.items, clip=True)
    return evaluation.rmse(model, split), float(np.abs(predicted - held_out.values).mean())


def main(data: Path) -> None:
    folder = unpacked(data, "ml-100k")
    print("official folds u1-u5, clipped, defaults: RMSE, MAE")
    folds = (
        errors(al.BiasedMF().fit(split.train, progress=False), split) for split in al.split.movielens_folds(folder)
    )
    print("  {:.4f} {:.4f}".format(*np.mean(list(folds), axis=0)))
    ratings = al.read(folder / "u.data", delimiter="\t", scale=(1, 5))
    for name, grid in (("plain", PLAIN), ("with implicit terms", IMPLICIT)):
        begun, found = time.perf_counter(), []
        for split in random_folds(ratings):
            setting = searched(split, grid)
            found.append(errors(al.BiasedMF(**setting).fit(split.train, progress=False), split))
            print(f"  {split.name}: {found[-1][0]:.4f} {found[-1][1]:.4f} {setting}")
        rmse, mae = np.mean(found, axis=0)
        print(f"random folds, {name}: RMSE {rmse:.4f}, MAE {mae:.4f} ({time.perf_counter() - begun:.0f} s)")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

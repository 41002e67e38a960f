"""Choose the constructors' defaults on validation parts of ml-latest-small and of two training folds of MovieLens 100K.

The test files are not read here; but the folds partition the data, so a training fold holds what other folds test.
Those of item-knn are chosen inside the training parts of the ten-per-user splits that the README reports on, of both
sets and of the article log: what these hold out is not read. Prints one line a setting, best last.

    python bench/defaults.py explicit DATA_FOLDER     # the folder with ml-latest-small.tar.gz and ml-100k.tar.gz
    python bench/defaults.py implicit DATA_FOLDER
    python bench/defaults.py item-knn DATA_FOLDER     # also with deskdrop.tar.gz
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import alsatian as al
from alsatian import evaluation
from data import unpacked


def random_part(data: al.Interactions, share: float, seed: int) -> al.Split:
    held = np.random.default_rng(seed).random(len(data)) < share
    return al.Split("random", data.where(~held), data.where(held))


def training_folds(folder: Path) -> Iterator[al.Interactions]:
    for fold in (1, 3):
        yield al.read(folder / f"u{fold}.base", delimiter="\t")


def explicit(folder: Path) -> tuple[list[al.Split], Iterator[dict[str, Any]]]:
    small = al.read(unpacked(folder, "ml-latest-small"))
    splits = [al.split.per_user(small, 10, seed) for seed in (0, 1)]
    splits += [random_part(data, 0.2, 0) for data in training_folds(unpacked(folder, "ml-100k"))]
    regs = {1.0: (0.1, 0.12, 0.14), 0.8: (0.25, 0.3, 0.35), 0.6: (0.7, 0.8, 0.9), 0.4: (1.4, 1.8, 2.2)}
    grid = ({"nu": nu, "reg": reg, "factors": k} for nu in regs for reg in regs[nu] for k in (32, 64, 128))
    return splits, grid


def implicit(folder: Path) -> tuple[list[al.Split], Iterator[dict[str, Any]]]:
    small = al.read(unpacked(folder, "ml-latest-small"))
    datasets = [small, *training_folds(unpacked(folder, "ml-100k"))]
    splits = [al.split.per_user(data.likes(), 10, 0) for data in datasets]
    hu = itertools.product((0.5, 1.0, 2.0, 4.0), (5.0, 10.0, 20.0, 40.0))
    rendle = itertools.product((0.1, 0.2, 0.4), ((1.0, 0.003), (1.0, 0.01), (0.5, 0.1), (0.5, 0.3)))
    settings: list[dict[str, Any]] = [{"form": "hu", "alpha": a, "reg": r} for a, r in hu]
    settings += [{"form": "rendle", "unobserved_weight": w, "nu": nu, "reg": r} for w, (nu, r) in rendle]
    return splits, ({"factors": 32, **setting} for setting in settings)


def item_knn(folder: Path) -> tuple[list[al.Split], Iterator[dict[str, Any]]]:
    log = next(unpacked(folder, "deskdrop").glob("**/users_interactions.csv"))
    datasets = [al.read(unpacked(folder, name)).likes() for name in ("ml-latest-small", "ml-100k")]
    splits = [al.split.per_user(al.split.per_user(data).train, seed=1) for data in (*datasets, al.read(log))]
    names = ("weighting", "shrinkage", "k")
    grid = itertools.product(("none", "tf-idf", "bm25"), (0.0, 5.0, 20.0), (50, 100, 200, 400))
    return splits, (dict(zip(names, setting, strict=True)) for setting in grid)


def main(kind: str, folder: Path) -> None:
    splits, grid = {"explicit": explicit, "implicit": implicit, "item-knn": item_knn}[kind](folder)
    rows = []
    for setting in grid:
        if kind == "explicit":
            figures = [evaluation.rmse(al.ExplicitALS(seed=1, **setting).fit(s.train), s) for s in splits]
        elif kind == "item-knn":
            figures = [-evaluation.ndcg(al.ItemKNN(**setting).fit(s.train, progress=False), s) for s in splits]
        else:
            figures = [-evaluation.ndcg(al.ImplicitALS(seed=1, **setting).fit(s.train), s) for s in splits]
        rows.append((float(np.mean(figures)), np.round(np.abs(figures), 4), setting))
    for mean, figures, setting in sorted(rows, key=lambda row: -row[0]):
        print(f"{abs(mean):.4f}", figures, setting)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

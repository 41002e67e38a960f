"""The choice of the constructors' defaults on validation parts.

The data is ml-latest-small and two training folds of MovieLens 100K. The test files are not read here; but the folds
partition the data, so a training fold holds what other folds test. Those of item-knn are chosen inside the training
parts of the ten-per-user splits that the README reports on, of both sets and of the article log: what these hold out is
not read. Prints one line a setting, best last.

    python -m bench defaults explicit DATA_FOLDER     # the folder with ml-latest-small.tar.gz and ml-100k.tar.gz
    python -m bench defaults implicit DATA_FOLDER     # or ease, user-knn, pure-svd, pure-svd-biases
    python -m bench defaults item-knn DATA_FOLDER     # also with deskdrop.tar.gz
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import alsatian as al
from alsatian import evaluation
from bench.datasets import unpacked
from bench.programs import argument_parser

DURATION = "1 to 20 minutes"


def training_folds(folder: Path) -> Iterator[al.Interactions]:
    for fold in (1, 3):
        yield al.read(folder / f"u{fold}.base", delimiter="\t")


def ratings(folder: Path) -> list[al.Split]:
    small = al.read(unpacked(folder, "ml-latest-small"))
    splits = [al.split.per_user(small, 10, seed) for seed in (0, 1)]
    return splits + [al.split.random(data, 0.2, seed=0) for data in training_folds(unpacked(folder, "ml-100k"))]


def likes(folder: Path) -> list[al.Split]:
    small = al.read(unpacked(folder, "ml-latest-small"))
    datasets = [small, *training_folds(unpacked(folder, "ml-100k"))]
    return [al.split.per_user(data.binarize(), 10, 0) for data in datasets]


def explicit() -> Iterator[dict[str, Any]]:
    regs = {1.0: (0.1, 0.12, 0.14), 0.8: (0.25, 0.3, 0.35), 0.6: (0.7, 0.8, 0.9), 0.4: (1.4, 1.8, 2.2)}
    return (
        {"reg_exponent": exponent, "reg": reg, "factors": k, "seed": 1}
        for exponent in regs
        for reg in regs[exponent]
        for k in (32, 64, 128)
    )


def implicit() -> Iterator[dict[str, Any]]:
    hu = itertools.product((0.5, 1.0, 2.0, 4.0), (5.0, 10.0, 20.0, 40.0))
    rendle = itertools.product((0.1, 0.2, 0.4), ((1.0, 0.003), (1.0, 0.01), (0.5, 0.1), (0.5, 0.3)))
    settings: list[dict[str, Any]] = [{"loss": "hu", "alpha": a, "reg": r} for a, r in hu]
    settings += [{"loss": "rendle", "unobserved_weight": w, "reg_exponent": e, "reg": r} for w, (e, r) in rendle]
    return ({"factors": 32, "seed": 1, **setting} for setting in settings)


def pure_svd(impute: str = "zero") -> Iterator[dict[str, Any]]:
    return ({"impute": impute, "factors": k} for k in (4, 6, 8, 12, 16, 20, 24, 32, 48, 64))


def ease() -> Iterator[dict[str, Any]]:
    return ({"reg": reg} for reg in (50, 100, 200, 400, 800))


def inner_likes(folder: Path) -> list[al.Split]:
    log = next(unpacked(folder, "deskdrop").glob("**/users_interactions.csv"))
    datasets = [al.read(unpacked(folder, name)).binarize() for name in ("ml-latest-small", "ml-100k")]
    return [al.split.per_user(al.split.per_user(data).train, seed=1) for data in (*datasets, al.read(log))]


def item_knn() -> Iterator[dict[str, Any]]:
    names = ("weighting", "shrinkage", "k")
    grid = itertools.product(("none", "tf-idf", "bm25"), (0.0, 5.0, 20.0), (50, 100, 200, 400))
    return (dict(zip(names, setting, strict=True)) for setting in grid)


def user_knn() -> Iterator[dict[str, Any]]:
    return ({"k": k, "shrinkage": shrinkage} for k in (50, 100, 200) for shrinkage in (0, 10, 20, 50))


KINDS = {  # the model, the splits it is evaluated on, and the grid of settings
    "explicit": (al.ExplicitALS, ratings, explicit()),
    "implicit": (al.ImplicitALS, likes, implicit()),
    "ease": (al.EASE, likes, ease()),
    "item-knn": (al.ItemKNN, inner_likes, item_knn()),
    "user-knn": (al.UserKNN, likes, user_knn()),
    "pure-svd": (al.PureSVD, likes, pure_svd()),
    "pure-svd-biases": (al.PureSVD, ratings, pure_svd("biases")),
}


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("folder", type=Path, metavar="DATA_FOLDER")
    options = parser.parse_args(arguments)
    model, splits_of, grid = KINDS[options.kind]
    splits, rows = splits_of(options.folder), []
    measure, sign = (evaluation.rmse, 1) if splits_of is ratings else (evaluation.ndcg, -1)
    for setting in grid:
        figures = [measure(model(**setting).fit(s.train, progress=False), s) for s in splits]
        rows.append((float(np.mean(figures)), np.round(figures, 4), setting))
    for mean, figures, setting in sorted(rows, key=lambda row: -sign * row[0]):
        print(f"{mean:.4f}", figures, setting)

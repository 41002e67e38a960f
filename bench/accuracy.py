"""The accuracy that the README quotes: MovieLens 100K, with the constructors' defaults but for what is shown.

python bench/accuracy.py DATA_FOLDER      # the folder with ml-100k.tar.gz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import alsatian as al
from alsatian import evaluation
from alsatian.models import Model
from data import unpacked


def official_folds(folds: list[al.Split], model: Model) -> tuple[float, float]:
    """Return the mean RMSE over u1..u5, predictions clipped to 1..5, and the seconds of a fit.

    An item or user that a training part lacks is predicted by the mean and the other side's bias.
    """
    errors, seconds = [], []
    for split in folds:
        errors.append(evaluation.rmse(model.fit(split.train, progress=False), split))
        seconds.append(model.training["seconds"])
    return float(np.mean(errors)), float(np.median(seconds))


def main(data: Path) -> None:
    folder = unpacked(data, "ml-100k")
    folds = al.split.movielens_folds(folder)
    print("MovieLens 100K, official folds u1-u5, clipped: RMSE, seconds a fit")
    for model in (
        al.ExplicitALS(), al.BiasedMF(), al.BayesianMF(), al.PureSVD(factors=8, impute="biases"),
        al.ItemKNN(baselines=True), al.UserKNN(baselines=True), al.Baseline(), al.Popularity(by="mean"),
    ):  # fmt: skip
        print("  {!r:36} {:.4f}  {:.2f}".format(model, *official_folds(folds, model)))
    print("MovieLens 100K, ten a user held out at random, all ratings as likes: NDCG@10")
    split = al.split.per_user(al.read(folder).likes(), n=10, seed=0)
    for ranker in (
        al.ImplicitALS(factors=32), al.EASE(), al.PureSVD(factors=20), al.ItemKNN(), al.UserKNN(), al.Popularity(),
    ):  # fmt: skip
        print(f"  {ranker!r:36} {evaluation.ndcg(ranker.fit(split.train, progress=False), split):.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

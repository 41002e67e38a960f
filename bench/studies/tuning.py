"""What tuning gains: MovieLens 100K by Gorse's protocol, the test parts used once.

    python -m bench tuning DATA_FOLDER [--trials 25]      # the folder with ml-100k.tar.gz

All 100,000 ratings are likes, dealt at random into five folds. For each fold the settings are searched on the other
four alone (parted into five again, and figures averaged, for one part is too few to tell good settings from lucky
ones), the best are fitted on all of the four, and every user who has likes in the fold gets the ten best of the items
that are not in their training part. NDCG@10 is the mean over those users, then over the folds. Two trials run at a
time, on a thread each.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import alsatian as al
from alsatian import evaluation
from alsatian.tuning.study import describe_settings
from bench.datasets import unpacked
from bench.programs import argument_parser

DURATION = "5 minutes"
MODELS = (al.ImplicitALS(),)


def report(folder: Path, trials: int) -> None:
    likes = al.read(unpacked(folder, "ml-100k")).binarize()
    folds = al.split.k_fold(likes, 5, seed=0)
    popular = [evaluation.ndcg(al.Popularity().fit(fold.train), fold) for fold in folds]
    print(f"popularity: NDCG@10 {np.mean(popular):.4f}")
    for model in MODELS:
        start, usual, tuned = time.perf_counter(), [], []
        for fold in folds:
            study = al.tune(model, fold.train, trials=trials, split="k-fold:5", workers=2, threads=2, progress=False)
            tuned.append(evaluation.ndcg(study.fit(threads=2, progress=False), fold))
            usual.append(evaluation.ndcg(type(model)(**model.params).fit(fold.train, progress=False), fold))
            settings = describe_settings(study.best)
            print(f"  {fold.label}: {tuned[-1]:.4f}, untuned {usual[-1]:.4f}; {settings}", flush=True)
        seconds = time.perf_counter() - start
        print(f"{model!r}: NDCG@10 {np.mean(tuned):.4f}, untuned {np.mean(usual):.4f}; {seconds:.0f} s in all")


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("folder", type=Path, metavar="DATA_FOLDER")
    parser.add_argument("--trials", type=int, default=25, help="of each fold's search (default: 25)")
    options = parser.parse_args(arguments)
    report(options.folder, options.trials)

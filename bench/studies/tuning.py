"""MovieLens 100K, Gorse's protocol: what tuning gives, the test parts touched once.

python bench/tune.py DATA_FOLDER [TRIALS]      # the folder with ml-100k.tar.gz

All 100,000 ratings are likes, dealt at random into five folds. For each fold the settings are searched on the other
four alone (parted into five again, and figures averaged, for one part is too few to tell good settings from lucky
ones), the best are fitted on all of the four, and every user who has likes in the fold gets the ten best of the items
that she did not have before. NDCG@10 is the mean over those users, then over the folds. Two trials run at a time, on a
thread each.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

import alsatian as al
from alsatian import evaluation
from alsatian.tuning.study import said_of
from data import unpacked

MODELS = (al.ImplicitALS(),)


def main(folder: Path, trials: int) -> None:
    likes = al.read(unpacked(folder, "ml-100k")).likes()
    folds = al.split.folds(likes, 5, seed=0)
    popular = [evaluation.ndcg(al.Popularity().fit(fold.train), fold) for fold in folds]
    print(f"popularity: NDCG@10 {np.mean(popular):.4f}")
    for model in MODELS:
        begun, usual, tuned = time.perf_counter(), [], []
        for fold in folds:
            found = al.tune(model, fold.train, trials=trials, split="folds:5", workers=2, threads=2, progress=False)
            tuned.append(evaluation.ndcg(found.fit(threads=2, progress=False), fold))
            usual.append(evaluation.ndcg(type(model)(**model.params).fit(fold.train, progress=False), fold))
            print(f"  {fold.label}: {tuned[-1]:.4f}, untuned {usual[-1]:.4f}; {said_of(found.best)}", flush=True)
        seconds = time.perf_counter() - begun
        print(f"{model!r}: NDCG@10 {np.mean(tuned):.4f}, untuned {np.mean(usual):.4f}; {seconds:.0f} s in all")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 25)

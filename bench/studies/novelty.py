"""What novelty costs in accuracy and gains in coverage.

python -m bench novelty DATA_FOLDER      # the folder with ml-100k.tar.gz

Prints CSV. MovieLens 100K, all ratings as likes, ten a user held out at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import alsatian as al
from alsatian import metrics
from bench.datasets import unpacked
from bench.programs import argument_parser

DURATION = "10 seconds"
MODELS = (al.ImplicitALS(factors=32), al.ExplicitALS(factors=32), al.Popularity())


def report(folder: Path) -> None:
    """Print a line for each model and degree: mean self-information in bits, share of the catalog listed, NDCG@10."""
    ratings = al.split.per_user(al.read(unpacked(folder, "ml-100k")), n=10, seed=0)
    likes = ratings.binarize()
    held_out, counts, users = likes.held_out.by_user, likes.train.item_counts, len(likes.train.user_ids)
    print("model,novelty,bits,coverage,ndcg@10")
    for model in MODELS:
        model.fit((ratings if model.predicts_ratings else likes).train, progress=False)
        for novelty in (0, 0.25, 0.5, 0.75, 1):
            best = model.recommend(n=10, novelty=novelty).rows.reshape(-1, 10)
            bits = metrics.novelty(best, counts, users).mean()
            coverage = metrics.coverage(best, len(counts))
            ndcg = metrics.ndcg(metrics.hits(best, held_out), held_out.counts).mean()
            print(f"{model.name},{novelty},{bits:.2f},{coverage:.3f},{ndcg:.3f}")


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("folder", type=Path, metavar="DATA_FOLDER")
    report(parser.parse_args(arguments).folder)

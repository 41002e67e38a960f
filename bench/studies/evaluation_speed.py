"""Seconds to evaluate the lists of all users, by ten metrics at several lengths.

python -m bench evaluation_speed [--threads 2]      # in the shape of ml-20m, 64 factors

The data is synthetic: its accuracy says nothing.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

import alsatian as al
from alsatian.evaluation.metric_registry import parse_metrics
from alsatian.evaluation.score_model import score_model
from bench import datasets
from bench.programs import argument_parser

DURATION = "5 minutes"
TEN = ("ndcg", "recall", "precision", "map", "mrr", "hit_rate", "auc", "novelty", "coverage", "gini")
LENGTHS = (5, 10, 20, 50)


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("--threads", type=int, default=2)
    threads = parser.parse_args(arguments).threads
    folder = datasets.synthetic_folder("ml-20m")
    users, items, values = (np.load(folder / f"{column}.npy") for column in ("users", "items", "values"))
    ids = al.IdMap(np.arange(users.max() + 1), "user"), al.IdMap(np.arange(items.max() + 1), "item")
    split = al.split.per_user(al.Interactions.build(*ids, users, items, values), n=10)
    model = al.ImplicitALS(factors=64, epochs=2, use_values=False).fit(split.train, threads=threads, progress=False)
    groups = {"all ten": parse_metrics(TEN, LENGTHS)} | {name: parse_metrics([name], LENGTHS) for name in TEN}
    for name, request in (groups | {"diversity@10": parse_metrics(["diversity"], 10)}).items():
        start, used = time.perf_counter(), time.process_time()
        scores = score_model(model, split, split, request, threads)
        whole, used = time.perf_counter() - start, time.process_time() - used
        print(
            f"{name:12} {whole:6.2f} s, of which lists {scores.answer_seconds:.2f}; processors {used:.2f}", flush=True
        )

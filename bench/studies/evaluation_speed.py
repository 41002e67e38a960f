"""Seconds to judge the lists of all users of the ml-20m shape at 64 factors, by ten measures at several lengths.

python bench/judging.py [THREADS]      # synthetic data: its accuracy says nothing
"""

from __future__ import annotations

import sys
import time

import numpy as np

import alsatian as al
import data
from alsatian.evaluation import judging, measures
from alsatian.split.values import per_user

TEN = ("ndcg", "recall", "precision", "map", "mrr", "hit_rate", "auc", "novelty", "coverage", "gini")
LENGTHS = (5, 10, 20, 50)


def main(threads: int) -> None:
    folder = data.shaped("ml-20m")
    users, items, values = (np.load(folder / f"{column}.npy") for column in ("users", "items", "values"))
    ids = al.Ids(np.arange(users.max() + 1), "user"), al.Ids(np.arange(items.max() + 1), "item")
    split = per_user(al.Interactions.build(*ids, users, items, values), n=10)
    model = al.ImplicitALS(factors=64, epochs=2, use_values=False).fit(split.train, threads=threads, progress=False)
    wanted = measures.asked(TEN, LENGTHS)
    asked = {"all ten": wanted} | {name: measures.asked([name], LENGTHS) for name in TEN}
    for name, some in (asked | {"diversity@10": measures.asked(["diversity"], 10)}).items():
        begun, used = time.perf_counter(), time.process_time()
        judged = judging.judge(model, split, split, some, threads)
        whole, used = time.perf_counter() - begun, time.process_time() - used
        print(
            f"{name:12} {whole:6.2f} s, of which lists {judged.answer_seconds:.2f}; processors {used:.2f}", flush=True
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)

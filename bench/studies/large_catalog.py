"""Lists from a catalog of a million items: exact, beside approximate indexes. Writes bench/results/large.json.

pip install usearch faiss-cpu
python bench/large.py                          # half an hour: a model of each kind, and the graphs of usearch
python bench/large.py --shape ml-20m

One question at a time on one thread, nothing left out. recall: the share of the ten best that an index finds. The data
is synthetic; how much an exact list may leave out depends on how uneven the lengths of the factors are.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import alsatian as al
import data
import harness
from alsatian import kernels
from peers.alsatian import by_user

QUERIES, N = 300, 10
Floats = NDArray[np.float32]
Ask = Callable[[Floats], NDArray[Any]]  # from one query to the rows of the ten best


def model_file(kind: str, given: argparse.Namespace) -> Path:
    """Return a model of a large catalog, made on first use."""
    file = data.CACHE / f"{given.shape}-{kind}-{given.factors}.model"
    if not file.exists():
        folder = data.shaped(given.shape)
        ratings = by_user(tuple(np.load(folder / f"{name}.npy") for name in ("users", "items", "values")))
        made = {"implicit-als": al.ImplicitALS, "explicit-als": al.ExplicitALS}[kind]
        al.save(made(factors=given.factors, epochs=4).fit(ratings), file)
    return file


class Question(NamedTuple):
    """What is asked: queries (of length one for similar items), the items' vectors, and their biases or None.

    rows: of the items asked for, where the question is which are similar to them.
    """

    name: str
    model: Any
    queries: Floats
    items: Floats
    bias: Floats | None = None
    rows: NDArray[np.int32] | None = None


def questions(given: argparse.Namespace) -> Iterator[Question]:
    for kind in ("implicit-als", "explicit-als"):
        model: Any = al.load(model_file(kind, given))
        users, items = (np.ascontiguousarray(side, np.float32) for side in (model.user_factors, model.item_factors))
        bias = None if model.item_bias is None else np.asarray(model.item_bias, np.float32)
        some = np.random.default_rng(0).choice(len(users), QUERIES, replace=False)
        yield Question(f"lists, {kind}", model, users[some], items, bias)
    points = items / np.linalg.norm(items, axis=1, keepdims=True)
    rows = np.random.default_rng(0).choice(len(points), QUERIES, replace=False).astype(np.int32)
    yield Question("similar items", model, points[rows], points, rows=rows)


def exact(items: Floats, bias: Floats | None) -> Ask:
    panels, row = kernels.pack_items(items, bias), np.zeros(1, np.int32)
    return lambda query: kernels.top_k(panels, query[None], row, N, threads=1)[0][0]


def indexed(question: Question) -> Ask:
    """The index of a model (al.index), which leaves out the item asked for: here it is put first."""
    assert question.rows is not None
    index, asked = al.index(question.model), iter([question.rows[0], *question.rows])  # the first is to warm up

    def ask(_: Floats) -> NDArray[Any]:
        row = next(asked)
        similar = index.most_similar(question.model, np.array([row]), N - 1).best[0]
        return np.concatenate([[row], similar])

    return ask


def usearch(items: Floats, expansion: int) -> Ask:
    if "graph" not in _made:
        from usearch.index import Index

        graph = Index(ndim=items.shape[1], metric="ip", dtype="f32", enable_key_lookups=False)
        graph.add(np.arange(len(items)), items, threads=2)
        _made["graph"] = graph
    _made["graph"].expansion_search = expansion
    return lambda query: np.asarray(_made["graph"].search(query, N, threads=1).keys)


def faiss(items: Floats, probes: int) -> Ask:
    import faiss as library

    if "cells" not in _made:
        cells = library.index_factory(items.shape[1], "IVF4096,Flat", library.METRIC_INNER_PRODUCT)
        cells.train(items[np.random.default_rng(0).choice(len(items), min(len(items), 200_000), replace=False)])
        cells.add(items)
        _made["cells"] = cells
    library.omp_set_num_threads(1)
    _made["cells"].nprobe = probes
    return lambda query: np.asarray(_made["cells"].search(query[None], N)[1][0])


_made: dict[str, Any] = {}  # indexes of what is asked now


def measured(label: str, queries: Floats, right: list[set[int]], make: Callable[[], Ask]) -> dict[str, Any]:
    begun = time.perf_counter()
    ask = make()
    ask(queries[0])
    built = time.perf_counter() - begun
    taken, found = [], []
    for query in queries:
        begun = time.perf_counter()
        answer = ask(query)
        taken.append(time.perf_counter() - begun)
        found.append(answer)
    recall = float(np.mean([len(set(one.tolist()) & best) / N for one, best in zip(found, right, strict=True)]))
    told = {"label": label, "ms": 1000 * statistics.median(taken), "recall": recall, "built_s": built}
    print(f"  {label:24} {told['ms']:8.3f} ms   recall {recall:.3f}   built in {built:.1f} s", flush=True)
    return told


def run(given: argparse.Namespace) -> dict[str, Any]:
    told = {}
    for question in questions(given):
        name, _, queries, items, bias, rows_asked = question
        print(f"{name} ({len(items):,} items)", flush=True)
        _made.clear()
        # An index knows no biases: they are one more factor, for which every query has 1.
        wide = items if bias is None else np.column_stack([items, bias])
        asked = queries if bias is None else np.column_stack([queries, np.ones(len(queries), np.float32)])
        scores = asked @ wide.T
        right = [set(np.argpartition(-line, N)[:N].tolist()) for line in scores]
        rows = [measured("Alsatian, exact", queries, right, lambda: exact(items, bias))]  # noqa: B023
        if rows_asked is not None:
            rows.append(measured("Alsatian, index", queries, right, lambda: indexed(question)))  # noqa: B023
        for probes in (16, 64, 256):
            rows.append(measured(f"faiss IVF, {probes} probes", asked, right, lambda: faiss(wide, probes)))  # noqa: B023
        for expansion in (64, 256, 1024):
            rows.append(measured(f"usearch, {expansion} wide", asked, right, lambda: usearch(wide, expansion)))  # noqa: B023
        told[name] = {"items": len(items), "rows": rows}
    return told


def main() -> None:
    made = argparse.ArgumentParser("large", description=(__doc__ or "").partition("\n")[0])
    made.add_argument("--shape", default="large", choices=("large", "ml-20m"))
    made.add_argument("--factors", type=int, default=64)
    given = made.parse_args()
    begun = time.perf_counter()
    told = run(given)
    record = {"part": "large", **harness.circumstances(begun, []), "settings": vars(given)}
    record["versions"] |= {name: version(name) for name in ("usearch", "faiss-cpu")}
    kept = data.ROOT / "bench" / "results" if given.shape == "large" else data.CACHE
    (kept / "large.json").write_text(json.dumps(record | {"results": told}, indent=1) + "\n")


if __name__ == "__main__":
    main()

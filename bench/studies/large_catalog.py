"""Lists from a catalog of a million items: exact, beside approximate nearest neighbors.

    pip install usearch faiss-cpu
    python -m bench large_catalog                  # a model of each kind, and the graphs of usearch
    python -m bench large_catalog --shape ml-20m

Writes bench/results/large_catalog.json. One query at a time on one thread; seen items are not left out. recall: the
share of the ten best that an index finds. The data is synthetic; how much an exact list may leave
out depends on how uneven the lengths of the factors are.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import alsatian as al
from alsatian import kernels
from bench import datasets, harness
from bench.objective import Data
from bench.peers.alsatian import by_user
from bench.programs import argument_parser

DURATION = "half an hour"
QUERIES, N = 300, 10
Floats = NDArray[np.float32]
Search = Callable[[Floats], NDArray[Any]]  # from a query to the rows of the ten best


def model_file(kind: str, options: argparse.Namespace) -> Path:
    """Return a model of a large catalog, which is fitted on first use."""
    file = datasets.CACHE / f"{options.shape}-{kind}-{options.factors}.model"
    if not file.exists():
        folder = datasets.synthetic_folder(options.shape)
        ratings = by_user(Data(*(np.load(folder / f"{name}.npy") for name in Data._fields)))
        model = {"implicit-als": al.ImplicitALS, "explicit-als": al.ExplicitALS}[kind]
        al.save(model(factors=options.factors, epochs=4).fit(ratings), file)
    return file


class Task(NamedTuple):
    """Queries (of unit length for similar items), the items' vectors, and their biases or None.

    rows: of the items in the queries, where the task is to find items similar to them.
    """

    name: str
    model: Any
    queries: Floats
    items: Floats
    bias: Floats | None = None
    rows: NDArray[np.int32] | None = None


def tasks(options: argparse.Namespace) -> Iterator[Task]:
    for kind in ("implicit-als", "explicit-als"):
        model: Any = al.load(model_file(kind, options))
        users, items = (np.ascontiguousarray(side, np.float32) for side in (model.user_factors, model.item_factors))
        bias = None if model.item_bias is None else np.asarray(model.item_bias, np.float32)
        users_drawn = np.random.default_rng(0).choice(len(users), QUERIES, replace=False)
        yield Task(f"lists, {kind}", model, users[users_drawn], items, bias)
    points = items / np.linalg.norm(items, axis=1, keepdims=True)
    rows = np.random.default_rng(0).choice(len(points), QUERIES, replace=False).astype(np.int32)
    yield Task("similar items", model, points[rows], points, rows=rows)


def exact(items: Floats, bias: Floats | None) -> Search:
    panels, row = kernels.pack_items(items, bias), np.zeros(1, np.int32)
    return lambda query: kernels.top_k(panels, query[None], row, N, threads=1)[0][0]


def indexed(task: Task) -> Search:
    """The index of a model (`build_index`). It leaves out the item of the query, which is put first here."""
    assert task.rows is not None
    index, rows = task.model.build_index().index, iter([task.rows[0], *task.rows])  # the first is to warm up

    def search(_: Floats) -> NDArray[Any]:
        row = next(rows)
        similar = index.rank_similar(task.model, np.array([row], np.int32), N - 1).items[0]
        return np.concatenate([[row], similar])

    return search


def usearch(items: Floats, expansion: int) -> Search:
    if "graph" not in _indexes:
        from usearch.index import Index

        graph = Index(ndim=items.shape[1], metric="ip", dtype="f32", enable_key_lookups=False)
        graph.add(np.arange(len(items)), items, threads=2)
        _indexes["graph"] = graph
    _indexes["graph"].expansion_search = expansion
    return lambda query: np.asarray(_indexes["graph"].search(query, N, threads=1).keys)


def faiss(items: Floats, probes: int) -> Search:
    import faiss as library

    if "cells" not in _indexes:
        cells = library.index_factory(items.shape[1], "IVF4096,Flat", library.METRIC_INNER_PRODUCT)
        cells.train(items[np.random.default_rng(0).choice(len(items), min(len(items), 200_000), replace=False)])
        cells.add(items)
        _indexes["cells"] = cells
    library.omp_set_num_threads(1)
    _indexes["cells"].nprobe = probes
    return lambda query: np.asarray(_indexes["cells"].search(query[None], N)[1][0])


_indexes: dict[str, Any] = {}  # of the current task


def measure(label: str, queries: Floats, exact_best: list[set[int]], make: Callable[[], Search]) -> dict[str, Any]:
    start = time.perf_counter()
    search = make()
    search(queries[0])
    built = time.perf_counter() - start
    seconds, answers = [], []
    for query in queries:
        start = time.perf_counter()
        answer = search(query)
        seconds.append(time.perf_counter() - start)
        answers.append(answer)
    recall = float(
        np.mean([len(set(answer.tolist()) & best) / N for answer, best in zip(answers, exact_best, strict=True)])
    )
    row = {"label": label, "ms": 1000 * statistics.median(seconds), "recall": recall, "built_s": built}
    print(f"  {label:24} {row['ms']:8.3f} ms   recall {recall:.3f}   built in {built:.1f} s", flush=True)
    return row


def run(options: argparse.Namespace) -> dict[str, Any]:
    results = {}
    for task in tasks(options):
        name, _, queries, items, bias, query_rows = task
        print(f"{name} ({len(items):,} items)", flush=True)
        _indexes.clear()
        # An index knows no biases: they are one more factor, for which every query has 1.
        wide = items if bias is None else np.column_stack([items, bias])
        wide_queries = queries if bias is None else np.column_stack([queries, np.ones(len(queries), np.float32)])
        scores = wide_queries @ wide.T
        exact_best = [set(np.argpartition(-line, N)[:N].tolist()) for line in scores]
        inputs, wide_inputs = (queries, exact_best), (wide_queries, exact_best)
        rows = [measure("Alsatian, exact", *inputs, partial(exact, items, bias))]
        if query_rows is not None:
            rows.append(measure("Alsatian, index", *inputs, partial(indexed, task)))
        for probes in (16, 64, 256):
            rows.append(measure(f"faiss IVF, {probes} probes", *wide_inputs, partial(faiss, wide, probes)))
        for expansion in (64, 256, 1024):
            rows.append(measure(f"usearch, {expansion} wide", *wide_inputs, partial(usearch, wide, expansion)))
        results[name] = {"items": len(items), "rows": rows}
    return results


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("--shape", default="large", choices=("large", "ml-20m"))
    parser.add_argument("--factors", type=int, default=64)
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    results = run(options)
    record = {"suite": "large_catalog", **harness.circumstances(start, []), "settings": vars(options)}
    record["versions"] |= {name: version(name) for name in ("usearch", "faiss-cpu")}
    folder = harness.RESULTS if options.shape == "large" else datasets.CACHE
    (folder / "large_catalog.json").write_text(json.dumps(record | {"results": results}, indent=1) + "\n")

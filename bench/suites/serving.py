"""The HTTP service under load: requests a second, latency, start, memory.

    python -m bench serving                        # a model in the shape of ml-20m, 64 factors, 2 workers, 20 s
    python -m bench serving --model FILE --seconds 5 --connections 8 --workers 1
    python -m bench serving --event-log postgresql://user@host/database      # an empty database; records nothing

Writes bench/results/serving.json. The load comes from one process on the same cores, over connections that stay open,
each with one request under way; users are drawn uniformly from 10,000 of the model's. Nothing caches answers. Lists
that set only n come first, as most requests do. Then, a quarter as long each, come lists with options, lists for
visitors and similar items.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import alsatian as al
from alsatian import kernels
from bench import datasets, harness
from bench.http_load import get, load, post, service
from bench.objective import Data
from bench.peers.alsatian import by_user
from bench.programs import argument_parser

DURATION = "1 minute"
USERS, FAVOURITES, CALLS = 10_000, 50, 300
WORDS = ("City", "Day", "Dream", "Girl", "Heart", "House", "Life", "Love", "Moon", "Night", "River", "Star", "War")


def model_file(factors: int) -> Path:
    """Return a model in the shape of ml-20m, with titles and years, which is fitted on first use."""
    file = datasets.CACHE / f"serving-{factors}.model"
    if not file.exists():
        folder = datasets.synthetic_folder("ml-20m")
        ratings = by_user(Data(*(np.load(folder / f"{name}.npy") for name in Data._fields)))
        ids, draw = ratings.item_ids.tolist(), random.Random(0)
        years = [draw.randint(1930, 2015) for _ in ids]
        titles = [f"{' '.join(draw.choices(WORDS, k=3))} ({year})" for year in years]
        catalog = al.Catalog.from_columns(ratings.item_ids, ids, {"title": titles, "year": years})
        ratings = al.Interactions(**{**vars(ratings), "catalog": catalog})
        al.save(al.ImplicitALS(factors=factors, epochs=2).fit(ratings), file)
    return file


def kinds(model: al.Model, users: list[Any]) -> dict[str, list[bytes]]:
    """Return requests of each kind."""
    draw = random.Random(2)
    items = model.data.item_ids.tolist()
    wishes = "?n=20&novelty=0.3&reasons=true&where=year%20%3E%3D%201990"
    favorites = [json.dumps({"history": [{"item": item} for item in draw.sample(items, 10)]}) for _ in range(1_000)]
    return {
        "lists": [get(f"/api/users/{user}/recommendations") for user in users],
        "lists with wishes": [get(f"/api/users/{user}/recommendations{wishes}") for user in users],
        "lists for visitors": [post("/api/recommendations", body) for body in favorites],
        "similar items": [get(f"/api/items/{item}/similar") for item in draw.sample(items, min(1_000, len(items)))],
    }


def memory(process: int) -> dict[str, Any]:
    """Return what the processes of a service hold: each alone, and all together where shared pages count once."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    rolls = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in [str(process), *children]]

    def of(name: str) -> list[float]:
        return [1024 * int(roll.partition(f"\n{name}:")[2].split()[0]) for roll in rolls]

    return {"resident": of("Rss"), "together": sum(of("Pss"))}


def folding(model: al.Model) -> dict[str, float]:
    """Return the median milliseconds of folding in favorites, and of the list that follows from them."""
    history = model.data.item_ids.take(np.random.default_rng(0).permutation(len(model.data.item_ids))[:FAVOURITES])
    visitor = model.fold_in(history)

    def median(call: Any) -> float:
        seconds = []
        for _ in range(CALLS):
            start = time.perf_counter()
            call()
            seconds.append(time.perf_counter() - start)
        return 1000 * statistics.median(seconds)

    return {"fold_in": median(lambda: model.fold_in(history)), "list": median(lambda: visitor.recommend(threads=1))}


def run(options: argparse.Namespace) -> dict[str, Any]:
    import uvloop

    file = options.model or model_file(options.factors)
    model = al.load(file)
    ids = model.data.user_ids.tolist()
    users = random.Random(0).sample(ids, min(USERS, len(ids)))
    results: dict[str, Any] = {
        "items": len(model.data.item_ids),
        "bytes": file.stat().st_size,
        "inside_ms": folding(model),
    }
    results["kernels"] = kernels.instruction_set
    with (
        tempfile.TemporaryDirectory() as folder,
        service(
            sys.executable,
            file,
            options.workers,
            options.port,
            options.event_log or f"sqlite:///{folder}/events.db",
        ) as (process, ready),
    ):
        for kind, requests in kinds(model, users).items():
            seconds = options.seconds if kind == "lists" else options.seconds / 4
            latencies = np.array(uvloop.run(load(options.port, requests, options.connections, seconds)))
            latency = {str(at): float(1000 * np.percentile(latencies, at)) for at in (50, 90, 99, 99.9)}
            results[kind] = {"requests": len(latencies), "per_second": len(latencies) / seconds, "latency_ms": latency}
        results["memory"] = memory(process.pid)
    return results | {"ready_s": ready}


def report(results: dict[str, Any]) -> None:
    usage = results["memory"]
    for kind, result in results.items():
        if "latency_ms" in (result if isinstance(result, dict) else {}):
            latency, target = result["latency_ms"], "(target: 1,500; 20 ms)" if kind == "lists" else ""
            percentiles = f"p50 {latency['50']:.1f}, p99 {latency['99']:.1f} ms   {target}"
            print(f"{kind:19} {result['per_second']:8,.0f} a second   {percentiles}")
    print(f"fold-in of {FAVOURITES}       {results['inside_ms']['fold_in']:8.2f} ms   (target: under 5)")
    print(f"start to ready      {results['ready_s']:8.2f} s   (target: under 2)")
    print(f"memory together     {usage['together'] / 1e6:8,.0f} MB   (model {results['bytes'] / 1e6:,.0f} MB)")
    print(f"each process        {', '.join(f'{part / 1e6:,.0f}' for part in usage['resident'])} MB")


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("--model", type=Path, help="another model file (default: in the shape of ml-20m)")
    parser.add_argument("--factors", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--event-log", help="the URL of another database than SQLite")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    results = run(options)
    report(results)
    settings = {name: getattr(options, name) for name in ("factors", "workers", "connections", "seconds")}
    record = {"suite": "serving", **harness.circumstances(start, []), "settings": settings, "results": results}
    folder = datasets.CACHE if options.model or options.event_log else harness.RESULTS
    (folder / "serving.json").write_text(json.dumps(record, indent=1) + "\n")

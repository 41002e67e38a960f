"""Load a service: requests a second, latency, fold-in, start, shared memory. Writes bench/results/serving.json.

python bench/serving.py                        # a model in the shape of ml-20m, 64 factors, 2 workers, 20 s
python bench/serving.py --model FILE --seconds 5 --connections 8 --workers 1

The load comes from one process on the same cores, over connections that stay open, each with one request under way;
users are drawn uniformly from 10,000 of the model's. Nothing caches answers.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import alsatian as al
import data
import harness
from alsatian import kernels
from alsatian.catalog import Catalog
from peers.alsatian import by_user

USERS, FAVOURITES, CALLS = 10_000, 50, 300
WORDS = ("City", "Day", "Dream", "Girl", "Heart", "House", "Life", "Love", "Moon", "Night", "River", "Star", "War")


def model_file(factors: int) -> Path:
    """Return a model in the shape of ml-20m, with titles and years, made on first use."""
    file = data.CACHE / f"serving-{factors}.model"
    if not file.exists():
        folder = data.shaped("ml-20m")
        found = by_user(tuple(np.load(folder / f"{name}.npy") for name in ("users", "items", "values")))
        ids, draw = found.item_ids.tolist(), random.Random(0)
        years = [draw.randint(1930, 2015) for _ in ids]
        titles = [f"{' '.join(draw.choices(WORDS, k=3))} ({year})" for year in years]
        catalog = Catalog.from_columns(found.item_ids, ids, {"title": titles, "year": years})
        found = al.Interactions(**{**vars(found), "catalog": catalog})
        al.save(al.ImplicitALS(factors=factors, epochs=2).fit(found), file)
    return file


@contextlib.contextmanager
def service(file: Path, workers: int, port: int) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run a service; gives its process, and the seconds from its start until it was ready."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "alsatian", "serve", str(file), "--port", str(port), "--workers", str(workers)]
        begun = time.perf_counter()
        process = subprocess.Popen([*command, "--events", f"sqlite:///{folder}/events.db"], stderr=subprocess.PIPE)
        try:
            while not answers(port):
                assert process.poll() is None, (process.stderr or sys.stdin).read()
                time.sleep(0.01)
            yield process, time.perf_counter() - begun
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


class Client(asyncio.Protocol):
    """One connection: the next request goes out when an answer is there. A wrong answer ends the measurement."""

    def __init__(self, requests: Iterator[bytes], seconds: list[float]) -> None:
        self.requests, self.seconds, self.arrived = requests, seconds, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.begun = time.perf_counter()
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.arrived += data
        head, found, body = self.arrived.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        assert head.startswith(b"HTTP/1.1 200"), self.arrived
        self.seconds.append(time.perf_counter() - self.begun)
        self.arrived = b""
        self.ask()


async def load(port: int, users: list[Any], connections: int, seconds: float) -> list[float]:
    """Ask for lists as fast as answers come; return how long each took."""
    draw, taken = random.Random(1), list[float]()
    asked = [f"GET /api/users/{user}/recommendations HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for user in users]
    requests = iter(lambda: draw.choice(asked), None)
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Client(requests, taken), "127.0.0.1", port) for _ in range(connections)
    ]
    await asyncio.sleep(1)  # warm
    taken.clear()
    await asyncio.sleep(seconds)
    found = taken.copy()
    for transport, _ in made:
        transport.close()
    return found


def memory(process: int) -> dict[str, Any]:
    """Return what the processes of a service hold: each alone, and all together where shared pages count once."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    rolls = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in [str(process), *children]]

    def of(name: str) -> list[float]:
        return [1024 * int(roll.partition(f"\n{name}:")[2].split()[0]) for roll in rolls]

    return {"resident": of("Rss"), "together": sum(of("Pss"))}


def folding(model: al.Model) -> dict[str, float]:
    """Return the median milliseconds of folding in favourites, and of the list that follows from them."""
    history = model.data.item_ids.take(np.random.default_rng(0).permutation(len(model.data.item_ids))[:FAVOURITES])
    visitor = model.fold_in(history)

    def median(call: Any) -> float:
        taken = []
        for _ in range(CALLS):
            begun = time.perf_counter()
            call()
            taken.append(time.perf_counter() - begun)
        return 1000 * statistics.median(taken)

    return {"fold_in": median(lambda: model.fold_in(history)), "list": median(lambda: visitor.recommend(threads=1))}


def run(given: argparse.Namespace) -> dict[str, Any]:
    import uvloop

    file = given.model or model_file(given.factors)
    model = al.load(file)
    ids = model.data.user_ids.tolist()
    users = random.Random(0).sample(ids, min(USERS, len(ids)))
    told: dict[str, Any] = {
        "items": len(model.data.item_ids),
        "bytes": file.stat().st_size,
        "inside_ms": folding(model),
    }
    told["kernels"] = kernels.instruction_set
    with service(file, given.workers, given.port) as (process, ready):
        taken = np.array(uvloop.run(load(given.port, users, given.connections, given.seconds)))
        told["memory"] = memory(process.pid)
    told |= {"ready_s": ready, "requests": len(taken), "per_second": len(taken) / given.seconds}
    told["latency_ms"] = {str(at): float(1000 * np.percentile(taken, at)) for at in (50, 90, 99, 99.9)}
    return told


def tell(told: dict[str, Any]) -> None:
    latency, held = told["latency_ms"], told["memory"]
    print(f"requests a second   {told['per_second']:8,.0f}   (target: at least 1,500)")
    print(f"p50, p99            {latency['50']:8.1f}   {latency['99']:.1f} ms   (target: p99 under 20)")
    print(f"fold-in of {FAVOURITES}       {told['inside_ms']['fold_in']:8.2f} ms   (target: under 5)")
    print(f"start to ready      {told['ready_s']:8.2f} s   (target: under 2)")
    print(f"memory together     {held['together'] / 1e6:8,.0f} MB   (model {told['bytes'] / 1e6:,.0f} MB)")
    print(f"each process        {', '.join(f'{part / 1e6:,.0f}' for part in held['resident'])} MB")


def main() -> None:
    made = argparse.ArgumentParser("serving", description=(__doc__ or "").partition("\n")[0])
    made.add_argument("--model", type=Path, help="another model file (default: in the shape of ml-20m)")
    made.add_argument("--factors", type=int, default=64)
    made.add_argument("--workers", type=int, default=2)
    made.add_argument("--connections", type=int, default=8)
    made.add_argument("--seconds", type=float, default=20)
    made.add_argument("--port", type=int, default=8765)
    given = made.parse_args()
    begun = time.perf_counter()
    told = run(given)
    tell(told)
    settings = {name: getattr(given, name) for name in ("factors", "workers", "connections", "seconds")}
    record = {"part": "serving", **harness.circumstances(begun, []), "settings": settings, "results": told}
    kept = data.ROOT / "bench" / "results" if given.model is None else data.CACHE
    (kept / "serving.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()

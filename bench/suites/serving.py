"""Load a service: requests a second, latency, fold-in, start, shared memory. Writes bench/results/serving.json.

python bench/serving.py                        # a model in the shape of ml-20m, 64 factors, 2 workers, 20 s
python bench/serving.py --model FILE --seconds 5 --connections 8 --workers 1
python bench/serving.py --events postgresql://user@host/database      # an empty database; prints, and records nothing

The load comes from one process on the same cores, over connections that stay open, each with one request under way;
users are drawn uniformly from 10,000 of the model's. Nothing caches answers. Lists without wishes first, which most
requests are; then, a quarter as long each, lists with wishes, lists for visitors and similar items.
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
def service(file: Path, workers: int, port: int, events: str | None) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    """Run a service; gives its process, and the seconds from its start until it was ready."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "alsatian", "serve", str(file), "--port", str(port), "--workers", str(workers)]
        begun = time.perf_counter()
        command += ["--events", events or f"sqlite:///{folder}/events.db"]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
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


def kinds(model: al.Model, users: list[Any]) -> dict[str, list[bytes]]:
    """Return requests of each kind."""
    draw = random.Random(2)
    items = model.data.item_ids.tolist()
    wishes = "?n=20&novelty=0.3&because=true&where=year%20%3E%3D%201990"
    favourites = [json.dumps({"history": [{"item": item} for item in draw.sample(items, 10)]}) for _ in range(1_000)]
    return {
        "lists": [_get(f"/api/users/{user}/recommendations") for user in users],
        "lists with wishes": [_get(f"/api/users/{user}/recommendations{wishes}") for user in users],
        "lists for visitors": [_post("/api/recommendations", body) for body in favourites],
        "similar items": [_get(f"/api/items/{item}/similar") for item in draw.sample(items, 1_000)],
    }


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def _post(path: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()


async def load(port: int, asked: list[bytes], connections: int, seconds: float) -> list[float]:
    """Send requests as fast as answers come; return how long each took."""
    draw, taken = random.Random(1), list[float]()
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
    with service(file, given.workers, given.port, given.events) as (process, ready):
        for kind, asked in kinds(model, users).items():
            seconds = given.seconds if kind == "lists" else given.seconds / 4
            taken = np.array(uvloop.run(load(given.port, asked, given.connections, seconds)))
            latency = {str(at): float(1000 * np.percentile(taken, at)) for at in (50, 90, 99, 99.9)}
            told[kind] = {"requests": len(taken), "per_second": len(taken) / seconds, "latency_ms": latency}
        told["memory"] = memory(process.pid)
    return told | {"ready_s": ready}


def tell(told: dict[str, Any]) -> None:
    held = told["memory"]
    for kind, found in told.items():
        if "latency_ms" in (found if isinstance(found, dict) else {}):
            latency, target = found["latency_ms"], "(target: 1,500; 20 ms)" if kind == "lists" else ""
            told_of = f"p50 {latency['50']:.1f}, p99 {latency['99']:.1f} ms   {target}"
            print(f"{kind:19} {found['per_second']:8,.0f} a second   {told_of}")
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
    made.add_argument("--events", help="the URL of another database than SQLite")
    given = made.parse_args()
    begun = time.perf_counter()
    told = run(given)
    tell(told)
    settings = {name: getattr(given, name) for name in ("factors", "workers", "connections", "seconds")}
    record = {"part": "serving", **harness.circumstances(begun, []), "settings": settings, "results": told}
    kept = data.CACHE if given.model or given.events else data.ROOT / "bench" / "results"
    (kept / "serving.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()

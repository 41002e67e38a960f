"""The workloads that compare two commits: each prints its measures as JSON. Run by the Python of a commit.

A workload uses only names that all commits know: al.read, al.ImplicitALS and al.ExplicitALS with factors and epochs,
fit, recommend, al.save, and the commands `alsatian --help` and `alsatian serve FILE`. Within a process a measure is the
median of REPEATS.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.http_load import get, load, service

FACTORS, EPOCHS, REPEATS = 64, 4, 3
CALLS = 500  # lists for a single user
CONNECTIONS, LOAD_SECONDS = 4, 4.0
Measures = dict[str, float]


def solvers(inputs: Path) -> Measures:
    """Fits, data already read; the first also sorts it by item."""
    import alsatian as al

    ratings = al.read(str(inputs / "ratings.parquet"))
    models = {"implicit fit, s": al.ImplicitALS, "explicit fit, s": al.ExplicitALS}
    return {
        name: _median(lambda model=model: model(factors=FACTORS, epochs=EPOCHS).fit(ratings))  # type: ignore[misc]
        for name, model in models.items()
    }


def topn(inputs: Path) -> Measures:
    """Lists of ten for all users at once, and for single users."""
    import alsatian as al

    model: Any = al.ImplicitALS(factors=FACTORS, epochs=1).fit(al.read(str(inputs / "ratings.parquet")))
    users = random.Random(0).choices(_users(inputs), k=CALLS)
    model.recommend(users[0], n=10)
    seconds = []
    for user in users:
        start = time.perf_counter()
        model.recommend(user, n=10)
        seconds.append(time.perf_counter() - start)
    return {
        "lists for all users, s": _median(lambda: model.recommend(n=10)),
        "list for a user, ms": 1000 * statistics.median(seconds),
    }


def reading(inputs: Path) -> Measures:
    """A CSV and a Parquet file, to rows by user."""
    import alsatian as al

    al.read(str(inputs / "ratings.parquet"))  # imports what reading needs
    return {
        f"read {name}, s": _median(lambda name=name: al.read(str(inputs / f"ratings.{name}")))  # type: ignore[misc]
        for name in ("csv", "parquet")
    }


def serving(inputs: Path) -> Measures:
    """Lists over HTTP from a service of one worker, and its start."""
    import alsatian as al

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "ratings.model"
        al.save(al.ImplicitALS(factors=FACTORS, epochs=1).fit(al.read(str(inputs / "ratings.parquet"))), file)
        requests = [get(f"/api/users/{user}/recommendations") for user in _users(inputs)[:2000]]
        port = _free_port()
        with service(sys.executable, file, 1, port) as (_, ready):
            latencies = asyncio.run(load(port, requests, CONNECTIONS, LOAD_SECONDS))
    return {
        "HTTP lists, 1/s": len(latencies) / LOAD_SECONDS,
        "HTTP latency, ms": 1000 * statistics.median(latencies),
        "service start, s": ready,
    }


def imports(inputs: Path) -> Measures:
    """Fresh processes that import the package, and that print the help of the command."""
    timed = "import time; start = time.perf_counter(); import alsatian; print(time.perf_counter() - start)"
    script, command = [sys.executable, "-c", timed], [sys.executable, "-m", "alsatian", "--help"]
    seconds = [float(subprocess.run(script, capture_output=True, check=True).stdout) for _ in range(7)]
    whole = [_seconds(lambda: subprocess.run(command, capture_output=True, check=True)) for _ in range(7)]
    return {
        "import alsatian, ms": 1000 * statistics.median(seconds),
        "alsatian --help, ms": 1000 * statistics.median(whole),
    }


WORKLOADS = {"solvers": solvers, "topn": topn, "reading": reading, "serving": serving, "imports": imports}


def _median(work: Callable[[], Any]) -> float:
    return statistics.median(_seconds(work) for _ in range(REPEATS))


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _users(inputs: Path) -> list[int]:
    return json.loads((inputs / "users.json").read_text())  # type: ignore[no-any-return]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    name, inputs = sys.argv[1:]
    print(json.dumps(WORKLOADS[name](Path(inputs))))

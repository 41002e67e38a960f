"""Running participants: an environment of its own for each, a process for each job, rounds in turn, what came out."""

from __future__ import annotations

import datetime
import functools
import json
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data import CACHE, ROOT

Result = dict[str, Any]  # of a worker; {"failed": reason} where there is none

ENVIRONMENTS = {
    "implicit": ("implicit",),
    "irspack": ("irspack",),
    "cmfrec": ("cmfrec", "threadpoolctl"),
    "lenskit": ("lenskit",),  # brings torch: 6 GB from an index that has it with CUDA only
    "surprise": ("scikit-surprise", "pandas"),
    "frames": ("polars", "pandas", "pyarrow"),
    "myfm": ("myfm",),
    "spark": ("pyspark", "numpy", "scipy", "setuptools"),
}
OWN = ("alsatian", "duckdb", "product")  # workers that this interpreter runs


class Unavailable(Exception):
    """A participant cannot run here; the message says why."""


@dataclass(frozen=True)
class Participant:
    """Who takes part: a label for the tables, a worker (bench/peers/WORKER.py) and the options it is given."""

    label: str
    worker: str
    options: dict[str, Any] = field(default_factory=dict)
    rounds: int | None = None  # at most so many, for the slow
    differs: str = ""  # why it has no way to the same objective


def python_of(worker: str) -> str:
    """Return the Python of a worker's environment, made on demand; raises Unavailable where that fails."""
    if worker in OWN:
        return sys.executable
    if isinstance(made := _environment(worker), Unavailable):
        raise made
    return made


@functools.cache
def _environment(worker: str) -> str | Unavailable:
    folder, ready = CACHE / "venv" / worker, CACHE / "venv" / worker / "versions.json"
    python = folder / "bin" / "python"
    installed = json.loads(ready.read_text()) if ready.exists() else {}
    if not set(ENVIRONMENTS[worker]) <= set(installed):
        print(f"  installing {', '.join(ENVIRONMENTS[worker])} into {folder.relative_to(ROOT)} ...", flush=True)
        pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
        try:
            _run([sys.executable, "-m", "venv", "--clear", str(folder)])
            _run([*pip, "install", "--quiet", *ENVIRONMENTS[worker]])
            listed = json.loads(_run([*pip, "list", "--format", "json"]))
        except Unavailable as error:
            return error
        ready.write_text(json.dumps({one["name"]: one["version"] for one in listed}, indent=1))
    return str(python)


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Unavailable(f"does not install: {_last_line(done.stderr)}")
    return done.stdout


def run_job(worker: str, job: dict[str, Any], timeout: float = 7200) -> Result:
    """Do one job in a fresh process; a failure is a result that says why."""
    try:
        python = python_of(worker)
    except Unavailable as error:
        return {"failed": str(error)}
    blas = job["threads"] if worker == "product" else 1  # who calls BLAS from threads of its own wants one
    threads = {"OPENBLAS_NUM_THREADS": str(blas), "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": str(job["threads"])}
    names = ("ALSATIAN_THREADS", "POLARS_MAX_THREADS", "LK_NUM_THREADS")
    own = {name: str(job["threads"]) for name in names} | {"LK_NUM_PROCS": "1"}
    with tempfile.TemporaryDirectory() as name:
        given, written = Path(name, "job.json"), Path(name, "result.json")
        given.write_text(json.dumps(job))
        command = [python, "-P", "-W", "ignore", "-m", f"peers.{worker}", str(given), str(written)]
        environment = os.environ | threads | own | {"PYTHONPATH": str(ROOT / "bench"), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout, cwd=name)
        except subprocess.TimeoutExpired:
            return {"failed": f"took longer than {timeout:,.0f} s"}
        if done.returncode:
            return {"failed": _last_line(done.stderr) or f"ended with status {done.returncode}"}
        return json.loads(written.read_text())  # type: ignore[no-any-return]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and "WARNING" not in line]
    return lines[-1][:300] if lines else ""


def rounds_of(
    participants: Iterable[Participant],
    rounds: int,
    job_of: Callable[[Participant, list[Result]], dict[str, Any] | None],
    timeout: float = 7200,
) -> dict[str, list[Result]]:
    """Run everyone in turn, round after round; job_of sees what a participant's earlier rounds gave.

    Whoever fails once, or has no job, is not asked again.
    """
    participants = list(participants)
    runs: dict[str, list[Result]] = {one.label: [] for one in participants}
    for turn in range(rounds):
        for one in participants:
            before = runs[one.label]
            if len(before) < turn or turn >= (one.rounds or rounds) or (before and "failed" in before[-1]):
                continue
            if (job := job_of(one, before)) is None:
                continue
            begun = time.perf_counter()
            result = run_job(one.worker, job, timeout)
            before.append(result)
            told = result.get("failed") or f"{time.perf_counter() - begun:.0f} s"
            print(f"  round {turn + 1}: {one.label:32} {told}", flush=True)
    return runs


def product_rate(threads: int) -> float:
    """Return the operations a second of single-precision matrix products on so many threads."""
    result = run_job("product", {"action": "product", "threads": threads})
    return float(result["rate"])


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """Return the median with the smallest and the largest."""
    given = list(values)
    return {"median": statistics.median(given), "min": min(given), "max": max(given)} if given else None


def good(runs: list[Result]) -> list[Result]:
    return [run for run in runs if "failed" not in run]


def failure(runs: list[Result]) -> str | None:
    return next((run["failed"] for run in runs if "failed" in run), None)


def circumstances(begun: float, workers: Iterable[str]) -> dict[str, Any]:
    """Return when, how, where and with what was measured what began at this time of `time.perf_counter`."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join(["python", *_called(Path(sys.argv[0])), *sys.argv[1:]]),
        "minutes": (time.perf_counter() - begun) / 60,
        "machine": machine(),
        "versions": versions(workers),
    }


def _called(script: Path) -> list[str]:
    """Return how a script of this folder is named on a command line."""
    return ["bench" if script.name in ("__main__.py", "bench") else f"bench/{script.name}"]


def machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory, 1),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def versions(workers: Iterable[str]) -> dict[str, str]:
    """Return the resolved versions of what the workers ran with."""
    from importlib.metadata import version

    git = ["git", "-C", str(ROOT)]
    commit = subprocess.run([*git, "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    found = {"Alsatian": f"{version('alsatian')} ({commit})", "NumPy": version("numpy"), "DuckDB": version("duckdb")}
    for worker in workers:
        ready = CACHE / "venv" / worker / "versions.json"
        if worker not in OWN and ready.exists():
            installed = json.loads(ready.read_text())
            found |= {name: installed[name] for name in ENVIRONMENTS[worker] if name in installed}
    return found

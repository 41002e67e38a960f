"""Running participants: an environment for each library, a process for each job, rounds in turn, the results."""

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

from bench.datasets import CACHE, ROOT

Result = dict[str, Any]  # of a worker; {"failed": reason} where there is none

ENVIRONMENTS = {
    "implicit": ("implicit",),
    "irspack": ("irspack",),
    "cmfrec": ("cmfrec", "threadpoolctl"),
    "lenskit": ("lenskit",),  # brings torch: 6 GB from an index that has it with CUDA only
    "surprise": ("scikit-surprise", "pandas"),
    "dataframes": ("polars", "pandas", "pyarrow"),
    "myfm": ("myfm",),
    "mllib": ("pyspark", "numpy", "scipy", "setuptools"),
}
LOCAL = ("alsatian", "duckdb", "sgemm")  # workers that this interpreter runs
RESULTS = ROOT / "bench" / "results"


class Unavailable(Exception):
    """A participant cannot run here; the message says why."""


@dataclass(frozen=True)
class Participant:
    """A library with its options: a label for the tables, and the worker (bench/peers/WORKER.py) that runs it."""

    label: str
    worker: str
    options: dict[str, Any] = field(default_factory=dict)
    rounds: int | None = None  # at most so many, for the slow
    differs: str = ""  # why it has no way to the same objective


def python_of(worker: str) -> str:
    """Return the Python of a worker's environment, which is created on demand; raises Unavailable where that fails."""
    if worker in LOCAL:
        return sys.executable
    if isinstance(python := _environment(worker), Unavailable):
        raise python
    return python


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
            packages = json.loads(_run([*pip, "list", "--format", "json"]))
        except Unavailable as error:
            return error
        ready.write_text(json.dumps({package["name"]: package["version"] for package in packages}, indent=1))
    return str(python)


def _run(command: list[str]) -> str:
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode:
        raise Unavailable(f"does not install: {_last_line(process.stderr)}")
    return process.stdout


def run_job(worker: str, job: dict[str, Any], timeout: float = 7200) -> Result:
    """Do one job in a fresh process; a failure is a result that says why."""
    try:
        python = python_of(worker)
    except Unavailable as error:
        return {"failed": str(error)}
    blas = job["threads"] if worker == "sgemm" else 1  # a library that calls BLAS from its own threads needs this
    threads = {"OPENBLAS_NUM_THREADS": str(blas), "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": str(job["threads"])}
    libraries = ("ALSATIAN_THREADS", "POLARS_MAX_THREADS", "LK_NUM_THREADS")
    threads |= {name: str(job["threads"]) for name in libraries} | {"LK_NUM_PROCS": "1"}
    with tempfile.TemporaryDirectory() as name:
        job_file, result_file = Path(name, "job.json"), Path(name, "result.json")
        job_file.write_text(json.dumps(job))
        command = [python, "-P", "-W", "ignore", "-m", f"bench.peers.{worker}", str(job_file), str(result_file)]
        environment = os.environ | threads | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            process = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=timeout, cwd=name
            )
        except subprocess.TimeoutExpired:
            return {"failed": f"took longer than {timeout:,.0f} s"}
        if process.returncode:
            return {"failed": _last_line(process.stderr) or f"ended with status {process.returncode}"}
        return json.loads(result_file.read_text())  # type: ignore[no-any-return]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and "WARNING" not in line]
    return lines[-1][:300] if lines else ""


def rounds_of(
    participants: Iterable[Participant],
    rounds: int,
    job_of: Callable[[Participant, list[Result]], dict[str, Any] | None],
    timeout: float = 7200,
) -> dict[str, list[Result]]:
    """Run all participants in turn, round after round; job_of sees the results of a participant's earlier rounds.

    A participant that fails once, or has no job, is not run again.
    """
    participants = list(participants)
    runs: dict[str, list[Result]] = {participant.label: [] for participant in participants}
    for turn in range(rounds):
        for participant in participants:
            before = runs[participant.label]
            limit = participant.rounds or rounds
            if len(before) < turn or turn >= limit or (before and "failed" in before[-1]):
                continue
            if (job := job_of(participant, before)) is None:
                continue
            start = time.perf_counter()
            result = run_job(participant.worker, job, timeout)
            before.append(result)
            outcome = result.get("failed") or f"{time.perf_counter() - start:.0f} s"
            print(f"  round {turn + 1}: {participant.label:32} {outcome}", flush=True)
    return runs


def product_rate(threads: int) -> float:
    """Return the operations a second of single-precision matrix products on so many threads."""
    result = run_job("sgemm", {"action": "rate", "threads": threads})
    return float(result["rate"])


def spread(values: Iterable[float]) -> dict[str, float] | None:
    """Return the median with the smallest and the largest."""
    values = list(values)
    return {"median": statistics.median(values), "min": min(values), "max": max(values)} if values else None


def successful(runs: list[Result]) -> list[Result]:
    return [run for run in runs if "failed" not in run]


def failure(runs: list[Result]) -> str | None:
    return next((run["failed"] for run in runs if "failed" in run), None)


def circumstances(start: float, workers: Iterable[str]) -> dict[str, Any]:
    """Return when, how, where and with what was measured what started at this time of `time.perf_counter`."""
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        "minutes": (time.perf_counter() - start) / 60,
        "machine": machine(),
        "versions": versions(workers),
    }


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
    resolved = {"Alsatian": f"{version('alsatian')} ({commit})", "NumPy": version("numpy"), "DuckDB": version("duckdb")}
    for worker in workers:
        ready = CACHE / "venv" / worker / "versions.json"
        if worker not in LOCAL and ready.exists():
            installed = json.loads(ready.read_text())
            resolved |= {name: installed[name] for name in ENVIRONMENTS[worker] if name in installed}
    return resolved

"""What every worker shares: reading the job, the clock, memory, and the course of a fit. NumPy and SciPy only."""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench import objective
from bench.objective import Data, Factors

Job = dict[str, Any]
Learned = Callable[[], Factors]


def serve(actions: dict[str, Callable[[Job], dict[str, Any]]]) -> None:
    """Do the job of the file argv[1] and write its result, with the memory after the imports, to argv[2]."""
    job = json.loads(Path(sys.argv[1]).read_text())
    imports = resident()
    result = actions[job["action"]](job)
    Path(sys.argv[2]).write_text(json.dumps({"imports_bytes": imports, **result}))


def load(job: Job) -> Data:
    return Data(*(np.load(Path(job["data"]) / f"{name}.npy") for name in Data._fields))


def clock(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something takes, and what it returns."""
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


# Memory, as Linux counts it


def resident() -> int:
    return _status("VmRSS")


def peak() -> int:
    """Return the peak of resident memory since `reset_peak`."""
    return _status("VmHWM")


def reset_peak() -> None:
    """Give freed memory back, and let the peak begin again from here."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> int:
    with Path("/proc/self/status").open() as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


# Fits


class Watch:
    """The course of a fit: epochs, their seconds, the objective; evaluating it stays outside the clock.

    A job with a target runs until the objective is within its tolerance; without one, for `epochs`.
    """

    def __init__(self, job: Job, data: Data) -> None:
        self.job, self.data = job, data
        self.course: list[tuple[int, float, float | None]] = []  # epochs, seconds, objective
        self.evaluating = 0.0

    @property
    def target(self) -> float | None:
        return self.job["target"] and self.job["target"] * (1 + self.job["tolerance"])

    def record(self, epochs: int, seconds: float, learned: Learned, value: float | None = None) -> bool:
        """Note where a fit stands after some epochs; return whether it is enough."""
        if value is None and self.target is not None:
            value = self.evaluate(learned())
        self.course.append((epochs, seconds, value))
        if self.reached or seconds > self.job["cap"]:
            return True
        return epochs >= self.job["epochs"]

    @property
    def reached(self) -> bool:
        value = self.course[-1][2] if self.course else None
        return self.target is not None and value is not None and value <= self.target

    def evaluate(self, learned: Factors) -> float:
        start = time.perf_counter()
        job = self.job
        if job["form"] == "implicit":
            value = objective.implicit(self.data, learned, job["alpha"], job["reg"], job["threads"])
        else:
            value = objective.explicit(self.data, learned, job["reg"], job["reg_exponent"], job["threads"])
        self.evaluating += time.perf_counter() - start
        return value


def fit(job: Job, learner: Callable[[Job, Data], Any]) -> dict[str, Any]:
    """Bring the data into the participant's own form, fit, evaluate; return seconds, memory and the objective.

    A learner is made from a job and data, and has fit(watch) and learned() -> Factors.
    build_seconds: the participant's own form of the data. call_seconds: the whole fit as a user waits for it.
    peak_bytes: the peak during the fit less what was resident before its own form of the data was built.
    """
    data = load(job)
    reset_peak()
    loaded = resident()
    build, fitted = clock(lambda: learner(job, data))
    watch = Watch(job, data)
    call, _ = clock(lambda: fitted.fit(watch))
    call -= watch.evaluating
    most = peak() - loaded
    learned = fitted.learned()
    if job.get("save"):
        np.savez(job["save"], **{k: v for k, v in learned._asdict().items() if v is not None})
    epochs, seconds, reported = watch.course[-1]
    evaluated = watch.evaluate(learned) if job.get("evaluate", True) else None
    return {
        "build_seconds": build,
        "call_seconds": call,
        "epochs": epochs,
        "seconds": seconds,
        "reached": watch.reached,
        "objective": evaluated,
        "reported_objective": reported,
        "course": watch.course,
        "peak_bytes": most,
    }

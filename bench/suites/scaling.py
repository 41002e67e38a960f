"""Growing data, threads, and memory

Seconds per million ratings of an epoch with default settings, at three sizes and on 1, 2 and 4 threads. They are the
median over the epochs of a fit. The first epoch is left out, because it computes the starting values.

Memory of a fit is measured in a fresh process. It is the peak of resident memory during the fit, data included, minus
that after the imports. The allowance is twice 16 bytes a rating and the factors.
"""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench import datasets, suite_runner
from bench.harness import Participant, failure, rounds_of, run_job, spread, successful
from bench.results_page import Page, figure, gigabytes, interval

DURATION = "15 minutes"
SHAPE, FACTORS, ROUNDS = "ml-20m", [64], 3
WORKERS = ("mllib",)
SHAPES = ["ml-1m", "ml-10m", "ml-20m"]
THREADS = [1, 2, 4]
EPOCHS = 4


def run(options: Any) -> dict[str, Any]:
    shapes = SHAPES[: SHAPES.index(options.shape) + 1] if options.shape in SHAPES else [options.shape]
    fits = [
        Participant(
            f"{form}, {shape}, {threads} threads", "alsatian", {"form": form, "shape": shape, "threads": threads}
        )
        for form in ("implicit", "explicit")
        for shape in shapes
        for threads in THREADS
    ]
    memory = [
        Participant(f"memory, {form}, {shape}", "alsatian", {"form": form, "shape": shape, "action": "memory"}, 1)
        for form in ("implicit", "explicit")
        for shape in shapes
    ]

    def job(participant: Participant, before: list[Any]) -> dict[str, Any]:
        exponent, reg = (0.0, 20.0) if participant.options["form"] == "implicit" else (0.6, 0.8)
        settings = {"action": "fit", "factors": options.factors[0], "reg": reg, "reg_exponent": exponent}
        settings |= {"alpha": 2.0, "seed": 0}
        course = {"epochs": EPOCHS, "target": None, "tolerance": 0, "cap": 1e9, "evaluate": False, "options": {}}
        folder = datasets.synthetic_folder(participant.options["shape"])
        return {"threads": options.threads} | settings | course | participant.options | {"data": str(folder)}

    runs = rounds_of(options.selected(fits + memory), options.rounds, job)
    rows = [_row(participant, runs[participant.label]) for participant in fits if participant.label in runs]
    memories = [_memory(participant, runs[participant.label]) for participant in memory if participant.label in runs]
    return {"factors": options.factors[0], "rows": rows, "memory": memories, "spark": _spark(options)}


def _spark(options: Any) -> dict[str, Any]:
    """Time an epoch of Spark MLlib, if selected to."""
    if not options.spark:
        return {"failed": "not selected for (--spark)"}
    if not shutil.which("java"):
        print("  Spark MLlib: no Java on this machine", flush=True)
        return {"failed": "no Java on this machine"}
    job = {"action": "epoch", "path": str(datasets.csv(options.shape)), "factors": options.factors[0]}
    return run_job("mllib", job | {"threads": options.threads})


def _row(participant: Participant, runs: list[Any]) -> dict[str, Any]:
    ratings = len(np.load(datasets.synthetic_folder(participant.options["shape"]) / "values.npy", mmap_mode="r"))
    epochs = [statistics.median(np.diff([seconds for _, seconds, _ in run["course"]])) for run in successful(runs)]
    return participant.options | {
        "ratings": ratings,
        "epoch_seconds": spread(epochs),
        "per_million": spread(seconds / ratings * 1e6 for seconds in epochs),
        "failed": failure(runs),
    }


def _memory(participant: Participant, runs: list[Any]) -> dict[str, Any]:
    run = successful(runs)[0] if successful(runs) else {}
    kept = {name: run.get(name) for name in ("peak_bytes", "ready_bytes", "allowed_bytes")}
    return participant.options | kept | {"failed": failure(runs)}


def render(results: dict[str, Any], page: Page) -> None:
    header = ["form", "shape", "threads", "seconds an epoch", "seconds per million ratings"]
    rows = results["rows"]
    page.table(
        header,
        [
            [row["form"], row["shape"], row["threads"], row["failed"] or interval(row["epoch_seconds"]),
             interval(row["per_million"], digits=4)]
            for row in rows
        ],
    )  # fmt: skip
    header = ["form", "shape", "peak of a fit, GB", "data alone, GB", "allowed, GB"]
    page.table(
        header,
        [
            [row["form"], row["shape"], row["failed"] or gigabytes(row["peak_bytes"]), gigabytes(row["ready_bytes"]),
             gigabytes(row["allowed_bytes"])]
            for row in results["memory"]
        ],
    )  # fmt: skip
    spark = results["spark"]
    seconds = "epoch_seconds" in spark and f"{spark['epoch_seconds']:.1f} s an epoch, one round"
    page.text(f"Spark MLlib, explicit without biases: {seconds or spark['failed']}.")
    title = f"Seconds per million ratings of an epoch, {results['factors']} factors"
    with figure(page, "scaling", title) as axes:
        for form, threads in dict.fromkeys((row["form"], row["threads"]) for row in rows):
            kept = [r for r in rows if (r["form"], r["threads"]) == (form, threads) and r["per_million"]]
            points = [(row["ratings"], row["per_million"]["median"]) for row in kept]
            axes.plot(*zip(*points, strict=True), marker="o", label=f"{form}, {threads} threads")
        axes.set_xscale("log")
        axes.set_ylim(0)
        axes.set_xlabel("ratings")
        axes.legend(fontsize=7)


def main(arguments: Sequence[str]) -> None:
    suite_runner.main(__name__, __doc__, arguments)

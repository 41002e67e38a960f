"""Exact half-sweeps compared with the matrix product

One exact epoch: both sides are solved by Cholesky. The rate is given as a share of the machine's own rate of
single-precision matrix products. That rate is NumPy's sgemm on as many threads (at most one a core), measured in the
same round.

Useful operations on each side: n k (k + 1) for the triangles of n entries, and k^3 / 3 for each row. With biases k + 1
takes the place of k. Alsatian runs its bare kernels, and irspack one epoch of its trainer. For cmfrec's explicit epoch
a fit with one epoch is subtracted from a fit with two.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from bench import datasets, suite_runner
from bench.harness import Participant, failure, product_rate, rounds_of, spread, successful
from bench.results_page import Page, figure, interval

DURATION = "1 hour"
SHAPE, FACTORS, ROUNDS = "ml-20m", [64, 128, 256], 3
WORKERS = ("irspack", "cmfrec")
THREADS = [1, 2, 4]
TWO = ", two epochs"


def run(options: Any) -> dict[str, Any]:
    folder = datasets.synthetic_folder(options.shape)
    cores = len(os.sched_getaffinity(0))
    rates: dict[int, list[float]] = {}
    kept: list[Participant] = options.selected(_participants(options))

    def job(participant: Participant, before: list[Any]) -> dict[str, Any]:
        threads = min(participant.options["threads"], cores)
        if len(rates.setdefault(threads, [])) <= len(before):
            rates[threads].append(product_rate(threads))
        common = {"data": str(folder), "cap": options.cap, "seed": 0, "tolerance": 0, "target": None, "evaluate": False}
        return common | {"alpha": 2.0, "reg_exponent": 1.0, "options": {}} | participant.options

    runs = rounds_of(kept, options.rounds, job)
    shape = tuple(int(np.load(folder / f"{name}.npy").max()) + 1 for name in ("users", "items"))
    entries = len(np.load(folder / "values.npy", mmap_mode="r"))
    rows = []
    for participant in kept:
        form, k, threads = (participant.options[name] for name in ("form", "factors", "threads"))
        limits = rates.get(min(threads, cores), [])
        work = operations(entries, sum(shape), k, form)
        seconds = _seconds(participant, runs)
        row = {"label": participant.label, "who": participant.worker, "form": form, "factors": k, "threads": threads}
        shares = [work / s / limit for s, limit in zip(seconds, limits, strict=False)]
        row |= {"operations": work, "seconds": spread(seconds), "share": spread(shares)}
        rows.append(row | {"failed": failure(runs[participant.label])})
    rows = [row for row in rows if not row["label"].endswith(TWO)]
    product = {str(threads): spread(rate) for threads, rate in rates.items()}
    return {"entries": entries, "shape": shape, "product": product, "rows": rows}


def merge(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Keep the rows of an earlier run that this one did not measure again: many factors take long."""
    measured = {row["label"] for row in now["rows"]}
    rows = [*(row for row in before["rows"] if row["label"] not in measured), *now["rows"]]
    return now | {"rows": sorted(rows, key=lambda row: row["factors"])}


def operations(entries: int, rows: int, factors: int, form: str) -> float:
    """Return the useful operations of one exact epoch: every entry counts on both sides."""
    k = factors + (form == "explicit")
    return 2 * entries * k * (k + 1) + rows * k**3 / 3


def _participants(options: Any) -> Any:
    for k in options.factors:
        for form in ("implicit", "explicit"):
            for threads in THREADS:
                settings = {"action": "half_sweeps", "form": form, "factors": k, "threads": threads}
                yield Participant(f"Alsatian, {form}, {k} factors, {threads} threads", "alsatian", settings)
        settings = {"action": "fit", "factors": k, "threads": options.threads, "reg": 20.0, "epochs": 1}
        cholesky = {"form": "implicit", "options": {"solver": "CHOLESKY"}}
        yield Participant(f"irspack, implicit, {k} factors", "irspack", settings | cholesky)
        cholesky = {"form": "explicit", "options": {"use_cg": False}, "reg": 0.1}
        if k == min(options.factors) or options.long:
            rounds = None if options.long else 1
            for epochs, suffix in ((2, TWO), (1, "")):
                yield Participant(
                    f"cmfrec, explicit, {k} factors{suffix}",
                    "cmfrec",
                    settings | cholesky | {"epochs": epochs},
                    rounds,
                )


def _seconds(participant: Participant, runs: dict[str, list[Any]]) -> list[float]:
    """Return the seconds of each round; what cmfrec's fit costs besides its epoch is taken out."""
    seconds = [float(run["seconds"]) for run in successful(runs[participant.label])]
    if (two := runs.get(f"{participant.label}{TWO}")) is None:
        return seconds
    return [float(run["seconds"]) - alone for run, alone in zip(successful(two), seconds, strict=False)]


def render(results: dict[str, Any], page: Page) -> None:
    product = results["product"]
    rates = (f"{rate['median'] / 1e9:,.0f} on {threads}" for threads, rate in product.items())
    page.text(f"Matrix product, GFLOP/s by threads: {', '.join(rates)}.")
    header = ["who", "form", "factors", "threads", "seconds an epoch", "share of the matrix product"]
    table = []
    for row in results["rows"]:
        words = [row["label"].split(",")[0], row["form"], row["factors"], row["threads"]]
        measured = [interval(row["seconds"]), interval(row["share"], scale=100, unit="%", digits=0)]
        table.append([*words, *(["-", row["failed"]] if row["failed"] else measured)])
    page.table(header, table)
    bars = [row for row in results["rows"] if row["share"] and row["threads"] == 2]
    with figure(page, "kernels", "Share of the matrix product, exact epoch, 2 threads") as axes:
        axes.barh([f"{r['label'].split(',')[0]} {r['form']} {r['factors']}" for r in bars][::-1],
                  [100 * r["share"]["median"] for r in bars][::-1])  # fmt: skip
        axes.set_xlabel("% of NumPy's sgemm")


def main(arguments: Sequence[str]) -> None:
    suite_runner.main(__name__, __doc__, arguments)

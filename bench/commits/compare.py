"""The speed of two commits, measured in turn on this machine: medians, ratio, spread.

    python -m bench compare BASE                        # all workloads, the checked-out commit beside BASE
    python -m bench compare BASE solvers topn reading serving --rounds 5
    python -m bench compare BASE --head OTHER --shape ml-10m
    python -m bench compare HEAD --rounds 5             # a commit beside itself: how much the machine varies

Each commit is built and installed in an environment of its own, with the same versions of all other packages. Rounds
alternate: BASE HEAD, HEAD BASE, BASE HEAD, ... with a fresh process for every workload. A round gives a ratio of cost,
head to base; the table has the median over the rounds with (smallest to largest): above 1, head is slower. Other load
on the machine only ever adds to a cost, so the best rounds of both are compared, too: "slower" means that both ratios
are above 1 + TOLERANCE, and then the exit status is 1.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench import datasets, harness, synthetic
from bench.commits.checkouts import CONSTRAINTS, FOLDER, Checkout, checkout, is_dirty
from bench.commits.workloads import WORKLOADS, Measures
from bench.programs import argument_parser
from bench.results_page import interval

DURATION = "10 minutes"


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("base", metavar="BASE", help="a commit: hash, branch or tag")
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help=f"of {', '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--head", default="HEAD", help="the other commit (default: the checked-out one)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shape", default="ml-1m", choices=sorted(synthetic.SHAPES), help="of the synthetic ratings")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--tolerance", type=float, default=0.05, help="(default: 0.05)")
    parser.add_argument("--output", type=Path, help="the JSON file (default: .bench/commits/BASE-HEAD.json)")
    options = parser.parse_args(arguments)
    names = options.workloads or list(WORKLOADS)
    if unknown := [name for name in names if name not in WORKLOADS]:
        parser.error(f"not a workload: {', '.join(unknown)}; choose from {', '.join(WORKLOADS)}")
    if options.head == "HEAD" and is_dirty():
        print("note: changes that are not committed are not measured", flush=True)
    start, busy = time.perf_counter(), os.getloadavg()[0]
    if busy > 1:
        print(f"note: the machine is busy (load {busy:.1f}); ratios will vary", flush=True)
    commits = {"base": checkout(options.base), "head": checkout(options.head)}
    rounds = measure(commits, names, write_inputs(options.shape), options)
    rows = summarize(rounds)
    record = {
        "commits": {role: {"hash": commit.commit, "title": commit.title} for role, commit in commits.items()},
        **harness.circumstances(start, []),
        "versions": dict(line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line),
        "settings": {name: getattr(options, name) for name in ("rounds", "shape", "threads", "tolerance")},
        "load": busy,
        "rows": rows,
        "rounds": rounds,
    }
    short = "-".join(commit.commit[:12] for commit in commits.values())
    output = options.output or FOLDER / f"{short}.json"
    output.write_text(json.dumps(record, indent=1) + "\n")
    print_table(commits, rows, options.tolerance)
    print(f"written: {output}")
    if any(verdict(row, options.tolerance) == "slower" for row in rows):
        raise SystemExit(1)


def write_inputs(shape: str) -> Path:
    """Return a folder with ratings as CSV and Parquet and the users' ids, which is written on first use."""
    import duckdb

    source = datasets.csv(shape)
    folder = FOLDER / "inputs" / source.parent.name
    if not (folder / "users.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ratings.csv").unlink(missing_ok=True)
        (folder / "ratings.csv").symlink_to(source)
        duckdb.execute(f"COPY (FROM '{source}') TO '{folder / 'ratings.parquet'}' (FORMAT parquet)")
        users = np.unique(np.load(source.parent / "users.npy")) + 1
        (folder / "users.json").write_text(json.dumps(users.tolist()))
    return folder


def measure(
    commits: dict[str, Checkout], names: list[str], inputs: Path, options: argparse.Namespace
) -> list[dict[str, dict[str, Measures]]]:
    """Return for each round, workload and role its measures; the order of the roles alternates."""
    rounds = []
    for number in range(options.rounds):
        results: dict[str, dict[str, Measures]] = {}
        for name in names:
            roles = list(commits) if number % 2 == 0 else list(reversed(commits))
            results[name] = {role: run_workload(commits[role], name, inputs, options.threads) for role in roles}
            costs = (f"{measure} {ratio:.3f}" for measure, ratio in ratios(results[name]).items())
            print(f"  round {number + 1}: {name:8} {'; '.join(costs)}", flush=True)
        rounds.append(results)
    return rounds


def run_workload(commit: Checkout, name: str, inputs: Path, threads: int) -> Measures:
    """Run a workload by a commit's Python, in a process of its own."""
    settings = {"ALSATIAN_THREADS": str(threads), "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(datasets.ROOT)}
    command = [str(commit.python), "-P", "-W", "ignore", "-m", "bench.commits.workloads", name, str(inputs)]
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.run(command, env=os.environ | settings, cwd=folder, capture_output=True, text=True)
    if process.returncode:
        raise SystemExit(f"bench: workload {name} failed at {commit.commit[:12]}:\n{process.stderr[-2000:]}")
    return json.loads(process.stdout)  # type: ignore[no-any-return]


def ratios(measures: dict[str, Measures]) -> Measures:
    """Return each measure's ratio of cost, head to base: of rates the inverse."""
    base, head = measures["base"], measures["head"]
    return {name: base[name] / head[name] if name.endswith("1/s") else head[name] / base[name] for name in base}


def summarize(rounds: list[dict[str, dict[str, Measures]]]) -> list[dict[str, Any]]:
    rows = []
    for workload, first in rounds[0].items():
        for name in first["base"]:
            row: dict[str, Any] = {"workload": workload, "measure": name}
            for role in ("base", "head"):
                row[role] = harness.spread(results[workload][role][name] for results in rounds)
            row["ratio"] = harness.spread(ratios(results[workload])[name] for results in rounds)
            best = {role: {name: row[role]["max" if name.endswith("1/s") else "min"]} for role in ("base", "head")}
            row["best_ratio"] = ratios(best)[name]
            rows.append(row)
    return rows


def verdict(row: dict[str, Any], tolerance: float) -> str:
    """Return whether head is slower or faster than base by more than the tolerance, in the median and at its best."""
    costs = row["ratio"]["median"], row["best_ratio"]
    return "slower" if min(costs) > 1 + tolerance else "faster" if max(costs) < 1 - tolerance else ""


def print_table(commits: dict[str, Checkout], rows: list[dict[str, Any]], tolerance: float) -> None:
    for role, commit in commits.items():
        print(f"{role}: {commit.commit[:12]} {commit.title}")
    lines = [["workload", "measure", "base", "head", "ratio of cost", "of the best", ""]]
    for row in rows:
        medians = [interval(row[role], digits=None if row[role]["median"] >= 100 else 3) for role in ("base", "head")]
        costs = [interval(row["ratio"], digits=3), f"{row['best_ratio']:.3f}"]
        lines.append([row["workload"], row["measure"], *medians, *costs, verdict(row, tolerance)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())

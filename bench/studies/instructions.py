"""Instructions of a half-sweep's rows, beside the fewest that its arithmetic could take.

    python -m bench instructions                   # by rank, row length and solver

Needs valgrind. Counts do not depend on how busy the machine is. They are the difference of runs with three half-sweeps
and with one, under `valgrind --tool=callgrind`. The fewest: one fused multiply-add of eight floats for each 16 useful
operations, n k (k + 1) + k^3 / 3 exactly (as `python -m bench kernels` has it), 4 n k (steps + 1) by CG.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alsatian import kernels
from alsatian.kernels import Rows, Side, Weighting
from bench.datasets import ROOT
from bench.programs import argument_parser

DURATION = "10 minutes"
ROWS, ITEMS = 200, 2000


def sweep(factors: int, steps: int, entries: int, times: int) -> None:
    rng = np.random.default_rng(0)
    indices = np.sort(rng.integers(0, ITEMS, (ROWS, entries)), axis=1).ravel().astype(np.int32)
    rows = Rows(np.arange(ROWS + 1) * entries, indices, np.ones(len(indices), np.float32), None)
    items = rng.standard_normal((ITEMS, factors)).astype(np.float32) * np.float32(0.1)
    users, ridge = np.zeros((ROWS, factors), np.float32), np.full(ROWS, 20, np.float32)
    weighting, gram = Weighting(2.0, 1.0, 2.0, 1.0, 1.0), kernels.gram(items, 1.0, 1)
    for _ in range(times):
        kernels.half_sweep(rows, weighting, Side(items, None), gram, ridge, Side(users, None), steps, threads=1)


def count(*work: int) -> int:
    """Return the instructions of a whole run."""
    with tempfile.TemporaryDirectory() as folder:
        tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={Path(folder) / 'out'}"]
        command = [*tool, sys.executable, "-m", "bench", "instructions", "--sweep", *map(str, work)]
        process = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    collected = re.search(r"Collected : (\d+)", process.stderr)
    if not collected:
        raise SystemExit(f"valgrind counted nothing: {process.stderr.strip().splitlines()[-1]}")
    return int(collected[1])


def report() -> None:
    print("factors  steps  entries  instructions a row  fewest  fewest / counted")
    for factors, steps, entries in itertools.product((64, 128), (0, 3), (144, 1440)):
        row = (count(factors, steps, entries, 3) - count(factors, steps, entries, 1)) / 2 / ROWS
        exact = entries * factors * (factors + 1) + factors**3 / 3
        fewest = (4 * entries * factors * (steps + 1) if steps else exact) / 16
        line = f"{factors:7}  {steps:5}  {entries:7}  {row:18,.0f}  {fewest:6,.0f}  {fewest / row:.0%}"
        print(line, flush=True)


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    names = ("FACTORS", "STEPS", "ENTRIES", "TIMES")
    parser.add_argument("--sweep", type=int, nargs=4, metavar=names, help="only do this work: what valgrind runs")
    if work := parser.parse_args(arguments).sweep:
        sweep(*work)
    else:
        report()

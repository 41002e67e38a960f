"""Reading, fitting and saving 20 million ratings: seconds and peak memory.

python -m bench twenty_million RATINGS.parquet     # columns user, item, value in the shape of ml-20m

Reads Parquet, fits ten epochs of ImplicitALS at 64 factors, saves the model.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import alsatian as al
import alsatian.ingest
import alsatian.models
from bench.programs import argument_parser

DURATION = "1 minute"


def peak() -> float:
    """Return the peak resident memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def report(source: str) -> None:
    import duckdb  # noqa: F401  (counted as imported, like the rest)

    before, start = peak(), time.perf_counter()
    marks = [("", start)]
    data = al.read(source)
    marks.append(("read", time.perf_counter()))
    read_peak = peak() - before
    model = al.ImplicitALS(factors=64, epochs=10).fit(data, threads=2)
    marks.append(("fit", time.perf_counter()))
    with tempfile.TemporaryDirectory() as folder:
        al.save(model, Path(folder) / "big.model")
        marks.append(("save", time.perf_counter()))
    for (_, earlier), (name, later) in zip(marks, marks[1:], strict=False):
        print(f"{name:5} {later - earlier:6.1f} s")
    factors = 4 * 64 * (len(data.user_ids) + len(data.item_ids)) / 1e9
    allowed = 4 * 16 * len(data) / 1e9 + factors
    print(f"total {marks[-1][1] - start:6.1f} s for {len(data):,} ratings (target: under 60 s)")
    print(f"peak  {peak() - before:6.2f} GB above the imports, reading {read_peak:.2f} (target: at most {allowed:.2f})")


def main(arguments: Sequence[str]) -> None:
    parser = argument_parser(__name__, __doc__)
    parser.add_argument("ratings", metavar="RATINGS.parquet", help="or any file that Alsatian reads")
    report(parser.parse_args(arguments).ratings)

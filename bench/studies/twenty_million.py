"""Read 20 million ratings from Parquet, fit ten epochs of ImplicitALS at 64 factors, save: seconds and peak memory.

python bench/twenty_million.py RATINGS.parquet     # columns user, item, value in the shape of ml-20m
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

import alsatian as al
import alsatian.ingest
import alsatian.models


def peak() -> float:
    """Return the peak resident memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def main(source: str) -> None:
    import duckdb  # noqa: F401  (counted as imported, like the rest)

    before, begun = peak(), time.perf_counter()
    marks = [("", begun)]
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
    print(f"total {marks[-1][1] - begun:6.1f} s for {len(data):,} ratings (target: under 60 s)")
    print(f"peak  {peak() - before:6.2f} GB above the imports, reading {read_peak:.2f} (target: at most {allowed:.2f})")


if __name__ == "__main__":
    main(sys.argv[1])

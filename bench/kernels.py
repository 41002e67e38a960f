"""How near the kernels come to the machine's own rate of single-precision matrix products.

    python bench/kernels.py RATINGS.parquet [--factors 64 128 256] [--threads 2]

Useful operations of an exact half-sweep: n k (k + 1) for the triangles of n entries, k^3 / 3 for each row.
Medians of three rounds; the matrix product is measured in each round.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

import alsatian as al
from alsatian import kernels
from alsatian.interactions import CSR
from alsatian.kernels import Form, Rows, Side

ROUNDS = 3
FORMS = {"implicit": (Form(1, 1, 1, 1, 1), 0), "explicit": (Form(0, 1, 1, -3.5, 0), 1)}


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def product_rate() -> float:
    """Return the operations a second of NumPy's single-precision product (its BLAS uses all processors)."""
    a = np.ones((3000, 3000), np.float32)
    return 2 * 3000**3 / min(seconds(lambda: a @ a) for _ in range(3))


def half_sweep(rows: CSR, form: Form, bias: int, k: int, threads: int) -> tuple[float, float]:
    """Return the useful operations and the seconds of one exact half-sweep."""
    rng = np.random.default_rng(0)
    fixed, solved = (
        Side(0.1 * rng.standard_normal((count, k), np.float32), np.zeros(count, np.float32) if bias else None)
        for count in (rows.columns, rows.rows)
    )
    ridge = np.full(rows.rows, 5, np.float32)
    entries = Rows(rows.indptr, rows.indices, rows.values, rows.weights)

    def work() -> None:
        gram = kernels.gram(fixed.factors, form.unobserved, threads) if form.unobserved else None
        kernels.half_sweep(entries, form, fixed, gram, ridge, solved, 0, threads)

    unknowns = k + bias
    return len(rows.indices) * unknowns * (unknowns + 1) + rows.rows * unknowns**3 / 3, seconds(work)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("source")
    parser.add_argument("--factors", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    data = al.read(given.source)
    print(f"{data}; {given.threads} threads, kernels for {kernels.instruction_set}")
    for k in given.factors:
        for name, (form, bias) in FORMS.items():
            rates, times = [], []
            for _ in range(ROUNDS):
                limit = product_rate()
                users, items = (half_sweep(side, form, bias, k, given.threads) for side in (data.by_user, data.by_item))
                times.append(users[1] + items[1])
                rates.append((users[0] + items[0]) / times[-1] / limit)
            print(
                f"{name} {k:4} factors: {statistics.median(times):6.2f} s for both sides, "
                f"{statistics.median(rates):.0%} of the matrix product ({min(rates):.0%} to {max(rates):.0%})"
            )


if __name__ == "__main__":
    main()

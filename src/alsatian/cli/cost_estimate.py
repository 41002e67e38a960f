"""Estimate the cost of a fit: memory by a formula, time by a small measurement."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from alsatian import kernels
from alsatian.data.interactions import Interactions
from alsatian.inspection.value_type import EXPLICIT, IMPLICIT, looks_explicit
from alsatian.kernels import Rows, Side, Weighting
from alsatian.models import ExplicitALS, ImplicitALS

_MAX_FACTOR_CELLS = 12_000_000  # the most numbers in the factors of the measured problem
_LONG_ROW_ENTRIES, _SHORT_ROW_ENTRIES = 400, 4  # entries per row of the two measured problems
_MULTIPLY_ADDS = 6e7  # multiply-adds per thread of a measured half-sweep: a few hundredths of a second
_MAX_MEASURED_ENTRIES = 1_000_000  # the most entries of the measured problem
_MEASUREMENTS = 3


def estimate_cost(data: Interactions, factors: int, threads: int | None) -> dict[str, Any]:
    """Return the cost of fitting the model that suits the values, with its default epochs."""
    model = EXPLICIT if looks_explicit(data)[0] else IMPLICIT
    users, items, values = len(data.user_ids), len(data.item_ids), len(data)
    factors = min(factors, users, items)
    threads = kernels.usable_threads(threads)
    estimator = (ExplicitALS if model == EXPLICIT else ImplicitALS)(factors=factors)
    epochs, steps = estimator.epochs, estimator.epoch_cg_steps
    sides = ((users, items), (items, users))
    epoch_seconds = sum(
        half_sweep_seconds(rows, values, fixed_rows, factors, model, threads, steps) for rows, fixed_rows in sides
    )
    # After the last epoch the users are solved exactly.
    final_seconds = half_sweep_seconds(users, values, items, factors, model, threads, 0) if steps else 0.0
    file_bytes = _file_bytes(data, factors)
    return {
        "model": model,
        "factors": factors,
        "epochs": epochs,
        "threads": threads,
        "seconds": epochs * epoch_seconds + final_seconds,
        "seconds_per_epoch": epoch_seconds,
        # Factors, their copies packed for top-n, and the item factors that momentum keeps.
        "memory_bytes": 16 * values + 4 * (factors + 2) * (2 * users + 3 * items),
        "file_bytes": file_bytes,
    }


def _file_bytes(data: Interactions, factors: int) -> int:
    """Return the size of the model file: factors, the items of each user, ids and catalog."""
    rows = len(data.user_ids) + len(data.item_ids)
    catalog = sum(array.nbytes for array in data.catalog.to_arrays()[0].values())
    letters = sum(ids.values.data.nbytes for ids in (data.user_ids, data.item_ids) if ids.kind == "text")
    return 4 * (factors + 1) * rows + 8 * rows + letters + 8 * (len(data) + len(data.user_ids)) + catalog + 4000


def half_sweep_seconds(
    rows: int, values: int, fixed_rows: int, factors: int, model: str, threads: int, steps: int
) -> float:
    """Return the expected time of one half-sweep: exact for steps=0, else by that many conjugate-gradient steps.

    The time has a part per value (exact solver: proportional to factors^2, for the Gram matrix of the row's items) and
    a part per row (factors^3 / 3, for the solution). Measurements with long and with short rows determine both.
    """
    row_seconds = [
        _seconds_per_row(rows, entries, fixed_rows, factors, model, threads, steps)
        for entries in (_LONG_ROW_ENTRIES, _SHORT_ROW_ENTRIES)
    ]
    per_value = max((row_seconds[0] - row_seconds[1]) / (_LONG_ROW_ENTRIES - _SHORT_ROW_ENTRIES), 0.0)
    per_row = max(row_seconds[1] - _SHORT_ROW_ENTRIES * per_value, 0.0)
    return per_value * values + per_row * rows


def _seconds_per_row(
    max_rows: int, entries: int, fixed_rows: int, factors: int, model: str, threads: int, steps: int
) -> float:
    """Return the seconds per row of a half-sweep over at most `max_rows` rows of `entries` random entries each."""
    rng = np.random.default_rng(0)
    exact_work = entries * factors**2 + factors**3 / 3
    rows = int(_MULTIPLY_ADDS / (4 * (steps + 1) * (entries + factors) * factors if steps else exact_work)) * threads
    rows = min(max(rows, 16 * threads), _MAX_MEASURED_ENTRIES // entries, max_rows)
    fixed_rows = max(1, min(fixed_rows, _MAX_FACTOR_CELLS // factors))
    is_biased = model == EXPLICIT
    weighting = Weighting(0.0, 1.0, 1.0, -1.0, 0.0) if is_biased else Weighting(1.0, 1.0, 1.0, 1.0, 1.0)
    indices = rng.integers(0, fixed_rows, rows * entries).astype(np.int32)
    data = Rows(np.arange(rows + 1) * entries, indices, np.ones(rows * entries, np.float32), None)
    fixed_side = Side(
        rng.random((fixed_rows, factors), np.float32), np.zeros(fixed_rows, np.float32) if is_biased else None
    )
    solution = Side(np.zeros((rows, factors), np.float32), np.zeros(rows, np.float32) if is_biased else None)
    gram = None if is_biased else np.eye(factors, dtype=np.float32)
    ridge = np.full(rows, 1.0, np.float32)
    seconds = float("inf")
    for _ in range(_MEASUREMENTS):
        start = time.perf_counter()
        kernels.half_sweep(data, weighting, fixed_side, gram, ridge, solution, steps, threads=threads)
        seconds = min(seconds, time.perf_counter() - start)
    return seconds / rows

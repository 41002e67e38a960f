"""What a fit will cost, before it is made: memory by a formula, time by a small measurement."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from alsatian import kernels
from alsatian.data.interactions import Interactions
from alsatian.inspection.value_type import EXPLICIT, IMPLICIT, judge
from alsatian.kernels import Rows, Side, Weighting
from alsatian.models import ExplicitALS, ImplicitALS

_FLOATS = 12_000_000  # the most numbers in the factors of the measured problem
_LONG, _SHORT = 400, 4  # entries per row of the two measured problems
_WORK = 6e7  # multiply-adds of a measured half-sweep, for each thread: some hundredths of a second
_ENTRIES = 1_000_000  # the most entries of the measured problem
_ROUNDS = 3


def estimate(data: Interactions, factors: int, threads: int | None) -> dict[str, Any]:
    """Return the cost of fitting the model that suits the values, with its default epochs."""
    model = EXPLICIT if judge(data)[0] else IMPLICIT
    users, items, values = len(data.user_ids), len(data.item_ids), len(data)
    factors = min(factors, users, items)
    threads = kernels.usable_threads(threads)
    made = (ExplicitALS if model == EXPLICIT else ImplicitALS)(factors=factors)
    epochs, steps = made.epochs, made.epoch_steps
    sides = ((users, items), (items, users))
    epoch = sum(half_seconds(rows, values, fixed, factors, model, threads, steps) for rows, fixed in sides)
    last = half_seconds(users, values, items, factors, model, threads, 0) if steps else 0.0  # the users, exactly
    file_bytes = _file_bytes(data, factors)
    return {
        "model": model,
        "factors": factors,
        "epochs": epochs,
        "threads": threads,
        "seconds": epochs * epoch + last,
        "seconds_per_epoch": epoch,
        "memory_bytes": 16 * values + 4 * (factors + 2) * (2 * users + 3 * items),  # packed for lists; momentum's items
        "file_bytes": file_bytes,
    }


def _file_bytes(data: Interactions, factors: int) -> int:
    """Return the size of the model file: factors, what each user has seen, ids and catalog."""
    rows = len(data.user_ids) + len(data.item_ids)
    catalog = sum(array.nbytes for array in data.catalog.to_arrays()[0].values())
    letters = sum(ids.values.data.nbytes for ids in (data.user_ids, data.item_ids) if ids.kind == "text")
    return 4 * (factors + 1) * rows + 8 * rows + letters + 8 * (len(data) + len(data.user_ids)) + catalog + 4000


def half_seconds(rows: int, values: int, fixed: int, factors: int, model: str, threads: int, steps: int) -> float:
    """Return the expected time of one half-sweep, exact or by so many steps of conjugate gradient.

    Each value costs some time (exactly solved it grows with factors^2: the Gram matrix of the row's items) and each
    row some more (factors^3 / 3: the solution). Timing long rows and short rows tells the two apart.
    """
    measured = [_time(rows, entries, fixed, factors, model, threads, steps) for entries in (_LONG, _SHORT)]
    per_value = max((measured[0] - measured[1]) / (_LONG - _SHORT), 0.0)
    per_row = max(measured[1] - _SHORT * per_value, 0.0)
    return per_value * values + per_row * rows


def _time(most: int, entries: int, fixed: int, factors: int, model: str, threads: int, steps: int) -> float:
    """Return the seconds per row of a half-sweep over `most` rows, or some of them, of so many random entries."""
    rng = np.random.default_rng(0)
    exactly = entries * factors**2 + factors**3 / 3
    rows = int(_WORK / (4 * (steps + 1) * (entries + factors) * factors if steps else exactly)) * threads
    rows = min(max(rows, 16 * threads), _ENTRIES // entries, most)
    fixed = max(1, min(fixed, _FLOATS // factors))
    biased = model == EXPLICIT
    form = Weighting(0.0, 1.0, 1.0, -1.0, 0.0) if biased else Weighting(1.0, 1.0, 1.0, 1.0, 1.0)
    indices = rng.integers(0, fixed, rows * entries).astype(np.int32)
    data = Rows(np.arange(rows + 1) * entries, indices, np.ones(rows * entries, np.float32), None)
    other = Side(rng.random((fixed, factors), np.float32), np.zeros(fixed, np.float32) if biased else None)
    solution = Side(np.zeros((rows, factors), np.float32), np.zeros(rows, np.float32) if biased else None)
    gram = None if biased else np.eye(factors, dtype=np.float32)
    ridge = np.full(rows, 1.0, np.float32)
    best = float("inf")
    for _ in range(_ROUNDS):
        begun = time.perf_counter()
        kernels.half_sweep(data, form, other, gram, ridge, solution, steps, threads=threads)
        best = min(best, time.perf_counter() - begun)
    return best / rows

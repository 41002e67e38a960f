"""EASE: weights between items, in closed form."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import FitError, ParameterError
from alsatian.models.knn.similarity_vectors import strengths
from alsatian.recommender.explanation import Shares
from alsatian.recommender.fit_run import Run
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Audience, Mask, Top, blocks, stacked

THREADS = 2  # of the linear algebra, whatever a run has: its bits depend on how the work is divided
BYTES = 8 * 3  # a cell: the system in float64, the weights in float32, and room for a block of each and for LAPACK


class EASE(Model):
    """Predicts a user's values x from each other by weights between items, none of an item to itself.

    Loss (Steck 2019, "Embarrassingly shallow autoencoders for sparse data", eq. 1 and 3), over all cells:

        |X - X B|^2 + reg |B|^2   with diag(B) = 0,   so (eq. 8)   B = I - P diag(1 / diag P),  P = (X'X + reg I)^-1

    Learned: item_weights (items, items) = B: row j says how much having item j speaks for each other item.
    Score: x B, about 0 for what a user will not choose and 1 for what she will (of likes); only the order means
    something. Values are amounts (ratings too: better the likes), times their weights.
    Cost: items^3 multiply-adds and 24 bytes x items^2 of memory; sizes beyond the memory there is are refused.

    >>> model = EASE(reg=200)
    """

    source: ClassVar[str] = "ease"
    learned: ClassVar[tuple[str, ...]] = ("item_weights",)
    reg: float = param(default=400.0, doc="strength of regularization", low=1e-6, search=(10, 5000, "log"))

    def _check(self, data: Interactions) -> None:
        super()._check(data)
        items, there = len(data.item_ids), available_memory()
        if (needed := BYTES * items**2) > there:
            raise ParameterError(
                f"ease solves a system of items x items: {items:,} items need {needed:,} bytes of memory, and "
                f"{there:,} are available; leave out rare items when reading, or choose item-knn."
            )

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        check_shapes(learned, {"item_weights": (len(data.item_ids),) * 2})

    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(THREADS):
            return {"item_weights": solved(data, self.reg)}

    def _prepare(self) -> None:
        self.item_weights: NDArray[np.float32]

    def _best(self, audience: Audience, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> Top:
        seen = audience.left_out(exclude_seen)
        tops = [
            Top(
                *kernels.top_n_dense(
                    _matrix(audience.seen.take(rows)) @ self.item_weights, rows, n, seen, allowed, threads
                )
            )
            for rows in blocks(audience.rows, len(self.item_weights))
        ]
        return stacked(tops, n)

    def _most_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> Top:
        tops = []
        for some in blocks(rows, len(self.item_weights)):
            own, order = (np.arange(len(some) + 1), some), np.arange(len(some), dtype=np.int32)
            lines = np.ascontiguousarray(self.item_weights[some], np.float32)
            tops.append(Top(*kernels.top_n_dense(lines, order, n, own, allowed, threads)))
        return stacked(tops, n)

    def _predict(self, audience: Audience, items: NDArray[np.int32]) -> NDArray[np.float32]:
        scores = np.zeros(len(items), np.float32)
        known = np.flatnonzero((audience.rows >= 0) & (items >= 0))
        for pairs in blocks(known, 1 << 12):
            history = audience.seen.take(audience.rows[pairs])
            pair = history.row_numbers
            parts = strengths(history) * self.item_weights[history.indices, items[pairs][pair]]
            scores[pairs] = np.bincount(pair, parts, minlength=len(pairs))
        return scores

    def _explain(self, history: CSR, items: list[int]) -> Shares:
        """The part of the person's item j in the score of i is x_j B_ji."""
        weights = self.item_weights[history.indices[:, None], items]
        return Shares(np.zeros(len(items)), strengths(history).astype(np.float64)[:, None] * weights)


def solved(data: Interactions, reg: float) -> NDArray[np.float32]:
    """Return B, with one matrix of items x items in float64 that is inverted where it lies."""
    from scipy.linalg.lapack import dpotrf, dpotri

    by_user, by_item = _matrix(data.by_user, np.float64), _matrix(data.by_item, np.float64)
    items = len(data.item_ids)
    system = np.empty((items, items))
    for some in blocks(np.arange(items), items):
        system[some[0] : some[-1] + 1] = (by_item[some[0] : some[-1] + 1] @ by_user).toarray()
    system[np.diag_indices(items)] += reg
    # symmetric, so that its transpose is itself in the order of columns that LAPACK wants: nothing is copied
    factor, failed = dpotrf(system.T, lower=0, overwrite_a=1, clean=0)
    inverse, failed = dpotri(factor, lower=0, overwrite_c=1) if failed == 0 else (factor, failed)
    if failed != 0 or not np.isfinite(diagonal := inverse.diagonal().copy()).all():
        raise FitError(f"the items' system has no solution in float64 at reg={reg:g}; raise reg.")
    weights = np.empty((items, items), np.float32)
    for column in range(items):  # only the upper triangle of the inverse was made
        weights[: column + 1, column] = -inverse[: column + 1, column] / diagonal[column]
        weights[column, : column + 1] = -inverse[: column + 1, column] / diagonal[: column + 1]
    np.fill_diagonal(weights, 0)
    return weights


def available_memory() -> int:
    """Return how many bytes a process can still have."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        if "MemAvailable" in lines:
            return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _matrix(rows: CSR, dtype: type = np.float32) -> Any:
    return rows.to_scipy(strengths(rows).astype(dtype))

"""EASE: item-to-item weights in closed form."""

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
from alsatian.models.knn.similarity_vectors import weighted_values
from alsatian.recommender.explanation import Contributions
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Mask, TopN, concat, row_chunks
from alsatian.recommender.user_batch import UserBatch

LINALG_THREADS = 2  # threads of the linear algebra; fixed, because the bits depend on how the work is divided
# Memory per cell of items x items: the system in float64, the weights in float32, a block of each, and LAPACK.
BYTES_PER_CELL = 24


class EASE(Model[UserBatch]):
    """Learns item-to-item weights in closed form; use it to rank a catalog whose items x items matrix fits in memory.

    The values x of a user are predicted from each other. An item has no weight to itself.

    Loss (Steck 2019, "Embarrassingly shallow autoencoders for sparse data", eq. 1 and 3), over all cells:

        |X - X B|^2 + reg |B|^2   with diag(B) = 0,   so (eq. 8)   B = I - P diag(1 / diag P),  P = (X'X + reg I)^-1

    Learned: item_weights (items, items), which is B. B_ji is how much having item j raises the score of item i.
    Score: x B. On likes it is near 1 for items that a user would choose and near 0 for others. Only the order is
    meaningful. Values count as amounts, times their weights. Ratings are accepted, but likes rank better.
    Cost: items^3 multiply-adds, and 24 bytes x items^2 of memory. ParameterError if that much is not available.

    >>> model = EASE(reg=200)
    """

    source_label: ClassVar[str] = "ease"
    state_arrays: ClassVar[tuple[str, ...]] = ("item_weights",)
    reg: float = param(default=400.0, doc="strength of regularization", low=1e-6, search=(10, 5000, "log"))

    def validate_data(self, data: Interactions) -> None:
        super().validate_data(data)
        items, available = len(data.item_ids), available_memory()
        if (required := BYTES_PER_CELL * items**2) > available:
            raise ParameterError(
                f"ease solves a system of items x items: {items:,} items need {required:,} bytes of memory, and "
                f"{available:,} are available; leave out rare items when reading, or choose item-knn."
            )

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        check_shapes(state, {"item_weights": (len(data.item_ids),) * 2})

    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(LINALG_THREADS):
            return {"item_weights": solve_item_weights(data, self.reg)}

    def build_caches(self) -> None:
        self.item_weights: NDArray[np.float32]

    def rank(self, batch: UserBatch, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        exclusions = batch.exclusions(exclude_seen)
        tops = [
            TopN(
                *kernels.top_n_dense(
                    _weighted_csr(batch.histories.take(rows)) @ self.item_weights, rows, n, exclusions, allowed, threads
                )
            )
            for rows in row_chunks(batch.rows, len(self.item_weights))
        ]
        return concat(tops, n)

    def rank_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> TopN:
        tops = []
        for chunk in row_chunks(rows, len(self.item_weights)):
            self_exclusions, order = (np.arange(len(chunk) + 1), chunk), np.arange(len(chunk), dtype=np.int32)
            weights = np.ascontiguousarray(self.item_weights[chunk], np.float32)
            tops.append(TopN(*kernels.top_n_dense(weights, order, n, self_exclusions, allowed, threads)))
        return concat(tops, n)

    def score_pairs(self, batch: UserBatch, items: NDArray[np.int32]) -> NDArray[np.float32]:
        scores = np.zeros(len(items), np.float32)
        valid = np.flatnonzero((batch.rows >= 0) & (items >= 0))
        for chunk in row_chunks(valid, 1 << 12):
            history = batch.histories.take(batch.rows[chunk])
            entry_pairs = history.row_numbers
            contributions = weighted_values(history) * self.item_weights[history.indices, items[chunk][entry_pairs]]
            scores[chunk] = np.bincount(entry_pairs, contributions, minlength=len(chunk))
        return scores

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Return x_j B_ji, the contribution of each item j of the history to the score of item i."""
        weights = self.item_weights[history.indices[:, None], items]
        return Contributions(np.zeros(len(items)), weighted_values(history).astype(np.float64)[:, None] * weights)


def solve_item_weights(data: Interactions, reg: float) -> NDArray[np.float32]:
    """Return B, from one float64 matrix (items, items) that is inverted in place.

    Raises FitError if the matrix has no inverse in float64.
    """
    from scipy.linalg.lapack import dpotrf, dpotri

    by_user, by_item = _weighted_csr(data.by_user, np.float64), _weighted_csr(data.by_item, np.float64)
    items = len(data.item_ids)
    system = np.empty((items, items))
    for chunk in row_chunks(np.arange(items), items):
        system[chunk[0] : chunk[-1] + 1] = (by_item[chunk[0] : chunk[-1] + 1] @ by_user).toarray()
    system[np.diag_indices(items)] += reg
    # The system is symmetric, so its transpose is the same matrix in LAPACK's column order, and is not copied.
    factor, info = dpotrf(system.T, lower=0, overwrite_a=1, clean=0)
    inverse, info = dpotri(factor, lower=0, overwrite_c=1) if info == 0 else (factor, info)
    if info != 0 or not np.isfinite(diagonal := inverse.diagonal().copy()).all():
        raise FitError(f"the system of the items has no solution in float64 at reg={reg:g}; increase reg.")
    weights = np.empty((items, items), np.float32)
    for column in range(items):  # LAPACK computes only the upper triangle of the inverse
        weights[: column + 1, column] = -inverse[: column + 1, column] / diagonal[column]
        weights[column, : column + 1] = -inverse[: column + 1, column] / diagonal[: column + 1]
    np.fill_diagonal(weights, 0)
    return weights


def available_memory() -> int:
    """Return the number of bytes of memory that are available to a process."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        if "MemAvailable" in lines:
            return int(lines["MemAvailable"].split()[0]) * 1024
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _weighted_csr(rows: CSR, dtype: type = np.float32) -> Any:
    return rows.to_scipy(weighted_values(rows).astype(dtype))

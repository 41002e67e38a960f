"""What models of neighbours share: settings, the table of the k nearest, and the choice between lists and ratings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError
from alsatian.kernels import Sparse
from alsatian.models.knn.bias_residuals import Expected
from alsatian.models.knn.similarity_vectors import SIMILARITIES, WEIGHTINGS, Vectors, strengths
from alsatian.recommender.fit_run import Run
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Model
from alsatian.recommender.topn import Audience, slices


class Neighborhood(Model):
    """Rows of one side that are like each other: `neighbors` and `similarities` (rows, k), best first, -1 past the end.

    With baselines also mean (1), item_bias (items) and user_bias (users), which are None without.
    """

    source: ClassVar[str] = "knn"
    learned: ClassVar[tuple[str, ...]] = ("neighbors", "similarities", "mean", "item_bias", "user_bias")
    usual: ClassVar[dict[bool, dict[str, Any]]]  # settings that are not given, without and with baselines

    baselines: bool = param(
        default=False, doc="predict values, from mean and biases on; else rank by sums of similarities times values"
    )
    similarity: str | None = param(
        default=None,
        doc="of two vectors of values (None: cosine, or adjusted-cosine with baselines)",
        kind=str,
        choices=SIMILARITIES,
    )
    weighting: str = param(default="none", doc="of the values, before the cosine", choices=WEIGHTINGS, search=True)
    k: int | None = param(
        default=None, doc="how many neighbours are kept (None: see `usual`)", kind=int, low=1, search=(10, 500, "log")
    )
    shrinkage: float | None = param(
        default=None,
        doc="a similarity that n shared entries speak for counts n / (n + shrinkage) (None: see `usual`)",
        kind=float,
        low=0,
        search=(1, 300, "log"),
    )
    damping: float | None = param(
        default=None,
        doc="with baselines, added to the sum of similarities that a deviation is divided by (None: see `usual`)",
        kind=float,
        low=0,
        search=(0.01, 3, "log"),
    )

    def _check_params(self) -> None:
        if self.damping is not None and not self.baselines:
            raise ParameterError(
                f"damping={self.damping:g} has no effect on lists without baselines; drop it, or pass baselines=True."
            )
        if self.weighting != "none" and self._setting("similarity") != "cosine":
            raise ParameterError(
                f"weighting={self.weighting!r} has no effect on the {self._setting('similarity')} similarity; pass "
                "similarity='cosine', or weighting='none'."
            )

    def _setting(self, name: str) -> Any:
        """Return a setting as given, or as it usually is."""
        given = super()._setting(name)
        return self.usual[self.baselines].get(name, 0.0) if given is None else given

    @property
    def predicts(self) -> bool:
        return self.baselines

    def _check(self, data: Interactions) -> None:
        super()._check(data)
        if self.baselines and data.by_user.weights is not None:
            raise ParameterError(
                f"{self.name} with baselines counts all values alike, and these have weights; pass baselines=False, or "
                "choose explicit-als."
            )

    def _check_values(self, values: NDArray[np.float32]) -> None:
        if self.weighting != "none" and (wrong := values <= 0).any():
            raise DataError(
                f"weighting={self.weighting!r} takes values as amounts above 0, and {wrong.sum():,} of {len(values):,} "
                f"are not, such as {values[np.argmax(wrong)]:g}; pass weighting='none'."
            )

    # Learning

    @abstractmethod
    def _compared(self, data: Interactions) -> CSR:
        """Return the entries by the side whose rows are compared."""

    @abstractmethod
    def _residuals(self, data: Interactions, expected: Expected) -> NDArray[np.float32]:
        """Return what the values deviate from the baseline, in the order of `_compared`."""

    def _fit(self, data: Interactions, run: Run) -> dict[str, Any]:
        rows = self._compared(data)
        expected = Expected.learn(data) if self.baselines else None
        residuals = self._residuals(data, expected) if expected else None
        vectors = Vectors.learn(self._setting("similarity"), self.weighting, rows)
        compared, sizes = vectors.of(rows, residuals)
        k = max(1, min(self._setting("k"), rows.rows - 1))
        neighbors, similarities = kernels.neighbors(
            compared, rows.columns, sizes, vectors.measure, self._setting("shrinkage"), k, run.threads
        )
        learned: dict[str, Any] = {"neighbors": neighbors, "similarities": similarities}
        if expected:
            learned["mean"] = np.array([expected.mean])
            learned["item_bias"], learned["user_bias"] = expected.item_bias, expected.user_bias(data.by_user)
        return learned

    def check_learned(self, data: Interactions, learned: Mapping[str, Any]) -> None:
        rows = len(self._ids(data))
        shapes: dict[str, tuple[int, ...]] = {"neighbors": (rows, k := max(1, min(self._setting("k"), rows - 1)))}
        shapes["similarities"] = (rows, k)
        if self.baselines:
            shapes |= {"mean": (1,), "item_bias": (len(data.item_ids),), "user_bias": (len(data.user_ids),)}
        check_shapes(learned, shapes)
        near = learned["neighbors"]
        if near.dtype != np.int32 or near.min() < -1 or near.max() >= rows:
            raise ValueError("a neighbour lies outside the rows")

    @abstractmethod
    def _ids(self, data: Interactions) -> Any:
        """Return the ids of the side whose rows are compared."""

    def _prepare(self) -> None:
        self.neighbors: NDArray[np.int32]
        self.similarities: NDArray[np.float32]
        self.mean: NDArray[np.float64] | None
        self.item_bias: NDArray[np.float32] | None
        self.user_bias: NDArray[np.float32] | None
        for cache in ("_parts", "_vectors", "_by_column"):
            self.__dict__.pop(cache, None)

    # Answering

    @property
    def expected(self) -> Expected | None:
        """The baseline, or None for a model that ranks."""
        if self.mean is None or self.item_bias is None:
            return None
        return Expected(float(self.mean[0]), self.item_bias)

    def _known(self, rows: NDArray[np.int32]) -> Audience:
        return Audience(self.data.by_user, rows, None, self.user_bias)

    def _fold_in(self, history: CSR) -> Audience:
        bias = self.expected.user_bias(history) if self.expected else None
        return Audience(history, np.arange(history.rows, dtype=np.int32), None, bias)

    def _told_values(self, histories: CSR) -> NDArray[np.float32]:
        """Return what enters the sums: the values, or with baselines what they deviate from these."""
        return self.expected.residuals(histories) if self.expected else strengths(histories)

    def _start(self, audience: Audience) -> NDArray[np.float32] | None:
        """Return what the scores of each person asked for begin with: mean + user bias."""
        if self.expected is None or audience.offsets is None:
            return None
        return (self.expected.mean + audience.offsets[audience.rows]).astype(np.float32)

    def _predict(self, audience: Audience, items: NDArray[np.int32]) -> NDArray[np.float32]:
        scores = np.zeros(len(items), np.float32)
        for part in slices(len(items), 2 * self.neighbors.shape[1]):
            some = audience._replace(rows=audience.rows[part])
            weights, values = self._met(some, items[part])
            sums = (weights * values).sum(axis=1, dtype=np.float64)
            if self.baselines:
                sums /= np.where(
                    weights.any(axis=1), weights.sum(axis=1, dtype=np.float64) + self._setting("damping"), 1
                )
            scores[part] = sums
        if self.expected is not None and audience.offsets is not None:
            known = audience.rows >= 0
            scores[known] += audience.offsets[audience.rows[known]]
            scores[items >= 0] += self.expected.item_bias[items[items >= 0]]
            scores += np.float32(self.expected.mean)
        return scores

    @abstractmethod
    def _met(self, audience: Audience, items: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return for each pair the similarities of k neighbours and what these tell (pairs, k), 0 where nothing."""

    @cached_property
    def _vectors(self) -> Vectors:
        return Vectors.learn(self._setting("similarity"), self.weighting, self._compared(self.data))


def table(neighbors: NDArray[np.int32], similarities: NDArray[np.float32]) -> Sparse:
    """Return lists of neighbours as compressed rows, each list in its order."""
    real = neighbors >= 0
    indptr = np.concatenate([[0], np.cumsum(real.sum(axis=1))]).astype(np.int64)
    return Sparse(indptr, neighbors[real], similarities[real])

"""`KNNModel`, the base of the nearest-neighbor models: settings, the k nearest rows, lists and ratings."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np
from numpy.typing import NDArray

from alsatian import kernels
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError
from alsatian.kernels import Sparse
from alsatian.models.knn.bias_residuals import BiasPredictor
from alsatian.models.knn.similarity_vectors import SIMILARITIES, WEIGHTINGS, RowVectors, weighted_values
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.model import Model
from alsatian.recommender.topn import chunks
from alsatian.recommender.user_batch import UserBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class KNNUserBatch(UserBatch):
    """Users with their biases `offsets` (users), or None without subtract_bias."""

    offsets: NDArray[np.float32] | None


KNNBatchT = TypeVar("KNNBatchT", bound=KNNUserBatch)


class KNNModel(Model[KNNBatchT]):
    """The base of ItemKNN and UserKNN, which compare the rows of one side of the data.

    neighbors, similarities (rows, k): the nearest rows of each row, best first, -1 past the end.
    mean (1,), item_bias (items), user_bias (users): the baseline with subtract_bias, else None.
    """

    source_label: ClassVar[str] = "knn"
    state_arrays: ClassVar[tuple[str, ...]] = ("neighbors", "similarities", "mean", "item_bias", "user_bias")
    default_settings: ClassVar[dict[bool, dict[str, Any]]]  # the values of None, without and with subtract_bias

    subtract_bias: bool = param(
        default=False, doc="predict ratings as mean + biases + deviations; else rank by sums of similarity x value"
    )
    similarity: str | None = param(
        default=None,
        doc="similarity of two rows (None: cosine, or adjusted-cosine with subtract_bias)",
        kind=str,
        choices=SIMILARITIES,
    )
    weighting: str = param(default="none", doc="weighting of values before the cosine", choices=WEIGHTINGS, search=True)
    k: int | None = param(
        default=None,
        doc="number of neighbors per row (None: by model and subtract_bias)",
        kind=int,
        low=1,
        search=(10, 500, "log"),
    )
    shrinkage: float | None = param(
        default=None,
        doc="a similarity of n shared entries is multiplied by n / (n + shrinkage) (None: by model and subtract_bias)",
        kind=float,
        low=0,
        search=(1, 300, "log"),
    )
    damping: float | None = param(
        default=None,
        doc="with subtract_bias, added to the sum of similarities in the denominator (None: 0.5)",
        kind=float,
        low=0,
        search=(0.01, 3, "log"),
    )

    def _check_params(self) -> None:
        if self.damping is not None and not self.subtract_bias:
            raise ParameterError(
                f"damping={self.damping:g} has no effect without subtract_bias; drop it, or pass subtract_bias=True."
            )
        if self.weighting != "none" and self.effective_value("similarity") != "cosine":
            raise ParameterError(
                f"weighting={self.weighting!r} has no effect on the {self.effective_value('similarity')} similarity; "
                "pass similarity='cosine', or weighting='none'."
            )

    def effective_value(self, name: str) -> Any:
        """Return a setting, or the default that None stands for with this `subtract_bias`."""
        value = super().effective_value(name)
        return self.default_settings[self.subtract_bias].get(name, 0.0) if value is None else value

    @property
    def predicts_ratings(self) -> bool:
        return self.subtract_bias

    def validate_data(self, data: Interactions) -> None:
        super().validate_data(data)
        if self.subtract_bias and data.by_user.weights is not None:
            raise ParameterError(
                f"{self.name} with subtract_bias does not support weights, and this data has weights; pass "
                "subtract_bias=False, or use explicit-als."
            )

    def validate_values(self, values: NDArray[np.float32]) -> None:
        if self.weighting != "none" and (invalid := values <= 0).any():
            raise DataError(
                f"weighting={self.weighting!r} requires values above 0, and {invalid.sum():,} of {len(values):,} are "
                f"not, such as {values[np.argmax(invalid)]:g}; pass weighting='none'."
            )

    # Fitting

    @abstractmethod
    def _compared_entries(self, data: Interactions) -> CSR:
        """Return the values, with a row for each user or item that is compared."""

    @abstractmethod
    def _residuals(self, data: Interactions, bias_predictor: BiasPredictor) -> NDArray[np.float32]:
        """Return the deviations of the values from the baseline, in the order of `_compared_entries`."""

    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        rows = self._compared_entries(data)
        bias_predictor = BiasPredictor.fit(data) if self.subtract_bias else None
        residuals = self._residuals(data, bias_predictor) if bias_predictor else None
        vectors = RowVectors.fit(self.effective_value("similarity"), self.weighting, rows)
        row_vectors, sizes = vectors.transform(rows, residuals)
        k = max(1, min(self.effective_value("k"), rows.n_rows - 1))
        neighbors, similarities = kernels.neighbors(
            row_vectors, rows.n_columns, sizes, vectors.measure, self.effective_value("shrinkage"), k, run.threads
        )
        state: dict[str, Any] = {"neighbors": neighbors, "similarities": similarities}
        if bias_predictor:
            state["mean"] = np.array([bias_predictor.mean])
            state["item_bias"], state["user_bias"] = bias_predictor.item_bias, bias_predictor.user_bias(data.by_user)
        return state

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        rows = len(self._ids(data))
        shapes: dict[str, tuple[int, ...]] = {
            "neighbors": (rows, k := max(1, min(self.effective_value("k"), rows - 1)))
        }
        shapes["similarities"] = (rows, k)
        if self.subtract_bias:
            shapes |= {"mean": (1,), "item_bias": (len(data.item_ids),), "user_bias": (len(data.user_ids),)}
        check_shapes(state, shapes)
        neighbors = state["neighbors"]
        if neighbors.dtype != np.int32 or neighbors.min() < -1 or neighbors.max() >= rows:
            raise ValueError("a neighbor is outside the valid rows")

    @abstractmethod
    def _ids(self, data: Interactions) -> Any:
        """Return the ids of the side whose rows are compared."""

    def build_caches(self) -> None:
        self.neighbors: NDArray[np.int32]
        self.similarities: NDArray[np.float32]
        self.mean: NDArray[np.float64] | None
        self.item_bias: NDArray[np.float32] | None
        self.user_bias: NDArray[np.float32] | None
        for cache in ("_score_terms", "_vectors", "_item_vectors"):
            self.__dict__.pop(cache, None)

    # Scores

    @property
    def bias_predictor(self) -> BiasPredictor | None:
        """The baseline, or None without subtract_bias."""
        if self.mean is None or self.item_bias is None:
            return None
        return BiasPredictor(float(self.mean[0]), self.item_bias)

    def _bias_of_histories(self, history: CSR) -> NDArray[np.float32] | None:
        """Return the bias of each visitor, one per row of histories, or None without subtract_bias."""
        return self.bias_predictor.user_bias(history) if self.bias_predictor else None

    def _neighbor_values(self, histories: CSR) -> NDArray[np.float32]:
        """Return the terms of the sums: the values, or with subtract_bias their deviations from the baseline."""
        return self.bias_predictor.residuals(histories) if self.bias_predictor else weighted_values(histories)

    def _base_scores(self, batch: KNNBatchT) -> NDArray[np.float32] | None:
        """Return mean + user bias of each row of a batch, or None without subtract_bias."""
        if self.bias_predictor is None or batch.offsets is None:
            return None
        return (self.bias_predictor.mean + batch.offsets[batch.rows]).astype(np.float32)

    def score_pairs(self, batch: KNNBatchT, items: NDArray[np.int32]) -> NDArray[np.float32]:
        scores = np.zeros(len(items), np.float32)
        for span in chunks(len(items), 2 * self.neighbors.shape[1]):
            chunk = batch.with_rows(batch.rows[span])
            weights, values = self._overlap(chunk, items[span])
            sums = (weights * values).sum(axis=1, dtype=np.float64)
            if self.subtract_bias:
                sums /= np.where(
                    weights.any(axis=1), weights.sum(axis=1, dtype=np.float64) + self.effective_value("damping"), 1
                )
            scores[span] = sums
        if self.bias_predictor is not None and batch.offsets is not None:
            valid = batch.rows >= 0
            scores[valid] += batch.offsets[batch.rows[valid]]
            scores[items >= 0] += self.bias_predictor.item_bias[items[items >= 0]]
            scores += np.float32(self.bias_predictor.mean)
        return scores

    @abstractmethod
    def _overlap(self, batch: KNNBatchT, items: NDArray[np.int32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the similarities and the values of the neighbors that count for each pair (pairs, k), else 0."""

    @cached_property
    def _vectors(self) -> RowVectors:
        return RowVectors.fit(self.effective_value("similarity"), self.weighting, self._compared_entries(self.data))


def neighbor_csr(neighbors: NDArray[np.int32], similarities: NDArray[np.float32]) -> Sparse:
    """Return lists of neighbors as compressed rows, in the order of each list."""
    valid = neighbors >= 0
    indptr = np.concatenate([[0], np.cumsum(valid.sum(axis=1))]).astype(np.int64)
    return Sparse(indptr, neighbors[valid], similarities[valid])

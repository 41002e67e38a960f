"""Popularity: the most popular items, the baseline that every model must beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.errors import ParameterError
from alsatian.models.baselines.non_personalized import NonPersonalizedModel
from alsatian.recommender.fit_run import FitRun
from alsatian.recommender.hyperparameters import check_shapes, param
from alsatian.recommender.user_batch import UserBatch

DEFAULT_DAMPING = 25.0
SECONDS_PER_DAY = 86_400


class Popularity(NonPersonalizedModel[UserBatch]):
    """Ranks items by their number of users or their mean rating; use it as a baseline, or for unknown users.

    With by="count" nothing is learned, so its result in an evaluation also checks the evaluation. With by="mean" the
    score is the damped mean

        (sum of the item's values + damping x global mean) / (count + damping)

    as if `damping` more users had given the item the global mean. Without damping, an item with a single 5 is ranked
    first. If values have weights, sums and counts are weighted. With `days`, only values of the last so many days
    before the newest value count. An item without such a value has the count 0, or the global mean.

    Learned: item_counts (items); by mean also item_means (items) and mean.
    Score: the count, or the damped mean in the unit of the data.
    Cost: two passes over the data.
    """

    source_label: ClassVar[str] = "popular"
    state_arrays: ClassVar[tuple[str, ...]] = ("item_counts", "item_means", "mean")
    by: str = param(
        default="count", doc="rank by an item's number of users, or by its mean value", choices=("count", "mean")
    )
    damping: float | None = param(
        default=None,
        doc=f"number of values at the global mean that are added to each item (by='mean': {DEFAULT_DAMPING:g})",
        kind=float,
        low=0,
        search=(1, 100, "log"),
    )
    days: int | None = param(
        default=None, doc="count only this many days before the newest value (None: all)", kind=int, low=1
    )

    def _check_params(self) -> None:
        if self.damping is not None and self.by != "mean":
            raise ParameterError(
                f"damping={self.damping:g} has no effect with by={self.by!r}; drop it, or pass by='mean'."
            )

    @property
    def predicts_ratings(self) -> bool:
        return self.by == "mean"

    @property
    def supports_predict(self) -> bool:
        return self.by == "mean"

    @property
    def item_scores(self) -> NDArray[Any]:
        return self.item_counts if self.item_means is None else self.item_means

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        items = len(data.item_ids)
        shapes = {"item_counts": (items,)} | ({"item_means": (items,), "mean": (1,)} if self.by == "mean" else {})
        check_shapes(state, shapes)

    def validate_data(self, data: Interactions) -> None:
        super().validate_data(data)
        if self.days is not None and data.times is None:
            raise ParameterError(
                f"days={self.days} needs the time of each value, and this data has none; pass time= when reading "
                "(--time on the command line), or drop days."
            )

    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        if self.days is not None and data.times is not None:
            data = data.where(data.times > int(data.times.max()) - self.days * SECONDS_PER_DAY)
        state = {"item_counts": data.item_counts}
        if self.by == "count":
            return state
        return state | {"item_means": self._damped_means(data), "mean": np.array([data.mean])}

    def _damped_means(self, data: Interactions) -> NDArray[np.float64]:
        damping = DEFAULT_DAMPING if self.damping is None else self.damping
        weights = np.ones(len(data)) if data.by_user.weights is None else data.by_user.weights.astype(np.float64)
        counts, sums = (
            np.bincount(data.items, amounts, minlength=len(data.item_ids))
            for amounts in (weights, weights * data.values)
        )
        means = np.full(len(counts), data.mean)  # for a denominator of 0
        np.divide(sums + damping * data.mean, counts + damping, out=means, where=counts + damping > 0)
        return means

    def build_caches(self) -> None:
        self.item_counts: NDArray[np.int64]
        self.item_means: NDArray[np.float64] | None
        self.mean: NDArray[np.float64] | None
        super().build_caches()

    def score_pairs(self, batch: UserBatch, items: NDArray[np.int32]) -> NDArray[np.float32]:
        if self.item_means is None or self.mean is None:
            return super().score_pairs(batch, items)
        return np.where(items >= 0, self.item_means[items], self.mean[0]).astype(np.float32)

"""The baseline that every model must beat: the same list for everyone."""

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
SECONDS_PER_DAY = 86_400  # seconds


class Popularity(NonPersonalizedModel[UserBatch]):
    """Ranks items by how many users have them, or by their mean value; it costs two passes over the data.

    By count it has no freedom, so its figure in an evaluation also proves the evaluator. By mean, the score is

        (sum of the item's values + damping x mean of all) / (count + damping)

    as if `damping` more people had given every item the mean of all; without it, one single 5 is the best there is.
    (Values that have weights are weighted sums and counts.) With `days`, only what is newer than so many days before
    the newest value counts; an item without such a value has the count 0, or the mean of all.

    Learned: item_counts (items); by mean also item_means (items) and mean.
    Score: the count, or the damped mean in the unit of the data.
    """

    source_label: ClassVar[str] = "popular"
    state_arrays: ClassVar[tuple[str, ...]] = ("item_counts", "item_means", "mean")
    by: str = param(
        default="count", doc="how many users have an item, or the mean of their values", choices=("count", "mean")
    )
    damping: float | None = param(
        default=None, doc=f"values equal to the mean of all, added to each item's (by='mean': {DEFAULT_DAMPING:g})",
        kind=float, low=0, search=(1, 100, "log"),
    )  # fmt: skip
    days: int | None = param(
        default=None, doc="count only the last so many days of the data (None: all)", kind=int, low=1
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
                f"days={self.days} needs the time of every value, and this data has none; name its column when reading "
                "(time=, on the command line --time), or drop days."
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
        means = np.full(len(counts), data.mean)  # where there is nothing to divide by
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

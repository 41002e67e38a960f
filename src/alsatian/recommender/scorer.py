"""`Scorer`: the hooks that each model class implements. They take and return row numbers.

`Model` (model.py) adds the public methods, which take ids. The modules between the two take a `Scorer`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Generic, Self, cast

import numpy as np
from numpy.typing import NDArray

from alsatian._util.formatting import format_duration, format_number
from alsatian.data.csr import CSR
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, NotFitted, ParameterError, pluralize
from alsatian.recommender import registry
from alsatian.recommender.explanation import Contributions, Explanation, build_explanations
from alsatian.recommender.fit_run import Epoch, FitRun
from alsatian.recommender.hyperparameters import Hyperparameters
from alsatian.recommender.present import list_source_labels
from alsatian.recommender.recommendations import Reasons, SourceLabels
from alsatian.recommender.topn import Mask, TopN
from alsatian.recommender.user_batch import BatchT, UserBatch, history_rows


class Scorer(Hyperparameters, Generic[BatchT]):
    """A fitted scorer of users and items by row number: the base of `Model`.

    BatchT: how the model represents a batch of users: `UserBatch` or a subclass.

    data: the interactions that the model was fitted on: ids, catalog and the items of each user.
    history: one Epoch per pass over the data, for models that iterate.
    training: a summary of the fit (counts, seconds, digest of the data), stored in the model file.
    index: the approximate index of `similar` (models/factors/ann_index.py), or None if `similar` is exact.
    """

    source_label: ClassVar[str]  # the `source` of a recommended item
    state_arrays: ClassVar[tuple[str, ...]]  # the arrays that a fit sets and a model file stores
    iterates: ClassVar[bool] = False  # whether a fit runs in epochs
    cold_users: Mask | None = None  # users whose factors come from attributes (models/factors/cold_start.py)
    cold_items: Mask | None = None
    index: Any = None

    # State

    @property
    def is_fitted(self) -> bool:
        """Whether the model has data and learned arrays."""
        return hasattr(self, "data")

    @property
    def fitted(self) -> Self:
        """The model itself. Raises NotFitted before `fit`."""
        if not self.is_fitted:
            raise NotFitted(f"this {self.name} model is not fitted; call fit(data) first.")
        return self

    def set_state(
        self, data: Interactions, state: Mapping[str, Any], history: list[Epoch], training: dict[str, Any]
    ) -> None:
        """Set the result of a fit, or the content of a model file: arrays by name, history and summary."""
        for name in self.state_arrays:
            setattr(self, name, state.get(name))
        self.data: Interactions = data
        self.history: list[Epoch] = history
        self.training: dict[str, Any] = training
        self.build_caches()

    def validate_state(self, data: Interactions, state: Mapping[str, Any]) -> None:
        """Raise ValueError if arrays from a model file do not match the data and the hyper-parameters."""

    def build_caches(self) -> None:
        """Drop caches derived from earlier arrays. Called after new arrays are set."""

    # Fitting

    def validate_data(self, data: Interactions) -> None:
        """Raise ParameterError or DataError if this data is not valid for these hyper-parameters."""
        if len(data) == 0:
            raise DataError("the data has no values to train on; check the split and the filters.")
        self.validate_values(data.values)

    def validate_values(self, values: NDArray[np.float32]) -> None:
        """Raise DataError for values that the model cannot use."""

    @abstractmethod
    def fit_state(self, data: Interactions, run: FitRun) -> dict[str, Any]:
        """Fit, and return the learned arrays by name, without changing the model itself."""

    # Properties of the scores

    @property
    def predicts_ratings(self) -> bool:
        """Whether a score is a value in the unit of the data."""
        return False

    @property
    def epochs_are_nested(self) -> bool:
        """Whether a fit of n epochs equals the first n epochs of a longer fit, so that one fit tries every number."""
        return "epochs" in self.hyperparameters

    @property
    def fit_note(self) -> str | None:
        """A note that is shown with the epochs and seconds of a fit, such as the weights of a blend, or None."""
        return None

    @property
    def fit_description(self) -> str:
        """The epochs, objective, time and threads of the fit, and its note, in words."""
        texts = [format_duration(self.training["seconds"])]
        if self.history:
            last_epoch = self.history[-1]
            texts = [pluralize(last_epoch.epoch, "epoch"), f"objective {format_number(last_epoch.objective)}", *texts]
        note = f"; {self.fit_note}" if self.fit_note else ""
        return f"{', '.join(texts)} on {pluralize(self.training['threads'], 'thread')}{note}"

    @property
    def default_like_value(self) -> float:
        """The value of a history item without a value: the top of the scale for ratings, else 1."""
        return self.data.scale[1] if self.predicts_ratings else 1.0

    @property
    def value_range(self) -> tuple[float, float] | None:
        """The range of valid values in a visitor's history, or None for any."""
        return self.data.scale if self.predicts_ratings else None

    def validate_clip(self, clip: bool) -> None:
        """Raise ParameterError for clip=True if scores are not ratings."""
        if clip and not self.predicts_ratings:
            raise ParameterError(
                f"clip=True requires a model that predicts ratings, and {self.name} does not; remove clip."
            )

    @property
    def supports_similar(self) -> bool:
        """Whether `similar` works."""
        return type(self).rank_similar is not Scorer.rank_similar

    @property
    def supports_predict(self) -> bool:
        """Whether `predict` works."""
        return type(self).score_pairs is not Scorer.score_pairs

    @property
    def supports_explain(self) -> bool:
        """Whether `explain` and `reasons=True` work."""
        return type(self).contributions is not Scorer.contributions

    @property
    def supports_index(self) -> bool:
        """Whether `build_index` works."""
        return False

    # Users as the model sees them

    def encode_users(self, rows: NDArray[np.int32]) -> BatchT:
        """Return users of the data, by row number, as a batch. The default batch contains only their histories."""
        return cast(BatchT, UserBatch(self.data.by_user, rows))

    def encode_histories(self, history: CSR) -> BatchT:
        """Return visitors, one for each row of histories, as a batch (the fold-in)."""
        return cast(BatchT, UserBatch(history, history_rows(history)))

    # Scores

    @abstractmethod
    def rank(self, batch: BatchT, n: int, exclude_seen: bool, allowed: Mask | None, threads: int) -> TopN:
        """Return the n items with the highest scores for each user of a batch.

        exclude_seen: leave out the items of the user's history. allowed (items): the candidates, or None for all.
        """

    def rank_similar(self, rows: NDArray[np.int32], n: int, allowed: Mask | None, threads: int) -> TopN:
        """Return the n items most similar to each of these items, without the item itself. Raises Unsupported."""
        raise registry.unsupported("similar", self.name, "supports_similar")

    def score_pairs(self, batch: BatchT, items: NDArray[np.int32]) -> NDArray[np.float32]:
        """Return the score of each pair (batch.rows[i], items[i]); row -1 is unknown. Raises Unsupported."""
        raise registry.unsupported("predict", self.name, "supports_predict")

    # Explanations

    def contributions(self, history: CSR, items: list[int]) -> Contributions:
        """Return what each entry of one history (a CSR of one row) adds to the scores of items. Raises Unsupported."""
        raise registry.unsupported("explain", self.name, "supports_explain")

    def explanations(self, batch: BatchT, row: int, items: list[int], limit: int | None = None) -> list[Explanation]:
        """Return the explanation of each item for one user of a batch, with at most `limit` reasons each."""
        history = batch.histories.take(np.array([row]))
        return build_explanations(self.data, history, items, self.contributions(history, items), limit)

    def reasons(self, batch: BatchT, top: TopN, limit: int = 3) -> list[list[Reasons]]:
        """Return, for each item of each list, the items of the user's history that contribute most to its score."""
        reasons_by_list = []
        for row, items in zip(batch.rows, top.items, strict=True):
            explanations = self.explanations(batch, row, items[items >= 0].tolist(), limit)
            reasons_by_list.append(
                [
                    [(reason.title or reason.item, reason.contribution) for reason in explanation.reasons]
                    for explanation in explanations
                ]
            )
        return reasons_by_list

    def source_labels(self, top: TopN, labels: Sequence[str]) -> Sequence[SourceLabels]:
        """Return the `source` of each list, or of each of its places. labels: the default of each list."""
        return list_source_labels(top, self.cold_items, labels)

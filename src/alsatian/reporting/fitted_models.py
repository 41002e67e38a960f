"""The models of a report, fitted on the training part of the first split, for curves, lists and similar items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsatian.evaluation.compare import training_part
from alsatian.evaluation.learning_curves import LearningCurves
from alsatian.evaluation.score_model import check_fitted_on, rank_items
from alsatian.models import Model
from alsatian.models.ensemble.model_parameters import as_model
from alsatian.split import Split, holdout

CURVE_HELD_OUT_SHARE = 0.1  # share of the training part to validate learning curves on
RowNumbers = NDArray[np.int32]


@dataclass(frozen=True)
class FittedModel:
    """A model of the table, by its label there.

    fit_split: the split whose training part it was fitted to, of ratings or of likes.
    is_requested: whether the caller requested it; popularity and bias are in every table.
    """

    label: str
    model: Model
    fit_split: Split
    is_requested: bool

    def top_items(self, users: RowNumbers, n: int, threads: int) -> RowNumbers:
        """Return the rows of the n best items of each user, without the user's training items; -1 past the end."""
        return rank_items(self.model, self.fit_split, users, min(n, len(self.fit_split.train.item_ids)), threads)


def fit_for_report(
    label: str, model: Model, split: Split, min_rating: float | None, threads: int, is_requested: bool
) -> FittedModel:
    """Return a model fitted on the training part of the split; a fitted model is used unchanged."""
    fit_split = split if min_rating is None or model.predicts_ratings else split.binarize(min_rating)
    if hasattr(model, "data"):
        check_fitted_on(model, fit_split.train, split.name)
        return FittedModel(label, model, fit_split, is_requested)
    return FittedModel(
        label, as_model(model).fit(fit_split.train, threads=threads, progress=False), fit_split, is_requested
    )


def fit_learning_curves(
    models: Mapping[str, Model], split: Split, min_rating: float | None, seed: int, threads: int
) -> LearningCurves | None:
    """Return the learning curves of models with the same metrics, validated on a tenth of the training part.

    None if there are no models, or too few values. The held-out part is not used.
    """
    if (
        not models
        or len(train := training_part(next(iter(models.values())), split, min_rating)) * CURVE_HELD_OUT_SHARE < 1
    ):
        return None
    curve_split = holdout.split_random(train, CURVE_HELD_OUT_SHARE, seed)
    curves = LearningCurves(curve_split.held_out)
    for model in models.values():
        as_model(model).fit(curve_split.train, threads=threads, progress=False, callbacks=[curves])
    return curves

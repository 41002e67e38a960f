"""The models of a report, each fitted on the training part of the first split: for curves, lists and similar items."""

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

CURVE_HELD_OUT_SHARE = 0.1  # of what is learned from, held out for learning curves
RowNumbers = NDArray[np.int32]


@dataclass(frozen=True)
class FittedModel:
    """A model of the table, by its label there. own: the split that it learned from, of ratings or of likes.

    asked: whether somebody asked for it; popularity and the baseline are in every table.
    """

    label: str
    model: Model
    fit_split: Split
    is_requested: bool

    def top_items(self, users: RowNumbers, n: int, threads: int) -> RowNumbers:
        """Return the n best items of each user, -1 past the end; nobody gets what she had."""
        return rank_items(self.model, self.fit_split, users, min(n, len(self.fit_split.train.item_ids)), threads)


def fit_for_report(
    label: str, model: Model, split: Split, min_rating: float | None, threads: int, is_requested: bool
) -> FittedModel:
    """Return a model fitted on what it may learn from; one that is fitted is taken as it is."""
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
    """Return the learning curves of models of one kind, on a tenth of what they may learn from; None of none, or where
    that is too little to take a tenth of.

    What the table judges on is not looked at, so that nobody chooses by it.
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

"""The models of a report, each fitted on the training part of the first split: for curves, lists and similar items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alsatian.evaluation.compare import train_of
from alsatian.evaluation.learning_curves import LearningCurves
from alsatian.evaluation.score_model import check_fitted_on, recommended
from alsatian.models import Model
from alsatian.models.ensemble.model_parameters import made
from alsatian.split import Split, holdout

CURVES = 0.1  # of what is learned from, held out for learning curves
Rows = NDArray[np.int32]


@dataclass(frozen=True)
class Entry:
    """A model of the table, by its label there. own: the split that it learned from, of ratings or of likes.

    asked: whether somebody asked for it; popularity and the baseline are in every table.
    """

    label: str
    model: Model
    own: Split
    asked: bool

    def lists(self, users: Rows, n: int, threads: int) -> Rows:
        """Return the n best items of each user, -1 past the end; nobody gets what she had."""
        return recommended(self.model, self.own, users, min(n, len(self.own.train.item_ids)), threads)


def entry(label: str, model: Model, split: Split, likes: float | None, threads: int, asked: bool) -> Entry:
    """Return a model fitted on what it may learn from; one that is fitted is taken as it is."""
    own = split if likes is None or model.predicts else split.likes(likes)
    if hasattr(model, "data"):
        check_fitted_on(model, own.train, split.name)
        return Entry(label, model, own, asked)
    return Entry(label, made(model).fit(own.train, threads=threads, progress=False), own, asked)


def curves_of(
    models: Mapping[str, Model], split: Split, likes: float | None, seed: int, threads: int
) -> LearningCurves | None:
    """Return the learning curves of models of one kind, on a tenth of what they may learn from; None of none, or where
    that is too little to take a tenth of.

    What the table judges on is not looked at, so that nobody chooses by it.
    """
    if not models or len(train := train_of(next(iter(models.values())), split, likes)) * CURVES < 1:
        return None
    parts = holdout.random(train, CURVES, seed)
    curves = LearningCurves(parts.held_out)
    for model in models.values():
        made(model).fit(parts.train, threads=threads, progress=False, callbacks=[curves])
    return curves

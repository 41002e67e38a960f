"""How well a fitted model does on values it has not seen."""

from __future__ import annotations

import numpy as np

from alsatian import kernels, metrics
from alsatian.errors import DataError, Unsupported
from alsatian.models.base import Model
from alsatian.split import Split


def rmse(model: Model, split: Split) -> float:
    """Return the error of the predictions for the held-out values, clipped to the scale.

    Raises Unsupported for a model whose scores are no values, DataError for one not fitted on split.train.
    """
    if not model.predicts:
        raise Unsupported(f"{model.name} ranks items and predicts no values; explicit-als does. Or ask for ndcg.")
    _fitted_on_train(model, split)
    held_out = split.held_out
    return metrics.rmse(model.predict_rows(held_out.users, held_out.items, clip=True), held_out.values)


def ndcg(model: Model, split: Split, n: int = 10, threads: int | None = None) -> float:
    """Return the mean NDCG@n over the users who have held-out items; what they have seen is not listed."""
    _fitted_on_train(model, split)
    users = np.flatnonzero(split.held_out.by_user.counts).astype(np.int32)
    top = model._best(model._known(users), n, True, None, kernels.usable_threads(threads))
    held_out = split.held_out.by_user.take(users)
    return float(metrics.ndcg(metrics.hits(top.best, held_out), held_out.counts, n).mean())


def _fitted_on_train(model: Model, split: Split) -> None:
    """Refuse a model that may have seen the held-out part."""
    if model.fitted.training["digest"] != split.train.digest:
        raise DataError(
            f"this {model.name} model was not fitted on the training part of {split.name}; fit it on split.train."
        )

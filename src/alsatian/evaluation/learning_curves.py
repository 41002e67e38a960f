"""`LearningCurves`: objective and metrics by epoch, on the training data and on a held-out part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alsatian._util import dataframes
from alsatian._util.dataframes import ColumnBatch, Tabular
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, pluralize
from alsatian.evaluation.epoch_metrics import EpochMetric, MetricFunction, parse_epoch_metric
from alsatian.recommender.fit_run import Epoch
from alsatian.recommender.model import Model
from alsatian.recommender.registry import registered_models

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FitHistory:
    """One fit: the name and settings of the model, the metrics, and a row of numbers for each epoch."""

    model: str
    params: dict[str, Any]
    metrics: list[EpochMetric]
    rows: list[dict[str, float]]


class LearningCurves(Tabular):
    """A callback that evaluates a model after every epoch, on its training data and on a held-out part.

    validation: a part of the data that is not in the training data, from the same split.
    metrics: names such as "rmse" and "ndcg@10", or functions of a model and a part of the data. None: rmse for a model
        that predicts ratings, else ndcg@10.
    train: also compute the metrics on the training data.

    One object can be used for several fits; each curve is labelled by the settings that differ:

    >>> from alsatian import ExplicitALS, LearningCurves, datasets, split
    >>> parts = split.per_user(datasets.load("movielens-small"), n=10)
    >>> curves = LearningCurves(parts.held_out)
    >>> for factors in (2, 8):
    ...     model = ExplicitALS(factors=factors, epochs=3).fit(parts.train, callbacks=[curves])
    >>> curves.plot("factors.png")
    <Picture size ...>
    >>> list(curves.rows()[-1])
    ['fit', 'model', 'factors', 'epoch', 'seconds', 'objective', 'train_rmse', 'validation_rmse']

    Cost of an epoch: that of the metrics, and of a copy of the learned arrays.
    """

    def __init__(
        self,
        validation: Interactions | None = None,
        metrics: Iterable[str | MetricFunction] | None = None,
        *,
        train: bool = True,
    ) -> None:
        if validation is not None and not isinstance(validation, Interactions):
            raise ParameterError(
                f"validation={validation!r} is not Interactions; pass a held-out part, such as "
                "al.split.per_user(data).held_out."
            )
        if validation is None and not train:
            raise ParameterError("train=False without validation leaves nothing to evaluate; pass validation=.")
        if isinstance(metrics, str) or callable(metrics):
            metrics = [metrics]
        self.validation, self.train = validation, train
        self.metrics = None if metrics is None else [parse_epoch_metric(spec) for spec in metrics]
        self.fits: list[FitHistory] = []

    def __call__(self, epoch: Epoch) -> None:
        """Evaluate the model after an epoch of a fit. Raises DataError if the validation part is not of its data."""
        model = epoch.model
        if epoch.epoch == 1:
            self._check_validation_part(model.data)
            self.fits.append(FitHistory(model.name, model.params, self._metrics(model), []))
        row: dict[str, float] = {"epoch": epoch.epoch, "seconds": epoch.seconds, "objective": epoch.objective}
        for part, data in (("train", model.data if self.train else None), ("validation", self.validation)):
            if data is not None:
                row |= {f"{part}_{metric.name}": metric.compute(model, data) for metric in self.fits[-1].metrics}
        self.fits[-1].rows.append(row)

    def _metrics(self, model: Model) -> list[EpochMetric]:
        return self.metrics or [parse_epoch_metric("rmse" if model.predicts_ratings else "ndcg@10")]

    def _check_validation_part(self, train: Interactions) -> None:
        """Raise DataError if the validation part has other users or items, or values of the training data."""
        part = self.validation
        if part is None:
            return
        for ids, train_ids in ((part.user_ids, train.user_ids), (part.item_ids, train.item_ids)):
            if ids is not train_ids and ids != train_ids:
                raise DataError(
                    f"the {ids.side}s of the validation part are not those of the training data; take both from the "
                    "same split, such as al.split.per_user(data)."
                )
        train_keys, validation_keys = (
            data.users * np.int64(len(train.item_ids)) + data.items for data in (train, part)
        )
        overlap = int(np.isin(validation_keys, train_keys, assume_unique=True).sum())
        if overlap:
            raise DataError(
                f"{overlap:,} of {pluralize(len(part), 'validation value')} are also in the training data; take both "
                "from the same split, such as al.split.per_user(data)."
            )

    @property
    def status(self) -> str:
        """The last metrics as text for the progress bar, on the held-out part if there is one."""
        if not self.fits or not self.fits[-1].rows:
            return ""
        part = "train_" if self.validation is None else "validation_"
        values = {name: value for name, value in self.fits[-1].rows[-1].items() if name.startswith(part)}
        return ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in values.items())

    def best(self, fit: int = -1) -> dict[str, float]:
        """Return the row of the best epoch of a fit, by the first metric on the held-out part if there is one.

        fit: its index (-1: the last). Raises ParameterError without a fit, or if the best direction is unknown.
        """
        record = self._recorded_fits()[fit]
        metric, part = record.metrics[0], "train" if self.validation is None else "validation"
        name = f"{part}_{metric.name}"
        if metric.direction is None:
            raise ParameterError(f"it is unknown whether a higher {name} is better; choose an epoch from rows().")
        return (min if metric.direction == "min" else max)(record.rows, key=lambda row: row[name])

    def columns(self, *, held_out: bool) -> dict[str, str | None]:
        """Return the column names of the metrics on one part, with the best direction: "min", "max" or None."""
        part = "validation" if held_out else "train"
        return {f"{part}_{metric.name}": metric.direction for fit in self.fits for metric in fit.metrics}

    def _recorded_fits(self) -> list[FitHistory]:
        if not self.fits:
            names = ", ".join(name for name, kind in registered_models().items() if kind.iterates is True)
            raise ParameterError(
                f"no epoch was recorded; pass this object to fit(callbacks=[...]) of a model with epochs: {names}."
            )
        return self.fits

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each epoch of each fit: fit (from 1), model, differing settings, epoch and metrics."""
        fit_columns = [{"fit": number, "model": fit.model} for number, fit in enumerate(self.fits, 1)]
        settings = zip(fit_columns, _differing_params(self.fits), self.fits, strict=True)
        return [head | params | row for head, params, fit in settings for row in fit.rows]

    def _columns(self) -> dict[str, ColumnBatch]:
        rows = self.rows()
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: dataframes.infer_column_batch([row.get(name) for row in rows]) for name in names}

    def plot(self, path: str | Path | None = None, *, names: Sequence[str] | None = None) -> Figure:
        """Plot the objective and every metric by epoch: solid on held-out data, dashed on training data.

        path: also write the picture to this file; the suffix sets the format (.png, .svg, .pdf).
        names: labels of the fits, instead of the settings that differ.
        Raises ParameterError without a recorded epoch, DependencyError without matplotlib (pip install
        'alsatian[plot]').
        """
        fits = self._recorded_fits()
        if names is not None and len(names) != len(fits):
            raise ParameterError(f"names has {len(names)} labels for {pluralize(len(fits), 'fit')}; pass one for each.")
        title, labels = ("", list(names)) if names else label_fits(fits)
        columns = self.columns(held_out=self.validation is not None)
        figure: Figure = import_plots().plot_curves([fit.rows for fit in fits], labels, title, columns)
        if path is not None:
            import_plots().save_figure(figure, path)
        return figure

    def _repr_png_(self) -> bytes | None:
        """Show the plot in a notebook."""
        return import_plots().png_bytes(self.plot()) if self.fits else None

    def __repr__(self) -> str:
        return f"LearningCurves({pluralize(len(self.fits), 'fit')}, {pluralize(len(self.rows()), 'epoch')})"


def import_plots() -> Any:
    """Return the plotting module. Raises DependencyError if matplotlib is not installed."""
    dataframes.import_package("matplotlib", "pip install 'alsatian[plot]'")
    from alsatian.visual import plots

    return plots


def label_fits(fits: Sequence[FitHistory]) -> tuple[str, list[str]]:
    """Return the name of the setting that differs, if it is only one, and a label for each fit."""
    many_models = len({fit.model for fit in fits}) > 1
    differing_params = _differing_params(fits)
    setting_names = {name for params in differing_params for name in params}
    if len(setting_names) == 1 and not many_models:
        return setting_names.pop(), [_format_param(value) for params in differing_params for value in params.values()]
    labels = []
    for fit, params in zip(fits, differing_params, strict=True):
        words = [fit.model] if many_models or not params else []
        labels.append(", ".join([*words, *(f"{name}={_format_param(value)}" for name, value in params.items())]))
    ambiguous = len(set(labels)) < len(labels)
    return "", [f"{label} ({number})" if ambiguous else label for number, label in enumerate(labels, 1)]


def _differing_params(fits: Sequence[FitHistory]) -> list[dict[str, Any]]:
    """Return, for each fit, the settings that differ among the fits of its model."""
    differing = []
    for fit in fits:
        model_params = [other.params for other in fits if other.model == fit.model]
        differing.append(
            {name: value for name, value in fit.params.items() if any(params[name] != value for params in model_params)}
        )
    return differing


def _format_param(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

"""Learning curves: what a fit reaches, epoch by epoch, on what it learns from and on what it does not see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alsatian._util import dataframes
from alsatian._util.dataframes import Gathered, Tabular
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, counted
from alsatian.evaluation.epoch_metrics import Measure, Metric, metric
from alsatian.recommender.fit_run import Epoch
from alsatian.recommender.model import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Fit:
    """One fit: its model's name and settings, what it is judged by, and a row of numbers for each epoch."""

    model: str
    params: dict[str, Any]
    metrics: list[Metric]
    rows: list[dict[str, float]]


class LearningCurves(Tabular):
    """A callback that judges a model after every epoch, on the data that it learns from and on a part held out.

    validation: a part that the fit does not see, from the same split as what it does see.
    metrics: names such as "rmse" and "ndcg@10" (see evaluation/epoch_metrics.py), or functions of a model and a part; None:
    rmse of a model that predicts values, else ndcg@10. train=False judges the held-out part alone.

    It may go through several fits. Each is named by the settings in which they differ, so a plot by rank is

    >>> from alsatian import ExplicitALS, LearningCurves, datasets, split
    >>> parts = split.per_user(datasets.load("movielens-small"), n=10)
    >>> curves = LearningCurves(parts.held_out)
    >>> for factors in (2, 8):
    ...     model = ExplicitALS(factors=factors, epochs=3).fit(parts.train, callbacks=[curves])
    >>> curves.plot("factors.png")
    <Picture size ...>
    >>> list(curves.rows()[-1])
    ['fit', 'model', 'factors', 'epoch', 'seconds', 'objective', 'train_rmse', 'validation_rmse']

    Cost of an epoch: that of the metrics, and of a copy of what is learned.
    """

    def __init__(
        self,
        validation: Interactions | None = None,
        metrics: Iterable[str | Measure] | None = None,
        *,
        train: bool = True,
    ) -> None:
        if validation is not None and not isinstance(validation, Interactions):
            raise ParameterError(
                f"validation={validation!r} is no part of the data; pass one such as al.split.per_user(data).held_out."
            )
        if validation is None and not train:
            raise ParameterError("train=False without validation leaves nothing to judge; pass validation=.")
        if isinstance(metrics, str) or callable(metrics):
            metrics = [metrics]
        self.validation, self.train = validation, train
        self.metrics = None if metrics is None else [metric(each) for each in metrics]
        self.fits: list[Fit] = []

    def __call__(self, epoch: Epoch) -> None:
        """Judge the model after an epoch of a fit. Raises DataError for a part that does not go with its data."""
        model = epoch.model
        if epoch.epoch == 1:
            self._check(model.data)
            self.fits.append(Fit(model.name, model.params, self._metrics(model), []))
        row: dict[str, float] = {"epoch": epoch.epoch, "seconds": epoch.seconds, "objective": epoch.objective}
        for part, data in (("train", model.data if self.train else None), ("validation", self.validation)):
            if data is not None:
                row |= {f"{part}_{each.name}": each.measure(model, data) for each in self.fits[-1].metrics}
        self.fits[-1].rows.append(row)

    def _metrics(self, model: Model) -> list[Metric]:
        return self.metrics or [metric("rmse" if model.predicts else "ndcg@10")]

    def _check(self, train: Interactions) -> None:
        """Refuse a part whose rows mean other users and items, or that the fit learns from, too."""
        part = self.validation
        if part is None:
            return
        for ids, others in ((part.user_ids, train.user_ids), (part.item_ids, train.item_ids)):
            if ids is not others and ids != others:
                raise DataError(
                    f"the {ids.what}s of the validation part are not those of the data; take both from one split, such "
                    "as al.split.per_user(data)."
                )
        learned, own = (data.users * np.int64(len(train.item_ids)) + data.items for data in (train, part))
        both = int(np.isin(own, learned, assume_unique=True).sum())
        if both:
            raise DataError(
                f"{both:,} of {counted(len(part), 'validation value')} are in the data that the fit learns from, too; "
                "take both from one split, such as al.split.per_user(data)."
            )

    @property
    def status(self) -> str:
        """The last numbers in a few words, for the progress bar: those on the held-out part, if there is one."""
        if not self.fits or not self.fits[-1].rows:
            return ""
        part = "train_" if self.validation is None else "validation_"
        judged = {name: value for name, value in self.fits[-1].rows[-1].items() if name.startswith(part)}
        return ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in judged.items())

    def best(self, fit: int = -1) -> dict[str, float]:
        """Return the row of a fit's best epoch by the first metric, on the held-out part where there is one."""
        one = self._recorded()[fit]
        metric, part = one.metrics[0], "train" if self.validation is None else "validation"
        name = f"{part}_{metric.name}"
        if metric.best is None:
            raise ParameterError(f"whether more or less {name} is better is not known; look for yourself in rows().")
        return (min if metric.best == "min" else max)(one.rows, key=lambda row: row[name])

    def columns(self, *, held_out: bool) -> dict[str, str | None]:
        """Return the names of the numbers on one part, and whether "min" or "max" is best."""
        part = "validation" if held_out else "train"
        return {f"{part}_{each.name}": each.best for fit in self.fits for each in fit.metrics}

    def _recorded(self) -> list[Fit]:
        if not self.fits:
            from alsatian.models import MODELS

            names = ", ".join(name for name, model in MODELS.items() if model.iterates is True)
            raise ParameterError(
                f"no epoch was recorded; pass this to fit(callbacks=[...]) of a model that goes by epochs: {names}."
            )
        return self.fits

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each epoch of each fit: fit (from 1), model, what differs, epoch, and the numbers."""
        named = [{"fit": at, "model": fit.model} for at, fit in enumerate(self.fits, 1)]
        settings = zip(named, _differing(self.fits), self.fits, strict=True)
        return [head | differ | row for head, differ, fit in settings for row in fit.rows]

    def _columns(self) -> dict[str, Gathered]:
        rows = self.rows()
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: dataframes.column([row.get(name) for row in rows]) for name in names}

    def plot(self, path: str | Path | None = None, *, names: Sequence[str] | None = None) -> Figure:
        """Draw the objective and every metric by epoch, solid where held out and dashed on what is learned from.

        path: also write the picture there; its suffix says in which format (.png, .svg, .pdf).
        names: of the fits, instead of the settings in which they differ.
        Raises DependencyError without matplotlib (pip install 'alsatian[plot]').
        """
        fits = self._recorded()
        if names is not None and len(names) != len(fits):
            raise ParameterError(f"names has {len(names)} of {counted(len(fits), 'fit')}; give one for each.")
        title, labels = ("", list(names)) if names else labelled(fits)
        columns = self.columns(held_out=self.validation is not None)
        figure: Figure = plots().curves([fit.rows for fit in fits], labels, title, columns)
        if path is not None:
            plots().save(figure, path)
        return figure

    def _repr_png_(self) -> bytes | None:
        """Show the plot in a notebook."""
        return plots().png(self.plot()) if self.fits else None

    def __repr__(self) -> str:
        return f"LearningCurves({counted(len(self.fits), 'fit')}, {counted(len(self.rows()), 'epoch')})"


def plots() -> Any:
    """Return the module that draws; raises DependencyError where matplotlib is not installed."""
    dataframes.package("matplotlib", "pip install 'alsatian[plot]'")
    from alsatian.visual import plots

    return plots


def labelled(fits: Sequence[Fit]) -> tuple[str, list[str]]:
    """Return what tells fits apart, if that is one setting, and a label for each."""
    several = len({fit.model for fit in fits}) > 1
    differing = _differing(fits)
    settings = {name for differ in differing for name in differ}
    if len(settings) == 1 and not several:
        return settings.pop(), [_short(value) for differ in differing for value in differ.values()]
    labels = []
    for fit, differ in zip(fits, differing, strict=True):
        words = [fit.model] if several or not differ else []
        labels.append(", ".join([*words, *(f"{name}={_short(value)}" for name, value in differ.items())]))
    twice = len(set(labels)) < len(labels)
    return "", [f"{label} ({at})" if twice else label for at, label in enumerate(labels, 1)]


def _differing(fits: Sequence[Fit]) -> list[dict[str, Any]]:
    """Return, for each fit, the settings in which the fits of its model differ."""
    found = []
    for fit in fits:
        alike = [other.params for other in fits if other.model == fit.model]
        found.append({name: value for name, value in fit.params.items() if any(o[name] != value for o in alike)})
    return found


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)

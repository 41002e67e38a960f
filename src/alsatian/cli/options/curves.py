"""The learning-curve options of `alsatian train`: a plot, and validation of each epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alsatian.cli.terminal import Summary
from alsatian.errors import ParameterError, pluralize

if TYPE_CHECKING:
    from alsatian.data.interactions import Interactions
    from alsatian.evaluation.learning_curves import LearningCurves
    from alsatian.models import Model

CurvesFile = Annotated[
    Path | None,
    typer.Option(
        "--curves", metavar="FILE", help="Plot the objective and error of each epoch to a file (png, svg, pdf)."
    ),
]
ValidationShare = Annotated[
    float | None,
    typer.Option(
        "--validation-share",
        metavar="SHARE",
        help="Share of the values to validate each epoch on, such as 0.1 (at most 0.5). "
        "The saved model is fitted on all values.",
    ),
]


@dataclass(frozen=True)
class CurveOptions:
    """The values of --curves (a file for the plot) and --validation-share; None if not given."""

    file: Path | None
    share: float | None

    def check(self, *inputs: str | Path | None) -> None:
        """Raise ParameterError or DependencyError for invalid options, before any work."""
        if self.share is not None and not 0 < self.share <= 0.5:
            raise ParameterError(
                f"--validation-share {self.share:g} is not a valid share; "
                "pass more than 0 and at most 0.5, such as 0.1."
            )
        if self.file is not None:
            from alsatian.cli.options.output import check_extra_output
            from alsatian.evaluation.learning_curves import import_plots

            import_plots().picture_format(self.file)
            check_extra_output(self.file, "--curves", "curves.png", *inputs)

    def check_model(self, model: Model) -> None:
        """Raise ParameterError for a model whose fit has no epochs."""
        if (self.file or self.share) and not model.iterates:
            option = "--curves" if self.file else "--validation-share"
            raise ParameterError(
                f"{option} needs a model that is fitted in epochs; {model.name} is not. Remove {option}."
            )

    def fit(self, summary: Summary, model: Model, data: Interactions, threads: int | None) -> LearningCurves | None:
        """Fit the model and return its learning curves, or None without curve options.

        With a validation share, the curves are those of a first fit without that share. A second fit uses all values.
        """
        if self.file is None and self.share is None:
            model.fit(data, threads=threads)
            return None
        from alsatian.evaluation.learning_curves import LearningCurves
        from alsatian.split import holdout

        if self.share is None:
            curves = LearningCurves()
            model.fit(data, threads=threads, callbacks=[curves])
        else:
            split = holdout.split_random(data, self.share)
            curves = LearningCurves(split.held_out)
            type(model)(**model.params).fit(split.train, threads=threads, callbacks=[curves])
            summary.line("validated", _validation_summary(curves, len(split.held_out)))
            model.fit(data, threads=threads)
        if self.file is not None:
            curves.plot(self.file)
            summary.line("curves", str(self.file))
        return curves


def _validation_summary(curves: LearningCurves, values: int) -> str:
    """Return the best and the last error on the validation values, with their epochs."""
    best, last = curves.best(), curves.fits[-1].rows[-1]
    column = next(iter(curves.columns(held_out=True)))
    text = f"{column.split('_', 1)[1]} {best[column]:.4f} on {pluralize(values, 'value')} held out"
    if best["epoch"] == last["epoch"]:
        return f"{text}, best at the last epoch, {best['epoch']}; fitted again on all values"
    return f"{text}, best at epoch {best['epoch']}; {last[column]:.4f} at the end; fitted again on all values"


def curve_rows(curves: LearningCurves | None) -> list[dict[str, Any]] | None:
    """Return the curves as --json prints them."""
    return None if curves is None else curves.rows()

"""Plots with matplotlib, in one plain style, with colors that color-blind readers can distinguish."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from alsatian._util.atomic_write import write_atomic
from alsatian.errors import ParameterError, did_you_mean

# Okabe and Ito 2008, "Color universal design", in an order that begins with the darker ones
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
INK, FAINT, AXIS, TICKS = "#333333", "#DDDDDD", "#999999", "#666666"
STYLE: dict[Any, Any] = {
    "font.size": 10, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": AXIS, "axes.titlesize": 11,
    "axes.titlelocation": "left", "axes.titlepad": 10, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.grid.axis": "y", "grid.color": FAINT, "grid.linewidth": 0.7, "axes.axisbelow": True,
    "xtick.color": TICKS, "ytick.color": TICKS, "xtick.major.size": 3, "ytick.major.size": 0,
    "lines.linewidth": 1.8, "legend.frameon": False, "svg.fonttype": "none",
    "svg.hashsalt": "alsatian",  # so the same figure gives the same file
}  # fmt: skip
LOG_AXIS_RATIO = 10.0  # an axis is logarithmic if its largest number divided by its smallest exceeds this

EpochRows = Sequence[Mapping[str, float]]


class Picture(Figure):
    """A figure that a notebook shows even if pyplot is not imported."""

    def _repr_png_(self) -> bytes:
        return png_bytes(self)


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    return _figure_bytes(figure, "png")


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as the bytes of an SVG file; text stays text, not outlines."""
    return _figure_bytes(figure, "svg")


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure to a file, in the format of its suffix. Raises ParameterError for an unknown suffix."""
    write_atomic(path, _figure_bytes(figure, picture_format(path)))


def picture_format(path: str | Path) -> str:
    """Return the format of a file suffix: png, svg, pdf and so on. Raises ParameterError for an unknown one."""
    suffix, formats = Path(path).suffix.removeprefix(".").lower(), sorted(Figure().canvas.get_supported_filetypes())
    if suffix not in formats:
        raise ParameterError(
            f"{str(path)!r} has no suffix of a picture format; end it with one of "
            f"{', '.join(f'.{kind}' for kind in formats)}.{did_you_mean(suffix, formats)}"
        )
    return suffix


def _figure_bytes(figure: Figure, file_format: str) -> bytes:
    file = io.BytesIO()
    metadata_options: Any = {"metadata": {"Date": None}} if file_format == "svg" else {}
    with rc_context(STYLE):
        figure.savefig(file, format=file_format, dpi=160, **metadata_options)
    return file.getvalue()


def plot_curves(
    fits: Sequence[EpochRows], labels: Sequence[str], title: str, directions: Mapping[str, str | None]
) -> Picture:
    """Draw a panel for the objective and a panel for each metric, with a line for each fit.

    title: of the legend. directions: the columns of the metrics, and which value is best: "min", "max" or None. The
    best validation value gets a dot.
    """
    colors = _choose_colors(labels)
    painters = _panel_painters(fits, colors, directions)
    with rc_context(STYLE):
        figure = Picture(figsize=(4.4 * len(painters) + 1.6, 3.9), layout="constrained", facecolor="white")
        for axes, paint in zip(figure.subplots(1, len(painters), squeeze=False)[0], painters, strict=True):
            paint(axes)
        if len(fits) > 1:
            handles = [Line2D([], [], color=color, label=label) for color, label in zip(colors, labels, strict=True)]
            figure.legend(handles=handles, title=title or None, loc="outside right upper", alignment="left")
    return figure


def panel_figures(
    fits: Sequence[EpochRows], colors: Sequence[str], directions: Mapping[str, str | None], width: float, height: float
) -> list[tuple[str, Picture]]:
    """Return the panels of `plot_curves` as separate figures, each with its title, which is not drawn."""
    figures = []
    for paint in _panel_painters(fits, colors, directions):
        with small_figure(width, height) as (figure, axes):
            paint(axes)
            title = axes.get_title(loc="left")
            axes.set_title("")
        figures.append((title, figure))
    return figures


@contextmanager
def small_figure(width: float, height: float) -> Iterator[tuple[Picture, Axes]]:
    """Yield a figure and its axes for one panel, without background; width and height in inches."""
    with rc_context(STYLE | {"font.size": 9.5, "axes.labelsize": 9.5, "axes.facecolor": "none"}):
        figure = Picture(figsize=(width, height), layout="constrained", facecolor="none")
        yield figure, figure.subplots()


def _panel_painters(
    fits: Sequence[EpochRows], colors: Sequence[Any], directions: Mapping[str, str | None]
) -> list[Callable[[Axes], None]]:
    """Return a function that draws each panel: first the objective, then each metric."""

    def paint_objective(axes: Axes) -> None:
        _prepare_panel(axes, "Objective on the training data")
        for rows, color in zip(fits, colors, strict=True):
            _plot_column(axes, rows, "objective", color)
        _use_log_scale(axes, [row["objective"] for rows in fits for row in rows])

    return [
        paint_objective,
        *(
            partial(_paint_metric, fits=fits, colors=colors, column=column, direction=direction)
            for column, direction in directions.items()
        ),
    ]


def _paint_metric(
    axes: Axes, fits: Sequence[EpochRows], colors: Sequence[Any], column: str, direction: str | None
) -> None:
    """Draw one metric: a solid line for validation; if there is also a training value, a dashed line for that."""
    name = column.split("_", 1)[1]
    train_column = f"train_{name}" if column == f"validation_{name}" else ""
    has_both = any(train_column in row for rows in fits for row in rows)
    label = name.upper() if name.isalpha() else name.replace("ndcg", "NDCG")
    _prepare_panel(
        axes, f"{label}, validation and (dashed) training" if has_both else f"{label}, {_part_label(column)}"
    )
    for rows, color in zip(fits, colors, strict=True):
        if has_both:
            _plot_column(axes, rows, train_column, color, linestyle=(0, (3, 2)), linewidth=1.1, alpha=0.85)
        _plot_column(axes, rows, column, color)
        if direction and column.startswith("validation_") and (metric_rows := [row for row in rows if column in row]):
            row = (min if direction == "min" else max)(metric_rows, key=lambda row: row[column])
            axes.plot(row["epoch"], row[column], "o", color=color, markersize=6, markeredgecolor="white", zorder=3)


def _part_label(column: str) -> str:
    return "validation" if column.startswith("validation_") else "training"


number_formatter = FuncFormatter(lambda value, _: f"{value:,.12g}")


def _prepare_panel(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], nbins=8, min_n_ticks=1))
    axes.yaxis.set_major_formatter(number_formatter)


def _plot_column(axes: Axes, rows: EpochRows, column: str, color: Any, **style: Any) -> None:
    points = [(row["epoch"], row[column]) for row in rows if column in row]
    axes.plot(*zip(*points, strict=True), color=color, marker="o" if len(points) == 1 else "", **style)


def _use_log_scale(axes: Axes, values: Sequence[float]) -> None:
    """Use a logarithmic axis if the values span more than LOG_AXIS_RATIO."""
    finite = [value for value in values if math.isfinite(value)]
    if finite and min(finite) > 0 and max(finite) > LOG_AXIS_RATIO * min(finite):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(number_formatter)
        axes.yaxis.set_minor_formatter(NullFormatter())


def _choose_colors(labels: Sequence[str]) -> list[Any]:
    """Choose a color for each label: from dark to light for numbers, otherwise as different as possible."""
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        numbers = []
    if len(labels) == 1 or (not numbers and len(labels) <= len(COLORS)):
        return list(COLORS[: len(labels)])
    order = sorted(range(len(labels)), key=lambda index: numbers[index] if numbers else index)
    shades = colormaps["viridis"]
    positions = {index: rank / (len(labels) - 1) for rank, index in enumerate(order)}
    return [shades(0.87 * positions[index]) for index in range(len(labels))]

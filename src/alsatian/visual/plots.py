"""Pictures, by matplotlib: light, without frills, with colours that everybody can tell apart."""

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
    "svg.hashsalt": "alsatian",  # so that the same picture is the same file
}  # fmt: skip
LOG_AXIS_RATIO = 10.0  # the largest number divided by the smallest from which on an axis is logarithmic

EpochRows = Sequence[Mapping[str, float]]


class Picture(Figure):
    """A figure that a notebook shows, also where pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        return png_bytes(self)


def png_bytes(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    return _figure_bytes(figure, "png")


def svg_bytes(figure: Figure) -> bytes:
    """Return a figure as the bytes of an SVG file, in which text is text."""
    return _figure_bytes(figure, "svg")


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure into a file, in the format of its suffix. Raises ParameterError for one that is unknown."""
    write_atomic(path, _figure_bytes(figure, picture_format(path)))


def picture_format(path: str | Path) -> str:
    """Return the format that a file's suffix means: png, svg, pdf and so on."""
    suffix, formats = Path(path).suffix.removeprefix(".").lower(), sorted(Figure().canvas.get_supported_filetypes())
    if suffix not in formats:
        raise ParameterError(
            f"{str(path)!r} does not say what kind of picture it is; end it with one of "
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
    """Draw a panel for the objective and one for each metric, with a line for each fit.

    best: the columns of the metrics, and which number is the best one ("min", "max"), which gets a dot where held out.
    title: over the labels.
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
    """Return the panels of `curves` as pictures of their own, each with its title, which is not in it."""
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
    """Give a picture without background, of so many inches, to draw one panel on."""
    with rc_context(STYLE | {"font.size": 9.5, "axes.labelsize": 9.5, "axes.facecolor": "none"}):
        figure = Picture(figsize=(width, height), layout="constrained", facecolor="none")
        yield figure, figure.subplots()


def _panel_painters(
    fits: Sequence[EpochRows], colors: Sequence[Any], directions: Mapping[str, str | None]
) -> list[Callable[[Axes], None]]:
    """Return what draws each panel: the objective, then a metric each."""

    def paint_objective(axes: Axes) -> None:
        _prepare_panel(axes, "Objective, on the data learned from")
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
    """Draw one metric: solid where it is judged by, dashed on what was learned from beside it."""
    name = column.split("_", 1)[1]
    train_column = f"train_{name}" if column == f"validation_{name}" else ""
    has_both = any(train_column in row for rows in fits for row in rows)
    label = name.upper() if name.isalpha() else name.replace("ndcg", "NDCG")
    _prepare_panel(
        axes, f"{label}, held out and (dashed) learned from" if has_both else f"{label}, {_part_label(column)}"
    )
    for rows, color in zip(fits, colors, strict=True):
        if has_both:
            _plot_column(axes, rows, train_column, color, linestyle=(0, (3, 2)), linewidth=1.1, alpha=0.85)
        _plot_column(axes, rows, column, color)
        if direction and column.startswith("validation_") and (metric_rows := [row for row in rows if column in row]):
            row = (min if direction == "min" else max)(metric_rows, key=lambda row: row[column])
            axes.plot(row["epoch"], row[column], "o", color=color, markersize=6, markeredgecolor="white", zorder=3)


def _part_label(column: str) -> str:
    return "held out" if column.startswith("validation_") else "on the data learned from"


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
    """Take a logarithmic axis where the numbers are of different sizes."""
    finite = [value for value in values if math.isfinite(value)]
    if finite and min(finite) > 0 and max(finite) > LOG_AXIS_RATIO * min(finite):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(number_formatter)
        axes.yaxis.set_minor_formatter(NullFormatter())


def _choose_colors(labels: Sequence[str]) -> list[Any]:
    """Choose a colour for each label: from dark to light in the order of numbers, else as different as can be."""
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

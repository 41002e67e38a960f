"""The charts of a report: each a figure with a title, a note and tooltips."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from alsatian._util.formatting import format_number
from alsatian.errors import pluralize
from alsatian.evaluation import Evaluation
from alsatian.evaluation.metric_registry import metric_title
from alsatian.visual.plots import AXIS, COLORS, INK, Picture, number_formatter, small_figure
from alsatian.visual.svg import Tooltips, inline_svg

WIDE_INCHES, HEIGHT_INCHES, NARROW_INCHES = 4.7, 2.75, 3.7  # narrow: three charts in a row
_TIME_BINS = 40  # bars of values by time
_PLAUSIBLE_SECONDS = (-30610224000, 32503680000)  # seconds since 1970 of the years 1000 to 3000

percent_formatter = FuncFormatter(lambda share, _: f"{100 * share:.3g}%")


class Chart(NamedTuple):
    """A figure. title: what it shows; note: how to read it."""

    title: str
    figure: Picture
    tooltips: Tooltips = ()
    note: str = ""

    def to_context(self, name: str) -> dict[str, Any]:
        """Return the chart for a template. name: unique on the page."""
        return {"title": self.title, "note": self.note, "svg": inline_svg(self.figure, name, self.title, self.tooltips)}


def draw_values(bins: Sequence[Mapping[str, Any]]) -> Chart:
    """Draw the histogram of the values."""
    ranges = [(format_number(entry["from"]), format_number(entry["to"])) for entry in bins]
    labels = [low if low == high else f"{low}–{high}" for low, high in ranges]
    counts, total = [entry["count"] for entry in bins], sum(entry["count"] for entry in bins)
    with small_figure(NARROW_INCHES, HEIGHT_INCHES) as (figure, axes):
        bars = axes.bar(range(len(bins)), counts, color=COLORS[0], width=0.82)
        is_long = sum(map(len, labels)) > 26
        axes.set_xticks(range(len(bins)), labels, rotation=40 if is_long else 0, ha="right" if is_long else "center")
        axes.yaxis.set_major_formatter(number_formatter)
    tooltips = [f"{word}: {entry:,} ({entry / total:.1%})" for word, entry in zip(labels, counts, strict=True)]
    return Chart("Values", figure, list(zip(bars, tooltips, strict=True)))


def draw_skew(item_counts: NDArray[np.integer], user_counts: NDArray[np.integer]) -> Chart:
    """Draw the share of the values that the most active users, and the most popular items, have."""
    with small_figure(NARROW_INCHES, HEIGHT_INCHES) as (figure, axes):
        sides = (("items", item_counts, COLORS[1], "-"), ("users", user_counts, COLORS[0], (0, (4, 2))))
        for name, counts, color, style in sides:
            shares = np.cumsum(np.sort(counts)[::-1]) / max(int(counts.sum()), 1)
            positions = np.unique(np.linspace(0, len(shares), 101).astype(int))
            axes.plot(
                positions / len(shares), np.concatenate([[0], shares])[positions], color=color, ls=style, label=name
            )
        axes.plot([0, 1], [0, 1], color=AXIS, lw=0.8, label="equal shares")
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="share of users or items, largest first")
        axes.set_ylabel("share of the values")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(percent_formatter)
        axes.legend(loc="lower right")
    return Chart(
        "Skew",
        figure,
        note="The further a line is from the diagonal, the fewer users or items have most of the values.",
    )


def draw_over_time(times: NDArray[np.int64]) -> Chart | None:
    """Draw the number of values over time; None if a time is not a plausible date."""
    first, last = int(times.min()), int(times.max())
    if first < _PLAUSIBLE_SECONDS[0] or last > _PLAUSIBLE_SECONDS[1] or first == last:
        return None
    counts, edges = np.histogram(times, _TIME_BINS)
    dates = edges.astype("int64").astype("datetime64[s]")
    with small_figure(NARROW_INCHES, HEIGHT_INCHES) as (figure, axes):
        bars = axes.bar(dates[:-1], counts, np.diff(dates), align="edge", color=COLORS[0])
        locator = AutoDateLocator(maxticks=6)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        axes.yaxis.set_major_formatter(number_formatter)
    tooltips = [f"from {date.astype('datetime64[D]')}: {pluralize(int(count), 'value')}" for date, count in
            zip(dates[:-1], counts, strict=True)]  # fmt: skip
    return Chart("Values by time", figure, list(zip(bars, tooltips, strict=True)))


def draw_intervals(evaluation: Evaluation, split: str, metric: str, colors: Mapping[str, str]) -> Chart:
    """Draw one metric of all models, with intervals, the first model on top."""
    rows = [row for row in evaluation if row.split == split and math.isfinite(row.metrics.get(metric, math.nan))]
    tooltips = []
    with small_figure(WIDE_INCHES, 0.75 + 0.32 * len(rows)) as (figure, axes):
        for position, row in enumerate(rows):
            bounds = row.intervals.get(metric, ())
            (line,) = axes.plot(bounds, [position] * len(bounds), color=colors[row.model], lw=3.4, alpha=0.35)
            (dot,) = axes.plot(row.metrics[metric], position, "o", color=colors[row.model], ms=6.5)
            text = f"{row.model}: {row.metrics[metric]:.4f}" + (" [{:.4f}, {:.4f}]".format(*bounds) if bounds else "")
            tooltips += [(line, text), (dot, text)]
        axes.set_yticks(range(len(rows)), [shorten_label(row.model) for row in rows], color=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=6)
    return Chart(metric_title(metric), figure, tooltips)


def draw_popularity_shares(
    sizes: Sequence[int], shares_by_label: Mapping[str, NDArray[np.float64]], colors: Mapping[str, str]
) -> Chart:
    """Draw the shares of held-out values (dashed) and of recommendations (in color) by group of items.

    A line that is far above all others, such as that of popularity, leaves the chart.
    """
    tooltips: list[Any] = []
    peaks = {name: float(shares.max()) for name, shares in shares_by_label.items()}
    *_, second, highest = sorted([0.0, *peaks.values()])
    upper_limit = second if highest > 2 * second > 0 else highest
    with small_figure(2 * WIDE_INCHES, 3.2) as (figure, axes):
        for name, shares in shares_by_label.items():
            line_style: Any = {"ls": (0, (4, 2)), "lw": 2.4, "zorder": 3} if name not in colors else {}
            axes.plot(shares, color=colors.get(name, INK), **line_style)
            for group, share in enumerate(shares):
                (dot,) = axes.plot(group, share, "o", color=colors.get(name, INK), ms=5)
                tooltips.append((dot, f"{name}: {share:.1%} for this group of {pluralize(sizes[group], 'item')}"))
        axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
        axes.yaxis.set_major_formatter(percent_formatter)
        axes.set_ylim(0, 1.15 * upper_limit)
        axes.set_xlabel("number of items in the group, from the most popular to the least popular group")
        axes.set_ylabel("share of the lists")
    notes = [
        f"The line of {name} leaves the chart; its maximum is {peak:.0%}."
        for name, peak in peaks.items()
        if peak > 1.15 * upper_limit
    ]
    return Chart("Recommended and consumed items by popularity", figure, tooltips, " ".join(notes))


def shorten_label(label: str, max_length: int = 30) -> str:
    """Cut a label that is too long for a chart."""
    return label if len(label) <= max_length else f"{label[: max_length - 1]}…"


def label_categories(axes: Axes, labels: Sequence[str]) -> None:
    """Label the positions 0, 1, 2 ... of the horizontal axis."""
    axes.set_xticks(range(len(labels)), [shorten_label(label, 14) for label in labels])
    axes.set_xlim(-0.6, len(labels) - 0.4)

"""The pictures of a report: each a figure, what it shows in words, and what is said where a pointer rests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from alsatian._util.formatting import number
from alsatian.errors import counted
from alsatian.evaluation import Evaluation
from alsatian.evaluation.metric_registry import title_of
from alsatian.visual.plots import AXIS, COLORS, INK, Picture, numbers, small
from alsatian.visual.svg import Tips, inline

WIDE, HIGH, NARROW = 4.7, 2.75, 3.7  # inches of a picture; of one of three beside each other
_SPANS = 40  # bars of values by time
_CALENDAR = (-30610224000, 32503680000)  # seconds since 1970 of the years 1000 to 3000

percent = FuncFormatter(lambda share, _: f"{100 * share:.3g}%")


class Drawing(NamedTuple):
    """A figure. title: what it shows; note: how to read it."""

    title: str
    figure: Picture
    tips: Tips = ()
    note: str = ""

    def shown(self, name: str) -> dict[str, Any]:
        """Return what a page needs; the name is of no other figure."""
        return {"title": self.title, "note": self.note, "svg": inline(self.figure, name, self.title, self.tips)}


def values(bins: Sequence[Mapping[str, Any]]) -> Drawing:
    """Draw how often which values are."""
    ends = [(number(each["from"]), number(each["to"])) for each in bins]
    words = [low if low == high else f"{low}–{high}" for low, high in ends]
    counts, total = [each["count"] for each in bins], sum(each["count"] for each in bins)
    with small(NARROW, HIGH) as (figure, axes):
        bars = axes.bar(range(len(bins)), counts, color=COLORS[0], width=0.82)
        long = sum(map(len, words)) > 26
        axes.set_xticks(range(len(bins)), words, rotation=40 if long else 0, ha="right" if long else "center")
        axes.yaxis.set_major_formatter(numbers)
    said = [f"{word}: {each:,} ({each / total:.1%})" for word, each in zip(words, counts, strict=True)]
    return Drawing("Values", figure, list(zip(bars, said, strict=True)))


def skew(item_counts: NDArray[np.integer], user_counts: NDArray[np.integer]) -> Drawing:
    """Draw which share of the values the most active users, and the most popular items, have."""
    with small(NARROW, HIGH) as (figure, axes):
        sides = (("items", item_counts, COLORS[1], "-"), ("users", user_counts, COLORS[0], (0, (4, 2))))
        for name, counts, color, style in sides:
            shares = np.cumsum(np.sort(counts)[::-1]) / max(int(counts.sum()), 1)
            places = np.unique(np.linspace(0, len(shares), 101).astype(int))
            axes.plot(places / len(shares), np.concatenate([[0], shares])[places], color=color, ls=style, label=name)
        axes.plot([0, 1], [0, 1], color=AXIS, lw=0.8, label="if all had as many")
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="of users or items, the largest first")
        axes.set_ylabel("of the values")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(percent)
        axes.legend(loc="lower right")
    return Drawing("Skew", figure, note="The further a line is from the diagonal, the fewer have the most.")


def over_time(times: NDArray[np.int64]) -> Drawing | None:
    """Draw how many values there are over time; None where some are at no likely date."""
    first, last = int(times.min()), int(times.max())
    if first < _CALENDAR[0] or last > _CALENDAR[1] or first == last:
        return None
    counts, edges = np.histogram(times, _SPANS)
    dates = edges.astype("int64").astype("datetime64[s]")
    with small(NARROW, HIGH) as (figure, axes):
        bars = axes.bar(dates[:-1], counts, np.diff(dates), align="edge", color=COLORS[0])
        locator = AutoDateLocator(maxticks=6)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
        axes.yaxis.set_major_formatter(numbers)
    said = [f"from {date.astype('datetime64[D]')}: {counted(int(each), 'value')}" for date, each in
            zip(dates[:-1], counts, strict=True)]  # fmt: skip
    return Drawing("Values by time", figure, list(zip(bars, said, strict=True)))


def intervals(table: Evaluation, split: str, measure: str, colors: Mapping[str, str]) -> Drawing:
    """Draw one measure of all models, with intervals, the first model on top."""
    rows = [row for row in table if row.split == split and math.isfinite(row.metrics.get(measure, math.nan))]
    tips = []
    with small(WIDE, 0.75 + 0.32 * len(rows)) as (figure, axes):
        for place, row in enumerate(rows):
            bounds = row.intervals.get(measure, ())
            (line,) = axes.plot(bounds, [place] * len(bounds), color=colors[row.model], lw=3.4, alpha=0.35)
            (dot,) = axes.plot(row.metrics[measure], place, "o", color=colors[row.model], ms=6.5)
            said = f"{row.model}: {row.metrics[measure]:.4f}" + (" [{:.4f}, {:.4f}]".format(*bounds) if bounds else "")
            tips += [(line, said), (dot, said)]
        axes.set_yticks(range(len(rows)), [short(row.model) for row in rows], color=INK)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="x")
        axes.grid(axis="y", visible=False)
        axes.spines["left"].set_visible(False)
        axes.locator_params(axis="x", nbins=6)
    return Drawing(title_of(measure), figure, tips)


def by_popularity(sizes: Sequence[int], lines: Mapping[str, NDArray[np.float64]], colors: Mapping[str, str]) -> Drawing:
    """Draw which share of what is consumed (without a colour), and recommended, falls on each group of items.

    A line that is far above all others, as that of popularity is, leaves the picture.
    """
    tips: list[Any] = []
    peaks = {name: float(shares.max()) for name, shares in lines.items()}
    *_, second, highest = sorted([0.0, *peaks.values()])
    top = second if highest > 2 * second > 0 else highest
    with small(2 * WIDE, 3.2) as (figure, axes):
        for name, shares in lines.items():
            kind: Any = {"ls": (0, (4, 2)), "lw": 2.4, "zorder": 3} if name not in colors else {}
            axes.plot(shares, color=colors.get(name, INK), **kind)
            for place, share in enumerate(shares):
                (dot,) = axes.plot(place, share, "o", color=colors.get(name, INK), ms=5)
                tips.append((dot, f"{name}: {share:.1%} are of these {counted(sizes[place], 'item')}"))
        axes.set_xticks(range(len(sizes)), [f"{size:,}" for size in sizes])
        axes.yaxis.set_major_formatter(percent)
        axes.set_ylim(0, 1.15 * top)
        axes.set_xlabel("items of the group, from the most popular ones to the least")
        axes.set_ylabel("of all places of the lists")
    out = [f"{name} leaves the picture, at {peak:.0%}." for name, peak in peaks.items() if peak > 1.15 * top]
    return Drawing("Recommended beside chosen", figure, tips, " ".join(out))


def short(label: str, most: int = 30) -> str:
    """Cut a label that is long for a picture."""
    return label if len(label) <= most else f"{label[: most - 1]}…"


def category_axis(axes: Axes, words: Sequence[str]) -> None:
    """Name places 0, 1, 2 ... of the horizontal axis."""
    axes.set_xticks(range(len(words)), [short(word, 14) for word in words])
    axes.set_xlim(-0.6, len(words) - 0.4)

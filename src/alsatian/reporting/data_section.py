"""The data section of a report: counts, dropped rows, problems, distributions."""

from __future__ import annotations

from typing import Any

from alsatian._util.formatting import format_number
from alsatian.data.interactions import Interactions, ReadReport
from alsatian.errors import pluralize
from alsatian.inspection.data_checks import find_problems
from alsatian.inspection.profile import profile
from alsatian.metrics import gini_of
from alsatian.reporting import charts
from alsatian.reporting.charts import Chart


def data_overview(data: Interactions) -> dict[str, Any]:
    """Return the summary of the data by name, for the template."""
    summary = profile(data)
    time = summary["time"]
    low, high = format_number(summary["value"]["min"]), format_number(summary["value"]["max"])
    tiles = [
        (pluralize(len(data), "value"), f"all {low}" if low == high else f"from {low} to {high}"),
        (pluralize(summary["users"], "user"), f"half have {summary['per_user']['median']:,} or more"),
        (pluralize(summary["items"], "item"), f"half have {summary['per_item']['median']:,} or more"),
        (format_share(summary["density"]), "density: share of all pairs of user and item"),
    ]
    if time:
        tiles.append((f"{time['first']} – {time['last']}", "first to last date"))
    return {
        "tiles": tiles,
        "columns": summary["columns"],
        "rows": count_rows(data.report),
        "notes": data.report.notes,
        "problems": find_problems(data),
        "spread": {"values per user": summary["per_user"], "values per item": summary["per_item"]},
        "unequal": {"users": gini_of(data.by_user.counts), "items": gini_of(data.item_counts)},
        "popular": summary["popular"],
    } | {"histogram": summary["histogram"]}


def data_charts(data: Interactions, facts: dict[str, Any]) -> list[Chart]:
    """Return the drawings of the data section: histogram, skew and, if there are times, values over time."""
    drawings = [charts.draw_values(facts["histogram"])] if len(facts["histogram"]) > 1 else []
    drawings.append(charts.draw_skew(data.item_counts, data.by_user.counts))
    time_chart = None if data.times is None else charts.draw_over_time(data.times)
    return drawings if time_chart is None else [*drawings, time_chart]


def count_rows(report: ReadReport) -> list[tuple[str, int]]:
    """Return the number of rows by outcome: read, left out, combined, kept."""
    used = report.read - sum(report.skipped.values()) - report.combined
    counts = [("read", report.read)]
    counts += [(f"left out: {reason.removeprefix('left out ')}", count) for reason, count in report.skipped.items()]
    if report.combined:
        counts.append(("combined with another row of the same user and item", report.combined))
    return [*counts, ("kept", used)]


def format_share(share: float) -> str:
    """Format a share as a percentage.

    >>> format_share(0.063), format_share(0.00012)
    ('6.3%', '0.012%')
    """
    return f"{share:.1%}" if share >= 0.001 else f"{100 * share:.2g}%"

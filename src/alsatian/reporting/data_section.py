"""What a report says of the data: how much there is, what was left out, what may be wrong, how it is spread."""

from __future__ import annotations

from typing import Any

from alsatian._util.formatting import number
from alsatian.data.interactions import Interactions, Report
from alsatian.errors import counted
from alsatian.inspection.data_checks import problems
from alsatian.inspection.profile import profile
from alsatian.metrics import gini_of
from alsatian.reporting import charts
from alsatian.reporting.charts import Drawing


def overview(data: Interactions) -> dict[str, Any]:
    """Return the facts of some data by name."""
    found = profile(data)
    time = found["time"]
    low, high = number(found["value"]["min"]), number(found["value"]["max"])
    tiles = [
        (counted(len(data), "value"), f"all {low}" if low == high else f"from {low} to {high}"),
        (counted(found["users"], "user"), f"half have {found['per_user']['median']:,} or more"),
        (counted(found["items"], "item"), f"half have {found['per_item']['median']:,} or more"),
        (percent(found["density"]), "of all pairs of user and item"),
    ]
    if time:
        tiles.append((f"{time['first']} – {time['last']}", "from the first to the last"))
    return {
        "tiles": tiles,
        "columns": found["columns"],
        "rows": rows(data.report),
        "notes": data.report.notes,
        "problems": problems(data),
        "spread": {"values per user": found["per_user"], "values per item": found["per_item"]},
        "unequal": {"users": gini_of(data.by_user.counts), "items": gini_of(data.item_counts)},
        "popular": found["popular"],
    } | {"histogram": found["histogram"]}


def pictures(data: Interactions, found: dict[str, Any]) -> list[Drawing]:
    """Return the pictures of some data."""
    drawn = [charts.values(found["histogram"])] if len(found["histogram"]) > 1 else []
    drawn.append(charts.skew(data.item_counts, data.by_user.counts))
    timely = None if data.times is None else charts.over_time(data.times)
    return drawn if timely is None else [*drawn, timely]


def rows(report: Report) -> list[tuple[str, int]]:
    """Return what became of the rows of the source."""
    kept = report.read - sum(report.skipped.values()) - report.combined
    told = [("read", report.read)]
    told += [(f"left out: {reason.removeprefix('left out ')}", count) for reason, count in report.skipped.items()]
    if report.combined:
        told.append(("combined with another row of the same user and item", report.combined))
    return [*told, ("kept", kept)]


def percent(share: float) -> str:
    """Write a share for people.

    >>> percent(0.063), percent(0.00012)
    ('6.3%', '0.012%')
    """
    return f"{share:.1%}" if share >= 0.001 else f"{100 * share:.2g}%"

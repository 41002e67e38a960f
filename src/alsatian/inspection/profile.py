"""Profile data for `alsatian inspect`: counts, a histogram, quantiles, the most popular items."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.recommender.recommendations import to_json_id

_HISTOGRAM_BINS = 10
_QUANTILES = {"min": 0.0, "10%": 0.1, "25%": 0.25, "median": 0.5, "75%": 0.75, "90%": 0.9, "max": 1.0}


def profile(data: Interactions) -> dict[str, Any]:
    """Return the profile of the data, with the keys of `inspect --json`."""
    low, high = float(data.values.min()), float(data.values.max())
    return {
        "columns": {role: name for role, name in data.recipe.columns.items() if name},
        "rows": data.report.to_json(),
        "users": len(data.user_ids),
        "items": len(data.item_ids),
        "values": len(data),
        "density": len(data) / (len(data.user_ids) * len(data.item_ids)),
        "value": {"min": low, "max": high, "mean": float(data.values.mean(dtype=np.float64))},
        "histogram": histogram(data.values),
        "per_user": quantiles(data.by_user.counts),
        "per_item": quantiles(data.item_counts),
        "time": _time_span(data.times),
        "popular": _most_popular_items(data),
    }


def histogram(values: NDArray[np.float32]) -> list[dict[str, Any]]:
    """Count values: each distinct value if there are few, else in bins.

    Bins have equal width, or growing width for amounts that are mostly small.
    """
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= 2 * _HISTOGRAM_BINS:
        pairs = zip(distinct.tolist(), counts.tolist(), strict=True)
        return [{"from": value, "to": value, "count": number} for value, number in pairs]
    edges = _bin_edges(distinct, counts)
    bins = np.searchsorted(edges, distinct, "right") - 1
    rows = []
    for bin_number in np.unique(bins).tolist():
        inside = bins == bin_number
        low, high = float(distinct[inside][0]), float(distinct[inside][-1])
        rows.append({"from": low, "to": high, "count": int(counts[inside].sum())})
    return rows


def _bin_edges(distinct: NDArray[np.float32], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the lower edges of bins: of equal width, unless one bin would contain most of the positive values."""
    bin_counts, equal_edges = np.histogram(distinct, _HISTOGRAM_BINS, weights=counts)
    positive = distinct[distinct > 0]
    if bin_counts.max() <= counts.sum() / 2 or counts[distinct > 0].sum() <= counts.sum() / 2:
        return equal_edges[:-1]
    geometric_edges = np.geomspace(float(positive[0]), float(distinct[-1]), _HISTOGRAM_BINS + 1)[:-1]
    return np.concatenate([[-np.inf] if len(positive) < len(distinct) else [], geometric_edges])


def quantiles(counts: NDArray[np.int64]) -> dict[str, int]:
    """Return quantiles of counts, each rounded down to a count that occurs."""
    levels = np.quantile(counts, list(_QUANTILES.values()), method="lower")
    return dict(zip(_QUANTILES, levels.astype(int).tolist(), strict=True))


def _time_span(times: NDArray[np.int64] | None) -> dict[str, str] | None:
    return None if times is None else {"first": format_date(times.min()), "last": format_date(times.max())}


def format_date(seconds: np.integer) -> str:
    """Return seconds since 1970 as a date, or unchanged if they are outside the calendar."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return str(int(seconds))


def _most_popular_items(data: Interactions, n: int = 10) -> list[dict[str, Any]]:
    rows = np.argsort(-data.item_counts, kind="stable")[:n].tolist()
    return [
        {
            "item": to_json_id(data.item_ids.id_of(row)),
            "title": data.catalog.title_of(row),
            "count": int(data.item_counts[row]),
        }
        for row in rows
    ]

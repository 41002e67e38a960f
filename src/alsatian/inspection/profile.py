"""The numbers of `alsatian inspect`: counts, a histogram, quantiles, the most popular items."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.recommender.recommendations import json_id

_BINS = 10
_QUANTILES = {"min": 0.0, "10%": 0.1, "25%": 0.25, "median": 0.5, "75%": 0.75, "90%": 0.9, "max": 1.0}


def profile(data: Interactions) -> dict[str, Any]:
    """Return what is in the data, by the keys of `inspect --json`."""
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
        "time": _span(data.times),
        "popular": _popular(data),
    }


def histogram(values: NDArray[np.float32]) -> list[dict[str, Any]]:
    """Count values: each alone if they are few, else in bins of equal width, or of growing width for amounts,
    most of which are small.
    """
    different, counts = np.unique(values, return_counts=True)
    if len(different) <= 2 * _BINS:
        pairs = zip(different.tolist(), counts.tolist(), strict=True)
        return [{"from": value, "to": value, "count": number} for value, number in pairs]
    edges = _edges(different, counts)
    bins = np.searchsorted(edges, different, "right") - 1
    rows = []
    for at in np.unique(bins).tolist():
        inside = bins == at
        low, high = float(different[inside][0]), float(different[inside][-1])
        rows.append({"from": low, "to": high, "count": int(counts[inside].sum())})
    return rows


def _edges(different: NDArray[np.float32], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return where bins begin: of equal width, unless that would put most values above 0 into one."""
    filled, equal = np.histogram(different, _BINS, weights=counts)
    above = different[different > 0]
    if filled.max() <= counts.sum() / 2 or counts[different > 0].sum() <= counts.sum() / 2:
        return equal[:-1]
    growing = np.geomspace(float(above[0]), float(different[-1]), _BINS + 1)[:-1]
    return np.concatenate([[-np.inf] if len(above) < len(different) else [], growing])


def quantiles(counts: NDArray[np.int64]) -> dict[str, int]:
    """Return the spread of counts, rounded down to one that occurs."""
    found = np.quantile(counts, list(_QUANTILES.values()), method="lower")
    return dict(zip(_QUANTILES, found.astype(int).tolist(), strict=True))


def _span(times: NDArray[np.int64] | None) -> dict[str, str] | None:
    return None if times is None else {"first": written(times.min()), "last": written(times.max())}


def written(seconds: np.integer) -> str:
    """Write seconds since 1970 as a date, or as they are where no calendar reaches."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return str(int(seconds))


def _popular(data: Interactions, most: int = 10) -> list[dict[str, Any]]:
    best = np.argsort(-data.item_counts, kind="stable")[:most].tolist()
    return [
        {
            "item": json_id(data.item_ids.id_of(row)),
            "title": data.catalog.title_of(row),
            "count": int(data.item_counts[row]),
        }
        for row in best
    ]

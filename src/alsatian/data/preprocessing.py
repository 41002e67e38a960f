"""What a recipe does to pairs, once the rows of each are one: likes, the core, confidences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import Text
from alsatian.data import weighting
from alsatian.data.catalog import Catalog, Column
from alsatian.data.id_map import Ids
from alsatian.data.interactions import Interactions
from alsatian.data.recipe import Recipe
from alsatian.errors import DataError, counted


def refine(data: Interactions) -> Interactions:
    """Return the data as its recipe wants pairs to be; the report counts those that it leaves out."""
    recipe = data.recipe
    if recipe.at_least is None and not recipe.weighs and not recipe.has_core:
        return data
    kept, values = recipe.pair_values(data.values, data.times)
    reason = "left out by signals of 0" if recipe.at_least is None else f"left out by at_least={recipe.at_least:g}"
    data = _keep(data, kept, reason)
    if recipe.weighs or recipe.at_least is not None:
        data = _with_values(data, values)
    if recipe.has_core:
        data = _core(data, recipe)
    if recipe.confidence == "none":
        return data
    users = data.users
    recipe = recipe.fit_pairs(data.values, users, data.items, len(data.item_ids))
    return replace(_with_values(data, recipe.confidences(data.values, users, data.items)), recipe=recipe)


def _with_values(data: Interactions, values: NDArray[np.float32]) -> Interactions:
    scale = (float(values.min()), float(values.max()))
    return replace(data, by_user=replace(data.by_user, values=values), scale=scale)


def _keep(data: Interactions, kept: NDArray[np.bool_], reason: str) -> Interactions:
    """Leave the other pairs out, each with one row; their further rows stay counted as combined."""
    without = len(kept) - int(kept.sum())
    if not without:
        return data
    if without == len(kept):
        low, high = data.values.min(), data.values.max()
        raise DataError(f"no value is left ({reason}: all {counted(without, 'pair')}, of {low:g} to {high:g}).")
    report = replace(data.report, skipped=data.report.skipped | {reason: without})
    return replace(data.where(kept), report=report)


def _core(data: Interactions, recipe: Recipe) -> Interactions:
    """Leave out users and items with too few values, together with their ids."""
    users, items = data.users, data.items
    rules = [f"{name}={value}" for name, value in recipe.rules().items() if name in ("min_per_user", "min_per_item")]
    kept = weighting.core(users, items, recipe.min_per_user, recipe.min_per_item)
    reason = f"left out by {' and '.join(rules)}"
    if not kept.any():
        raise DataError(
            f"no value is left ({reason}: users and items with fewer went one after another); ask for less."
        )
    before = len(data.user_ids), len(data.item_ids)
    data = _compact(_keep(data, kept, reason))
    gone = counted(before[0] - len(data.user_ids), "user"), counted(before[1] - len(data.item_ids), "item")
    note = f"{gone[0]} and {gone[1]} with too few values were left out ({', '.join(rules)})."
    return replace(data, report=replace(data.report, notes=(*data.report.notes, note)))


def _compact(data: Interactions) -> Interactions:
    """Drop the ids that no value names any more."""
    rows, columns = np.flatnonzero(data.by_user.counts), np.flatnonzero(data.item_counts)
    places = np.zeros(len(data.item_ids), np.int32)
    places[columns] = np.arange(len(columns), dtype=np.int32)
    by_user = data.by_user.take(rows)
    by_user = replace(by_user, indices=places[by_user.indices], columns=len(columns))
    return replace(
        data,
        user_ids=Ids(_take(data.user_ids.values, rows), "user"),
        item_ids=Ids(_take(data.item_ids.values, columns), "item"),
        by_user=by_user,
        catalog=_rows(data.catalog, columns),
        profiles=_rows(data.profiles, rows),
    )


def _rows(table: Catalog, rows: NDArray[np.integer]) -> Catalog:
    return Catalog({name: Column(_take(one.values, rows), one.valid[rows]) for name, one in table.columns.items()})


def _take(values: Text | NDArray[Any], rows: NDArray[np.integer]) -> Text | NDArray[Any]:
    return values.take(rows) if isinstance(values, Text) else values[rows]

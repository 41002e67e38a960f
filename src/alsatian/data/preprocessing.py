"""Apply the rules of a recipe to deduplicated pairs: likes, the k-core, confidences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data import weighting
from alsatian.data.catalog import Catalog, Column
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, pluralize


def apply_pair_rules(data: Interactions) -> Interactions:
    """Return the data after the pair rules of its recipe; the report counts the pairs that they leave out.

    Raises DataError if no pair remains.
    """
    recipe = data.recipe
    if recipe.min_rating is None and not recipe.makes_confidences and not recipe.has_core:
        return data
    mask, values = recipe.pair_values(data.values, data.times)
    reason = (
        "left out by signals of 0" if recipe.min_rating is None else f"left out by min_rating={recipe.min_rating:g}"
    )
    data = _filter_pairs(data, mask, reason)
    if recipe.makes_confidences or recipe.min_rating is not None:
        data = _replace_values(data, values)
    if recipe.has_core:
        data = _apply_core(data, recipe)
    if recipe.confidence == "none":
        return data
    users = data.users
    recipe = recipe.fit_pairs(data.values, users, data.items, len(data.item_ids))
    return replace(_replace_values(data, recipe.confidences(data.values, users, data.items)), recipe=recipe)


def _replace_values(data: Interactions, values: NDArray[np.float32]) -> Interactions:
    scale = (float(values.min()), float(values.max()))
    return replace(data, by_user=replace(data.by_user, values=values), scale=scale)


def _filter_pairs(data: Interactions, mask: NDArray[np.bool_], reason: str) -> Interactions:
    """Keep the pairs where `mask` is true. A dropped pair counts as one skipped row; its other rows stay combined."""
    n_dropped = len(mask) - int(mask.sum())
    if not n_dropped:
        return data
    if n_dropped == len(mask):
        low, high = data.values.min(), data.values.max()
        raise DataError(
            f"all {pluralize(n_dropped, 'pair')} (values {low:g} to {high:g}) were {reason}; change the recipe."
        )
    report = replace(data.report, skipped=data.report.skipped | {reason: n_dropped})
    return replace(data.where(mask), report=report)


def _apply_core(data: Interactions, recipe: FittedRecipe) -> Interactions:
    """Drop users and items with too few values, and their ids."""
    users, items = data.users, data.items
    rules = [f"{name}={value}" for name, value in recipe.rules().items() if name in ("min_per_user", "min_per_item")]
    mask = weighting.k_core(users, items, recipe.min_per_user, recipe.min_per_item)
    reason = f"left out by {' and '.join(rules)}"
    if not mask.any():
        raise DataError(
            f"{' and '.join(rules)} removed all data (the rule is applied repeatedly); choose a lower minimum."
        )
    sizes = len(data.user_ids), len(data.item_ids)
    data = _drop_empty_ids(_filter_pairs(data, mask, reason))
    dropped = pluralize(sizes[0] - len(data.user_ids), "user"), pluralize(sizes[1] - len(data.item_ids), "item")
    note = f"{dropped[0]} and {dropped[1]} with too few values were left out ({', '.join(rules)})."
    return replace(data, report=replace(data.report, notes=(*data.report.notes, note)))


def _drop_empty_ids(data: Interactions) -> Interactions:
    """Drop the ids that have no values left."""
    rows, columns = np.flatnonzero(data.by_user.counts), np.flatnonzero(data.item_counts)
    new_columns = np.zeros(len(data.item_ids), np.int32)
    new_columns[columns] = np.arange(len(columns), dtype=np.int32)
    by_user = data.by_user.take(rows)
    by_user = replace(by_user, indices=new_columns[by_user.indices], n_columns=len(columns))
    return replace(
        data,
        user_ids=IdMap(_take_values(data.user_ids.values, rows), "user"),
        item_ids=IdMap(_take_values(data.item_ids.values, columns), "item"),
        by_user=by_user,
        catalog=_take_table_rows(data.catalog, columns),
        user_table=_take_table_rows(data.user_table, rows),
    )


def _take_table_rows(table: Catalog, rows: NDArray[np.integer]) -> Catalog:
    return Catalog(
        {name: Column(_take_values(column.values, rows), column.valid[rows]) for name, column in table.columns.items()}
    )


def _take_values(values: StringArray | NDArray[Any], rows: NDArray[np.integer]) -> StringArray | NDArray[Any]:
    return values.take(rows) if isinstance(values, StringArray) else values[rows]

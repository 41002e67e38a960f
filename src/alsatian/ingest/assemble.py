"""Build Interactions from validated rows: row numbers, catalog, duplicates, report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import timestamp_unit
from alsatian.data.catalog import Catalog
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.id_map import IdMap
from alsatian.data.interactions import Interactions, ReadReport, RowArrays
from alsatian.data.preprocessing import apply_pair_rules
from alsatian.data.recipe import Duplicates, Recipe
from alsatian.errors import ColumnError, DataError, ParameterError, pluralize
from alsatian.ingest.column_names import value_kind
from alsatian.ingest.extra_rows import ExtraRows, append_rows
from alsatian.ingest.id_numbering import add_ids, number_ids
from alsatian.ingest.item_table import ItemTable, titles_from_events
from alsatian.ingest.read_options import ReadOptions
from alsatian.ingest.recipe_columns import allowed_events, compute_values, describe_unknown_events, find_signal_roles
from alsatian.ingest.rows.rejects import format_counts, raise_on_rejects
from alsatian.ingest.rows.validation import EARLIEST_PLAUSIBLE_TIME, TypedRows, validate
from alsatian.ingest.sources.source import Source

ItemTableReader = Callable[[], ItemTable]
_DUPLICATE_NOTES = {
    "last": "the last value of each was kept",
    "sum": "their values were added up",
    "max": "the largest value of each was kept",
    "mean": "their values were averaged",
}


def assemble(
    source: Source,
    roles: dict[str, str],
    item_reader: ItemTableReader | None,
    options: ReadOptions,
    user_reader: ItemTableReader | None = None,
    extra_rows: ExtraRows | None = None,
) -> Interactions:
    """Validate the rows of a source, number their ids, build the data and close the source.

    item_reader, user_reader: read the tables of items and of users; None: there is no table.
    extra_rows: rows to append to those of the source.

    Raises RowsError for bad rows if `bad_rows` is "stop", and DataError if no row remains.
    """
    recipe = FittedRecipe.from_recipe(options.recipe)
    rows = validate(
        source, roles | find_signal_roles(source, recipe), options.scale, options.where, allowed_events(recipe)
    )
    event_notes = describe_unknown_events(rows, recipe)
    if options.bad_rows == "stop":
        raise_on_rejects(rows)
    if not rows.n_kept:
        raise DataError(f"all rows of {source.name} were left out ({format_counts(rows.skipped)}); check the source.")
    if extra_rows is not None:
        append_rows(rows, extra_rows, recipe)
    notes = [*source.notes, *rows.notes, *event_notes]
    item_tables, user_tables = ([reader()] if reader else [] for reader in (item_reader, user_reader))
    if "title" in roles:
        item_tables.append(titles_from_events(rows))
    if sum("title" in item_table.columns for item_table in item_tables) > 1:
        raise ParameterError(
            f"{item_tables[0].name} already has titles; remove title= (--title), or the titles of that table."
        )
    user_ids, users = number_ids(rows, "user")
    item_ids, items = number_ids(rows, "item")
    if options.include_unrated:
        user_ids, users = _add_unrated_ids(user_ids, users, user_tables, notes)
        item_ids, items = _add_unrated_ids(item_ids, items, item_tables, notes)
    values, times = _pop_values(rows, recipe, notes), _pop_times(rows, notes)
    duplicate_rule = options.duplicates or recipe.duplicates or _duplicate_rule(values, recipe, roles)
    values, recipe = compute_values(rows, recipe, values, times)
    weights = rows.columns.pop("weight", None)
    source.con.close()
    catalog, user_catalog = _merge_tables(item_tables, item_ids), _merge_tables(user_tables, user_ids)
    notes += [note for item_table in (*item_tables, *user_tables) for note in item_table.notes]
    arrays = RowArrays(users, items, values, times, weights)
    del users, items, values, times, weights  # `build_in_place` frees each array once it is sorted
    data = Interactions.build_in_place(
        user_ids,
        item_ids,
        arrays,
        scale=options.scale,
        catalog=catalog,
        user_table=user_catalog,
        recipe=replace(recipe, columns=recipe.columns | roles, duplicates=duplicate_rule, reading=options.to_json()),
        report=ReadReport(read=rows.n_read, skipped=rows.skipped),
    )
    notes += describe_combined(data.report.combined, duplicate_rule)
    return apply_pair_rules(replace(data, report=replace(data.report, notes=tuple(notes))))


def describe_combined(combined: int, rule: str) -> list[str]:
    """Return a note on the repeated pairs that were combined, if there are any."""
    n_pairs_text = pluralize(combined, "repeated pair")
    return [f"{n_pairs_text} of user and item; {_DUPLICATE_NOTES[rule]} (duplicates={rule!r})."] if combined else []


def _merge_tables(tables: list[ItemTable], ids: IdMap) -> Catalog:
    return Catalog({name: column for table in tables for name, column in table.to_catalog(ids).columns.items()})


def _add_unrated_ids(
    ids: IdMap, numbers: NDArray[np.int32], tables: list[ItemTable], notes: list[str]
) -> tuple[IdMap, NDArray[np.int32]]:
    """Also number the ids that occur only in the tables."""
    all_ids, numbers = add_ids(ids, numbers, (key for table in tables for key in table.cast_ids(ids)))
    if n_added := len(all_ids) - len(ids):
        notes.append(f"kept {pluralize(n_added, ids.side)} without any value (include_unrated).")
    return all_ids, numbers


def _pop_values(rows: TypedRows, recipe: Recipe, notes: list[str]) -> NDArray[np.float32]:
    if "value" in rows.columns:
        return rows.columns.pop("value")
    if not recipe.events and not recipe.signals:
        notes.append(f"{rows.source.name} has no column of values; each row counts as 1.")
    return np.ones(rows.n_kept, np.float32)


def _pop_times(rows: TypedRows, notes: list[str]) -> NDArray[np.int64] | None:
    """Remove the times from `rows` and return them in seconds. The unit of the column is inferred from its size."""
    if "time" not in rows.roles:
        return None
    column = rows.roles["time"]
    low, high = rows.bounds["time"]
    smallest_in_unit, per_second = timestamp_unit(high or 0)
    times, is_timestamp = rows.columns.pop("time"), rows.timestamp_mask
    if per_second > 1:
        if low < smallest_in_unit:
            raise ColumnError(
                f"column {column!r} holds times of several units, such as {low:.0f} and {high:.0f}; write all in "
                "seconds, or pass time='' (--time '') to read without times."
            )
        np.floor_divide(times, per_second, out=times, where=True if is_timestamp is None else ~is_timestamp)
        notes.append(f"column {column!r} holds times in units of 1/{per_second:,} of a second.")
    if times.max() < EARLIEST_PLAUSIBLE_TIME:
        notes.append(f"all times of column {column!r} lie before 1990; check their unit.")
    return times


def _duplicate_rule(values: NDArray[np.float32], recipe: Recipe, roles: dict[str, str]) -> Duplicates:
    return "sum" if recipe.events or recipe.signals else default_duplicate_rule(values, roles.get("value"))


def default_duplicate_rule(values: NDArray[np.float32], column: str | None) -> Duplicates:
    """Return "last" for ratings and "sum" for counts or events, by the column name, or else by the values."""
    kind = value_kind(column) if column else "counts"
    is_rating = kind == "ratings" or (kind == "unknown" and look_like_ratings(values))
    return "last" if is_rating else "sum"


def look_like_ratings(values: NDArray[np.float32]) -> bool:
    """Return whether values look like ratings: 2 to 20 distinct multiples of 0.5 within a range of at most 100.

    >>> look_like_ratings(np.array([0.5, 3, 5], np.float32)), look_like_ratings(np.array([1, 700], np.float32))
    (True, False)
    """
    low, high = float(values.min()), float(values.max())
    if not 0 < high - low <= 100 or not (2 * low).is_integer():
        return False
    present = np.zeros(int(2 * (high - low)) + 1, np.bool_)
    for start in range(0, len(values), 1 << 20):
        steps = (values[start : start + (1 << 20)] - np.float32(low)) * 2
        step_numbers = steps.astype(np.int64)
        if (step_numbers != steps).any():
            return False
        present[step_numbers] = True
    return bool(present.sum() <= 20)

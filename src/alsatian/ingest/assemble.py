"""From judged rows to Interactions: numbers, catalog, the rule for duplicates, and the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import unit_of
from alsatian.data.catalog import Catalog
from alsatian.data.id_map import Ids
from alsatian.data.interactions import Interactions, Report
from alsatian.data.preprocessing import refine
from alsatian.data.recipe import BadRows, Duplicates, Recipe
from alsatian.errors import ColumnError, DataError, ParameterError, counted
from alsatian.ingest.column_names import meaning
from alsatian.ingest.extra_rows import Beside, join
from alsatian.ingest.id_numbering import number, widen
from alsatian.ingest.item_table import ItemTable, titles_of_events
from alsatian.ingest.recipe_columns import known_events, signal_roles, unknown_events, weigh
from alsatian.ingest.rows.rejects import reasons, refuse_bad_rows
from alsatian.ingest.rows.validation import EARLY, Rows, judge
from alsatian.ingest.sources.source import Source

Items = Callable[[], ItemTable]
_COMBINED = {
    "last": "the last value of each counts",
    "sum": "their values were added up",
    "max": "the largest value of each counts",
    "mean": "their values were averaged",
}


@dataclass(frozen=True)
class Rules:
    """What the caller wants done with the rows; raises ParameterError for words and bounds that are none."""

    duplicates: Duplicates | None = None
    bad_rows: BadRows = "stop"
    scale: tuple[float, float] | None = None
    where: str | None = None
    cold: bool = False
    recipe: Recipe = field(default_factory=Recipe)

    def __post_init__(self) -> None:
        if self.bad_rows not in get_args(BadRows):
            raise ParameterError(f"bad_rows={self.bad_rows!r} is not a rule; choose 'stop' or 'skip'.")
        if not isinstance(self.recipe, Recipe):
            raise ParameterError(
                f"recipe={self.recipe!r} is no recipe; pass al.Recipe(...), or al.Recipe.from_toml(path) for a file."
            )
        if self.duplicates is not None:
            Recipe(duplicates=self.duplicates)  # checks the word
            if self.recipe.duplicates not in (None, self.duplicates):
                raise ParameterError(
                    f"duplicates={self.duplicates!r} contradicts the recipe, which says {self.recipe.duplicates!r}; "
                    "leave one out."
                )
        if self.scale is not None and not _is_pair(self.scale):
            raise ParameterError(f"scale={self.scale!r} is not a pair; pass (lowest, highest), such as (1, 5).")
        if self.scale is not None and not self.scale[0] < self.scale[1]:
            raise ParameterError(f"scale={self.scale!r} does not ascend; pass (lowest, highest), such as (1, 5).")
        if self.where is not None and not isinstance(self.where, str):
            raise ParameterError(f"where={self.where!r} is not text; pass an SQL condition, such as 'rating > 0'.")
        if self.cold and self.recipe.has_core:
            raise ParameterError(
                "cold=True keeps items and users without any value, and a recipe with least counts leaves out those "
                "with few; drop one of the two."
            )

    def to_json(self) -> dict[str, Any]:
        """Return the rules that are not the usual ones, apart from those that are in the recipe."""
        found: dict[str, Any] = {"bad_rows": self.bad_rows} if self.bad_rows != "stop" else {}
        found |= {"scale": list(self.scale)} if self.scale else {}
        return found | ({"where": self.where} if self.where else {})


def _is_pair(scale: object) -> bool:
    return (
        isinstance(scale, tuple | list)
        and len(scale) == 2
        and all(isinstance(bound, int | float | np.number) for bound in scale)
    )


def build(
    source: Source,
    roles: dict[str, str],
    table: Items | None,
    rules: Rules,
    people: Items | None = None,
    beside: Beside | None = None,
) -> Interactions:
    """Judge and number the rows of a source, and close it. table, people: read what is known of items and of users.

    beside: rows that join those of the source.

    Raises RowsError for bad rows if they are to stop the reading, DataError when no row is left.
    """
    recipe = rules.recipe
    rows = judge(source, roles | signal_roles(source, recipe), rules.scale, rules.where, known_events(recipe))
    told = unknown_events(rows, recipe)
    if rules.bad_rows == "stop":
        refuse_bad_rows(rows)
    if not rows.kept:
        raise DataError(f"no row of {source.name} is left to learn from ({reasons(rows.skipped)}).")
    if beside is not None:
        join(rows, beside, recipe)
    notes = [*source.notes, *rows.notes, *told]
    tables, profiles = ([read()] if read else [] for read in (table, people))
    if "title" in roles:
        tables.append(titles_of_events(rows))
    if sum("title" in found.columns for found in tables) > 1:
        raise ParameterError(f"{tables[0].name} holds titles; leave title= (--title) out, or leave titles out there.")
    user_ids, users = number(rows, "user")
    item_ids, places = number(rows, "item")
    if rules.cold:
        user_ids, users = _widened(user_ids, users, profiles, notes)
        item_ids, places = _widened(item_ids, places, tables, notes)
    values, times = _values(rows, recipe, notes), _times(rows, notes)
    rule = rules.duplicates or recipe.duplicates or _usual_rule(values, recipe, roles)
    values, recipe = weigh(rows, recipe, values, times)
    weights = rows.columns.pop("weight", None)
    source.con.close()
    catalog, known = _joined(tables, item_ids), _joined(profiles, user_ids)
    notes += [note for found in (*tables, *profiles) for note in found.notes]
    columns: list[Any] = [weights, times, values, places, users]
    del users, places, values, times, weights  # so that they go as soon as they are sorted
    data = Interactions.build(
        user_ids, item_ids, columns.pop(), columns.pop(), columns.pop(), columns.pop(), columns.pop(),
        scale=rules.scale,
        catalog=catalog,
        profiles=known,
        recipe=replace(recipe, columns=recipe.columns | roles, duplicates=rule, reading=rules.to_json()),
        report=Report(read=rows.read, skipped=rows.skipped),
        overwrite=True,
    )  # fmt: skip
    notes += combined_note(data.report.combined, rule)
    return refine(replace(data, report=replace(data.report, notes=tuple(notes))))


def combined_note(combined: int, rule: str) -> list[str]:
    """Return a note on rows that became one with another, if there are any."""
    pairs = counted(combined, "repeated pair")
    return [f"{pairs} of user and item; {_COMBINED[rule]} (duplicates={rule!r})."] if combined else []


def _joined(tables: list[ItemTable], ids: Ids) -> Catalog:
    return Catalog({name: column for found in tables for name, column in found.catalog(ids).columns.items()})


def _widened(
    ids: Ids, numbers: NDArray[np.int32], tables: list[ItemTable], notes: list[str]
) -> tuple[Ids, NDArray[np.int32]]:
    """Number also what tables name and no row does."""
    wider, numbers = widen(ids, numbers, (key for found in tables for key in found.ids_like(ids)))
    if more := len(wider) - len(ids):
        notes.append(f"{counted(more, ids.what)} without any value kept (cold).")
    return wider, numbers


def _values(rows: Rows, recipe: Recipe, notes: list[str]) -> NDArray[np.float32]:
    if "value" in rows.columns:
        return rows.columns.pop("value")
    if not recipe.events and not recipe.signals:
        notes.append(f"{rows.source.name} has no column of values; each row counts as 1.")
    return np.ones(rows.kept, np.float32)


def _times(rows: Rows, notes: list[str]) -> NDArray[np.int64] | None:
    """Fetch the times as seconds; large numbers are of a finer unit, and all of the same."""
    if "time" not in rows.roles:
        return None
    column = rows.roles["time"]
    low, high = rows.bounds["time"]
    least, per_second = unit_of(high or 0)
    times, settled = rows.columns.pop("time"), rows.columns.pop("settled")
    if per_second > 1:
        if low < least:
            raise ColumnError(
                f"column {column!r} holds times of several units, such as {low:.0f} and {high:.0f}; write all in "
                "seconds, or pass time='' (--time '') to read without times."
            )
        np.floor_divide(times, per_second, out=times, where=~settled)
        notes.append(f"column {column!r} holds times in units of 1/{per_second:,} of a second.")
    if times.max() < EARLY:
        notes.append(f"all times of column {column!r} lie before 1990; check their unit.")
    return times


def _usual_rule(values: NDArray[np.float32], recipe: Recipe, roles: dict[str, str]) -> Duplicates:
    return "sum" if recipe.events or recipe.signals else usual_rule(values, roles.get("value"))


def usual_rule(values: NDArray[np.float32], column: str | None) -> Duplicates:
    """Return "last" for ratings, "sum" for counts, events and the like: by the column's name, else the values."""
    said = meaning(column) if column else "counts"
    rated = said == "ratings" or (said == "unknown" and look_like_ratings(values))
    return "last" if rated else "sum"


def look_like_ratings(values: NDArray[np.float32]) -> bool:
    """Tell whether values are steps of a half on a scale: between 2 and 20 different ones, at most 100 apart.

    >>> look_like_ratings(np.array([0.5, 3, 5], np.float32)), look_like_ratings(np.array([1, 700], np.float32))
    (True, False)
    """
    low, high = float(values.min()), float(values.max())
    if not 0 < high - low <= 100 or not (2 * low).is_integer():
        return False
    seen = np.zeros(int(2 * (high - low)) + 1, np.bool_)
    for start in range(0, len(values), 1 << 20):
        steps = (values[start : start + (1 << 20)] - np.float32(low)) * 2
        places = steps.astype(np.int64)
        if (places != steps).any():
            return False
        seen[places] = True
    return bool(seen.sum() <= 20)

"""Apply a recipe to rows: the columns that it needs, the events that it allows, and the value of each row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alsatian._util.string_array import StringArray
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.recipe import Recipe
from alsatian.errors import ColumnError, ParameterError, RowsError, did_you_mean, join_names, pluralize
from alsatian.ingest.formats import deskdrop
from alsatian.ingest.rows.casts import UNKNOWN_EVENT_REASON
from alsatian.ingest.rows.roles import ROLES, find_column
from alsatian.ingest.rows.validation import TypedRows
from alsatian.ingest.sources.source import Source

_MAX_NAMES = 5  # names in a message


def requested_columns(
    source: Source, requested: Mapping[str, str | None], recipe: Recipe
) -> tuple[dict[str, str | None], Recipe]:
    """Return role -> the requested column (None: to be recognized), and the recipe for this source.

    Columns that the caller names take precedence over those of the recipe. For a known log the usual event weights are
    added. The returned recipe has only the ignored roles as columns, so that the next reading ignores them, too.
    Raises ParameterError for a role that does not exist, or for columns and rules that contradict each other.
    """
    for role in recipe.columns:
        if role not in ROLES:
            raise ParameterError(
                f"columns: {role!r} is not a role; choose {', '.join(ROLES)}.{did_you_mean(role, list(ROLES))}"
            )
    roles = {role: recipe.columns.get(role) if name is None else name for role, name in requested.items()}
    recipe = replace(recipe, columns={role: "" for role, name in roles.items() if name == ""})
    if not recipe.events and roles["event"] != "" and deskdrop.is_deskdrop(source):
        recipe = replace(recipe, events=deskdrop.DESKDROP_EVENT_WEIGHTS)
        source.notes.append(f"events have the usual weights of this log: {_format_weights(recipe.events)}.")
    if roles["event"] and not recipe.events:
        names = source.samples.get(find_column(source, "event", roles["event"]), [])
        examples = f" Its events are {join_names(sorted(set(names)), _MAX_NAMES)}." if names else ""
        raise ParameterError(
            f"event={roles['event']!r} has no effect without event weights; pass Recipe(events={{'VIEW': 1, ...}}) "
            f"(--events VIEW=1,...).{examples}"
        )
    if recipe.events and roles["event"] == "":
        raise ParameterError("the recipe has event weights, but event='' ignores the events; remove one of the two.")
    if not recipe.events:
        del roles["event"]
    if recipe.signals:
        if roles["value"]:
            raise ParameterError(
                f"the recipe computes values from signals, so value={roles['value']!r} has no effect; "
                "add it to the signals instead."
            )
        roles["value"] = ""
    return roles, recipe


def _format_weights(events: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {weight:g}" for name, weight in events.items())


def find_signal_roles(source: Source, recipe: Recipe) -> dict[str, str]:
    """Return a role for the column of each signal: signal0, signal1 ..."""
    return {f"signal{place}": find_column(source, "signals", name) for place, name in enumerate(recipe.signals)}


def allowed_events(recipe: Recipe) -> list[str] | None:
    """Return the valid names of events, or None if any name is valid."""
    return list(recipe.events) if isinstance(recipe.unknown_events, str) else None


def describe_unknown_events(rows: TypedRows, recipe: Recipe) -> list[str]:
    """Return a note on the events that were left out; raises RowsError if the recipe does not ignore them."""
    total = rows.reason_counts.get(UNKNOWN_EVENT_REASON, 0)
    if not total:
        return []
    code = next(code for code, check in rows.checks_by_code.items() if check.reason == UNKNOWN_EVENT_REASON)
    name = rows.typed_columns["event"].sql
    event_counts = rows.source.con.execute(
        f"SELECT name, count(*) FROM (SELECT * FROM ({rows.sql(rows.source.files, f'{name} AS name, ')})) "
        f"WHERE code = {code} GROUP BY name ORDER BY count(*) DESC, name"
    ).fetchall()
    examples = ", ".join(f"{event!r} ({pluralize(count, 'row')})" for event, count in event_counts[:_MAX_NAMES])
    examples += f" and {len(event_counts) - _MAX_NAMES:,} more" if len(event_counts) > _MAX_NAMES else ""
    if recipe.unknown_events == "ignore":
        return [f"{pluralize(total, 'row')} of events without a weight were left out: {examples}."]
    names_by_lower = {known.lower(): known for known in recipe.events}
    hint = next((hint for event, _ in event_counts if (hint := did_you_mean(event.lower(), list(names_by_lower)))), "")
    suggestion = next((known for lower, known in names_by_lower.items() if repr(lower) in hint), None)
    raise RowsError(
        f"events without a weight in {pluralize(total, 'row')} of {rows.source.name}: {examples}."
        + (f" Did you mean {suggestion!r}?" if suggestion else f" Events with weights: {join_names(recipe.events)}.")
        + " Add them to events= (--events), or pass unknown_events='ignore' or a weight (--unknown-events)."
    )


def compute_values(
    rows: TypedRows, recipe: FittedRecipe, values: NDArray[np.float32], times: NDArray[np.int64] | None
) -> tuple[NDArray[np.float32], FittedRecipe]:
    """Return the value of each row by the recipe, and the recipe fitted to the rows."""
    weights = _take_event_weights(rows, recipe) if recipe.events else None
    signals = {name: rows.columns.pop(f"signal{place}") for place, name in enumerate(recipe.signals)}
    if recipe.half_life is not None and times is None:
        raise ColumnError(f"half_life requires times, but {rows.source.name} has none; pass time= (--time).")
    recipe = recipe.fit_rows(signals, times)
    return recipe.row_values(values, weights, signals, times), recipe


def _take_event_weights(rows: TypedRows, recipe: FittedRecipe) -> NDArray[np.float32]:
    data, offsets, places = rows.texts.pop("event").sorted()
    return recipe.event_weights(StringArray(data, offsets).tolist())[places][rows.columns.pop("event")]

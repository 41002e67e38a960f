"""Turn the history of a visitor into one row of values, with the recipe of the training data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import parse_timestamp, timestamp_unit
from alsatian.data.csr import CSR
from alsatian.data.deduplication import SortedPairs
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.errors import DataError, ParameterError, RowsError, UnknownItem, did_you_mean
from alsatian.recommender.resolve import UnknownItemPolicy, rated_item_row, validate_unknown

# Items, or rows of raw data: (item, value or event), (item, value or event, time), or records by role or column.
History = Mapping[Id, float | str | None] | Iterable[Id | tuple[Any, ...] | Mapping[str, Any]]
_MAX_VALUE = float(np.finfo(np.float32).max)  # values are stored as float32


class HistoryRow(NamedTuple):
    """One row of a history. A favorite has only an item. The time is in seconds since 1970."""

    item: Id
    value: float | None = None
    event: str | None = None
    time: int | None = None
    signals: dict[str, float] | None = None

    @property
    def is_bare_item(self) -> bool:
        """Whether the row names an item only: the visitor likes it, without a value or event."""
        return self.value is None and self.event is None and self.signals is None


def history_to_csr(
    data: Interactions,
    history: History,
    top_value: float,
    scale: tuple[float, float] | None = None,
    unknown: str = "raise",
) -> CSR:
    """Return a history as a CSR with one row, its values computed by the recipe of the data.

    top_value: the value of an item without a value or event. scale: the range of valid values, or None for any.
    unknown: "raise" or "skip" unknown items. Raises UnknownItem, DataError, ParameterError.
    """
    validate_unknown(unknown, UnknownItemPolicy)
    rows = [_validate_row(row, data.recipe) for row in _parse_history(history, data.recipe)]
    row_items = [(row, item) for row in rows if (item := _item_row(data, row.item, unknown)) >= 0]
    if isinstance(history, Mapping):  # an id and a title may name the same item: the last one counts
        row_items = [(row, item) for item, row in {item: row for row, item in row_items}.items()]
    values_by_item = _aggregate_values(data, [(row, item) for row, item in row_items if not row.is_bare_item])
    values_by_item |= {item: top_value for row, item in row_items if row.is_bare_item}
    if not values_by_item:
        threshold = data.recipe.min_rating
        hint = f" (the recipe drops values below {threshold:g})" if rows and threshold else ""
        raise DataError(f"the history has no usable item{hint}; add at least one item that the user likes.")
    items = np.array(sorted(values_by_item), np.int32)
    values = np.array([values_by_item[item] for item in items.tolist()], np.float32)
    values = data.recipe.confidences(values, np.zeros(len(items), np.int32), items)
    if top_value == data.scale[1]:  # already in the unit of the model's values
        values[np.isin(items, [item for row, item in row_items if row.is_bare_item])] = top_value
    if scale and (out_of_scale := (values < scale[0]) | (values > scale[1])).any():
        item = int(np.argmax(out_of_scale))
        raise DataError(
            f"the value {values[item]:g} of item {data.item_ids.id_of(int(items[item]))!r} is outside the scale "
            f"{scale[0]:g} to {scale[1]:g}; pass a value within it."
        )
    return CSR(np.array([0, len(items)]), items, values, len(data.item_ids))


def parse_record(record: Mapping[str, Any], recipe: FittedRecipe) -> HistoryRow:
    """Parse one record of raw data. Raises ParameterError or DataError if the recipe cannot compute its value."""
    return _validate_row(_parse_record(record, recipe), recipe)


def _parse_history(history: History, recipe: FittedRecipe) -> list[HistoryRow]:
    """Parse a history in any of its forms."""
    if isinstance(history, str | int | np.integer):
        raise ParameterError(f"a history is a list of items or a mapping from items to values; pass [{history!r}].")
    if isinstance(history, Mapping):
        return [_parse_row((item, signal)) for item, signal in history.items()]
    return [_parse_record(row, recipe) if isinstance(row, Mapping) else _parse_row(row) for row in history]


def _parse_row(row: Any) -> HistoryRow:
    """Parse an item, (item, value or event), or (item, value or event, time)."""
    if not isinstance(row, tuple):
        return HistoryRow(row)
    if not 2 <= len(row) <= 3:
        raise ParameterError(f"{row!r} is not a valid history row; pass (item, value or event) or (item, ..., time).")
    item, signal, *time = row
    timestamp = _timestamp(time[0]) if time and time[0] is not None else None
    return (
        HistoryRow(item, event=signal, time=timestamp)
        if isinstance(signal, str)
        else HistoryRow(item, signal, time=timestamp)
    )


def _parse_record(record: Mapping[str, Any], recipe: FittedRecipe) -> HistoryRow:
    """Parse a record whose keys are roles, or column names of the training data."""
    roles = {role: role for role in ("item", "value", "event", "time", "user")}
    roles |= {column: role for role, column in recipe.columns.items() if column and role in roles}
    for name in record:
        if name not in roles and name not in recipe.signals:
            names = list(dict.fromkeys([*roles, *recipe.signals]))
            raise ParameterError(
                f"{name!r} is not a field of a history row; choose {', '.join(names)}.{did_you_mean(name, names)}"
            )
    fields = {roles[name]: value for name, value in record.items() if name in roles}
    if "item" not in fields:
        raise ParameterError(f"{dict(record)!r} has no item; pass {{'item': ..., 'event': ...}}.")
    signals = {name: record[name] for name in recipe.signals if name in record}
    time = fields.get("time")
    return HistoryRow(
        fields["item"],
        fields.get("value"),
        fields.get("event"),
        None if time is None else _timestamp(time),
        signals or None,
    )


def _timestamp(time: Any) -> int:
    """Return a time in seconds; its unit is detected as in `read`."""
    timestamp = parse_timestamp("time", time)
    return timestamp // timestamp_unit(abs(timestamp))[1]


def _validate_row(row: HistoryRow, recipe: FittedRecipe) -> HistoryRow:
    """Return the row. Raises DataError if the recipe cannot compute a value from it."""
    numbers = {"value": row.value} | (row.signals or {})
    for name, number in numbers.items():
        is_finite = isinstance(number, float | int | np.number) and abs(number) <= _MAX_VALUE
        if not is_finite and (number is not None or name in recipe.signals):
            raise DataError(f"the {name} {number!r} of {row.item!r} is not a finite number; pass a number.")
    if row.event is not None and not recipe.events:
        raise DataError(
            f"event {row.event!r} of {row.item!r} is not valid: this model has no event weights; pass a number."
        )
    missing = [name for name in recipe.signals if name not in (row.signals or {})]
    if missing and not row.is_bare_item:
        raise DataError(
            f"{row.item!r} has no {missing[0]!r}; values are computed from {', '.join(recipe.signals)}, so pass all."
        )
    return row


def _item_row(data: Interactions, item: Id, unknown: str) -> int:
    try:
        return rated_item_row(data, item)
    except UnknownItem:
        if unknown == "raise":
            raise
        return -1


def _aggregate_values(data: Interactions, row_items: Sequence[tuple[HistoryRow, int]]) -> dict[int, float]:
    """Return item row -> value, with several rows of an item merged as the recipe says."""
    recipe = data.recipe
    weights = _weigh_events([row for row, _ in row_items], recipe)
    row_items = [row_item for row_item, weight in zip(row_items, weights, strict=True) if not np.isnan(weight)]
    if not row_items:
        return {}
    rows, items = [row for row, _ in row_items], np.array([item for _, item in row_items], np.int32)
    values = np.array([1.0 if row.value is None else row.value for row in rows], np.float32)
    signals = {name: np.array([(row.signals or {})[name] for row in rows], np.float32) for name in recipe.signals}
    times = _event_times(rows, recipe)
    values = recipe.row_values(values, weights[~np.isnan(weights)] if recipe.events else None, signals, times)
    pairs = SortedPairs.sort(np.zeros(len(items), np.int32), [items, values, times, None], 1, len(data.item_ids))
    if pairs.n_repeated:
        if recipe.duplicates in (None, "raise"):
            raise RowsError(
                "the history has an item twice, and the recipe does not merge duplicates; pass one value per item."
            )
        pairs = pairs.combine(str(recipe.duplicates))
    positions, pair_values = recipe.pair_values(pairs.values, pairs.times)
    return dict(zip(pairs.items[positions].tolist(), pair_values.tolist(), strict=True))


def _weigh_events(rows: Sequence[HistoryRow], recipe: FittedRecipe) -> NDArray[np.float32]:
    """Return the weight of each row's event: 1 for a row without an event, NaN for an event to leave out."""
    weights = np.ones(len(rows), np.float32)
    positions = [position for position, row in enumerate(rows) if row.event is not None]
    weights[positions] = recipe.event_weights([str(rows[position].event) for position in positions])
    if recipe.unknown_events == "raise" and (unknown := np.isnan(weights)).any():
        event, events = str(rows[int(np.argmax(unknown))].event), list(recipe.events)
        raise DataError(f"event {event!r} has no weight; choose {', '.join(events)}.{did_you_mean(event, events)}")
    return weights


def _event_times(rows: Sequence[HistoryRow], recipe: FittedRecipe) -> NDArray[np.int64] | None:
    """Return the time of each row, or None if no row has a time. A row without a time counts as the latest."""
    event_times = [row.time for row in rows if row.time is not None]
    if not event_times:
        return None
    latest = max([*event_times, recipe.fitted.get("reference", event_times[0])])
    return np.array([latest if row.time is None else row.time for row in rows], np.int64)

"""From what a visitor did to one row of values, by the same recipe that made the values of users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from alsatian._util.parsing import as_moment, unit_of
from alsatian.data.csr import CSR
from alsatian.data.deduplication import Pairs
from alsatian.data.id_map import Id
from alsatian.data.interactions import Interactions
from alsatian.data.recipe import Recipe
from alsatian.errors import DataError, ParameterError, RowsError, UnknownItem, nearest
from alsatian.recommender.resolve import rated_row

# Items; or rows of raw data: (item, value or event) or (item, value or event, time), or records by role or column.
History = Mapping[Id, float | str | None] | Iterable[Id | tuple[Any, ...] | Mapping[str, Any]]
_LARGEST = float(np.finfo(np.float32).max)  # values are such numbers


class Told(NamedTuple):
    """One row of a history. A favourite has nothing but its item; a time is in seconds since 1970."""

    item: Id
    value: float | None = None
    event: str | None = None
    time: int | None = None
    signals: dict[str, float] | None = None

    @property
    def favourite(self) -> bool:
        return self.value is None and self.event is None and self.signals is None


def visitor_history(
    data: Interactions,
    history: History,
    top_value: float,
    scale: tuple[float, float] | None = None,
    unknown: str = "raise",
) -> CSR:
    """Return one compressed row from what a visitor names or did, as the data's recipe turns raw rows into values."""
    if unknown not in ("raise", "skip"):
        raise ParameterError(f"unknown={unknown!r} is not a word of fold_in; choose raise or skip.")
    told = [_checked(row, data.recipe) for row in _rows(history, data.recipe)]
    placed = [(row, at) for row in told if (at := _place(data, row.item, unknown)) >= 0]
    if isinstance(history, Mapping):  # an id and a title may name the same item: the last counts
        placed = [(row, at) for at, row in {at: row for row, at in placed}.items()]
    found = _valued(data, [(row, at) for row, at in placed if not row.favourite])
    found |= {at: top_value for row, at in placed if row.favourite}
    if not found:
        bound = data.recipe.at_least
        only = f"; only values of at least {bound:g} count here" if told and bound else ""
        raise DataError(f"the history names no item to go by{only}; name at least one favourite.")
    items = np.array(sorted(found), np.int32)
    values = np.array([found[at] for at in items.tolist()], np.float32)
    values = data.recipe.confidences(values, np.zeros(len(items), np.int32), items)
    if top_value == data.scale[1]:  # of the values as the model has them: no raw value to be made one
        values[np.isin(items, [at for row, at in placed if row.favourite])] = top_value
    if scale and (outside := (values < scale[0]) | (values > scale[1])).any():
        at = int(np.argmax(outside))
        raise DataError(
            f"the value {values[at]:g} of item {data.item_ids.id_of(int(items[at]))!r} is outside the scale "
            f"{scale[0]:g} to {scale[1]:g}; pass one inside."
        )
    return CSR(np.array([0, len(items)]), items, values, len(data.item_ids))


def read_row(record: Mapping[str, Any], recipe: Recipe) -> Told:
    """Read one record of raw data; raises ParameterError or DataError where the recipe cannot make a value of it."""
    return _checked(_record(record, recipe), recipe)


def _rows(history: History, recipe: Recipe) -> list[Told]:
    """Read a history in any of its forms."""
    if isinstance(history, str | int | np.integer):
        raise ParameterError(f"a history is a list of items or a mapping from items to values; pass [{history!r}].")
    if isinstance(history, Mapping):
        return [_row((item, what)) for item, what in history.items()]
    return [_record(row, recipe) if isinstance(row, Mapping) else _row(row) for row in history]


def _row(row: Any) -> Told:
    """Read an item, (item, value or event), or (item, value or event, time)."""
    if not isinstance(row, tuple):
        return Told(row)
    if not 2 <= len(row) <= 3:
        raise ParameterError(f"{row!r} is no row of a history; pass (item, value or event) or (item, ..., time).")
    item, what, *time = row
    moment = _moment(time[0]) if time and time[0] is not None else None
    return Told(item, event=what, time=moment) if isinstance(what, str) else Told(item, what, time=moment)


def _record(record: Mapping[str, Any], recipe: Recipe) -> Told:
    """Read a row of raw data by the names of roles, or of the columns that the model learned from."""
    roles = {role: role for role in ("item", "value", "event", "time", "user")}
    roles |= {column: role for role, column in recipe.columns.items() if column and role in roles}
    for name in record:
        if name not in roles and name not in recipe.signals:
            known = list(dict.fromkeys([*roles, *recipe.signals]))
            raise ParameterError(
                f"a row of a history has no {name!r}; it has {', '.join(known)}.{nearest(name, known)}"
            )
    given = {roles[name]: value for name, value in record.items() if name in roles}
    if "item" not in given:
        raise ParameterError(f"{dict(record)!r} names no item; pass {{'item': ..., 'event': ...}}.")
    signals = {name: record[name] for name in recipe.signals if name in record}
    time = given.get("time")
    return Told(
        given["item"],
        given.get("value"),
        given.get("event"),
        None if time is None else _moment(time),
        signals or None,
    )


def _moment(given: Any) -> int:
    """Return a time in seconds, whichever unit it is in, as a reading does."""
    moment = as_moment("time", given)
    return moment // unit_of(abs(moment))[1]


def _checked(row: Told, recipe: Recipe) -> Told:
    """Refuse what the recipe cannot make a value of."""
    numbers = {"value": row.value} | (row.signals or {})
    for name, number in numbers.items():
        finite = isinstance(number, float | int | np.number) and abs(number) <= _LARGEST
        if not finite and (number is not None or name in recipe.signals):
            raise DataError(f"the {name} {number!r} of {row.item!r} is not a finite number; pass a number.")
    if row.event is not None and not recipe.events:
        raise DataError(f"this model weighs no events, such as {row.event!r} of {row.item!r}; pass a number.")
    missing = [name for name in recipe.signals if name not in (row.signals or {})]
    if missing and not row.favourite:
        raise DataError(
            f"a value is made of {', '.join(recipe.signals)} here; pass {missing[0]!r} of {row.item!r}, too."
        )
    return row


def _place(data: Interactions, item: Id, unknown: str) -> int:
    try:
        return rated_row(data, item)
    except UnknownItem:
        if unknown == "raise":
            raise
        return -1


def _valued(data: Interactions, placed: Sequence[tuple[Told, int]]) -> dict[int, float]:
    """Return item row -> value of what a visitor did, combined by pair."""
    recipe = data.recipe
    weights = _event_weights([row for row, _ in placed], recipe)
    placed = [each for each, weight in zip(placed, weights, strict=True) if not np.isnan(weight)]
    if not placed:
        return {}
    rows, items = [row for row, _ in placed], np.array([at for _, at in placed], np.int32)
    values = np.array([1.0 if row.value is None else row.value for row in rows], np.float32)
    signals = {name: np.array([(row.signals or {})[name] for row in rows], np.float32) for name in recipe.signals}
    times = _times(rows, recipe)
    values = recipe.row_values(values, weights[~np.isnan(weights)] if recipe.events else None, signals, times)
    pairs = Pairs.sort(np.zeros(len(items), np.int32), [items, values, times, None], 1, len(data.item_ids))
    if pairs.repeated:
        if recipe.duplicates in (None, "raise"):
            raise RowsError("the history names an item twice, and the data had no such rows; give one value of each.")
        pairs = pairs.combined(str(recipe.duplicates))
    kept, made = recipe.pair_values(pairs.values, pairs.times)
    return dict(zip(pairs.items[kept].tolist(), made.tolist(), strict=True))


def _event_weights(rows: Sequence[Told], recipe: Recipe) -> NDArray[np.float32]:
    """Return the weight of each row's event, 1 where a row names none, NaN where it is to be left out."""
    weights = np.ones(len(rows), np.float32)
    named = [at for at, row in enumerate(rows) if row.event is not None]
    weights[named] = recipe.event_weights([str(rows[at].event) for at in named])
    if recipe.unknown_events == "raise" and (wrong := np.isnan(weights)).any():
        event, known = str(rows[int(np.argmax(wrong))].event), list(recipe.events)
        raise DataError(f"event {event!r} has no weight here; there are {', '.join(known)}.{nearest(event, known)}")
    return weights


def _times(rows: Sequence[Told], recipe: Recipe) -> NDArray[np.int64] | None:
    """Return when things happened; what says nothing happened last."""
    given = [row.time for row in rows if row.time is not None]
    if not given:
        return None
    last = max([*given, recipe.fitted.get("reference", given[0])])
    return np.array([last if row.time is None else row.time for row in rows], np.int64)

"""Tables of items, or of users: titles and attributes, for the catalog."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alsatian._util.string_array import Text
from alsatian.data.catalog import Catalog
from alsatian.data.id_map import Id, Ids
from alsatian.data.recipe import Side
from alsatian.data.title_search import year_of
from alsatian.errors import ColumnError, RowsError, SourceError, counted, listed
from alsatian.ingest.column_names import USUAL, plain
from alsatian.ingest.rows.casts import INTEGER, WHOLE
from alsatian.ingest.rows.roles import find_title
from alsatian.ingest.rows.validation import Rows
from alsatian.ingest.sources.dialect import is_number
from alsatian.ingest.sources.source import Source, first_line

_TRUTH = {"true": True, "false": False}


@dataclass
class ItemTable:
    """Items, or users, by id, with columns of Python values, None where missing; "title" is the column of titles."""

    name: str
    ids: list[Id]
    columns: dict[str, list[Any]]
    notes: list[str] = field(default_factory=list)

    def catalog(self, numbered: Ids) -> Catalog:
        """Build the catalog of these items, or users, and note what does not match."""
        ids, what = self.ids_like(numbered), numbered.what
        rows = numbered.rows(ids)
        known = {int(row) for row in rows if row >= 0}
        if ids and not known:
            one = {"item": "an item", "user": "a user"}[what]
            raise ColumnError(
                f"none of the {len(ids):,} ids of {self.name} ({listed(self.ids, 3)}) is {one} "
                f"of the data ({listed(numbered.tolist(), 3)}); check which column holds the ids."
            )
        if strange := int((rows < 0).sum()):
            self.notes.append(f"{strange:,} of {counted(len(ids), what)} of {self.name} without any value.")
        catalog = Catalog.from_columns(numbered, ids, self.columns)
        untitled = sum(title is None for title in catalog.titles)
        if untitled and catalog.titles:
            self.notes.append(f"{untitled:,} of {counted(len(numbered), what)} without a title.")
        return catalog

    def ids_like(self, numbered: Ids) -> list[Id]:
        """Write the ids in the type of the data's ids."""
        if numbered.kind == "text":
            return [str(key) for key in self.ids]
        return [_as_integer(key) for key in self.ids]


def _as_integer(key: Id) -> Id:
    if isinstance(key, int) or INTEGER.fullmatch(key):
        return int(key)
    return int(float(key)) if WHOLE.fullmatch(key) else key


def read_items(source: Source, key: str, bad_rows: str, what: Side = "item") -> ItemTable:
    """Read a table of items, or of users. key: what the data calls the column of their ids.

    Raises ColumnError when no column holds the ids, RowsError when lines are malformed or ids missing and
    bad_rows is "stop".
    """
    import duckdb

    key = _id_column(source, key, what)
    selected = ", ".join(
        cell.sql if source.written else _as_plain(cell.sql, cell.type) for cell in source.columns.values()
    )
    try:
        rows = source.con.execute(f"SELECT {selected} FROM {source.relation}").fetchall()
    except duckdb.Error as error:
        raise SourceError(f"{source.name} cannot be read: {first_line(error)}.") from None
    place = list(source.columns).index(key)
    with_id = [row for row in rows if row[place] is not None and str(row[place]).strip()]
    table = ItemTable(source.name, [], {})
    _account(source, table, len(rows) - len(with_id), bad_rows)
    columns = {name: [row[at] for row in with_id] for at, name in enumerate(source.columns)}
    title = find_title(source, [name for name in columns if name != key]) if what == "item" else None
    if source.written:
        columns |= {
            name: typed(cells) if name == key else _flags(cells) or typed(cells)
            for name, cells in columns.items()
            if name != title
        }
    table.ids = [value if isinstance(value, int) else str(value) for value in columns.pop(key)]
    if title:
        columns = {"title": [None if v is None else str(v) for v in columns.pop(title)], **columns}
    table.columns = with_year(columns)
    return table


def _account(source: Source, table: ItemTable, without_id: int, bad_rows: str) -> None:
    rejects = source.rejects()
    if not rejects and not without_id:
        return
    parts = [f"{counted(without_id, 'row')} without an id"] if without_id else []
    if rejects and source.line_of_place:
        line = source.line_of_place(rejects[0].file, rejects[0].place)
        parts.append(f"{counted(len(rejects), 'malformed row')} (first on line {line:,}: {rejects[0].reason})")
    if bad_rows == "stop":
        raise RowsError(
            f"{source.name} has {' and '.join(parts)}; correct it, or pass bad_rows='skip' (--bad-rows skip)."
        )
    table.notes.append(f"{source.name}: {' and '.join(parts)} left out.")


def _id_column(source: Source, key: str, what: Side) -> str:
    """Return the column of ids: the one named like the data's own, else one of a usual name."""
    wanted = [{plain(key)}, *(set(group.split()) for group in USUAL[what]), {"id"}]
    for names in wanted:
        if found := [column for column in source.columns if plain(column) in names]:
            return found[0]
    raise ColumnError(
        f"no column of {source.name} is known to hold the ids of {what}s; its columns are "
        f"{listed(list(source.columns))}. Name it {key!r}, as the data does."
    )


def _as_plain(cell: str, kind: str) -> str:
    """Select a typed column as integers, floats, true or false, or text; lists become "a|b"."""
    if kind.endswith("]"):
        return f"array_to_string({cell}::VARCHAR[], '|')"
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "BOOLEAN"):
        return cell
    return f"{cell}::DOUBLE" if kind.startswith(("FLOAT", "DOUBLE", "DECIMAL")) else f"{cell}::VARCHAR"


def typed(cells: Sequence[str | None]) -> list[Any]:
    """Turn written cells into integers or floats if all of them are; leading zeros mean text."""
    present = [cell for cell in cells if cell is not None]
    if present and all(INTEGER.fullmatch(cell) for cell in present):
        return [None if cell is None else int(cell) for cell in cells]
    if present and all(is_number(cell) and not re.match(r"0\d", cell) for cell in present):
        return [None if cell is None else float(cell) for cell in cells]
    return list(cells)


def _flags(cells: Sequence[str | None]) -> list[bool | None]:
    """Turn written cells into true and false if all of them are one of these, else give nothing."""
    words = [None if cell is None else _TRUTH.get(cell.strip().lower()) for cell in cells]
    fits = all((word is None) == (cell is None) for word, cell in zip(words, cells, strict=True))
    return words if fits and any(word is not None for word in words) else []


def with_year(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Add the attribute `year` where most titles end in one, as "Up (2009)" does, and none is there yet."""
    years = [year_of(title or "") for title in columns.get("title", [])]
    if any(plain(name) == "year" for name in columns) or sum(map(bool, years)) * 2 <= len(years):
        return columns
    return columns | {"year": years}


def titles_of_events(rows: Rows) -> ItemTable:
    """Take from the events the title that each item has most often; among equals, the smaller text."""
    data, offsets, places = rows.texts.pop("title").sorted()
    times = np.empty_like(places)
    times[places] = rows.columns.pop("title")
    best: dict[Id, tuple[int, str]] = {}
    for pair, count in zip(Text(data, offsets).tolist(), times.tolist(), strict=True):
        if pair:
            length, _, rest = pair.partition(":")
            item, title = rest[: int(length)], rest[int(length) :]
            key = int(item) if rows.values["item"].integer else item
            best[key] = min(best.get(key, (0, "")), (-count, title))
    ids = sorted(best)
    return ItemTable(rows.source.name, ids, {"title": [best[key][1] for key in ids]})

"""Tables of items, or of users: titles and attributes, for the catalog."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from alsatian._util.string_array import StringArray
from alsatian.data.catalog import Catalog
from alsatian.data.id_map import Id, IdMap
from alsatian.data.recipe import SideName
from alsatian.data.title_search import year_in_title
from alsatian.errors import ColumnError, RowsError, SourceError, join_names, pluralize
from alsatian.ingest.column_names import ROLE_COLUMN_NAMES, normalize_column_name
from alsatian.ingest.rows.casts import INTEGER_PATTERN, WHOLE_NUMBER_PATTERN
from alsatian.ingest.rows.roles import find_title_column
from alsatian.ingest.rows.validation import TypedRows
from alsatian.ingest.sources.dialect import is_number
from alsatian.ingest.sources.source import Source, error_summary

_BOOLEANS = {"true": True, "false": False}


@dataclass
class ItemTable:
    """Items or users by id, with columns of Python values (None if missing). The column "title" contains titles."""

    name: str
    ids: list[Id]
    columns: dict[str, list[Any]]
    notes: list[str] = field(default_factory=list)

    def to_catalog(self, id_map: IdMap) -> Catalog:
        """Build the catalog of the ids in `id_map`, and note ids that do not match.

        Raises ColumnError if no id matches.
        """
        ids, side = self.cast_ids(id_map), id_map.side
        rows = id_map.rows(ids)
        matched = {int(row) for row in rows if row >= 0}
        if ids and not matched:
            noun = {"item": "an item", "user": "a user"}[side]
            raise ColumnError(
                f"none of the {len(ids):,} ids of {self.name} ({join_names(self.ids, 3)}) is {noun} "
                f"of the data ({join_names(id_map.tolist(), 3)}); check which column holds the ids."
            )
        if n_unmatched := int((rows < 0).sum()):
            self.notes.append(f"{n_unmatched:,} of {pluralize(len(ids), side)} of {self.name} without any value.")
        catalog = Catalog.from_columns(id_map, ids, self.columns)
        n_untitled = sum(title is None for title in catalog.titles)
        if n_untitled and catalog.titles:
            self.notes.append(f"{n_untitled:,} of {pluralize(len(id_map), side)} without a title.")
        return catalog

    def cast_ids(self, id_map: IdMap) -> list[Id]:
        """Convert the ids to the type of the ids of the data."""
        if id_map.kind == "text":
            return [str(key) for key in self.ids]
        return [_parse_integer_id(key) for key in self.ids]


def _parse_integer_id(key: Id) -> Id:
    if isinstance(key, int) or INTEGER_PATTERN.fullmatch(key):
        return int(key)
    return int(float(key)) if WHOLE_NUMBER_PATTERN.fullmatch(key) else key


def read_items(source: Source, key: str, bad_rows: str, side: SideName = "item") -> ItemTable:
    """Read a table of items, or of users. key: the name of their id column in the data.

    Raises ColumnError if the id column cannot be found. Raises RowsError if `bad_rows` is "stop" and lines are
    malformed or ids missing.
    """
    import duckdb

    key = _find_id_column(source, key, side)
    select_list = ", ".join(
        cell.sql if source.is_text else _simple_type_sql(cell.sql, cell.type) for cell in source.columns.values()
    )
    try:
        rows = source.con.execute(f"SELECT {select_list} FROM {source.relation}").fetchall()
    except duckdb.Error as error:
        raise SourceError(f"{source.name} cannot be read: {error_summary(error)}.") from None
    key_position = list(source.columns).index(key)
    rows_with_id = [row for row in rows if row[key_position] is not None and str(row[key_position]).strip()]
    table = ItemTable(source.name, [], {})
    _report_rejects(source, table, len(rows) - len(rows_with_id), bad_rows)
    columns = {name: [row[index] for row in rows_with_id] for index, name in enumerate(source.columns)}
    title = find_title_column(source, [name for name in columns if name != key]) if side == "item" else None
    if source.is_text:
        columns |= {
            name: infer_types(cells) if name == key else _infer_booleans(cells) or infer_types(cells)
            for name, cells in columns.items()
            if name != title
        }
    table.ids = [value if isinstance(value, int) else str(value) for value in columns.pop(key)]
    if title:
        columns = {"title": [None if v is None else str(v) for v in columns.pop(title)], **columns}
    table.columns = add_year(columns)
    return table


def _report_rejects(source: Source, table: ItemTable, without_id: int, bad_rows: str) -> None:
    rejects = source.rejects()
    if not rejects and not without_id:
        return
    problems = [f"{pluralize(without_id, 'row')} without an id"] if without_id else []
    if rejects and source.line_of_reject:
        line = source.line_of_reject(rejects[0].file, rejects[0].position)
        problems.append(f"{pluralize(len(rejects), 'malformed row')} (first on line {line:,}: {rejects[0].reason})")
    if bad_rows == "stop":
        raise RowsError(
            f"{source.name} has {' and '.join(problems)}; correct it, or pass bad_rows='skip' (--bad-rows skip)."
        )
    table.notes.append(f"{source.name}: {' and '.join(problems)} left out.")


def _find_id_column(source: Source, key: str, side: SideName) -> str:
    """Return the id column: the column with the name used in the data, else one with a usual name."""
    name_groups = [{normalize_column_name(key)}, *(set(group.split()) for group in ROLE_COLUMN_NAMES[side]), {"id"}]
    for names in name_groups:
        if matches := [column for column in source.columns if normalize_column_name(column) in names]:
            return matches[0]
    raise ColumnError(
        f"could not find the column of {side} ids in {source.name}; its columns are "
        f"{join_names(list(source.columns))}. Rename it to {key!r}, its name in the data."
    )


def _simple_type_sql(cell: str, kind: str) -> str:
    """Return SQL that converts a column to integers, floats, booleans or text; lists become "a|b"."""
    if kind.endswith("]"):
        return f"array_to_string({cell}::VARCHAR[], '|')"
    if kind in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "BOOLEAN"):
        return cell
    return f"{cell}::DOUBLE" if kind.startswith(("FLOAT", "DOUBLE", "DECIMAL")) else f"{cell}::VARCHAR"


def infer_types(cells: Sequence[str | None]) -> list[Any]:
    """Convert text cells to integers or floats if all of them are numbers. Cells with leading zeros are text."""
    nonmissing = [cell for cell in cells if cell is not None]
    if nonmissing and all(INTEGER_PATTERN.fullmatch(cell) for cell in nonmissing):
        return [None if cell is None else int(cell) for cell in cells]
    if nonmissing and all(is_number(cell) and not re.match(r"0\d", cell) for cell in nonmissing):
        return [None if cell is None else float(cell) for cell in cells]
    return list(cells)


def _infer_booleans(cells: Sequence[str | None]) -> list[bool | None]:
    """Convert text cells to booleans if all of them are "true" or "false"; otherwise return an empty list."""
    booleans = [None if cell is None else _BOOLEANS.get(cell.strip().lower()) for cell in cells]
    fits = all((word is None) == (cell is None) for word, cell in zip(booleans, cells, strict=True))
    return booleans if fits and any(word is not None for word in booleans) else []


def add_year(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Add the attribute `year` if most titles end in a year, like "Up (2009)", and there is no such column."""
    years = [year_in_title(title or "") for title in columns.get("title", [])]
    if any(normalize_column_name(name) == "year" for name in columns) or sum(map(bool, years)) * 2 <= len(years):
        return columns
    return columns | {"year": years}


def titles_from_events(rows: TypedRows) -> ItemTable:
    """Return the most frequent title of each item in the events; if several are equally frequent, the smallest text."""
    data, offsets, order = rows.texts.pop("title").sorted()
    title_counts = np.empty_like(order)
    title_counts[order] = rows.columns.pop("title")
    best: dict[Id, tuple[int, str]] = {}
    for pair, count in zip(StringArray(data, offsets).tolist(), title_counts.tolist(), strict=True):
        if pair:
            length, _, item_and_title = pair.partition(":")
            item, title = item_and_title[: int(length)], item_and_title[int(length) :]
            key = int(item) if rows.typed_columns["item"].is_integer else item
            best[key] = min(best.get(key, (0, "")), (-count, title))
    ids = sorted(best)
    return ItemTable(rows.source.name, ids, {"title": [best[key][1] for key in ids]})

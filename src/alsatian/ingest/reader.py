"""Read a source: open it, find the role of each column, validate its rows and build the data."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from alsatian.data.interactions import Interactions
from alsatian.data.recipe import BadRows, Duplicates, Recipe, SideName
from alsatian.errors import ParameterError, SourceError
from alsatian.ingest.assemble import ItemTableReader, assemble
from alsatian.ingest.extra_rows import ExtraRows
from alsatian.ingest.formats.deskdrop import article_reader, is_deskdrop
from alsatian.ingest.formats.movielens import open_movielens_folder
from alsatian.ingest.item_table import ItemTable, read_items
from alsatian.ingest.read_options import ReadOptions
from alsatian.ingest.recipe_columns import requested_columns
from alsatian.ingest.rows.roles import ROLES, find_roles
from alsatian.ingest.sources.files import open_files
from alsatian.ingest.sources.frames import is_frame, open_arrays, open_frame
from alsatian.ingest.sources.source import Source, connect
from alsatian.ingest.sources.sql import is_database_url, open_query

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def read(
    source: Any,
    *,
    items: Any = None,
    users: Any = None,
    include_unrated: bool = False,
    user: str | None = None,
    item: str | None = None,
    value: str | None = None,
    time: str | None = None,
    event: str | None = None,
    weight: str | None = None,
    title: str | None = None,
    query: str | None = None,
    delimiter: str | None = None,
    duplicates: Duplicates | None = None,
    bad_rows: BadRows = "stop",
    scale: tuple[float, float] | None = None,
    where: str | None = None,
    recipe: Recipe | None = None,
) -> Interactions:
    """Read ratings or events. Every row is kept, combined with another, or counted as left out.

    source: a path or glob of CSV, TSV or other delimited text, or JSON lines (all also .gz and .zst), or of Parquet; a
        MovieLens folder; a database URL, with `query`; a pandas frame, or any object with an Arrow stream (polars,
        pyarrow, DuckDB).
    items: titles and attributes of the items, as a path or a frame. None: titles are taken from the events.
    users: attributes of the users, as a path or a frame.
    include_unrated: also keep the items and users of these tables that have no value, for models that use attributes.
    user, item, value, time, event, weight, title: the columns, if their names are not usual ones; "" ignores a role.
        Without a value column each row has the value 1. The weight column must be named. Events are used only if the
        recipe has weights for them.
    query: the SQL query to run on a database.
    delimiter: the delimiter of a text file, one or more characters. None: it is detected.
    duplicates: how several rows of one user and item are combined: their "last" value, their "sum", "max" or "mean",
        or an error ("raise"). None: "last" for ratings, "sum" for counts and events.
    bad_rows: "stop" raises RowsError if any row is bad; "skip" counts bad rows in the report.
    scale: the smallest and the largest valid value; rows outside are bad.
    where: an SQL condition over the columns of the source; other rows are left out and counted.
    recipe: further rules that turn rows into values: event weights, signals, decay by age, confidence, minimum counts.
        A fitted recipe, such as `model.data.recipe`, processes new rows in the same way as the data it was fitted to.

    Ids are integers or text. The ids of a text file are integers if every id is written as one ("007" is text). A
    column with both numbers and text is text. Times are converted to seconds since 1970 (UTC), from numbers (their unit
    is inferred from their size), dates and ISO times.

    Raises SourceError, ColumnError or RowsError (all are DataError), ParameterError, DependencyError.

    >>> read("ratings.csv", items="movies.csv", where="rating > 0")  # doctest: +SKIP
    Interactions(100,836 values of 610 users and 9,724 items)
    """
    columns = {
        "user": user, "item": item, "value": value, "time": time, "event": event, "weight": weight, "title": title
    }  # fmt: skip
    options = ReadOptions(
        columns=columns, duplicates=duplicates, bad_rows=bad_rows, scale=scale, where=where, query=query,
        delimiter=delimiter, include_unrated=include_unrated, recipe=Recipe() if recipe is None else recipe,
    )  # fmt: skip
    return read_source(source, options, items=items, users=users)


def read_source(
    source: Any, options: ReadOptions, *, items: Any = None, users: Any = None, extra_rows: ExtraRows | None = None
) -> Interactions:
    """Read a source like `read`, with further rows appended before the recipe is applied.

    extra_rows: rows to append, such as the events of a service in `alsatian retrain`.
    """
    con = connect()
    try:
        events, item_reader, user_reader = _open_source(con, source, options)
        requested, recipe = requested_columns(events, dict.fromkeys(ROLES) | dict(options.columns), options.recipe)
        options = replace(options, recipe=recipe)
        roles = find_roles(events, requested)
        if items is not None:
            item_reader = _open_item_table(con, items, "item", roles["item"], options.bad_rows)
        if users is not None:
            user_reader = _open_item_table(con, users, "user", roles["user"], options.bad_rows)
        if options.include_unrated and item_reader is None and user_reader is None:
            raise ParameterError(
                "include_unrated=True (--include-unrated) requires a table of items or users; pass items= (--items) "
                "or users= (--users)."
            )
        if item_reader is not None and options.columns.get("title") is None:
            roles.pop("title", None)
        return assemble(events, roles, item_reader, options, user_reader, extra_rows)
    finally:
        con.close()


def read_column_names(source: str, delimiter: str | None = None) -> list[str]:
    """Return the names of the columns of a file or folder."""
    con = connect()
    try:
        return list(_open_source(con, source, ReadOptions(delimiter=delimiter))[0].columns)
    finally:
        con.close()


def read_arrays(
    columns: dict[str, NDArray[Any]], name: str, item_table: ItemTable, extra_rows: ExtraRows | None = None
) -> Interactions:
    """Read columns that are already in memory, such as those of an installed data set."""
    con = connect()
    try:
        events = open_arrays(con, columns, name)
        return assemble(
            events, find_roles(events, {"title": ""}), lambda: item_table, ReadOptions(), extra_rows=extra_rows
        )
    finally:
        con.close()


def read_item_table(source: Any, key: str) -> ItemTable:
    """Read a table of items, for data from another source. key: the name of the item id column in that data."""
    con = connect()
    try:
        return _open_item_table(con, source.toArrow() if hasattr(source, "toArrow") else source, "item", key, "stop")()
    finally:
        con.close()


def _open_source(
    con: DuckDBPyConnection, source: Any, options: ReadOptions
) -> tuple[Source, ItemTableReader | None, ItemTableReader | None]:
    """Open a path, folder, database or frame; also return readers of the item and user tables that belong to it."""
    query, delimiter = options.query, options.delimiter
    if not is_frame(source) and not isinstance(source, str | os.PathLike):
        raise SourceError(
            f"a source must be a path, a folder, a database URL or a frame, not {type(source).__name__}; "
            "convert it to a frame (pandas, polars, pyarrow)."
        )
    path = "" if is_frame(source) else os.fspath(source)
    if is_database_url(path) and not query:
        raise ParameterError("a database requires query= (--query), such as 'SELECT user, item, value FROM ratings'.")
    if query is not None and not is_database_url(path):
        raise ParameterError("query= requires a database URL, such as 'sqlite:///shop.db'; remove it.")
    is_folder = bool(path) and Path(path).is_dir()
    if delimiter is not None and (is_frame(source) or is_database_url(path) or is_folder):
        raise ParameterError("delimiter= is valid only for a file of delimited text; remove it.")
    if is_frame(source):
        return open_frame(con, source), None, None
    if query is not None:
        return open_query(con, path, query), None, None
    if is_folder:
        return open_movielens_folder(con, Path(path), options.bad_rows)
    events = open_files(con, path, delimiter)
    return events, article_reader(con, path, options.bad_rows) if is_deskdrop(events) else None, None


def _open_item_table(
    con: DuckDBPyConnection, source_table: Any, side: SideName, key: str, bad_rows: str
) -> ItemTableReader:
    """Open the table of items or users that the caller passed; return a function that reads it."""
    if not is_frame(source_table) and not isinstance(source_table, str | os.PathLike):
        raise SourceError(
            f"{side}s= must be a path or a frame, not {type(source_table).__name__}; convert it to a frame (pandas, "
            "polars, pyarrow)."
        )
    if not is_frame(source_table) and is_database_url(os.fspath(source_table)):
        raise SourceError(
            f"{side}s={source_table!r} is a database; export its table of {side}s to a file, and pass the file."
        )
    name = "the catalog" if side == "item" else "the users' table"
    source = open_frame(con, source_table, name) if is_frame(source_table) else open_files(con, os.fspath(source_table))
    return lambda: read_items(source, key, bad_rows, side)

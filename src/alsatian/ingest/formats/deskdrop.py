"""The log of CI&T DeskDrop (users_interactions.csv), recognized by its columns, with titles from the same folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alsatian.errors import pluralize
from alsatian.ingest.column_names import normalize_column_name
from alsatian.ingest.item_table import ItemTable, read_items
from alsatian.ingest.sources.files import open_files
from alsatian.ingest.sources.source import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DESKDROP_EVENT_WEIGHTS = {"VIEW": 1.0, "LIKE": 2.0, "BOOKMARK": 3.0, "FOLLOW": 4.0, "COMMENT CREATED": 5.0}
ARTICLES_FILE = "shared_articles.csv"
_LOG_COLUMNS = {"eventtype", "contentid", "personid"}
# The text of articles is not read, since it would dominate the size of a model file.
_ARTICLE_COLUMNS = ("contentid", "title", "contenttype", "url", "lang")
_REMOVED_EVENT = "CONTENT REMOVED"


def is_deskdrop(source: Source) -> bool:
    """Return whether a source has the columns of this log."""
    return {normalize_column_name(name) for name in source.columns} >= _LOG_COLUMNS


def article_reader(con: DuckDBPyConnection, path: str, bad_rows: str) -> Callable[[], ItemTable] | None:
    """Return a function that reads the articles in the folder of the log, or None if that file does not exist."""
    articles = Path(path).with_name(ARTICLES_FILE)
    return (lambda: _read_articles(con, articles, bad_rows)) if articles.is_file() else None


def _read_articles(con: DuckDBPyConnection, path: Path, bad_rows: str) -> ItemTable:
    source = open_files(con, str(path))
    select_all = source.select
    event_column = next((c for c in source.columns if normalize_column_name(c) == "eventtype"), None)
    notes = [f"titles come from {path.name} in the folder of the log."]
    if event_column:
        removed_condition = f"coalesce(trim({source.columns[event_column].sql}), '') = '{_REMOVED_EVENT}'"
        (n_removed,) = con.execute(
            f"SELECT count(*) FROM {select_all(source.files)} WHERE {removed_condition}"
        ).fetchone() or (0,)
        if n_removed:
            notes.append(f"{path.name}: {pluralize(n_removed, 'row')} with {_REMOVED_EVENT} left out.")

        def select(files: Sequence[str]) -> str:
            return f"(SELECT * FROM {select_all(files)} WHERE NOT {removed_condition})"

        source.select = select
    source.columns = {
        name: cell for name, cell in source.columns.items() if normalize_column_name(name) in _ARTICLE_COLUMNS
    }
    table = read_items(source, "contentId", bad_rows)
    return ItemTable(table.name, table.ids, table.columns, [*notes, *table.notes])

"""The log of CI&T DeskDrop (users_interactions.csv): known by its columns; the titles may lie beside it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alsatian.errors import counted
from alsatian.ingest.column_names import plain
from alsatian.ingest.item_table import ItemTable, read_items
from alsatian.ingest.sources.files import open_files
from alsatian.ingest.sources.source import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

EVENTS = {"VIEW": 1.0, "LIKE": 2.0, "BOOKMARK": 3.0, "FOLLOW": 4.0, "COMMENT CREATED": 5.0}
ARTICLES = "shared_articles.csv"
_COLUMNS = {"eventtype", "contentid", "personid"}
_KEPT = ("contentid", "title", "contenttype", "url", "lang")  # the whole text would be most of a model file
_REMOVED = "CONTENT REMOVED"


def is_deskdrop(source: Source) -> bool:
    """Tell whether a source has the columns of this log."""
    return {plain(name) for name in source.columns} >= _COLUMNS


def articles_beside(con: DuckDBPyConnection, path: str, bad_rows: str) -> Callable[[], ItemTable] | None:
    """Return what reads the articles that lie beside the log, or None where there are none."""
    articles = Path(path).with_name(ARTICLES)
    return (lambda: _read(con, articles, bad_rows)) if articles.is_file() else None


def _read(con: DuckDBPyConnection, path: Path, bad_rows: str) -> ItemTable:
    source = open_files(con, str(path))
    whole, events = source.select, next((c for c in source.columns if plain(c) == "eventtype"), None)
    notes = [f"titles are those of {path.name}, beside the log."]
    if events:
        removed = f"coalesce(trim({source.columns[events].sql}), '') = '{_REMOVED}'"
        (gone,) = con.execute(f"SELECT count(*) FROM {whole(source.files)} WHERE {removed}").fetchone() or (0,)
        if gone:
            notes.append(f"{path.name}: {counted(gone, 'row')} {_REMOVED} left out.")

        def select(files: Sequence[str]) -> str:
            return f"(SELECT * FROM {whole(files)} WHERE NOT {removed})"

        source.select = select
    source.columns = {name: cell for name, cell in source.columns.items() if plain(name) in _KEPT}
    table = read_items(source, "contentId", bad_rows)
    return ItemTable(table.name, table.ids, table.columns, [*notes, *table.notes])

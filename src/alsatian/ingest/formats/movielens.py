"""The folders in which GroupLens publishes MovieLens, in all formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alsatian.errors import SourceError, join_names
from alsatian.ingest.item_table import ItemTable, read_items
from alsatian.ingest.sources.delimited import open_text
from alsatian.ingest.sources.files import open_files
from alsatian.ingest.sources.lines import detect_encoding
from alsatian.ingest.sources.source import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_RATING_COLUMNS = ["userId", "movieId", "rating", "timestamp"]
_GENRES = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
]  # fmt: skip
NO_GENRES = "(no genres listed)"

TableReader = Callable[[], ItemTable]


@dataclass(frozen=True)
class FolderFormat:
    """A format of folder: its files of ratings, movies and users (or None), and how to read each."""

    ratings: str
    movies: str
    delimiter: str
    rating_columns: list[str] | None
    movie_columns: list[str] | None
    users: str | None = None
    user_columns: list[str] | None = None


FOLDER_FORMATS = (
    FolderFormat("ratings.csv", "movies.csv", ",", None, None),
    FolderFormat(
        "ratings.dat",
        "movies.dat",
        "::",
        _RATING_COLUMNS,
        ["movieId", "title", "genres"],
        "users.dat",
        ["userId", "gender", "age", "occupation", "zip_code"],
    ),
    FolderFormat(
        "u.data",
        "u.item",
        "\t",
        _RATING_COLUMNS,
        ["movieId", "title", "released", "video", "imdb", *_GENRES],
        "u.user",
        ["userId", "age", "gender", "occupation", "zip_code"],
    ),
)


def detect_folder_format(folder: Path) -> FolderFormat:
    """Return the format of a folder; raises SourceError if it has none of the known formats."""
    for folder_format in FOLDER_FORMATS:
        if (folder / folder_format.ratings).is_file():
            return folder_format
    file_names = sorted(entry.name for entry in folder.iterdir())
    contents = f"contains {join_names(file_names)}" if file_names else "is empty"
    raise SourceError(
        f"{str(folder)!r} is not a MovieLens folder (it {contents}); pass a file in it, or a pattern such as "
        f"{str(folder / '*.csv')!r}."
    )


def open_movielens_folder(
    con: DuckDBPyConnection, folder: Path, bad_rows: str = "stop"
) -> tuple[Source, TableReader | None, TableReader | None]:
    """Open the ratings of a folder. Also return functions that read its movies and its users; None without a file."""
    folder_format = detect_folder_format(folder)
    if folder_format.rating_columns:
        ratings = open_text(
            con,
            folder_format.ratings,
            [str(folder / folder_format.ratings)],
            folder_format.delimiter,
            folder_format.rating_columns,
        )
    else:
        ratings = open_files(con, str(folder / folder_format.ratings))
    movies, users = folder / folder_format.movies, folder / (folder_format.users or folder_format.movies)
    return (
        ratings,
        (lambda: _read_movies(con, folder_format, movies, bad_rows)) if movies.is_file() else None,
        (lambda: _read_users(con, folder_format, users, bad_rows)) if folder_format.users and users.is_file() else None,
    )


def _read_users(con: DuckDBPyConnection, folder_format: FolderFormat, path: Path, bad_rows: str) -> ItemTable:
    return read_items(_open_table(con, folder_format, path, folder_format.user_columns), "userId", bad_rows, "user")


def _open_table(con: DuckDBPyConnection, folder_format: FolderFormat, path: Path, names: list[str] | None) -> Source:
    delimiter = "|" if folder_format.movies == "u.item" else folder_format.delimiter
    return open_text(con, path.name, [str(path)], delimiter, names, detect_encoding(str(path)))


def _read_movies(con: DuckDBPyConnection, folder_format: FolderFormat, path: Path, bad_rows: str) -> ItemTable:
    table = read_items(_open_table(con, folder_format, path, folder_format.movie_columns), "movieId", bad_rows)
    if folder_format.movies == "u.item":
        table.columns = _join_genre_flags(table.columns)
    if "genres" in table.columns:
        table.columns["genres"] = [None if g == NO_GENRES else g for g in table.columns["genres"]]
    links = path.with_name("links.csv")
    if links.is_file():
        _add_links(table, read_items(open_files(con, str(links)), "movieId", bad_rows))
    return table


def _join_genre_flags(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Replace the columns of zeros and ones per genre with one column of names: "Action|Adventure"."""
    flags = zip(*(columns[genre] for genre in _GENRES[1:]), strict=True)
    genres = ["|".join(name for name, flag in zip(_GENRES[1:], row, strict=True) if flag) or None for row in flags]
    year = {"year": columns["year"]} if "year" in columns else {}
    return {"title": columns["title"], "genres": genres, **year}


def _add_links(table: ItemTable, links: ItemTable) -> None:
    row_of_item = {item: row for row, item in enumerate(links.ids)}
    for name, values in links.columns.items():
        table.columns[name] = [values[row_of_item[item]] if item in row_of_item else None for item in table.ids]
    table.notes += links.notes

"""The folders in which GroupLens publishes MovieLens, in all their forms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alsatian.errors import SourceError, listed
from alsatian.ingest.item_table import ItemTable, read_items
from alsatian.ingest.sources.delimited import open_text
from alsatian.ingest.sources.files import open_files
from alsatian.ingest.sources.lines import encoding_of
from alsatian.ingest.sources.source import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EVENTS = ["userId", "movieId", "rating", "timestamp"]
_GENRES = [
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama",
    "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
]  # fmt: skip
NO_GENRES = "(no genres listed)"

Table = Callable[[], ItemTable]  # what reads one


@dataclass(frozen=True)
class Form:
    """One form of folder: the files of ratings, of movies and of users, if there is one, and how to open each."""

    ratings: str
    movies: str
    delimiter: str
    event_names: list[str] | None
    movie_names: list[str] | None
    users: str | None = None
    user_names: list[str] | None = None


FORMS = (
    Form("ratings.csv", "movies.csv", ",", None, None),
    Form(
        "ratings.dat",
        "movies.dat",
        "::",
        _EVENTS,
        ["movieId", "title", "genres"],
        "users.dat",
        ["userId", "gender", "age", "occupation", "zip_code"],
    ),
    Form(
        "u.data",
        "u.item",
        "\t",
        _EVENTS,
        ["movieId", "title", "released", "video", "imdb", *_GENRES],
        "u.user",
        ["userId", "age", "gender", "occupation", "zip_code"],
    ),
)


def form_of(folder: Path) -> Form:
    """Return the form of a folder; raises SourceError when it is of none."""
    for form in FORMS:
        if (folder / form.ratings).is_file():
            return form
    inside = sorted(entry.name for entry in folder.iterdir())
    what = f"holds {listed(inside)}" if inside else "is empty"
    raise SourceError(
        f"{str(folder)!r} is a folder of no known form (it {what}); name a file in it, or a pattern such as "
        f"{str(folder / '*.csv')!r}."
    )


def open_folder(
    con: DuckDBPyConnection, folder: Path, bad_rows: str = "stop"
) -> tuple[Source, Table | None, Table | None]:
    """Open the ratings of a folder; also return what reads its movies and its users, if they are there."""
    form = form_of(folder)
    if form.event_names:
        ratings = open_text(con, form.ratings, [str(folder / form.ratings)], form.delimiter, form.event_names)
    else:
        ratings = open_files(con, str(folder / form.ratings))
    movies, users = folder / form.movies, folder / (form.users or form.movies)
    return (
        ratings,
        (lambda: _movies(con, form, movies, bad_rows)) if movies.is_file() else None,
        (lambda: _users(con, form, users, bad_rows)) if form.users and users.is_file() else None,
    )


def _users(con: DuckDBPyConnection, form: Form, path: Path, bad_rows: str) -> ItemTable:
    return read_items(_opened(con, form, path, form.user_names), "userId", bad_rows, "user")


def _opened(con: DuckDBPyConnection, form: Form, path: Path, names: list[str] | None) -> Source:
    delimiter = "|" if form.movies == "u.item" else form.delimiter
    return open_text(con, path.name, [str(path)], delimiter, names, encoding_of(str(path)))


def _movies(con: DuckDBPyConnection, form: Form, path: Path, bad_rows: str) -> ItemTable:
    table = read_items(_opened(con, form, path, form.movie_names), "movieId", bad_rows)
    if form.movies == "u.item":
        table.columns = _from_flags(table.columns)
    if "genres" in table.columns:
        table.columns["genres"] = [None if g == NO_GENRES else g for g in table.columns["genres"]]
    links = path.with_name("links.csv")
    if links.is_file():
        _add_links(table, read_items(open_files(con, str(links)), "movieId", bad_rows))
    return table


def _from_flags(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Turn a column of zeros and ones per genre into one of names: "Action|Adventure"."""
    flags = zip(*(columns[genre] for genre in _GENRES[1:]), strict=True)
    genres = ["|".join(name for name, flag in zip(_GENRES[1:], row, strict=True) if flag) or None for row in flags]
    year = {"year": columns["year"]} if "year" in columns else {}
    return {"title": columns["title"], "genres": genres, **year}


def _add_links(table: ItemTable, links: ItemTable) -> None:
    place = {item: at for at, item in enumerate(links.ids)}
    for name, values in links.columns.items():
        table.columns[name] = [values[place[item]] if item in place else None for item in table.ids]
    table.notes += links.notes

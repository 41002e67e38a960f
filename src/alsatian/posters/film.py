"""How a film is looked up: by its id in IMDb or TMDB, else by title and year."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from alsatian.data.catalog import Catalog
from alsatian.data.id_map import Id
from alsatian.data.title_search import title_variants, title_without_year, year_in_title

# Names of columns, in lower case and without underscores.
_IMDB_COLUMNS, _TMDB_COLUMNS = ("imdbid", "imdb", "tconst"), ("tmdbid", "tmdb")
_IMDB_ID = re.compile(r"(?:tt)?(\d{1,10})")


@dataclass(frozen=True)
class Film:
    """A film: its title, such as "Matrix, The (1999)", and optionally its year and ids.

    year: None takes the year in the title. imdb: such as "tt0133093". tmdb: such as 603.
    """

    title: str
    year: int | None = None
    imdb: str | None = None
    tmdb: int | None = None

    @classmethod
    def from_catalog(cls, catalog: Catalog, row: int, item: Id) -> Film:
        """Return the item at a row of a catalog; its columns imdbId and tmdbId hold ids, as those of MovieLens do."""
        attributes = {name.lower().replace("_", ""): value for name, value in catalog.attributes(row).items()}
        imdb = _first_value(attributes, _IMDB_COLUMNS, _parse_imdb_id)
        return cls(
            catalog.title_of(row) or str(item),
            _positive_int(attributes.get("year")),
            imdb,
            _first_value(attributes, _TMDB_COLUMNS, _positive_int),
        )

    @property
    def name(self) -> str:
        """The title without year, its article in front: "The Matrix"."""
        return title_without_year(self.title)

    @property
    def names(self) -> set[str]:
        """All names in the title, normalized for comparison."""
        return set(title_variants(self.title))

    @property
    def release_year(self) -> int | None:
        """The year of the film: that of the catalog, else the one in the title, else None."""
        return self.year or year_in_title(self.title)

    @property
    def key(self) -> str:
        """The name of the film in the cache."""
        if self.tmdb is not None:
            return f"tmdb-{self.tmdb}"
        if self.imdb is not None:
            return f"imdb-{self.imdb}"
        digest = hashlib.sha256(f"{self.name.casefold()} {self.release_year}".encode()).hexdigest()
        return f"title-{digest[:24]}"


def _first_value(attributes: dict[str, Any], names: tuple[str, ...], parse: Any) -> Any:
    return next((value for name in names if (value := parse(attributes.get(name))) is not None), None)


def _positive_int(value: Any) -> int | None:
    try:
        return None if value is None or isinstance(value, bool) or int(value) <= 0 else int(value)
    except (ValueError, OverflowError):
        return None


def _parse_imdb_id(value: Any) -> str | None:
    """Return an IMDb id with its prefix and at least seven digits, which are lost if ids are stored as numbers."""
    match = _IMDB_ID.fullmatch(str(value).strip()) if value is not None else None
    return f"tt{int(match[1]):07d}" if match and int(match[1]) else None

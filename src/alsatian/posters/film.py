"""What a poster is looked up by: ids of other databases, else the title and the year."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from alsatian.data.catalog import Catalog
from alsatian.data.id_map import Id
from alsatian.data.title_search import name_of, names_of, year_of

_IMDB, _TMDB = ("imdbid", "imdb", "tconst"), ("tmdbid", "tmdb")  # names of columns, without case and underscores
_IMDB_ID = re.compile(r"(?:tt)?(\d{1,10})")


@dataclass(frozen=True)
class Film:
    """A film by its title, such as "Matrix, The (1999)", and what else is known.

    year: else the one in the title. imdb: "tt0133093"; tmdb: 603.
    """

    title: str
    year: int | None = None
    imdb: str | None = None
    tmdb: int | None = None

    @classmethod
    def of(cls, catalog: Catalog, row: int, item: Id) -> Film:
        """Return the item at a row of a catalog; its columns imdbId and tmdbId hold ids, as those of MovieLens do."""
        known = {name.lower().replace("_", ""): value for name, value in catalog.attributes(row).items()}
        imdb = _first(known, _IMDB, _imdb)
        return cls(catalog.title_of(row) or str(item), _number(known.get("year")), imdb, _first(known, _TMDB, _number))

    @property
    def name(self) -> str:
        """The title as people say it: "The Matrix"."""
        return name_of(self.title)

    @property
    def names(self) -> set[str]:
        """All names in the title, in the form in which names are compared."""
        return set(names_of(self.title))

    @property
    def released(self) -> int | None:
        return self.year or year_of(self.title)

    @property
    def key(self) -> str:
        """A name for files about this film."""
        if self.tmdb is not None:
            return f"tmdb-{self.tmdb}"
        if self.imdb is not None:
            return f"imdb-{self.imdb}"
        digest = hashlib.sha256(f"{self.name.casefold()} {self.released}".encode()).hexdigest()
        return f"title-{digest[:24]}"


def _first(known: dict[str, Any], names: tuple[str, ...], read: Any) -> Any:
    return next((found for name in names if (found := read(known.get(name))) is not None), None)


def _number(value: Any) -> int | None:
    try:
        return None if value is None or isinstance(value, bool) or int(value) <= 0 else int(value)
    except (ValueError, OverflowError):
        return None


def _imdb(value: Any) -> str | None:
    """Return an id of IMDb with its prefix and at least seven digits, which files of numbers lose."""
    found = _IMDB_ID.fullmatch(str(value).strip()) if value is not None else None
    return f"tt{int(found[1]):07d}" if found and int(found[1]) else None

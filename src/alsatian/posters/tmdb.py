"""The Movie Database: which poster a film has, and the picture (its API, version 3: developer.themoviedb.org).

    /configuration                              where pictures are, and in which sizes
    /movie/{id}                                 a film by TMDB's own id
    /find/{imdb id}?external_source=imdb_id     films, and series, by the id of IMDb
    /search/movie?query=...&year=...            films by title

Its limit is somewhere above 40 requests a second and may change; who asks too much is told so (429, Retry-After).
"""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import Request, urlopen

from alsatian.posters.film import Film

API = "https://api.themoviedb.org/3"
WIDTH = 342  # of the pictures asked for, in pixels: twice what a page shows
PAUSE = 0.05  # seconds from one request to the next: half the limit
TRIES, PATIENCE = 4, 30.0  # how often to ask where TMDB is busy, and the longest wait that it may ask for, in seconds
TIMEOUT = 20  # seconds without an answer
MOST = 8 << 20  # bytes of an answer
_PATH = re.compile(r"/[\w.-]+")


class Unavailable(Exception):
    """TMDB does not answer, or not to this key: there is no use in asking on. The message says why."""


class TMDB:
    """Asks TMDB with a key: an API key, or an API read access token."""

    def __init__(self, key: str, api: str | None = None) -> None:
        self.key, self.api = key, api or API
        self.before = -PAUSE  # when the last request was made

    def configuration(self) -> dict[str, Any]:
        """Return the address of pictures and the sizes of posters; they stay the same for days."""
        images = (self._ask("/configuration") or {}).get("images", {})
        base, sizes = images.get("secure_base_url"), images.get("poster_sizes")
        if not isinstance(base, str) or urlsplit(base).scheme not in ("http", "https") or not isinstance(sizes, list):
            raise Unavailable("TMDB does not say where its pictures are")
        return {"base": base, "size": _size([str(size) for size in sizes])}

    def poster(self, film: Film) -> str | None:
        """Return the path of a film's poster, or None: by the first of its ids that TMDB knows, else by its title."""
        for found in self._found(film):
            path = found.get("poster_path")
            return path if isinstance(path, str) and _PATH.fullmatch(path) else None
        return None

    def picture(self, configuration: dict[str, Any], path: str) -> bytes | None:
        """Return the bytes of a picture."""
        return self._fetch(f"{configuration['base'].rstrip('/')}/{configuration['size']}{path}", {})

    def _found(self, film: Film) -> Iterator[dict[str, Any]]:
        if film.tmdb is not None and (found := self._ask(f"/movie/{film.tmdb}")):
            yield found
        if film.imdb is not None:
            answer = self._ask(f"/find/{quote(film.imdb)}", external_source="imdb_id") or {}
            yield from [*_list(answer, "movie_results"), *_list(answer, "tv_results")]
        for year in dict.fromkeys((film.released, None)):
            options = {} if year is None else {"year": str(year)}
            results = _list(self._ask("/search/movie", query=film.name, **options) or {}, "results")
            yield from (each for each in results if _is(film, each))

    def _ask(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return an answer, or None where TMDB has nothing there (404)."""
        headers = {"Accept": "application/json"}
        if "." in self.key:  # a token has dots, and a key has not
            headers["Authorization"] = f"Bearer {self.key}"
        else:
            query = query | {"api_key": self.key}
        content = self._fetch(f"{self.api}{path}{'?' if query else ''}{urlencode(query)}", headers)
        try:
            answer = None if content is None else json.loads(content)
        except ValueError:
            raise Unavailable("TMDB answers something that is no JSON") from None
        return answer if isinstance(answer, dict) else None

    def _fetch(self, url: str, headers: dict[str, str]) -> bytes | None:
        for attempt in range(TRIES):
            time.sleep(max(0.0, self.before + PAUSE - time.monotonic()))
            self.before = time.monotonic()
            try:
                with urlopen(Request(url, headers=headers | {"User-Agent": "alsatian"}), timeout=TIMEOUT) as answer:
                    content: bytes = answer.read(MOST + 1)
                    if len(content) > MOST:
                        return None
                    if answer.length:
                        raise OSError("the connection broke off")
                    return content
            except HTTPError as error:
                with error:
                    wait = _after(error, attempt)
                if wait is None:
                    return None
                time.sleep(wait)
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = getattr(error, "reason", None) or error
                raise Unavailable(f"TMDB cannot be reached ({getattr(reason, 'strerror', None) or reason})") from None
        raise Unavailable("TMDB is too busy to answer")


def _after(error: HTTPError, attempt: int) -> float | None:
    """Return for how long to wait before asking again, or None where there is nothing. Raises Unavailable."""
    if error.code == 404:
        return None
    if error.code == 401:
        raise Unavailable(f"TMDB refuses the key ({_message(error)})")
    if error.code != 429 and error.code < 500:
        raise Unavailable(f"TMDB says {error.code}, {_message(error)}")
    try:
        wait = float(error.headers.get("Retry-After", ""))
    except ValueError:
        wait = 2.0**attempt
    if not 0 <= wait <= PATIENCE:
        raise Unavailable(f"TMDB asks to wait {wait:.0f} s")
    return wait


def _message(error: HTTPError) -> str:
    """Return what TMDB says of an error."""
    try:
        return str(json.loads(error.read(MOST))["status_message"]).rstrip(".")
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return str(error.reason)


def _list(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = answer.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _is(film: Film, found: dict[str, Any]) -> bool:
    """Tell whether what a search found is the film: the same name, and at most a year apart."""
    names = {name for key in ("title", "original_title") for name in Film(str(found.get(key) or "")).names}
    year = str(found.get("release_date") or "")[:4]
    near = film.released is None or (year.isdigit() and abs(int(year) - film.released) <= 1)
    return near and bool(names & film.names)


def _size(sizes: list[str]) -> str:
    """Return the smallest size that is wide enough: "w342" of "w92", "w154", "w342", "original"."""
    widths = sorted((int(size[1:]), size) for size in sizes if re.fullmatch(r"w\d{1,5}", size))
    return next((size for width, size in widths if width >= WIDTH), widths[-1][1] if widths else "original")

"""The Movie Database: a client for posters (API version 3: developer.themoviedb.org).

    /configuration                              address and sizes of images
    /movie/{id}                                 a film by TMDB's own id
    /find/{imdb id}?external_source=imdb_id     films, and series, by the id of IMDb
    /search/movie?query=...&year=...            films by title

The rate limit is above 40 requests per second and may change; clients above it get status 429 with Retry-After.
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

API_URL = "https://api.themoviedb.org/3"
POSTER_WIDTH = 342  # pixels: twice the width on a page
REQUEST_INTERVAL_SECONDS = 0.05  # between requests: half the rate limit
MAX_ATTEMPTS = 4  # attempts of a request while TMDB is busy
MAX_WAIT_SECONDS = 30.0  # a longer Retry-After is an error
TIMEOUT_SECONDS = 20  # seconds without a response
MAX_RESPONSE_BYTES = 8 << 20
_POSTER_PATH = re.compile(r"/[\w.-]+")


class TMDBUnavailable(Exception):
    """TMDB does not answer or refuses the key, so further requests are useless. The message has the reason."""


class TMDB:
    """A client of the TMDB API, version 3.

    key: an API key or an API read access token. Methods raise TMDBUnavailable.
    """

    def __init__(self, key: str, api_url: str | None = None) -> None:
        self.key, self.api_url = key, api_url or API_URL
        self.last_request = -REQUEST_INTERVAL_SECONDS  # when the last request was made

    def configuration(self) -> dict[str, Any]:
        """Return the address of images and the size of posters; they stay the same for days."""
        images = (self._get_json("/configuration") or {}).get("images", {})
        base, sizes = images.get("secure_base_url"), images.get("poster_sizes")
        if not isinstance(base, str) or urlsplit(base).scheme not in ("http", "https") or not isinstance(sizes, list):
            raise TMDBUnavailable("TMDB returned no address of its images")
        return {"base": base, "size": choose_size([str(size) for size in sizes])}

    def poster_path(self, film: Film) -> str | None:
        """Return the path of the poster, or None: by the first id that TMDB has, else by the title."""
        for candidate in self._candidates(film):
            path = candidate.get("poster_path")
            return path if isinstance(path, str) and _POSTER_PATH.fullmatch(path) else None
        return None

    def download_image(self, configuration: dict[str, Any], path: str) -> bytes | None:
        """Return the bytes of an image."""
        return self._fetch(f"{configuration['base'].rstrip('/')}/{configuration['size']}{path}", {})

    def _candidates(self, film: Film) -> Iterator[dict[str, Any]]:
        if film.tmdb is not None and (movie := self._get_json(f"/movie/{film.tmdb}")):
            yield movie
        if film.imdb is not None:
            response = self._get_json(f"/find/{quote(film.imdb)}", external_source="imdb_id") or {}
            yield from [*_dict_list(response, "movie_results"), *_dict_list(response, "tv_results")]
        for year in dict.fromkeys((film.release_year, None)):
            options = {} if year is None else {"year": str(year)}
            results = _dict_list(self._get_json("/search/movie", query=film.name, **options) or {}, "results")
            yield from (result for result in results if _matches_film(film, result))

    def _get_json(self, path: str, **query: str) -> dict[str, Any] | None:
        """Return a response, or None for status 404."""
        headers = {"Accept": "application/json"}
        if "." in self.key:  # a token contains dots, a key does not
            headers["Authorization"] = f"Bearer {self.key}"
        else:
            query = query | {"api_key": self.key}
        content = self._fetch(f"{self.api_url}{path}{'?' if query else ''}{urlencode(query)}", headers)
        try:
            response = None if content is None else json.loads(content)
        except ValueError:
            raise TMDBUnavailable("TMDB returned invalid JSON") from None
        return response if isinstance(response, dict) else None

    def _fetch(self, url: str, headers: dict[str, str]) -> bytes | None:
        for attempt in range(MAX_ATTEMPTS):
            time.sleep(max(0.0, self.last_request + REQUEST_INTERVAL_SECONDS - time.monotonic()))
            self.last_request = time.monotonic()
            try:
                with urlopen(
                    Request(url, headers=headers | {"User-Agent": "alsatian"}), timeout=TIMEOUT_SECONDS
                ) as response:
                    content: bytes = response.read(MAX_RESPONSE_BYTES + 1)
                    if len(content) > MAX_RESPONSE_BYTES:
                        return None
                    if response.length:
                        raise OSError("the connection was closed early")
                    return content
            except HTTPError as error:
                with error:
                    wait = retry_delay(error, attempt)
                if wait is None:
                    return None
                time.sleep(wait)
            except (OSError, http.client.HTTPException, ValueError) as error:
                reason = getattr(error, "reason", None) or error
                raise TMDBUnavailable(
                    f"TMDB cannot be reached ({getattr(reason, 'strerror', None) or reason})"
                ) from None
        raise TMDBUnavailable("TMDB is too busy")


def retry_delay(error: HTTPError, attempt: int) -> float | None:
    """Return the seconds to wait before the next attempt, None for 404. Raises TMDBUnavailable."""
    if error.code == 404:
        return None
    if error.code == 401:
        raise TMDBUnavailable(f"TMDB rejects the key ({_error_message(error)})")
    if error.code != 429 and error.code < 500:
        raise TMDBUnavailable(f"TMDB returned status {error.code}, {_error_message(error)}")
    try:
        wait = float(error.headers.get("Retry-After", ""))
    except ValueError:
        wait = 2.0**attempt
    if not 0 <= wait <= MAX_WAIT_SECONDS:
        raise TMDBUnavailable(f"TMDB asks to wait {wait:.0f} s")
    return wait


def _error_message(error: HTTPError) -> str:
    """Return the error message of TMDB."""
    try:
        return str(json.loads(error.read(MAX_RESPONSE_BYTES))["status_message"]).rstrip(".")
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return str(error.reason)


def _dict_list(response: dict[str, Any], name: str) -> list[dict[str, Any]]:
    values = response.get(name)
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _matches_film(film: Film, candidate: dict[str, Any]) -> bool:
    """Return whether a search result is the film: the same name, and years at most one apart."""
    names = {name for key in ("title", "original_title") for name in Film(str(candidate.get(key) or "")).names}
    year = str(candidate.get("release_date") or "")[:4]
    year_matches = film.release_year is None or (year.isdigit() and abs(int(year) - film.release_year) <= 1)
    return year_matches and bool(names & film.names)


def choose_size(sizes: list[str]) -> str:
    """Return the smallest size that is wide enough: "w342" of "w92", "w154", "w342", "original"."""
    widths = sorted((int(size[1:]), size) for size in sizes if re.fullmatch(r"w\d{1,5}", size))
    return next((size for width, size in widths if width >= POSTER_WIDTH), widths[-1][1] if widths else "original")

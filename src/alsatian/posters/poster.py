"""Posters: from the cache, else from TMDB, else drawn."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import NamedTuple

from alsatian.posters.cache import PosterCache
from alsatian.posters.film import Film
from alsatian.posters.placeholder import placeholder
from alsatian.posters.tmdb import TMDB, TMDBUnavailable

KEY_VARIABLE = "TMDB_API_KEY"
_IMAGE_SIGNATURES = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


class Poster(NamedTuple):
    """An image: its bytes, its media type ("image/jpeg", "image/svg+xml"), and whether it is a drawn placeholder."""

    content: bytes
    kind: str
    is_placeholder: bool

    @property
    def uri(self) -> str:
        """The image as a data URI."""
        return f"data:{self.kind};base64,{base64.b64encode(self.content).decode()}"


class Posters:
    """Looks up posters, one request at a time, and caches them in a folder.

    key: an API key or read access token of TMDB (None: $TMDB_API_KEY). folder: of the cache (None: `posters` in
    Alsatian's cache folder). offline=True makes no requests and uses only the cache.

    Films without a poster get a drawing of their title; so do all films if TMDB cannot be reached, and
    `unavailable_reason` says why.
    """

    def __init__(self, key: str | None = None, *, folder: str | Path | None = None, offline: bool = False) -> None:
        key = (os.environ.get(KEY_VARIABLE, "") if key is None else key).strip()
        self.cache = PosterCache(_default_folder() if folder is None else Path(folder))
        self.unavailable_reason: str | None = None
        if offline:
            self.unavailable_reason = "offline"
        elif not key:
            self.unavailable_reason = (
                f"{KEY_VARIABLE} is not set; get a key of your own at https://www.themoviedb.org/settings/api"
            )
        elif not re.fullmatch(r"[\w.-]+", key, re.ASCII):
            self.unavailable_reason = f"{KEY_VARIABLE} is not a valid key of TMDB; copy it again"
        self.tmdb = TMDB(key)

    def of(self, film: Film) -> Poster:
        """Return a film's poster."""
        content = self.cache.get(film.key)
        if content is None or (content and image_kind(content) is None):
            content = self._fetch_poster(film)
        kind = image_kind(content or b"")
        if content and kind:
            return Poster(content, kind, is_placeholder=False)
        return Poster(placeholder(film.name, film.release_year).encode(), "image/svg+xml", is_placeholder=True)

    def _fetch_poster(self, film: Film) -> bytes | None:
        """Request a poster from TMDB and cache it (b"" for none). After a failure, no more requests are made."""
        if self.unavailable_reason is not None:
            return None
        try:
            path = self.tmdb.poster_path(film)
            content = None if path is None else self.tmdb.download_image(self._image_address(), path)
        except TMDBUnavailable as error:
            self.unavailable_reason = str(error)
            return None
        content = content if content and image_kind(content) else b""
        self.cache.put(film.key, content)
        return content

    def _image_address(self) -> dict[str, str]:
        if (cached := self.cache.get_address()) is not None:
            return cached
        address = self.tmdb.configuration()
        self.cache.put("address", json.dumps(address).encode())
        return address


def image_kind(content: bytes) -> str | None:
    """Return the media type of an image, or None if it is not JPEG or PNG.

    >>> image_kind(bytes([255, 216, 255, 224])), image_kind(b"<html>")
    ('image/jpeg', None)
    """
    return next((kind for signature, kind in _IMAGE_SIGNATURES if content.startswith(signature)), None)


def _default_folder() -> Path:
    from alsatian.datasets.builtin import cache_folder

    return cache_folder() / "posters"

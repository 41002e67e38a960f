"""Where a poster comes from: the folder, else TMDB, else it is drawn."""

from __future__ import annotations

import base64
import json
import os
import re
from pathlib import Path
from typing import NamedTuple

from alsatian.posters.cache import Shelf
from alsatian.posters.film import Film
from alsatian.posters.placeholder import placeholder
from alsatian.posters.tmdb import TMDB, Unavailable

KEY = "TMDB_API_KEY"
_KINDS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


class Poster(NamedTuple):
    """A picture: its bytes, their kind ("image/jpeg", "image/svg+xml"), and whether it is drawn for want of one."""

    content: bytes
    kind: str
    drawn: bool

    @property
    def uri(self) -> str:
        """The picture as an address that holds it."""
        return f"data:{self.kind};base64,{base64.b64encode(self.content).decode()}"


class Posters:
    """Finds posters, one request after another, and keeps them in a folder.

    key: of TMDB, an API key or a read access token (None: $TMDB_API_KEY). folder: None: `posters` in Alsatian's cache
    folder. offline=True asks nobody and takes what the folder has.

    Films without a poster, and all films where TMDB cannot be asked, get a drawing of their title; `trouble` says why.
    """

    def __init__(self, key: str | None = None, *, folder: str | Path | None = None, offline: bool = False) -> None:
        key = (os.environ.get(KEY, "") if key is None else key).strip()
        self.shelf = Shelf(_usual_folder() if folder is None else Path(folder))
        self.trouble: str | None = None
        if offline:
            self.trouble = "nobody is asked"
        elif not key:
            self.trouble = f"{KEY} is not set; get a key of your own at https://www.themoviedb.org/settings/api"
        elif not re.fullmatch(r"[\w.-]+", key, re.ASCII):
            self.trouble = f"{KEY} holds what no key of TMDB holds; copy it again"
        self.tmdb = TMDB(key)

    def of(self, film: Film) -> Poster:
        """Return a film's poster."""
        content = self.shelf.get(film.key)
        if content is None or (content and kind_of(content) is None):
            content = self._asked(film)
        kind = kind_of(content or b"")
        if content and kind:
            return Poster(content, kind, drawn=False)
        return Poster(placeholder(film.name, film.released).encode(), "image/svg+xml", drawn=True)

    def _asked(self, film: Film) -> bytes | None:
        """Ask TMDB, and keep its answer, also that there is none; the first trouble is the last question."""
        if self.trouble is not None:
            return None
        try:
            path = self.tmdb.poster(film)
            content = None if path is None else self.tmdb.picture(self._address(), path)
        except Unavailable as why:
            self.trouble = str(why)
            return None
        content = content if content and kind_of(content) else b""
        self.shelf.put(film.key, content)
        return content

    def _address(self) -> dict[str, str]:
        if (kept := self.shelf.address()) is not None:
            return kept
        address = self.tmdb.configuration()
        self.shelf.put("address", json.dumps(address).encode())
        return address


def kind_of(content: bytes) -> str | None:
    """Return what kind of picture these bytes are, or None.

    >>> kind_of(bytes([255, 216, 255, 224])), kind_of(b"<html>")
    ('image/jpeg', None)
    """
    return next((kind for head, kind in _KINDS if content.startswith(head)), None)


def _usual_folder() -> Path:
    from alsatian.datasets.builtin import cache_folder

    return cache_folder() / "posters"

"""A server on this machine that answers as The Movie Database does by its documentation."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alsatian.posters import poster, tmdb

KEY = "0123456789abcdef0123456789abcdef"
JPEG = b"\xff\xd8\xff\xe0 a picture of "
NOT_FOUND = {"success": False, "status_code": 34, "status_message": "The resource you requested could not be results."}
REFUSED = {"success": False, "status_code": 7, "status_message": "Invalid API key: You must be granted a valid key."}
BUSY = {
    "success": False,
    "status_code": 25,
    "status_message": "Your request count (#) is over the allowed limit of (40).",
}


def movie(id: int, title: str, year: int, path: str | None, original: str | None = None) -> dict[str, Any]:
    return {
        "id": id, "title": title, "original_title": original or title, "release_date": f"{year}-05-30",
        "poster_path": path, "adult": False, "overview": "...", "popularity": 16.5, "vote_count": 3,
    }  # fmt: skip


class Server(ThreadingHTTPServer):
    """Knows a few films; records the requests, and sends the responses in `instead` first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.films = {
            1726: movie(1726, "Iron Man", 2008, "/iron.jpg"),
            603: movie(603, "The Matrix", 1999, "/matrix.jpg"),
            194: movie(194, "Amélie", 2001, "/amelie.jpg", "Le Fabuleux Destin d'Amélie Poulain"),
            7: movie(7, "Unseen", 1990, None),
        }
        self.imdb = {"tt0371746": 1726, "tt0133093": 603}
        self.requests: list[str] = []
        self.tokens: list[str] = []
        self.instead: list[tuple[int, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def paths(self) -> list[str]:
        return [urlsplit(url).path.removeprefix("/3") for url in self.requests]

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Any]:
        """Return a status and a body: an object, or the bytes of an image."""
        where = path.strip("/").split("/")
        if where[0] == "t":
            return 200, JPEG + path.encode()
        if path == "/3/configuration":
            sizes = ["w92", "w154", "w185", "w342", "w500", "w780", "original"]
            return 200, {"images": {"base_url": "-", "secure_base_url": f"{self.url}/t/p/", "poster_sizes": sizes}}
        if where[1] == "movie":
            return (200, self.films[int(where[2])]) if int(where[2]) in self.films else (404, NOT_FOUND)
        if where[1] == "find" and query["external_source"] == "imdb_id":
            results = [self.films[self.imdb[where[2]]]] if where[2] in self.imdb else []
            others = {f"{kind}_results": [] for kind in ("person", "tv", "tv_episode", "tv_season")}
            return 200, {"movie_results": results} | others
        if path == "/3/search/movie":
            results = [
                film
                for film in self.films.values()
                if query["query"].lower() in f"{film['title']} {film['original_title']}".lower()
                and query.get("year", film["release_date"][:4]) == film["release_date"][:4]
            ]
            return 200, {"page": 1, "results": results, "total_pages": 1, "total_results": len(results)}
        return 404, NOT_FOUND


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.requests.append(self.path)
        self.server.tokens.append(self.headers.get("Authorization", ""))
        headers: dict[str, str] = {}
        allowed = query.get("api_key") == KEY or self.server.tokens[-1] == f"Bearer {KEY}.token"
        if self.server.instead:
            status, headers, body = self.server.instead.pop(0)
        elif parts.path.startswith("/3") and not allowed:
            status, body = 401, REFUSED
        else:
            status, body = self.server.answer(parts.path, query)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """TMDB for a test, on this machine; the key is in the environment, and nobody waits."""
    with Server() as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        monkeypatch.setattr(tmdb, "API_URL", f"{running.url}/3")
        monkeypatch.setattr(tmdb, "REQUEST_INTERVAL_SECONDS", 0.0)
        monkeypatch.setenv(poster.KEY_VARIABLE, KEY)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield running
        running.shutdown()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how long was waited; in truth nobody does, and it is always 100 s after the start."""
    waited: list[float] = []
    # A clock of this module alone: a thread that another test left would never rest with everybody's.
    clock = SimpleNamespace(sleep=lambda seconds: waited.append(seconds) if seconds else None, monotonic=lambda: 100.0)
    monkeypatch.setattr(tmdb, "time", clock)
    return waited

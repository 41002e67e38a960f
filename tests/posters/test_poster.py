"""Posters by id or title from a server that answers as TMDB does, from the folder, or drawn."""

from __future__ import annotations

import os
import time
from http.client import HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from alsatian.data.catalog import Catalog
from alsatian.data.id_map import IdMap
from alsatian.posters import Film, Posters, tmdb
from alsatian.posters import poster as source

KEY = "0123456789abcdef0123456789abcdef"
IRON_MAN = Film("Iron Man (2008)", tmdb=1726)
DAY = 86_400


def shown(posters: Posters, film: Film) -> str:
    """Return which picture a film gets."""
    poster = posters.of(film)
    return "drawn" if poster.is_placeholder else poster.content.decode("latin-1").rpartition("/")[2]


@pytest.fixture
def posters(server: Any, tmp_path: Path) -> Posters:
    return Posters(folder=tmp_path / "posters")


class TestFinding:
    def test_by_the_id_of_tmdb(self, server: Any, posters: Posters) -> None:
        poster = posters.of(IRON_MAN)
        assert (poster.kind, poster.is_placeholder) == ("image/jpeg", False)
        assert poster.uri.startswith("data:image/jpeg;base64,/9j/")
        assert server.paths == ["/movie/1726", "/configuration", "/t/p/w342/iron.jpg"]

    def test_by_the_id_of_imdb(self, server: Any, posters: Posters) -> None:
        assert shown(posters, Film("whatever", imdb="tt0133093")) == "matrix.jpg"
        assert server.requests[0] == f"/3/find/tt0133093?external_source=imdb_id&api_key={KEY}"

    @pytest.mark.parametrize(
        ("title", "picture"),
        [
            ("Matrix, The (1999)", "matrix.jpg"),
            ("The Matrix (2000)", "matrix.jpg"),  # a year apart, as release dates are
            ("Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)", "amelie.jpg"),
            ("Iron Man", "iron.jpg"),
            ("Matrix, The (1995)", "drawn"),
            ("Iron (2008)", "drawn"),  # a search finds Iron Man, which is another film
            ("Unseen (1990)", "drawn"),
            ("Nothing (1990)", "drawn"),
        ],
    )
    def test_by_title_and_year(self, server: Any, posters: Posters, title: str, picture: str) -> None:
        server.films[194]["title"] = "Amelie"
        assert shown(posters, Film(title)) == picture
        query = parse_qs(urlsplit(server.requests[0]).query)
        assert query["query"] == [Film(title).name]
        assert query.get("year") == (None if title == "Iron Man" else [title[-5:-1]])

    def test_what_one_id_does_not_find_the_next_may(self, server: Any, posters: Posters) -> None:
        assert shown(posters, Film("The Matrix (1999)", imdb="tt0000001", tmdb=5)) == "matrix.jpg"
        assert server.paths[:3] == ["/movie/5", "/find/tt0000001", "/search/movie"]

    def test_a_token_goes_into_a_header_and_a_key_into_the_address(self, server: Any, tmp_path: Path) -> None:
        assert shown(Posters(f"{KEY}.token", folder=tmp_path), IRON_MAN) == "iron.jpg"
        assert server.tokens == [f"Bearer {KEY}.token"] * 2 + [""]  # pictures need no key
        assert KEY not in "".join(server.requests)

    def test_the_size_is_the_smallest_that_will_do(self) -> None:
        assert tmdb.choose_size(["w92", "w500", "w780", "original"]) == "w500"
        assert tmdb.choose_size(["original", "w185", "w92"]) == "w185"
        assert tmdb.choose_size([]) == "original"

    def test_films_of_a_catalog(self) -> None:
        ids = IdMap.from_ids([1, 2, 3], "item")
        columns: dict[str, list[Any]] = {
            "title": ["Toy Story (1995)", None, "Heat (1995)"],
            "imdbId": [114709, None, "http://us.imdb.com/M/title-exact?Heat%20(1995)"],
            "tmdb_id": [862, None, 949.0],
            "year": [1995, 2001, None],
        }
        catalog = Catalog.from_columns(ids, [1, 2, 3], columns)
        toy, unknown, heat = (Film.from_catalog(catalog, row, ids.id_of(row)) for row in range(3))
        assert toy == Film("Toy Story (1995)", 1995, "tt0114709", 862)
        assert unknown == Film("2", 2001)
        assert heat == Film("Heat (1995)", None, None, 949)
        assert (toy.name, toy.release_year, heat.release_year) == ("Toy Story", 1995, 1995)
        assert Film.from_catalog(Catalog(), 0, "B07X").name == "B07X"


class TestFolder:
    def test_nobody_asks_twice(self, server: Any, posters: Posters, tmp_path: Path) -> None:
        first, count = posters.of(IRON_MAN), len(server.requests)
        again = Posters("", folder=tmp_path / "posters")  # without a key
        assert posters.of(IRON_MAN) == again.of(IRON_MAN) == first
        assert len(server.requests) == count

    def test_nor_for_what_is_known_to_be_missing(self, server: Any, posters: Posters) -> None:
        for film in (Film("Nothing (1990)"), Film("Unseen", tmdb=7)):
            assert shown(posters, film) == "drawn"
            count = len(server.requests)
            assert shown(posters, film) == "drawn"
            assert len(server.requests) == count

    @pytest.mark.parametrize(("film", "days"), [(IRON_MAN, 180), (Film("Unseen", tmdb=7), 30)])
    def test_everything_has_its_time(
        self, server: Any, posters: Posters, tmp_path: Path, film: Film, days: int
    ) -> None:
        posters.of(film)
        path = tmp_path / "posters" / f"{film.key}.poster"
        for age, asks in ((days - 1, False), (days + 1, True)):
            os.utime(path, (time.time() - age * DAY,) * 2)
            before = len(server.requests)
            posters.of(film)
            assert (len(server.requests) > before) == asks

    def test_the_address_of_pictures_is_asked_for_once(self, server: Any, posters: Posters) -> None:
        for film in (IRON_MAN, Film("Matrix, The (1999)")):
            assert shown(posters, film) != "drawn"
        assert server.paths.count("/configuration") == 1

    def test_a_damaged_file_is_fetched_anew(self, posters: Posters, tmp_path: Path) -> None:
        first = posters.of(IRON_MAN)
        (tmp_path / "posters" / "tmdb-1726.poster").write_bytes(b"<html>login</html>")
        (tmp_path / "posters" / "address.poster").write_bytes(b"{")
        assert posters.of(IRON_MAN) == first

    def test_where_nothing_can_be_kept_all_else_works(self, server: Any, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert shown(Posters(folder=tmp_path / "file" / "posters"), IRON_MAN) == "iron.jpg"

    def test_nothing_is_left_beside_the_files(self, posters: Posters, tmp_path: Path) -> None:
        posters.of(IRON_MAN)
        assert {path.name for path in (tmp_path / "posters").iterdir()} == {"address.poster", "tmdb-1726.poster"}

    def test_the_usual_folder(self, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ALSATIAN_CACHE", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        Posters().of(IRON_MAN)
        assert (tmp_path / "alsatian" / "posters" / "tmdb-1726.poster").is_file()


class TestTrouble:
    def test_without_a_key_nobody_is_asked(self, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(source.KEY_VARIABLE)
        posters = Posters(folder=tmp_path)
        assert shown(posters, IRON_MAN) == "drawn"
        assert posters.unavailable_reason == (
            "TMDB_API_KEY is not set; get a key of your own at https://www.themoviedb.org/settings/api"
        )
        assert server.requests == []

    def test_offline(self, server: Any, tmp_path: Path) -> None:
        Posters(folder=tmp_path).of(IRON_MAN)
        count, offline = len(server.requests), Posters(folder=tmp_path, offline=True)
        assert shown(offline, IRON_MAN) == "iron.jpg"
        assert shown(offline, Film("The Matrix (1999)")) == "drawn"
        assert len(server.requests) == count

    def test_a_key_that_is_refused(self, server: Any, tmp_path: Path) -> None:
        posters = Posters("f" * 32, folder=tmp_path)
        assert {shown(posters, film) for film in (IRON_MAN, Film("The Matrix (1999)"))} == {"drawn"}
        assert posters.unavailable_reason == "TMDB rejects the key (Invalid API key: You must be granted a valid key)"
        assert len(server.requests) == 1
        assert list(tmp_path.iterdir()) == []  # it may have a poster for another key

    def test_a_key_that_is_none(self, server: Any, tmp_path: Path) -> None:
        posters = Posters("a key\r\nHost: elsewhere", folder=tmp_path)
        assert shown(posters, IRON_MAN) == "drawn"
        assert posters.unavailable_reason == "TMDB_API_KEY is not a valid key of TMDB; copy it again"
        assert server.requests == []

    def test_asked_to_wait_it_waits(self, server: Any, posters: Posters, waits: list[float]) -> None:
        server.instead = [(429, {"Retry-After": "7"}, {"status_code": 25}), (503, {}, b"maintenance")]
        assert shown(posters, IRON_MAN) == "iron.jpg"
        assert waits == [7, 2]
        assert posters.unavailable_reason is None

    @pytest.mark.parametrize(
        ("instead", "trouble"),
        [
            ([(429, {"Retry-After": "3600"}, {})], "TMDB asks to wait 3600 s"),
            ([(500, {}, b"")] * 9, "TMDB is too busy"),
            ([(200, {}, b"<html>login</html>")], "TMDB returned invalid JSON"),
            (
                [(403, {}, {"status_message": "This user has been suspended."})],
                "TMDB returned status 403, This user has",
            ),
            ([(200, {"Content-Length": "900"}, b"{")], "TMDB cannot be reached ("),
        ],
    )
    def test_where_asking_is_of_no_use_it_ends(
        self, server: Any, posters: Posters, waits: list[float], instead: list[Any], trouble: str
    ) -> None:
        server.instead = instead
        assert shown(posters, IRON_MAN) == "drawn"
        assert posters.unavailable_reason is not None
        assert posters.unavailable_reason.startswith(trouble)
        assert KEY not in posters.unavailable_reason
        count = len(server.requests)
        assert shown(posters, Film("The Matrix (1999)")) == "drawn"
        assert len(server.requests) == count <= tmdb.MAX_ATTEMPTS

    def test_nobody_is_there(self, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tmdb, "API_URL", "http://127.0.0.1:9/3")
        posters = Posters(folder=tmp_path)
        assert shown(posters, IRON_MAN) == "drawn"
        assert posters.unavailable_reason == "TMDB cannot be reached (Connection refused)"

    def test_a_picture_that_is_none(self, server: Any, posters: Posters) -> None:
        """The film is drawn, and the next one is asked for all the same."""
        posters.of(Film("The Matrix", tmdb=603))
        server.instead = [(200, {}, server.films[1726]), (200, {}, b"<html>sorry</html>")]
        assert shown(posters, IRON_MAN) == "drawn"
        assert posters.unavailable_reason is None

    @pytest.mark.parametrize("path", ["/../../secret", "https://elsewhere/x.jpg", 5, "/a b.jpg"])
    def test_an_odd_path_is_not_followed(self, server: Any, posters: Posters, path: object) -> None:
        server.films[1726]["poster_path"] = path
        assert shown(posters, IRON_MAN) == "drawn"
        assert server.paths == ["/movie/1726"]

    @pytest.mark.parametrize("images", [{}, {"secure_base_url": "file:///etc/", "poster_sizes": ["w342"]}])
    def test_an_odd_address_is_not_followed(self, server: Any, posters: Posters, images: dict[str, Any]) -> None:
        server.instead = [(200, {}, server.films[1726]), (200, {}, {"images": images})]
        assert shown(posters, IRON_MAN) == "drawn"
        assert posters.unavailable_reason == "TMDB returned no address of its images"

    def test_requests_keep_their_distance(
        self, server: Any, posters: Posters, waits: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(tmdb, "REQUEST_INTERVAL_SECONDS", 0.05)
        posters.tmdb.last_request = 0.0
        posters.of(IRON_MAN)
        assert waits == pytest.approx([0.05, 0.05])  # three requests


def test_a_wait_that_is_a_date_is_guessed() -> None:
    headers = HTTPMessage()
    headers["Retry-After"] = "Wed, 21 Oct 2026 07:28:00 GMT"
    assert tmdb.retry_delay(tmdb.HTTPError("", 429, "", headers, None), 2) == 4

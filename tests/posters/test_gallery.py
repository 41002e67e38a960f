"""Drawn posters, and lists as a page."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alsatian.data.interactions import Interactions
from alsatian.models import ExplicitALS
from alsatian.posters import Posters, page
from alsatian.posters.gallery import TMDB_NOTICE
from alsatian.posters.placeholder import HEIGHT, MARGIN, MAX_LINES, WIDTH, placeholder, wrap_title
from support.browser import SCRIPT_TITLE, open_page

SVG = "{http://www.w3.org/2000/svg}"


def lines_of(svg: str) -> list[str]:
    return [line.text or "" for line in ElementTree.fromstring(svg).iter(f"{SVG}tspan")]


class TestPlaceholder:
    def test_it_holds_the_title_and_the_year(self) -> None:
        root = ElementTree.fromstring(placeholder("Iron Man & <Friends>", 2008))
        assert root.get("viewBox") == f"0 0 {WIDTH} {HEIGHT}"
        texts = [" ".join(text.itertext()) for text in root.iter(f"{SVG}text")]
        assert texts == ["Iron Man & <Friends>", "2008"]

    def test_the_same_title_always_looks_the_same_and_others_differ(self) -> None:
        assert placeholder("Up", 2009) == placeholder("Up", 2009)
        colors = {re.search(r"hsl\((\d+)", placeholder(f"Film {at}"))[1] for at in range(40)}
        assert len(colors) > 20

    def test_long_titles_get_smaller_letters_and_then_an_end(self) -> None:
        assert (
            wrap_title("Up")[0] > wrap_title("Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb")[0]
        )
        _, lines = wrap_title("on and on " * 40)
        assert len(lines) == MAX_LINES + 2
        assert lines[-1].endswith(" …")

    @given(st.text(max_size=120))
    def test_any_title_can_be_drawn(self, name: str) -> None:
        root = ElementTree.fromstring(placeholder(name, 1999))
        ys = [int(line.get("y") or 0) for line in root.iter(f"{SVG}tspan")]
        assert ys == sorted(ys)
        assert ys[0] > MARGIN
        assert ys[-1] < HEIGHT


class Reader(HTMLParser):
    """Takes a page apart: pictures, headings, and whatever would be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.pictures: list[tuple[str, str]] = []
        self.outside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "img":
            self.pictures.append((str(attributes["alt"]), str(attributes["src"])))
        self.outside += [str(value) for name in ("src", "href") if (value := attributes.get(name, "data:"))]
        self.outside = [address for address in self.outside if not address.startswith("data:")]


@pytest.fixture
def model(ratings: Interactions) -> ExplicitALS:
    return ExplicitALS(factors=2, epochs=5).fit(ratings)


@pytest.fixture
def drawn(tmp_path: Path) -> Posters:
    return Posters("", folder=tmp_path)


class TestPage:
    def test_similar_items_and_the_one_that_was_asked_for(self, model: ExplicitALS, drawn: Posters) -> None:
        lists = model.similar("Iron Man (2008)", n=3)
        text = page([lists], drawn)
        read = Reader(text)
        titles = [row.title[:-7] for row in lists]  # without the year
        assert [alt for alt, _ in read.pictures] == ["Iron Man", *titles]
        assert read.outside == []
        assert "<h1>Like Iron Man (2008)</h1>" in text
        assert all(f"<h2>{rank}. {title}</h2>" in text for rank, title in enumerate(titles, 1))
        assert TMDB_NOTICE not in text

    def test_pictures_are_inside(self, model: ExplicitALS, drawn: Posters) -> None:
        for alt, source in Reader(page([model.similar("Iron Man (2008)")], drawn)).pictures:
            content = base64.b64decode(source.removeprefix("data:image/svg+xml;base64,"))
            assert " ".join(lines_of(content.decode())) == alt

    def test_several_lists_and_reasons(self, model: ExplicitALS, drawn: Posters) -> None:
        text = page([model.recommend(["alice", "bob"], n=2, reasons=True)], drawn)
        assert re.findall("<h1>(.*?)</h1>", text) == ["For user alice", "For user bob"]
        assert "because of Up, Cars" in text or "because of Cars, Up" in text
        assert re.search(r"<p>2008 · score \d\.\d{3}</p>", text)

    def test_nothing_to_show(self, model: ExplicitALS, drawn: Posters) -> None:
        text = page([model.recommend("alice", allow=[])], drawn)
        assert "No items." in text
        assert "<title>No lists</title>" in page([], drawn)

    def test_words_of_the_data_are_no_markup(self, ratings: Interactions, drawn: Posters) -> None:
        from dataclasses import replace

        from alsatian.data.catalog import Catalog

        titles = [f'<script>alert("{at}")</script>' for at in range(5)]
        catalog = Catalog.from_columns(ratings.item_ids, ratings.item_ids.tolist(), {"title": titles})
        model = ExplicitALS(factors=2, epochs=2).fit(replace(ratings, catalog=catalog))
        assert "<script" not in page([model.similar(titles[0])], drawn)

    @pytest.mark.parametrize("width", [390, 1200])
    def test_in_a_browser(
        self, chromium: Any, ratings: Interactions, drawn: Posters, tmp_path: Path, width: int
    ) -> None:
        from dataclasses import replace

        from alsatian.data.catalog import Catalog

        titles = [f"{SCRIPT_TITLE} {at} ({2000 + at})" for at in range(5)]
        catalog = Catalog.from_columns(ratings.item_ids, ratings.item_ids.tolist(), {"title": titles})
        model = ExplicitALS(factors=2, epochs=2).fit(replace(ratings, catalog=catalog))
        (tmp_path / "list.html").write_text(page([model.similar(titles[0], n=4)], drawn))
        with open_page(chromium, tmp_path / "list.html", width) as seen:
            assert (seen.requested_urls, seen.console_errors, seen.overflow) == ([], [], 0)
            assert seen.page.title() == f"Like {titles[0]}"
            assert seen.page.locator("script").count() == 0
            assert all(SCRIPT_TITLE in text for text in seen.texts("h2"))
            sizes = seen.page.evaluate("[...document.images].map(image => image.naturalWidth)")
            assert len(sizes) == 5
            assert min(sizes) > 0

    def test_who_made_the_posters_is_named(self, server: Any, model: ExplicitALS, tmp_path: Path) -> None:
        text = page([model.similar("Heat (1995)", n=4)], Posters(folder=tmp_path))
        kinds = {alt: source[:16] for alt, source in Reader(text).pictures}
        assert kinds == {alt: "data:image/jpeg;" if alt == "Iron Man" else "data:image/svg+x" for alt in kinds}
        assert len(kinds) == 5
        assert TMDB_NOTICE in text

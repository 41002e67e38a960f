"""The page in a real browser: the visit of somebody new, and of somebody known."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import alsatian as al
from alsatian.data.catalog import Catalog
from alsatian.data.id_map import IdMap
from alsatian.serving import create_app
from alsatian.serving.page.facets import build_facets, facets_to_where
from alsatian.serving.page.url_state import PageState, Pick
from serving.conftest import Server, services, wait_for
from support import problems
from support.browser import PATIENCE, SCRIPT_TITLE

pytestmark = pytest.mark.xdist_group("page")  # one service and one browser

GENRES = ["Animation|Children", "Crime|Action", "Action", "Action|Adventure", "Animation"]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the running example with genres, a hostile title among its films."""
    data = problems.running_example()
    titles = [title if title != "Heat (1995)" else f"Heat {SCRIPT_TITLE} (1995)" for title in problems.TITLES]
    columns = {"title": titles, "year": problems.YEARS, "genres": GENRES, "imdbId": [1, 2, 3, 4, 5]}
    data = replace(data, catalog=Catalog.from_columns(data.item_ids, problems.ITEMS, columns))
    file = tmp_path_factory.mktemp("page") / "films.model"
    al.save(al.ExplicitALS(factors=2, epochs=5).fit(data, progress=False), file)
    return file


@pytest.fixture(scope="module")
def server(films: Path) -> Iterator[Server]:
    with services() as start:
        yield start(films)


@contextmanager
def visiting(browser: Any, server: Server, path: str = "/", width: int = 1200, **options: Any) -> Iterator[Any]:
    """Open the page; nothing may be complained of, and nothing come from elsewhere."""
    page = browser.new_page(viewport={"width": width, "height": 900}, **options)
    page.set_default_timeout(PATIENCE)
    complaints, foreign = list[str](), list[str]()
    page.on(
        "console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    home = f"http://127.0.0.1:{server.port}"
    page.on("request", lambda request: None if request.url.startswith(home) else foreign.append(request.url))
    page.goto(home + path)
    yield page
    page.wait_for_load_state("networkidle")
    assert (complaints, foreign) == ([], [])
    page.close()


def names(page: Any) -> list[str]:
    return [text.strip() for text in page.locator("#list h3").all_text_contents()]


def scores(page: Any) -> list[str]:
    return list(page.locator("#list .score").all_text_contents())


def focused(page: Any) -> str:
    """Return the label of what has the keyboard, or its id where it has no label."""
    return str(page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.id"))


def matches(page: Any) -> list[list[str]]:
    """Return the words of each title that the search shows."""
    return [text.split() for text in page.locator("#matches a").all_text_contents()]


def search_by_keyboard(page: Any, title: str) -> None:
    """Put a title into the search field and pick the first that is found.

    It is put there at once: letter by letter, a slow machine would show what was found for half of it as well.
    """
    page.locator("#q").focus()
    page.keyboard.insert_text(title)
    page.locator("#matches a").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


class TestVisit:
    def test_of_somebody_new(self, server: Server, chromium: Any) -> None:
        with visiting(chromium, server) as page:
            assert page.locator("#heading").text_content() == "Popular items"
            page.locator("#q").press_sequentially("iron m")
            wait_for(lambda: matches(page)[:1] == [["Iron", "Man", "2008"]])
            page.locator("#q").fill("")
            wait_for(lambda: matches(page) == [])
            search_by_keyboard(page, "iron m")
            page.locator(".favorites").wait_for()
            wait_for(lambda: page.locator("#q").input_value() == "")
            wait_for(lambda: matches(page) == [])
            wait_for(lambda: page.evaluate("document.activeElement.id") == "q")
            assert page.locator("#heading").text_content() == "For you"
            assert names(page)[0] == "Iron Man 2"
            assert "Iron Man" in page.locator("#list .reasons").first.text_content()
            before = scores(page)
            page.get_by_label("2 of 5 stars").click()
            page.locator('.stars [aria-current="true"]').wait_for()
            assert scores(page) != before
            page.get_by_label("I like Up").click()
            page.locator(".favorites li").nth(1).wait_for()
            wait_for(lambda: page.url.count("like=") == 2)
            shared, listed = page.url, names(page)
        with visiting(chromium, server, shared.split(str(server.port))[1]) as page:  # by link, somewhere else
            assert names(page) == listed
            page.get_by_label("Remove Up").click()
            wait_for(lambda: page.locator(".favorites li").count() == 1)
            page.go_back()
            wait_for(lambda: page.locator(".favorites li").count() == 2)

    def test_by_keyboard_alone(self, server: Server, chromium: Any) -> None:
        with visiting(chromium, server) as page:

            def go_to(label: str) -> None:
                for _ in range(60):
                    page.keyboard.press("Tab")
                    if focused(page) == label:
                        return
                raise AssertionError(f"no way to {label}")

            search_by_keyboard(page, "iron m")
            page.locator(".favorites").wait_for()
            wait_for(lambda: page.evaluate("document.activeElement.id") == "q")
            go_to("2 of 5 stars for Iron Man")
            page.keyboard.press("Enter")
            page.locator('.stars [aria-current="true"]').wait_for()
            wait_for(lambda: focused(page) == "2 of 5 stars for Iron Man")
            go_to("I like Up")
            page.keyboard.press("Enter")
            page.locator(".favorites li").nth(1).wait_for()
            wait_for(lambda: focused(page) == "heading")  # as Up is in the list no more
            go_to("Similar to Iron Man 2")
            page.keyboard.press("Enter")
            page.locator(".like h2").wait_for()

    def test_slider_filters_similar_and_not_for_me(self, server: Server, chromium: Any) -> None:
        with visiting(chromium, server, "/?like=up%3D5") as page:
            assert len(names(page)) == 4
            page.get_by_label("genres").select_option("Action")
            wait_for(lambda: len(names(page)) == 3)
            page.get_by_label("year from").fill("2000")
            page.keyboard.press("Tab")
            wait_for(lambda: sorted(names(page)) == ["Iron Man", "Iron Man 2"])
            page.locator("#novelty").focus()
            page.keyboard.press("ArrowRight")
            wait_for(lambda: "novelty=0.1" in page.evaluate("location.href"))
            wait_for(lambda: page.evaluate("document.activeElement.id") == "novelty")
            page.locator("#list").get_by_label("Similar to Iron Man 2").click()
            page.locator(".like h2").wait_for()
            assert page.locator(".like h3").first.text_content() == "Iron Man"
            page.locator("#list").get_by_label("Not Iron Man 2").click()
            wait_for(lambda: names(page) == ["Iron Man"])
            chosen = {"by-genres=Action", "by-year-from=2000", "hide=iron2"}
            wait_for(lambda: chosen <= set(page.url.split("?")[1].split("&")))

    def test_of_a_known_user_whose_rating_is_felt_at_once(self, server: Server, chromium: Any) -> None:
        with visiting(chromium, server) as page:
            page.get_by_label("Your id").fill("alice")
            page.get_by_text("Show my list").click()
            page.locator("#heading", has_text="For user alice").wait_for()
            assert names(page)[0] == "Iron Man 2"
            assert "Cars" in page.locator(".small").text_content()
            page.get_by_label("5 stars for Iron Man 2").click()
            wait_for(lambda: "Iron Man 2" not in names(page))
            wait_for(lambda: "Iron Man 2" in page.locator(".small").text_content())
        assert server.ask("/api/users/alice/recommendations")[1]["events"] == 1

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_fits_a_phone_in_either_light(self, server: Server, chromium: Any, scheme: str) -> None:
        with visiting(chromium, server, "/?like=up%3D5&similar=iron", 360, color_scheme=scheme) as page:
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) <= 0
            dark = "getComputedStyle(document.body).backgroundColor"
            assert (page.evaluate(dark) == "rgb(25, 24, 23)") == (scheme == "dark")
            assert page.evaluate("[...document.images].every(image => image.alt !== null)")

    def test_works_without_scripts(self, server: Server, chromium: Any) -> None:
        with visiting(chromium, server, java_script_enabled=False) as page:
            page.locator("#q").fill("iron man 2")
            page.keyboard.press("Enter")
            page.locator("#matches a").first.click()
            assert page.locator("#heading").text_content() == "For you"
            page.locator("#q").fill("up")
            page.keyboard.press("Enter")
            page.locator("#matches a").first.click()
            assert page.locator(".favorites li").count() == 2


class TestHtml:
    @pytest.fixture
    def client(self, films: Path) -> Iterator[TestClient]:
        with TestClient(create_app(films), base_url="http://localhost", raise_server_exceptions=False) as client:
            yield client

    def test_titles_are_text(self, client: TestClient) -> None:
        for path in ("/?like=heat", "/?like=up", "/search?q=heat", "/?user=carol"):
            assert SCRIPT_TITLE not in client.get(path).text

    @pytest.mark.parametrize(
        "path",
        [
            "/?like=gone", "/?like=up=9", "/?like=up=x", "/?like==", "/?user=nobody", "/?novelty=nan", "/?novelty=x",
            "/?by-genres='; drop table", "/?by-year-from=x", "/?similar=gone", "/?hide=gone", "/?q=%00", "/?user=%00",
            "/search", "/search?q=%20", "/?like=up&by-year-from=1e999", "/?like=" + "x" * 3_000,
        ],
    )  # fmt: skip
    def test_any_address_is_a_page(self, client: TestClient, path: str) -> None:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert "unsafe" not in answer.headers["content-security-policy"]

    def test_posters(self, client: TestClient) -> None:
        drawn = client.get("/posters/up")
        assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
        assert client.get("/posters/gone").status_code == 404

    def test_files_are_those_of_the_page_and_no_others(self, client: TestClient) -> None:
        for name in ("htmx.min.js", "visit.js", "visit.css", "icon.svg"):
            assert client.get(f"/static/{name}").status_code == 200
        for name in ("htmx.LICENSE", "../app.py", "%2e%2e%2fapp.py"):
            assert client.get(f"/static/{name}").status_code == 404

    def test_only_the_page_itself_may_rate(self, client: TestClient, films: Path) -> None:
        rate = "/rate?user=alice&item=heat&value=5"
        assert client.post(rate).status_code == 403
        assert client.post(rate, headers={"HX-Request": "true"}).status_code == 200
        with TestClient(create_app(films, token="0123456789abcdef"), base_url="http://localhost") as other:
            assert other.post(rate, headers={"HX-Request": "true"}).status_code == 401
            assert "/rate" not in other.get("/?user=alice").text

    def test_a_model_that_can_do_little(self, tmp_path: Path) -> None:
        al.save(al.Popularity().fit(problems.running_example()), tmp_path / "p.model")
        with TestClient(create_app(tmp_path / "p.model"), base_url="http://localhost") as client:
            page = client.get("/?like=up&similar=up").text
        assert "Iron Man" in page
        assert "similar" not in page.partition("<main")[2].partition("</main>")[0].replace("similar=", "")


class TestState:
    @pytest.mark.parametrize("like", [Pick("up"), Pick("up", 4.5), Pick("a=b"), Pick("a=5"), Pick("x=y=z", 3)])
    def test_a_favorite_survives_its_address(self, like: Pick) -> None:
        assert Pick.parse(like.query_value) == like

    def test_choices(self) -> None:
        state = PageState().with_pick("up", 5).with_pick("heat").with_hidden("iron")
        assert state.url == "/?like=up%3D5&like=heat%3D&hide=iron"
        assert state.with_pick("up", 3).picks == (Pick("up", 3), Pick("heat"))
        assert state.with_pick("iron").hidden_items == ()
        assert state.without_pick("up").picks == (Pick("heat"),)


def test_filters_mean_what_they_say() -> None:
    columns = {
        "title": ["A (1994)", "B (1999)", "C (2003)", "D"],
        "tags": ["x|y", "y", "xx|z", "z|x"],
        "kind": ["p", "q's", "p", None],
        "length": [1.5, 2, 3, None],
        "new": [True, False, None, True],
        "imdbId": [1, 2, 3, 4],
        "one": ["a", "a", "a", "a"],
    }
    catalog = Catalog.from_columns(IdMap.from_ids(range(4), "item"), range(4), columns)
    all_facets = build_facets(catalog)
    assert [facet.label for facet in all_facets] == ["tags", "kind", "length", "new"]
    decades = build_facets(Catalog({"title": catalog.columns["title"]}))
    for facets, chosen, rows in (
        (all_facets, [("by-tags", "x")], [0, 3]),
        (all_facets, [("by-kind", "q's")], [1]),
        (all_facets, [("by-length-from", "1.6"), ("by-length-to", "3")], [1, 2]),
        (all_facets, [("by-new", "no")], [1]),
        (decades, [("by-decade", "1990s")], [0, 1]),
    ):
        assert catalog.match_where(str(facets_to_where(facets, chosen))).nonzero()[0].tolist() == rows
    assert facets_to_where(all_facets, [("by-tags", "nothing such"), ("by-length-from", "x")]) is None

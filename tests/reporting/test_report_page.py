"""A report as a browser shows it: whole, quiet, readable, and nobody else's markup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from alsatian.reporting import Report
from support.browser import SCRIPT_TITLE, open_page

pytestmark = pytest.mark.xdist_group("report")  # one report for all

SECTIONS = [
    "In short", "Data", "Split", "Models", "Learning curves", "Search", "Popularity", "Sample lists",
    "Reproduce this report",
]  # fmt: skip

WrittenReport = tuple[Report, Path]


def test_all_sections_are_there_and_nothing_is_fetched(chromium: Any, written_report: WrittenReport) -> None:
    with open_page(chromium, written_report[1]) as seen:
        assert (seen.requested_urls, seen.console_errors) == ([], [])
        assert seen.texts("main h2") == SECTIONS
        targets = [link.get_attribute("href") for link in seen.page.locator("nav a").all()]
        assert all(seen.page.locator(target).count() == 1 for target in targets)
        assert seen.page.locator("figure svg").count() >= 12
        assert seen.page.evaluate("[...document.querySelectorAll('svg')].every(svg => svg.clientHeight > 50)")


def test_titles_are_no_markup(chromium: Any, written_report: WrittenReport) -> None:
    with open_page(chromium, written_report[1]) as seen:
        assert seen.page.title() == f"{SCRIPT_TITLE} of films"
        assert seen.page.locator("script").count() == 1
        assert any(SCRIPT_TITLE in text for text in seen.texts("#samples .name"))
        assert SCRIPT_TITLE in seen.texts(".bars span")[0]
        assert seen.texts("#reproduction pre")[0] == "alsatian report 'a <b>.csv'"


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1400, "dark")])
def test_it_is_readable_at_any_width(chromium: Any, written_report: WrittenReport, width: int, scheme: str) -> None:
    with open_page(chromium, written_report[1], width, scheme) as seen:
        assert seen.overflow <= 0
        paper, ink = (
            seen.page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color")
        )
        assert lightness(paper) > 200 > 60 > lightness(ink) if scheme == "light" else lightness(ink) > 200
        word = seen.page.locator("figure svg text").first
        drawn = lightness(word.evaluate("element => getComputedStyle(element).fill"))
        assert abs(drawn - lightness(paper)) > 80


def test_tables_are_sorted_by_a_click(chromium: Any, written_report: WrittenReport) -> None:
    with open_page(chromium, written_report[1]) as seen:
        table = seen.page.locator("#models table.sortable").first
        names = [row.model for row in written_report[0].evaluation]
        heads = table.locator("thead th").all_text_contents()
        assert table.locator("tbody th").all_text_contents() == names
        scores = {row.model: row.metrics.get("ndcg@10", 0) for row in written_report[0].evaluation}
        button = table.locator("thead button").nth(heads.index("NDCG@10"))
        for sign in (-1, 1):
            button.focus()
            seen.page.keyboard.press("Enter")
            assert table.locator("tbody th").all_text_contents() == sorted(names, key=lambda name: sign * scores[name])
        assert seen.console_errors == []


def lightness(color: str) -> float:
    """Return the mean of red, green and blue of "rgb(...)"."""
    return sum(map(float, color[color.index("(") + 1 : -1].split(",")[:3])) / 3

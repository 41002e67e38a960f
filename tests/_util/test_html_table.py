"""Tables in a notebook: the cells of the text, escaped, in the colors of the page."""

from __future__ import annotations

import re

from alsatian._util.html_table import table_to_html
from alsatian._util.text_table import TextTable
from support.notebook import HtmlTable, assert_agrees_with_text

TITLES = ["<script>alert(1)</script>", "Up & \"Away\" 'now'", "[REC]\x1b[31m (2007)"]
TABLE = TextTable(
    "for <b>ann</b>",
    {"rank": ["1", "2", "3"], "title": TITLES, "<i>score</i>": ["4.700", "4.250", "-3.100"]},
    frozenset({"rank", "<i>score</i>"}),
    "[two <em>notes</em>]\nand a second one",
)


def test_everything_from_the_data_is_text() -> None:
    table = HtmlTable(table_to_html(TABLE))
    assert table.tags == {"div", "style", "table", "caption", "thead", "tbody", "tr", "th", "td", "p"}
    assert table.caption == "for <b>ann</b>"
    assert table.rows[0] == ["rank", "title", "<i>score</i>"]
    assert [row[1] for row in table.rows[1:3]] == TITLES[:2]
    assert table.notes == ["[two <em>notes</em>]", "and a second one"]
    assert "\x1b" not in table.html


def test_figures_are_at_the_right_and_text_is_at_the_left() -> None:
    table = HtmlTable(table_to_html(TABLE))
    assert table.number_columns == {"rank", "<i>score</i>"}
    rules = dict(re.findall(r"(?<=[}>])([^{}@]+)\{([^{}]*)\}", table.html))
    right = [selector for selector, rule in rules.items() if "text-align:right" in rule]
    assert [selector.rpartition(" ")[2] for selector in right] == [":is(th,td).number"]


def test_the_same_cells_as_the_text() -> None:
    shown = type("Shown", (), {"_repr_html_": lambda _: table_to_html(TABLE), "__str__": lambda _: str(TABLE)})()
    assert_agrees_with_text(shown)


def test_colors_are_those_of_the_page_or_of_the_system() -> None:
    html = table_to_html(TABLE)
    for variable in ("--jp-ui-font-color0", "--vscode-editor-foreground", "--md-default-fg-color"):
        assert variable in html
    assert "@media (prefers-color-scheme:dark)" in html


def test_nothing_is_fetched_and_nothing_runs() -> None:
    html = table_to_html(TABLE)
    assert not re.search(r"https?:|url\(|@import|<script|<link|\bon\w+=|\bsrc=|\bhref=", html)


def test_rules_hold_only_inside() -> None:
    """Every rule of the style begins with the scope, so that other tables of the page stay as they are."""
    style = table_to_html(TABLE).partition("<style>")[2].partition("</style>")[0]
    selectors = re.findall(r"(?:^|[{}])([^{}@]+)\{", style)
    assert len(selectors) > 5
    assert all(selector.startswith(":is(.alsatian-table,") for selector in selectors)


def test_a_title_alone() -> None:
    html = table_to_html(TextTable("no items", {}, frozenset()))
    assert html.endswith("</style><table><caption>no items</caption></table></div>")

"""Recommendations: one value that prints, iterates, and becomes JSON or a data frame."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import numpy as np
import pytest

from alsatian.data.catalog import Catalog
from alsatian.data.id_map import IdMap
from alsatian.errors import DependencyError
from alsatian.recommender.recommendations import RankedItem, Recommendations
from support.notebook import HtmlTable, assert_agrees_with_text

ITEMS = ["cars", "heat", "iron", "iron2", "up"]
TITLES = ["Cars (2006)", "[REC] (2007)", "Iron Man (2008)", None, "Up & Away\x1b[31m (2009)"]
ITEM_IDS = IdMap.from_ids(ITEMS, "item")
CATALOG = Catalog.from_columns(ITEM_IDS, ITEMS, {"title": TITLES})


def lists(**other: Any) -> Recommendations:
    """Two items for ann, none for bob, one for eve, of whom nothing was known."""
    fields: dict[str, Any] = {
        "query_kind": "user",
        "queries": ["ann", "bob", "eve"],
        "counts": np.array([2, 0, 1]),
        "rows": np.array([4, 3, 1], np.int32),
        "scores": np.array([4.7, 4.25, 3.1], np.float32),
        "sources": ["als", "als", "popular"],
        "item_ids": ITEM_IDS,
        "catalog": CATALOG,
    }
    return Recommendations(**(fields | other))


class TestRows:
    def test_all_places_of_all_lists(self) -> None:
        assert len(lists()) == 3
        assert lists().items == ["up", "iron2", "heat"]
        assert list(lists())[1:] == [
            RankedItem(2, "iron2", None, 4.25, "als"),
            RankedItem(1, "heat", "[REC] (2007)", 3.1, "popular"),
        ]

    def test_one_list_alone(self) -> None:
        assert lists()[0].items == ["up", "iron2"]
        assert lists()[-1].queries == ["eve"]
        assert list(lists()[2]) == list(lists())[2:]
        assert [len(lists()[query]) for query in range(3)] == [2, 0, 1]
        with pytest.raises(IndexError):
            lists()[3]

    def test_places_of_one_list_may_come_from_different_models(self) -> None:
        mixed = lists(sources=[["als", "popular"], "als", "fold_in"])
        assert [row.source for row in mixed] == ["als", "popular", "fold_in"]
        assert [row.source for row in mixed[0]] == ["als", "popular"]
        assert mixed.to_polars()["source"].to_list() == ["als", "popular", "fold_in"]

    def test_reasons_where_they_were_asked_for(self) -> None:
        answer = lists(reasons=[[[("Cars (2006)", 0.5)], []], [], []], sources="als")
        assert [row.reasons for row in answer] == [[("Cars (2006)", 0.5)], [], []]
        assert [row.reasons for row in answer[0]] == [[("Cars (2006)", 0.5)], []]
        assert [row.reasons for row in lists()] == [None, None, None]


class TestPrinting:
    def test_one_list(self) -> None:
        assert str(lists()[0]).splitlines() == [
            "for user ann",
            "rank  item   title                  score  source",
            "   1  up     Up & Away [31m (2009)  4.700  als",
            "   2  iron2                         4.250  als",
        ]

    def test_several_lists(self) -> None:
        assert repr(lists()).splitlines() == [
            "user  rank  item   title                  score  source",
            "ann      1  up     Up & Away [31m (2009)  4.700  als",
            "ann      2  iron2                         4.250  als",
            "eve      1  heat   [REC] (2007)           3.100  popular",
        ]

    def test_counts_have_no_decimals_and_no_title_no_column(self) -> None:
        plain = lists(scores=np.array([1329, 20, 3], np.float32), catalog=Catalog())
        assert str(plain[0]).splitlines()[1:3] == ["rank  item   score  source", "   1  up     1,329  als"]

    def test_reasons_queries_and_nothing(self) -> None:
        liked = lists(
            query_kind="like", queries=[["Cars (2006)", 7]], counts=np.array([1]), rows=np.array([2]),
            scores=np.array([0.5], np.float32), reasons=[[[("Cars (2006)", 0.5), (7, -0.25)]]],
        )  # fmt: skip
        assert str(liked).splitlines() == [
            "for a visitor who likes Cars (2006), 7",
            "rank  item  title                   score  source",
            "   1  iron  Iron Man (2008)         0.500  als",
            "              because Cars (2006)  +0.500",
            "              because 7            -0.250",
        ]
        assert (
            str(lists(query_kind="item", queries=["up", "cars", "iron"]))
            .splitlines()[3]
            .startswith("Iron Man (2008)           1  heat")
        )

    def test_no_items(self) -> None:
        assert str(lists()[1]) == "for user bob: no items"
        none = lists(counts=np.zeros(3, int), rows=np.zeros(0, np.int32), scores=np.zeros(0, np.float32))
        assert str(none) == "no items"
        assert "<caption>for user bob: no items</caption>" in lists()[1]._repr_html_()

    def test_a_long_title_neither_wraps_in_a_pipe_nor_fills_lines(self) -> None:
        from rich.console import Console

        liked = lists(query_kind="like", queries=[["Cars (2006)"] * 20, [], []])[0]
        assert str(liked).splitlines()[0] == "for a visitor who likes " + ", ".join(["Cars (2006)"] * 20)
        console = Console(file=io.StringIO(), width=60, force_terminal=True, record=True)
        console.print(liked)
        first, second, *_ = console.export_text().splitlines()
        assert 40 < len(first) <= 60
        assert second.startswith(("Cars (2006), ", "(2006), "))

    def test_long_answers_are_shortened_and_say_so(self) -> None:
        many = lists(
            queries=list(range(50)), counts=np.full(50, 3), rows=np.zeros(150, np.int32),
            scores=np.ones(150, np.float32), sources="als",
        )  # fmt: skip
        assert str(many).splitlines()[-1] == "... and 90 more"
        assert len(str(many).splitlines()) == 62

    def test_terminals_and_notebooks(self) -> None:
        from rich.console import Console

        console = Console(file=io.StringIO(), width=40, force_terminal=True, record=True)
        console.print(lists())
        shown = console.export_text()
        assert "[REC]" in shown
        assert max(map(len, shown.splitlines())) <= 40
        html = lists()._repr_html_()
        assert "<td>Up &amp; Away" in html
        assert "\x1b" not in shown + html

    def test_a_notebook_shows_what_is_printed(self) -> None:
        reasons = [[[("<Cars>", 0.5)], []], [], [[]]]
        similar = lists(query_kind="item", queries=["up", "cars", "iron"])
        for shown in (lists(), lists()[0], lists()[1], similar, lists(reasons=reasons)):
            assert_agrees_with_text(shown)
        assert HtmlTable(lists()).number_columns == {"rank", "score"}
        assert HtmlTable(lists(reasons=reasons)).rows[2] == ["", "", "", "  because <Cars>", "+0.500", ""]


class TestJson:
    def test_one_line_per_query(self) -> None:
        first, second, third = lists().to_json_lines()
        assert json.loads(first)["items"][1] == {
            "rank": 2, "item": "iron2", "title": None, "score": 4.25, "source": "als",
        }  # fmt: skip
        assert second == '{"user": "bob", "items": []}'
        assert third.startswith('{"user": "eve", "items": [{"rank": 1, "item": "heat", "title": "[REC] (2007)", "sc')
        assert third.endswith('"score": 3.1, "source": "popular"}]}')

    def test_integers_are_numbers_until_readers_would_round_them(self) -> None:
        big = [2**53, 2**53 + 1]
        answer = lists(queries=[np.int64(7), -(2**60), 3], item_ids=IdMap.from_ids([*range(3), *big], "item"))
        records = [json.loads(line) for line in answer.to_json_lines()]
        assert [record["user"] for record in records] == [7, str(-(2**60)), 3]
        assert [item["item"] for item in records[0]["items"]] == [str(2**53 + 1), 2**53]

    def test_reasons_and_likes(self) -> None:
        answer = lists(query_kind="like", queries=[["Café", 7], [], []], reasons=[[[("Cars (2006)", 0.5)], []], [], []])
        first = next(answer.to_json_lines())
        assert first.startswith('{"like": ["Café", 7], "items": [')
        assert json.loads(first)["items"][0]["reasons"] == [{"item": "Cars (2006)", "contribution": 0.5}]


ROWS = [
    {"user": "ann", "rank": 1, "item": "up", "title": TITLES[4], "score": np.float32(4.7), "source": "als"},
    {"user": "ann", "rank": 2, "item": "iron2", "title": None, "score": 4.25, "source": "als"},
    {
        "user": "eve",
        "rank": 1,
        "item": "heat",
        "title": TITLES[1],
        "score": np.float32(3.1),
        "source": "popular",
    },
]


class TestFrames:
    def test_polars(self) -> None:
        pytest.importorskip("polars")
        assert lists().to_polars().to_dicts() == ROWS

    def test_pandas(self) -> None:
        pytest.importorskip("pandas")
        frame = lists().to_pandas()
        assert frame.astype(object).where(frame.notna(), None).to_dict("records") == ROWS

    def test_arrow(self) -> None:
        pytest.importorskip("pyarrow")
        assert lists().to_arrow().to_pylist() == ROWS

    def test_without_titles_and_without_rows(self) -> None:
        pl = pytest.importorskip("polars")
        assert lists(catalog=Catalog()).to_polars().schema["title"] == pl.String
        empty = lists()[1]
        for frame in (empty.to_polars(), empty.to_pandas(), empty.to_arrow()):
            assert frame.shape == (0, 6)

    def test_ids_have_one_type_of_their_own(self) -> None:
        pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
        mixed = lists(queries=[15, "x", "eve"])
        for values in (mixed.to_polars()["user"].to_list(), mixed.to_arrow()["user"].to_pylist()):
            assert values == ["15", "15", "eve"]
        assert mixed.to_pandas()["user"].tolist() == ["15", "15", "eve"]
        nothing: dict[str, Any] = {"queries": [], "counts": np.array([], int), "rows": np.array([], np.int32)}
        for ids, type in ((ITEM_IDS, "string"), (IdMap.from_ids(range(5), "item"), "int64")):
            empty = lists(query_kind="item", scores=np.array([], np.float32), item_ids=ids, **nothing)
            for column in ("query", "item"):
                assert empty.to_polars().schema[column] == (pl.String if type == "string" else pl.Int64)
                assert empty.to_arrow().schema.field(column).type == getattr(pa, type)()
                assert empty.to_pandas()[column].dtype == ("object" if type == "string" else type)

    def test_integers_likes_similar_items_and_reasons(self) -> None:
        pl = pytest.importorskip("polars")
        users = lists(queries=[7, 8, 9], item_ids=IdMap.from_ids(range(5), "item")).to_polars()
        assert (users["user"].to_list(), users["item"].to_list()) == ([7, 7, 9], [4, 3, 1])
        assert users.schema["item"] == pl.Int64
        assert lists(query_kind="item").to_polars().columns[:3] == ["query", "rank", "item"]
        because = [[[("Cars (2006)", 0.5), (7, 0.25)], []], [], []]
        liked = lists(query_kind="like", queries=[["Cars (2006)", 7], [], ["up"]], reasons=because)
        for rows in (
            liked.to_polars().to_dicts(), liked.to_arrow().to_pylist(), liked.to_pandas().to_dict("records"),
        ):  # fmt: skip
            assert rows[0]["like"] == ["Cars (2006)", "7"]
            assert rows[0]["reasons"] == [
                {"item": "Cars (2006)", "contribution": 0.5}, {"item": "7", "contribution": 0.25},
            ]  # fmt: skip

    @pytest.mark.parametrize(
        ("method", "package"), [("to_polars", "polars"), ("to_pandas", "pandas"), ("to_arrow", "pyarrow")]
    )
    def test_a_missing_package_is_named(self, monkeypatch: pytest.MonkeyPatch, method: str, package: str) -> None:
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(DependencyError, match=rf"this needs {package}, which is not installed; run: pip install"):
            getattr(lists(), method)()

    @pytest.mark.parametrize("method", ["to_polars", "to_pandas", "to_arrow"])
    def test_a_million_rows(self, method: str) -> None:
        many = lists(
            queries=list(range(100_000)),
            counts=np.full(100_000, 10),
            rows=np.tile(np.arange(5, dtype=np.int32), 200_000),
            scores=np.ones(1_000_000, np.float32),
            sources="als",
        )
        assert getattr(many, method)().shape == (1_000_000, 6)

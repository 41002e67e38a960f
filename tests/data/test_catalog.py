"""The catalog: typed columns beside the items, search by title, filters."""

from __future__ import annotations

import copy
import csv
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alsatian.data.catalog import Catalog, Column
from alsatian.data.id_map import IdMap
from alsatian.data.title_search import normalize_title, title_variants, year_in_title
from alsatian.errors import DataError, ModelFileError, ParameterError

ITEMS = ["cars", "heat", "iron", "iron2", "up"]
TITLES = ["Cars (2006)", "Heat (1995)", "Iron Man (2008)", "Iron Man 2 (2010)", "Up (2009)"]


@pytest.fixture
def catalog() -> Catalog:
    columns = {
        "title": TITLES,
        "year": [2006, 1995, 2008, 2010, None],
        "genres": ["Animation|Comedy", "Crime", "Action", "Action", "Animation"],
        "score": [7.2, 8.3, 7.9, float("nan"), 8],
        "animated": [True, False, False, False, True],
    }
    return Catalog.from_columns(IdMap.from_ids(ITEMS, "item"), ITEMS, columns)


class TestColumns:
    def test_every_column_is_in_the_order_of_the_items_whatever_the_order_given(self) -> None:
        catalog = Catalog.from_columns(
            IdMap.from_ids(["b", "a", "c"], "item"), ["c", "other", "a", "c"], {"title": ["C", "?", "A", "C again"]}
        )
        assert catalog.titles == ["A", None, "C"]

    def test_one_item_is_its_title_and_its_attributes(self, catalog: Catalog) -> None:
        assert catalog.title_of(4) == "Up (2009)"
        assert catalog.attributes(4) == {"year": None, "genres": "Animation", "score": 8.0, "animated": True}

    @pytest.mark.parametrize(
        ("values", "kind", "kept"),
        [
            ([1, None, 3], "int64", [1, None, 3]),
            ([1, 2.5, None], "float64", [1.0, 2.5, None]),
            ([True, None], "bool", [True, None]),
            (["a", None, ""], "text", ["a", None, ""]),
            ([1, "a", None], "text", ["1", "a", None]),
            ([True, 2], "text", ["True", "2"]),
            ([2**70, 1], "text", [str(2**70), "1"]),
            ([np.float32(0.5), np.int64(2)], "float64", [0.5, 2.0]),
            ([["Action", "Crime"], None], "text", ["Action|Crime", None]),
            ([None, float("nan")], "text", [None, None]),
            ([], "text", []),
        ],
    )
    def test_types_are_inferred(self, values: list[Any], kind: str, kept: list[Any]) -> None:
        column = Column.from_values(values)
        assert (column.type, column.tolist(), [column[row] for row in range(len(column))]) == (
            kind,
            kept,
            kept,
        )

    def test_an_empty_catalog_knows_nothing(self) -> None:
        catalog = Catalog()
        assert (len(catalog), catalog.titles, catalog.title_of(3), catalog.attributes(3)) == (0, [], None, {})
        assert catalog.search("up") == []
        assert catalog.find("up") is None

    def test_columns_that_do_not_fit_are_refused(self) -> None:
        ids = IdMap.from_ids(ITEMS, "item")
        with pytest.raises(DataError, match="column 'year' of the items has 1 values for 5 ids"):
            Catalog.from_columns(ids, ITEMS, {"year": [1999]})
        with pytest.raises(DataError, match="'Year' and 'year' of the items differ only in case; rename one"):
            Catalog.from_columns(ids, ["up"], {"Year": [1], "year": [1]})

    def test_a_catalog_can_be_copied_after_use(self, catalog: Catalog) -> None:
        assert catalog.match_where("animated").sum() == 2
        assert copy.deepcopy(catalog).match_where("animated").sum() == 2


class TestArrays:
    def test_arrays_and_back(self, catalog: Catalog) -> None:
        arrays, description = catalog.to_arrays()
        again = Catalog.from_arrays(description, arrays)
        assert {n: c.tolist() for n, c in again.columns.items()} == {n: c.tolist() for n, c in catalog.columns.items()}
        assert arrays["catalog.0.offsets"].dtype == np.int64
        assert "catalog.1.offsets" not in arrays

    def test_arrays_that_do_not_fit_are_refused(self, catalog: Catalog) -> None:
        arrays, description = catalog.to_arrays()
        with pytest.raises(ModelFileError, match="column 'title' of the catalog is damaged"):
            Catalog.from_arrays(description, arrays | {"catalog.0.offsets": arrays["catalog.0.offsets"][::-1]})
        with pytest.raises(ModelFileError, match="column 'year' of the catalog is damaged"):
            Catalog.from_arrays(description, {name: arrays[name] for name in arrays if "1.valid" not in name})
        short = {name: arrays[name][:2] for name in ("catalog.1.values", "catalog.1.valid")}
        with pytest.raises(ModelFileError, match="differ in length"):
            Catalog.from_arrays(description, arrays | short)


class TestNames:
    def test_what_does_not_matter_in_a_title(self) -> None:
        for written in ("The Matrix", "Matrix, The", "matrix", "  MATRIX! "):
            assert normalize_title(written) == "matrix"
        assert normalize_title("Amélie") == "amelie"
        assert normalize_title("Schindler's List") == normalize_title("schindlers list")
        assert normalize_title("Rocky II") == normalize_title("Rocky 2")
        assert normalize_title("Fast & Furious") == normalize_title("fast and furious")
        assert (normalize_title("The"), normalize_title("???"), normalize_title("千と千尋")) == (
            "the",
            "???",
            "千と千尋",
        )

    def test_brackets_hold_other_names(self) -> None:
        assert title_variants("Seven (a.k.a. Se7en) (1995)")[:2] == ["seven", "se7en"]
        assert title_variants("Boot, Das (Boat, The) (1981)")[:2] == ["das boot", "boat"]
        assert title_variants("(500) Days of Summer (2009)") == ["days of summer", "500", "500 days of summer"]

    def test_years(self) -> None:
        years = [year_in_title(title) for title in ("Up (2009)", "Lost (2004–2010)", "Now (2015-)", "2012", "M (31)")]
        assert years == [2009, 2004, 2015, None, None]


class TestSearch:
    def test_the_same_title_then_titles_that_begin_alike(self, catalog: Catalog) -> None:
        matches = catalog.search("iron man")
        assert [match.title for match in matches] == ["Iron Man (2008)", "Iron Man 2 (2010)"]
        assert matches[0].score == 100
        assert matches[0].row == 2

    def test_a_typing_error_is_forgiven(self, catalog: Catalog) -> None:
        assert catalog.search("irn man")[0].title == "Iron Man (2008)"
        assert catalog.search("zzzz") == []
        assert catalog.search("  ") == []

    def test_ties_go_to_the_larger_weight(self) -> None:
        catalog = Catalog.from_columns(
            IdMap.from_ids([1, 2], "item"), [1, 2], {"title": ["Batman (1966)", "Batman (1989)"]}
        )
        assert catalog.search("batman", weights=[3, 500])[0].title == "Batman (1989)"
        assert catalog.search("batman", weights=[500, 3])[0].title == "Batman (1966)"

    def test_a_year_in_the_query_is_preferred(self) -> None:
        catalog = Catalog.from_columns(IdMap.from_ids([1, 2], "item"), [1, 2], {"title": ["Up (1984)", "Up (2009)"]})
        assert catalog.search("up 2009", weights=[9, 1])[0].title == "Up (2009)"
        assert catalog.search("Up (1984)", weights=[1, 9])[0].title == "Up (1984)"

    def test_find_is_sure_or_finds_nothing(self, catalog: Catalog) -> None:
        assert catalog.find("Iron Man (2008)") == catalog.find("iron man") == 2
        assert catalog.find("Iron Man (1931)") is None
        assert catalog.find("Iron") is None
        two = Catalog.from_columns(IdMap.from_ids([1, 2], "item"), [1, 2], {"title": ["Emma (1996)", "Emma (2020)"]})
        assert (two.find("emma"), two.find("emma 2020")) == (None, 1)


@pytest.fixture(scope="module")
def movies(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Catalog, np.ndarray[Any, Any]]:
    """9,742 titles, and how often each was rated."""
    import tarfile

    folder = tmp_path_factory.mktemp("movies")
    with tarfile.open(shared_data / "ml-latest-small.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    with (folder / "ml-latest-small/movies.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with (folder / "ml-latest-small/ratings.csv").open(encoding="utf-8", newline="") as file:
        counts = Counter(row["movieId"] for row in csv.DictReader(file))
    item_ids = IdMap.from_ids([int(row["movieId"]) for row in rows], "item")
    catalog = Catalog.from_columns(
        item_ids,
        [int(row["movieId"]) for row in rows],
        {name: [r[name] for r in rows] for name in ("title", "genres")},
    )
    return catalog, np.array([counts[str(item)] for item in item_ids.tolist()])


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("iron man", ["Iron Man (2008)", "Iron Man (1931)", "Iron Man 2 (2010)", "Iron Man 3 (2013)"]),
        ("star wars", ["Star Wars: Episode IV - A New Hope (1977)"]),
        ("star wars episode 5", ["Star Wars: Episode V - The Empire Strikes Back (1980)"]),
        ("godfather", ["Godfather, The (1972)", "Godfather: Part II, The (1974)"]),
        ("seven", ["Seven (a.k.a. Se7en) (1995)"]),
        ("se7en", ["Seven (a.k.a. Se7en) (1995)"]),
        ("the matrix", ["Matrix, The (1999)", "Matrix Reloaded, The (2003)"]),
        ("up 2009", ["Up (2009)"]),
        ("blade runner 2049", ["Blade Runner 2049 (2017)", "Blade Runner (1982)"]),
        ("2012", ["2012 (2009)"]),
        ("das boot", ["Boot, Das (Boat, The) (1981)"]),
        ("spiderman", ["Spider-Man (2002)", "Spider-Man 2 (2004)", "Spider-Man 3 (2007)"]),
        ("amelie", ["Amelie (Fabuleux destin d'Amélie Poulain, Le) (2001)"]),
        ("wall-e", ["WALL·E (2008)"]),
        ("rocky 2", ["Rocky II (1979)"]),
        ("toy st", ["Toy Story (1995)", "Toy Story 2 (1999)", "Toy Story 3 (2010)"]),
        ("pulp ficton", ["Pulp Fiction (1994)"]),
        ("forest gump", ["Forrest Gump (1994)"]),
        ("monty python grail", ["Monty Python and the Holy Grail (1975)"]),
        ("fight clbu", ["Fight Club (1999)"]),
    ],
)
def test_real_titles(movies: tuple[Catalog, Any], query: str, titles: list[str]) -> None:
    catalog, weights = movies
    assert [match.title for match in catalog.search(query, weights)][: len(titles)] == titles


def test_titles_are_normalised_once(movies: tuple[Catalog, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand titles are searched in milliseconds, as only the query is normalised."""
    catalog, weights = movies
    catalog.search("star wars", weights)
    normalised = []
    monkeypatch.setattr(
        "alsatian.data.title_search.normalize_title", lambda name: normalised.append(name) or normalize_title(name)
    )
    catalog.search("star wars", weights)
    assert normalised == ["star wars"]


class TestMatching:
    @pytest.mark.parametrize(
        ("where", "items"),
        [
            ("year >= 2008", ["iron", "iron2"]),  # the year of Up is missing: it does not match
            ("NOT year >= 2008", ["cars", "heat"]),
            ("year IS NULL", ["up"]),
            ("genres LIKE '%Animation%' AND score > 7", ["cars", "up"]),
            ("genres has 'Comedy'", ["cars"]),
            ("animated", ["cars", "up"]),
            ("Title LIKE 'Iron%'", ["iron", "iron2"]),
            ("title IN ('Heat (1995)', 'select; from (x)')", ["heat"]),
            ("true", ITEMS),
        ],
    )
    def test_what_an_expression_selects(self, catalog: Catalog, where: str, items: list[str]) -> None:
        assert [ITEMS[row] for row in np.flatnonzero(catalog.match_where(where))] == items

    @pytest.mark.parametrize(
        ("where", "words"),
        [
            (
                "yaer > 1990",
                "not valid at position 1: 'yaer' is not a column of the catalog; its columns are 'title', 'year', "
                r"'genres', 'score', 'animated'\. Did you mean 'year'\?",
            ),
            ("year >", "at position 7: expected a number, found the end; write a condition such as"),
            ("", "at position 1: expected a column, found the end"),
            ("year", "column 'year' is not true or false by itself; compare it"),
            (3, 'where=3 is not text; write a condition such as "year >= 1990'),
            ("year > 1, year > 2", "at position 9: expected and, or, or the end, found ','"),
            ("year > 1; DROP TABLE items", "at position 9: ';' is not part of a condition"),
            ("true) UNION SELECT (true", "expected and, or, or the end"),
            ("true FROM items", "expected and, or, or the end"),
            ("count(*) > 1", r"at position 1: functions such as count\(\) are not supported"),
            ("lower(title) = 'up'", r"at position 1: functions such as lower\(\) are not supported"),
            ("EXISTS (SELECT 1 FROM items)", r"functions such as EXISTS\(\) are not supported"),
            ("year IN (SELECT * FROM read_csv('/etc/passwd'))", "expected a number, found 'SELECT'"),
            ("read_text('/etc/passwd') = 'x'", r"functions such as read_text\(\) are not supported"),
            ("SET enable_external_access = true", "'SET' is not a column"),
            ("year = 'soon'", "at position 8: column 'year' takes a number, not 'soon'"),
            ("title = 5", "column 'title' takes text in single quotes, not 5"),
            ("title = 'Up", "at position 9: the quote ' is not closed"),
            ("score like '7%'", "like requires a column of text, and 'score' is float64"),
            ("(" * 3000, "too deeply nested; use at most 100 levels"),
            ("1" + "+1" * 600 + " > 1", "expected a column, found '1'"),
            ("'\ud800' = title", "expected a column"),
        ],
    )
    def test_what_is_refused(self, catalog: Catalog, where: str, words: str) -> None:
        with pytest.raises(ParameterError, match=words) as raised:
            catalog.match_where(where)
        assert "\n" not in str(raised.value)
        assert len(catalog.match_where("true")) == 5  # and nothing is the worse for it

    def test_without_a_catalog_there_is_nothing_to_filter(self) -> None:
        with pytest.raises(
            ParameterError, match=r"this model has none; train it on data read with items= \(--items FILE\)\."
        ):
            Catalog().match_where("year > 1990")

    def test_a_hundred_thousand_items(self) -> None:
        ids = IdMap.from_ids(range(100_000), "item")
        catalog = Catalog.from_columns(ids, range(100_000), {"year": [1900 + i % 120 for i in range(100_000)]})
        assert catalog.match_where("year < 1901").sum() == 834

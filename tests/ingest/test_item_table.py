"""Titles and attributes: from tables of items, from the events, and from MovieLens folders in all forms."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from alsatian.errors import ColumnError, ParameterError, RowsError, SourceError
from alsatian.ingest import read

RATINGS = "userId,movieId,rating\n1,10,4\n1,20,3\n2,30,5\n"
MOVIES = """movieId,title,genres
10,"Up, and away (2009)",Comedy|Drama
20,Cars (2006),(no genres listed)
99,Old,
"""


def write(folder: Path, **files: str | bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_titles_attributes_and_years(tmp_path: Path) -> None:
    write(tmp_path, r__csv=RATINGS, m__csv=MOVIES)
    data = read(tmp_path / "r.csv", items=tmp_path / "m.csv")
    assert data.catalog.titles == ["Up, and away (2009)", "Cars (2006)", None]
    assert data.catalog.attributes(0) == {"genres": "Comedy|Drama", "year": 2009}
    assert data.report.notes == ("1 of 3 items of m.csv without any value.", "1 of 3 items without a title.")


def test_a_year_is_found_however_a_title_ends_in_it(tmp_path: Path) -> None:
    write(tmp_path, r__csv=RATINGS, m__csv="movieId,title\n10,Lost (2004 - 2010)\n20,Up (2009)\n30,M\n")
    catalog = read(tmp_path / "r.csv", items=tmp_path / "m.csv").catalog
    assert [catalog.attributes(row)["year"] for row in range(3)] == [2004, 2009, None]


def test_ids_of_nineteen_digits_match(tmp_path: Path) -> None:
    largest = 2**63 - 1
    write(tmp_path, r__csv=f"user,item\n1,{largest}\n2,{-largest}\n")
    write(tmp_path, m__csv=f"item,title\nx,X\n{largest + 1},Y\n{-largest},A\n {largest},B\n")
    assert read(tmp_path / "r.csv", items=tmp_path / "m.csv").catalog.titles == ["A", "B"]


def test_types_of_attributes(tmp_path: Path) -> None:
    write(
        tmp_path,
        r__csv=RATINGS,
        m__csv="id,name,minutes,score,code\n10,Up,96,8.2,007\n20,Cars,,7,1\n30,X,1,,\n",
    )
    catalog = read(tmp_path / "r.csv", items=tmp_path / "m.csv").catalog
    assert catalog.titles == ["Up", "Cars", "X"]
    assert [catalog.attributes(row) for row in range(2)] == [
        {"minutes": 96, "score": 8.2, "code": "007"},
        {"minutes": None, "score": 7.0, "code": "1"},
    ]


def test_items_from_a_frame_with_lists(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    write(tmp_path, r__csv=RATINGS)
    frame = pl.DataFrame({"movieId": ["10", "20"], "title": ["Up", None], "tags": [["a", "b"], []]})
    catalog = read(tmp_path / "r.csv", items=frame).catalog
    assert catalog.titles == ["Up", None, None]
    assert catalog.attributes(0) == {"tags": "a|b"}


def test_items_that_do_not_match_or_have_no_id(tmp_path: Path) -> None:
    write(tmp_path, r__csv=RATINGS, m__csv="movieId,title\na,Up\n", n__csv="key,label\n10,Up\n")
    with pytest.raises(ColumnError, match=r"none of the 1 ids of m.csv \('a'\) is an item of the data \(10, 20, 30\)"):
        read(tmp_path / "r.csv", items=tmp_path / "m.csv")
    with pytest.raises(
        ColumnError,
        match=r"could not find the column of item ids in .*; its columns are 'key', 'label'. Rename it to 'movieId'",
    ):
        read(tmp_path / "r.csv", items=tmp_path / "n.csv")


def test_malformed_items(tmp_path: Path) -> None:
    write(tmp_path, r__csv=RATINGS, m__csv="movieId,title\n10,Up, and away\n20,Cars\n,X\n30,Y\n")
    with pytest.raises(RowsError, match=r"m.csv has 1 row without an id and 1 malformed row \(first on line 2: wrong"):
        read(tmp_path / "r.csv", items=tmp_path / "m.csv")
    data = read(tmp_path / "r.csv", items=tmp_path / "m.csv", bad_rows="skip")
    assert data.catalog.titles == [None, "Cars", "Y"]
    assert data.report.notes[0].startswith("m.csv: 1 row without an id and 1 malformed row")


def test_titles_within_the_events(tmp_path: Path) -> None:
    rows = "1,a,Red\n2,a,Blue\n3,a,Blue \n1,b,Y\n2,b,X\n1,c,\n"
    write(tmp_path, r__csv="customer,sku,description\n" + rows)
    data = read(tmp_path / "r.csv")
    assert data.catalog.titles == ["Blue", "X", None]  # the most frequent, then the smaller text
    assert data.recipe.columns["title"] == "description"
    assert "1 of 3 items without a title." in data.report.notes
    assert read(tmp_path / "r.csv", title="").catalog.titles == []


def test_titles_of_the_events_beside_attributes_from_a_table(tmp_path: Path) -> None:
    write(tmp_path, r__csv="user,item,description\n1,a,Red\n2,b,\n", m__csv="item,price\na,2\nb,3\n")
    data = read(tmp_path / "r.csv", items=tmp_path / "m.csv", title="description")
    assert data.catalog.titles == ["Red", None]
    assert data.catalog.attributes(1) == {"price": 3}
    write(tmp_path, m__csv="item,title\na,Blue\n")
    assert read(tmp_path / "r.csv", items=tmp_path / "m.csv").catalog.titles == ["Blue", None]
    with pytest.raises(ParameterError, match=r"m.csv already has titles; remove title= \(--title\)"):
        read(tmp_path / "r.csv", items=tmp_path / "m.csv", title="description")


def test_events_with_a_title_column_and_no_title(tmp_path: Path) -> None:
    write(tmp_path, r__csv="user,item,title\n1,a,\n")
    assert read(tmp_path / "r.csv").catalog.titles == [None]


def test_folder_of_csv_files(tmp_path: Path) -> None:
    write(
        tmp_path,
        ratings__csv=RATINGS,
        movies__csv=MOVIES,
        links__csv="movieId,imdbId,tmdbId\n10,0114709,862\n20,1,\n",
    )
    catalog = read(tmp_path).catalog
    assert catalog.attributes(0) == {
        "genres": "Comedy|Drama",
        "year": 2009,
        "imdbId": "0114709",
        "tmdbId": 862,
    }
    assert catalog.attributes(1) == {"genres": None, "year": 2006, "imdbId": "1", "tmdbId": None}


def test_folder_of_dat_files(tmp_path: Path) -> None:
    movies = "10::Les Misérables, 1 (1995)::Drama|War\n20::Cars (2006)::Comedy\n"
    write(
        tmp_path,
        ratings__dat="1::10::5::978300760\n2::20::3.5::978302109\n",
        movies__dat=movies.encode("latin-1"),
    )
    data = read(tmp_path)
    assert data.catalog.titles == ["Les Misérables, 1 (1995)", "Cars (2006)"]
    assert data.catalog.attributes(0) == {"genres": "Drama|War", "year": 1995}
    assert data.times is not None
    assert data.recipe.columns == {
        "user": "userId",
        "item": "movieId",
        "value": "rating",
        "time": "timestamp",
    }


def test_folder_of_u_files(tmp_path: Path) -> None:
    item = "10|Misérables, Les (1995)|01-Jan-1995||http://x|0|1|0|0|0|0|0|0|1|0|0|0|0|0|0|0|0|0|0\n"
    write(tmp_path, u__data="1\t10\t5\t978300760\n", u__item=item.encode("latin-1"))
    catalog = read(tmp_path).catalog
    assert catalog.titles == ["Misérables, Les (1995)"]
    assert catalog.attributes(0) == {"genres": "Action|Drama", "year": 1995}


def test_a_folder_without_movies_has_no_titles(tmp_path: Path) -> None:
    write(tmp_path, ratings__csv=RATINGS)
    assert read(tmp_path).catalog.titles == []


@pytest.fixture
def unpacked(shared_data: Path, tmp_path: Path) -> Path:
    for name in ("ml-100k", "ml-latest-small", "deskdrop"):
        with tarfile.open(shared_data / f"{name}.tar.gz") as archive:
            archive.extractall(tmp_path, filter="data")
    return tmp_path


def test_real_folders(unpacked: Path) -> None:
    data = read(unpacked / "ml-100k")
    assert (len(data), len(data.user_ids), len(data.item_ids)) == (100_000, 943, 1_682)
    assert data.catalog.title_of(data.item_ids.row(543)) == "Misérables, Les (1995)"
    data = read(unpacked / "ml-latest-small")
    assert (len(data), len(data.user_ids), len(data.item_ids)) == (100_836, 610, 9_724)
    assert data.report.notes == ("18 of 9,742 items of movies.csv without any value.",)
    data = read(unpacked / "deskdrop" / "users_interactions.csv")
    assert (data.report.read, len(data.user_ids), len(data.item_ids)) == (72_312, 1_895, 2_987)
    assert int(data.item_ids.tolist()[0]) < 0  # signed 64-bit integers


def test_online_retail(shared_data: Path) -> None:
    path = shared_data / "online-retail.parquet"
    with pytest.raises(RowsError) as raised:
        read(path)
    assert str(raised.value) == (
        "135,080 of 541,909 rows of online-retail.parquet cannot be used (no user: 135,080 rows); first "
        "row 623: no user, column 'CustomerID' is empty. Correct them, or pass "
        "bad_rows='skip' (--bad-rows skip) to leave them out."
    )
    data = read(path, bad_rows="skip")
    assert data.recipe.columns == {
        "user": "CustomerID",
        "item": "StockCode",
        "value": "Quantity",
        "time": "InvoiceDate",
        "title": "Description",
    }
    assert data.user_ids.kind == "int"
    assert data.report.skipped == {"no user": 135_080}
    assert len(data) + 135_080 + data.report.combined == 541_909
    assert data.values.min() < 0  # cancellations
    assert data.catalog.title_of(data.item_ids.row("85123A")) == "WHITE HANGING HEART T-LIGHT HOLDER"


def test_a_folder_of_movies_without_years(tmp_path: Path) -> None:
    row = "|".join(["10", "Up", "", "", "", *"0100000000000000000"])
    write(tmp_path, u__data="1\t10\t4\t900000000\n", u__item=f"{row}\n")
    assert read(tmp_path).catalog.attributes(0) == {"genres": "Action"}


def test_a_folder_of_movies_without_genres(tmp_path: Path) -> None:
    write(tmp_path, ratings__csv=RATINGS, movies__csv="movieId,title\n10,Up\n")
    assert read(tmp_path).catalog.titles == ["Up", None, None]


def test_bad_rows_of_a_folder_are_skipped(tmp_path: Path) -> None:
    movies, links = "movieId,title,genres\n10,Up,Drama\nx\n", "movieId,imdbId\n10,7\ny\n"
    write(tmp_path, ratings__csv=RATINGS, movies__csv=movies, links__csv=links)
    with pytest.raises(RowsError, match=r"movies.csv has 1 malformed row \(first on line 3.*bad_rows='skip'"):
        read(tmp_path)
    data = read(tmp_path, bad_rows="skip")
    assert data.catalog.titles == ["Up", None, None]
    assert [note.partition(":")[0] for note in data.report.notes][:2] == ["movies.csv", "links.csv"]


def test_a_column_without_any_value_in_a_frame(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    write(tmp_path, r__csv=RATINGS)
    items = pl.DataFrame({"movieId": [10, 20], "title": ["Up", "Cars"], "note": [None, None]})
    assert read(tmp_path / "r.csv", items=items).catalog.titles == ["Up", "Cars", None]


@pytest.mark.parametrize("items", [[1], {"movieId": [10]}, 7])
def test_what_is_no_table_of_items(tmp_path: Path, items: object) -> None:
    write(tmp_path, r__csv=RATINGS)
    with pytest.raises(
        SourceError, match=f"items= must be a path or a frame, not {type(items).__name__}; convert it to"
    ):
        read(tmp_path / "r.csv", items=items)


def test_flags_and_ids_written_as_fractions(tmp_path: Path) -> None:
    write(tmp_path, r__csv=RATINGS, m__csv="movieId,title,new\n10.0,True,true\n20.0,false,\n30.0,TRUE,False\n")
    catalog = read(tmp_path / "r.csv", items=tmp_path / "m.csv").catalog
    assert catalog.titles == ["True", "false", "TRUE"]
    assert [catalog.attributes(row)["new"] for row in range(3)] == [True, None, False]
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"movieId": [10.0, 20.0, 30.0], "title": ["a", "b", "c"]})
    assert read(tmp_path / "r.csv", items=frame).catalog.titles == ["a", "b", "c"]

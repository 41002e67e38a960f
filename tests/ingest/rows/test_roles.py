"""Columns are recognised by usual names, or named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alsatian.errors import ColumnError
from alsatian.ingest import read
from alsatian.ingest.assemble import default_duplicate_rule
from alsatian.ingest.sources.dialect import detect_dialect


def roles(tmp_path: Path, header: str, **named: str) -> dict[str, str]:
    path = tmp_path / "r.csv"
    path.write_text(f"{header}\n{','.join('1' * (header.count(',') + 1))}\n")
    return read(path, **named).recipe.columns  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("userId,movieId,rating,timestamp", "userId movieId rating timestamp"),
        ("USER ID,Item-Id,Stars", "USER ID,Item-Id,Stars"),
        (
            "InvoiceNo,StockCode,Quantity,InvoiceDate,UnitPrice,CustomerID",
            "CustomerID StockCode Quantity InvoiceDate",
        ),
        ("reviewerID,asin,overall,unixReviewTime,reviewTime", "reviewerID asin overall unixReviewTime"),
        ("timestamp,contentId,personId,sessionId", "personId contentId - timestamp"),
        ("userID,artistID,weight", "userID artistID weight"),
        ("member,product,score,count", "member product score"),
        ("visitor_id,sku,plays", "visitor_id sku plays"),
    ],
)
def test_usual_names(tmp_path: Path, header: str, expected: str) -> None:
    names = expected.split(",") if "," in expected else expected.split()
    pairs = zip(("user", "item", "value", "time"), names, strict=False)
    assert roles(tmp_path, header) == {role: name for role, name in pairs if name != "-"}


def test_named_columns_win_and_case_does_not_matter(tmp_path: Path) -> None:
    role_columns = roles(tmp_path, "userId,who,movieId,Likes", user="WHO", value="likes")
    assert role_columns == {"user": "who", "item": "movieId", "value": "Likes"}


def test_a_role_named_nothing_is_left_out(tmp_path: Path) -> None:
    role_columns = roles(tmp_path, "user,item,rating,time", time="", value="")
    assert role_columns == {"user": "user", "item": "item", "value": "", "time": ""}


def test_errors_name_the_columns_and_the_argument(tmp_path: Path) -> None:
    for header, named, words in [
        (
            "a,b,rating",
            {},
            "could not find the user column of r.csv; its columns are 'a', 'b', 'rating'. Pass user=",
        ),
        ("user,movei", {}, "could not find the item column of .*; .* Did you mean item='movei'"),
        (
            "userId,customer,item",
            {},
            "2 columns that could be the user: 'userId', 'customer'; pass user='userId' or",
        ),
        (
            "user,item,vale",
            {"value": "value"},
            "r.csv has no column 'value' for value=; .* Did you mean 'vale'",
        ),
    ]:
        with pytest.raises(ColumnError, match=words):
            roles(tmp_path, header, **named)


def test_no_value_column_counts_each_row_as_one(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user,item\n1,a\n1,a\n1,b\n")
    data = read(tmp_path / "r.csv")
    assert data.values.tolist() == [2.0, 1.0]
    assert data.recipe.duplicates == "sum"
    assert data.report.notes[0] == "r.csv has no column of values; each row counts as 1."


@pytest.mark.parametrize(
    ("column", "values", "rule"),
    [
        ("rating", [0.1, 7.33], "last"),  # the name says it
        ("quantity", [1, 2, 5], "sum"),
        ("value", [0.5, 1, 5], "last"),
        ("value", range(1, 22), "sum"),  # too many different values
        ("value", [1, 1], "sum"),
        ("value", [1, 1.25], "sum"),
        ("value", [1, 5000], "sum"),
        ("value", [-10, 10], "last"),
        (None, [1, 2], "sum"),
    ],
)
def test_the_usual_rule_for_duplicates(column: str | None, values: list[float], rule: str) -> None:
    assert default_duplicate_rule(np.array(values, np.float32), column) == rule


def test_last_means_the_latest_time_then_the_latest_row(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("user,item,rating,time\n1,a,1,30\n1,a,2,20\n1,b,1,20\n1,b,2,20\n")
    data = read(tmp_path / "r.csv")
    assert data.values.tolist() == [1.0, 2.0]
    assert (
        "2 repeated pairs of user and item; the last value of each was kept (duplicates='last')." in data.report.notes
    )


def test_a_header_is_told_from_a_first_row() -> None:
    assert detect_dialect(["1,2,3", "2,3,4"], "f").header is None
    assert detect_dialect(["alice,up,4", "bob,up,3"], "f").header is None
    assert detect_dialect(["user,2020,2021", "1,2,3"], "f").header == ["user", "2020", "2021"]
    assert detect_dialect(["a,b,a", "1,2,3"], "f").header == ["a", "b", "a (2)"]
    assert detect_dialect(["a,,c", "1,2,3"], "f").header == ["a", "column 2", "c"]


def test_the_delimiter_is_the_one_that_parts_lines_evenly() -> None:
    assert detect_dialect(["1::Up, the (2009)::A|B", "2::Cars (2006)::A|B|C"], "f").delimiter == "::"
    assert detect_dialect(["id,title,genres", '1,"Up, the",A|B', "2,Cars,A|B"], "f").delimiter == ","
    assert detect_dialect(["1;2;3,5", "1;3;4,5"], "f").delimiter == ";"
    assert detect_dialect(["1,2,2020-01-01 10:00:00", "1,3,2020-01-01 10:00:00"], "f").delimiter == ","


def test_a_column_has_one_role(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("userId,movieId\n1,2\n")
    with pytest.raises(ColumnError, match="column 'movieId' cannot be both user= and item=; name two columns"):
        read(tmp_path / "r.csv", user="movieId", item="movieId")
    assert read(tmp_path / "r.csv", title="movieId", item="movieId").catalog.titles == ["2"]

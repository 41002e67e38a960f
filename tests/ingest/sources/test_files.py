"""Reading files: one small table of ratings in every form."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pytest

from alsatian.data.interactions import Interactions
from alsatian.errors import ColumnError, DataError, ParameterError, SourceError
from alsatian.ingest import read

CSV = """userId,movieId,rating,timestamp
30,cars,2.5,1000000060
4,up,4,1000000000
30,up,5,1000000120
"""


def facts(data: Interactions) -> list[tuple[object, object, float]]:
    users, items = data.user_ids.take(data.users), data.item_ids.take(data.items)
    return list(zip(users, items, data.values.tolist(), strict=True))


EXPECTED = [(4, "up", 4.0), (30, "cars", 2.5), (30, "up", 5.0)]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_csv(tmp_path: Path) -> None:
    data = read(write(tmp_path, "ratings.csv", CSV))
    assert facts(data) == EXPECTED  # users in ascending order, integers by value
    assert data.times is not None
    assert data.times.tolist() == [1000000000, 1000000060, 1000000120]
    assert data.scale == (2.5, 5.0)
    assert data.recipe.columns == {
        "user": "userId",
        "item": "movieId",
        "value": "rating",
        "time": "timestamp",
    }
    assert data.recipe.duplicates == "last"
    assert data.report.read == 3


@pytest.mark.parametrize("delimiter", ["\t", "|", ";", "::", "||", " "])
def test_any_delimiter_is_detected(tmp_path: Path, delimiter: str) -> None:
    assert facts(read(write(tmp_path, "ratings.txt", CSV.replace(",", delimiter)))) == EXPECTED


def test_an_unusual_delimiter_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "ratings.txt", CSV.replace(",", "~~"))
    with pytest.raises(DataError, match=r"could not detect a delimiter in ratings.txt \(first line: 'userId~~movieId"):
        read(path)
    assert facts(read(path, delimiter="~~")) == EXPECTED


def test_a_delimiter_that_parts_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "r.csv", CSV)
    with pytest.raises(
        DataError, match=r"';' does not split the lines of r.csv \(first line: 'userId,mov.*; ',' does, so remove"
    ):
        read(path, delimiter=";")
    path.write_text(CSV.replace(",", "~~"))
    with pytest.raises(DataError, match=r"';' does not split the lines .*; pass another delimiter= \(--delimiter\)"):
        read(path, delimiter=";")


def test_quotes_hold_delimiters_and_line_ends(tmp_path: Path) -> None:
    data = read(write(tmp_path, "r.csv", 'user,item,rating\n1,"Up, and\n""away""",3\n2,b,4\n'))
    assert data.item_ids.tolist() == ['Up, and\n"away"', "b"]


def test_quoted_fields_between_tabs(tmp_path: Path) -> None:
    data = read(write(tmp_path, "r.tsv", 'user\titem\trating\n"1"\t"a\tb"\t3\n"2"\t"b"\t4\n'))
    assert data.user_ids.tolist() == [1, 2]
    assert data.item_ids.tolist() == ["a\tb", "b"]


def test_quotes_mean_nothing_between_pipes(tmp_path: Path) -> None:
    data = read(write(tmp_path, "r.txt", 'user|item|rating\n1|"x|3\n2|b"|4\n'))
    assert data.item_ids.tolist() == ['"x', 'b"']


def test_a_byte_order_mark_and_carriage_returns(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode())
    assert facts(read(tmp_path / "r.csv")) == EXPECTED


def test_gzip_and_zstandard(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "r.csv.gz", "wt") as file:
        file.write(CSV)
    assert facts(read(tmp_path / "r.csv.gz")) == EXPECTED
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 4 AS userId, 'up' AS movieId, 4.0 AS rating) TO '{tmp_path}/r.csv.zst'")
    assert facts(read(tmp_path / "r.csv.zst")) == [(4, "up", 4.0)]


def test_json_lines(tmp_path: Path) -> None:
    lines = '{"user": 30, "item": "cars", "rating": 2.5}\n\n{"user": 4, "item": "up", "rating": 4, "x": [1]}\n'
    assert facts(read(write(tmp_path, "r.jsonl", lines))) == [(4, "up", 4.0), (30, "cars", 2.5)]


def test_json_keeps_ids_that_are_quoted_as_text(tmp_path: Path) -> None:
    data = read(write(tmp_path, "r.ndjson", '{"user": "30", "item": 7, "rating": 2.5}\n'))
    assert data.user_ids.tolist() == ["30"]
    assert data.item_ids.tolist() == [7]


def test_a_json_array(tmp_path: Path) -> None:
    data = read(write(tmp_path, "r.json", '[{"user": 30, "item": "cars", "rating": 2.5}]'))
    assert facts(data) == [(30, "cars", 2.5)]


def test_parquet(tmp_path: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT 4::SMALLINT AS userId, 'up' AS movieId, 4.0 AS rating) TO '{tmp_path}/r.parquet'")
    assert facts(read(tmp_path / "r.parquet")) == [(4, "up", 4.0)]


def test_a_glob_reads_files_in_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, "day1.csv", "user,item,rating\n1,a,1\n")
    write(tmp_path, "day2.csv", "user,item,rating\n1,a,2\n")
    data = read(f"{tmp_path}/day*.csv", duplicates="last")
    assert data.values.tolist() == [2.0]
    write(tmp_path, "day3.csv", "item,user,rating\n1,a,2\n")
    with pytest.raises(SourceError, match=r"begins with 'item,user,rating', but day1.csv has the columns 'user'"):
        read(f"{tmp_path}/day*.csv")


def test_a_file_without_header(tmp_path: Path) -> None:
    data = read(write(tmp_path, "u.data", "196\t242\t3\t881250949\n186\t302\t3\t891717742\n"))
    assert facts(data) == [(186, 302, 3.0), (196, 242, 3.0)]
    assert data.times is not None
    assert data.report.notes == ("u.data has no header; its columns are taken by position.",)


def test_a_file_in_latin_1(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes("user,item,rating\nJosé,Amélie,3\n".encode("latin-1"))
    data = read(tmp_path / "r.csv")
    assert data.user_ids.tolist() == ["José"]
    assert data.report.notes[0] == "r.csv is not written in UTF-8; it was read as Latin-1."


def test_a_path_with_quotes_and_spaces(tmp_path: Path) -> None:
    folder = tmp_path / 'it\'s a "folder"'
    folder.mkdir()
    assert facts(read(write(folder, "my ratings.csv", CSV))) == EXPECTED


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl", "r.json"])
def test_an_empty_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=f"{name} is empty; (pass|write) "):
        read(write(tmp_path, name, ""))


def test_a_header_and_no_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"r.csv has columns \('user', 'item', 'rating'\) but no rows"):
        read(write(tmp_path, "r.csv", "user,item,rating\n"))


def test_a_missing_file_offers_the_nearest_name(tmp_path: Path) -> None:
    write(tmp_path, "ratings.csv", CSV)
    with pytest.raises(SourceError, match=r"there is no file .*raitings.csv'. Did you mean 'ratings.csv'"):
        read(tmp_path / "raitings.csv")
    with pytest.raises(SourceError, match="nowhere' does not exist"):
        read(tmp_path / "nowhere" / "ratings.csv")
    with pytest.raises(SourceError, match=r"no file matches '.*x.*parquet'; check the pattern"):
        read(f"{tmp_path}/x*.parquet")


def test_a_folder_of_no_known_form_lists_what_it_holds(tmp_path: Path) -> None:
    write(tmp_path, "events.csv", CSV)
    with pytest.raises(SourceError, match=r"is not a MovieLens folder \(it contains 'events.csv'\); pass a file"):
        read(tmp_path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(bytes(range(256)))
    with pytest.raises(SourceError, match=r"r.csv is not a text file"):
        read(tmp_path / "r.csv")
    (tmp_path / "u.csv").write_bytes(CSV.encode("utf-16"))
    with pytest.raises(SourceError, match="is written in UTF-16; save it as UTF-8"):
        read(tmp_path / "u.csv")
    with pytest.raises(SourceError, match=r"r.parquet cannot be read: .*Parquet file"):
        read(write(tmp_path, "r.parquet", "x"))
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(CSV.encode())[:40])
    with pytest.raises(SourceError, match=r"r.csv.gz cannot be read"):
        read(tmp_path / "r.csv.gz")
    with pytest.raises(SourceError, match=r"r.xlsx cannot be read as it is; unpack or convert it to CSV"):
        read(write(tmp_path, "r.xlsx", "x"))
    with pytest.raises(SourceError, match=r"shop.db is a database; pass 'sqlite:///"):
        read(write(tmp_path, "shop.db", "x"))


def test_foreign_arguments_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "r.csv", CSV)
    for arguments, words in [
        ({"bad_rows": "drop"}, "bad_rows='drop' is not valid; choose 'stop' or 'skip'"),
        ({"duplicates": "median"}, "duplicates='median' is not valid; choose 'last'"),
        ({"scale": (5, 1)}, r"scale=\(5, 1\) does not ascend; pass \(lowest, highest\), such as \(1, 5\)"),
        ({"scale": 5}, r"scale=5 is not a pair; pass \(lowest, highest\), such as \(1, 5\)\."),
        ({"scale": "15"}, "scale='15' is not a pair"),
        ({"scale": ("1", 5)}, r"scale=\('1', 5\) is not a pair"),
        ({"where": 3}, "where=3 is not text; pass an SQL condition, such as 'rating > 0'"),
        ({"query": "SELECT 1"}, "query= requires a database URL"),
    ]:
        with pytest.raises(ParameterError, match=words):
            read(path, **arguments)  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match=r"delimiter= is valid only for delimited text; remove it for r.json"):
        read(write(tmp_path, "r.json", "[]"), delimiter=",")
    with pytest.raises(ParameterError, match="delimiter= is valid only for a file of delimited text"):
        read(tmp_path, delimiter=",")
    with pytest.raises(SourceError, match="a source must be a path, a folder, a database URL or a frame, not int"):
        read(42)


def test_the_kind_of_ids(tmp_path: Path) -> None:
    for written, expected in [
        ("7,-1,12", [-1, 7, 12]),
        ("007,8,12", ["007", "12", "8"]),  # a leading zero makes text
        ("7,b,12", ["12", "7", "b"]),
        (" 7, 8,12", [7, 8, 12]),
        ("17850.0,3.0,3.0", [3, 17850]),  # as pandas writes integers where some are missing
        ("é,z,😀", ["z", "é", "😀"]),  # by code point
        ("9223372036854775807,1,2", [1, 2, 9223372036854775807]),
        ("9223372036854775808,1,2", ["1", "2", "9223372036854775808"]),
    ]:
        rows = "".join(f"{user},a,1\n" for user in written.split(","))
        data = read(write(tmp_path, "r.csv", "user,item,rating\n" + rows))
        assert data.user_ids.tolist() == expected


def test_an_id_that_is_no_integer_far_down_makes_all_text_and_is_noted(tmp_path: Path) -> None:
    rows = "".join(f"{n},a,1\n" for n in range(1000)) + "x7,a,1\n"
    data = read(write(tmp_path, "r.csv", "user,item,rating\n" + rows))
    assert data.user_ids.kind == "text"
    assert "1 of 1,001 user ids are not integers, so all were read as text." in data.report.notes


def test_a_missing_column_lists_what_exists(tmp_path: Path) -> None:
    with pytest.raises(
        ColumnError, match=r"could not find the item column of r.csv; its columns are 'user', 'itm'.*mean item='itm'"
    ):
        read(write(tmp_path, "r.csv", "user,itm\n1,2\n"))


@pytest.mark.parametrize("name", ["a[1]", "a?", "a*"])
@pytest.mark.parametrize("suffix", [".csv", ".csv.zst", ".jsonl", ".json", ".parquet"])
def test_a_name_is_no_pattern(tmp_path: Path, name: str, suffix: str) -> None:
    with duckdb.connect() as con:
        for stem, user in ((name, 7), ("a1", 1)):
            path = f"{tmp_path}/{stem}{suffix}"
            array = ", ARRAY" if suffix == ".json" else ""
            kind = "csv" if "csv" in suffix else "parquet" if "parquet" in suffix else f"json{array}"
            con.execute(f"COPY (SELECT {user} AS user, 2 AS item) TO '{path}' (FORMAT {kind})")
    assert read(tmp_path / f"{name}{suffix}").user_ids.tolist() == [7]


def test_a_bad_row_in_a_file_named_like_a_pattern(tmp_path: Path) -> None:
    write(tmp_path, "a1.csv", CSV)
    with pytest.raises(DataError, match=r"a\[1\].csv cannot be used; it is line 4: wrong number of fields, 'x'"):
        read(write(tmp_path, "a[1].csv", CSV[: CSV.index("30,up")] + "x\n"))

"""Tables of users, and items and users of tables that have no value: kept when asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from alsatian.data.recipe import Recipe
from alsatian.errors import ColumnError, ParameterError, SourceError
from alsatian.ingest import read

RATINGS = "userId,movieId,rating\n1,10,4\n1,20,3\n2,30,5\n"
MOVIES = """movieId,title,genres
10,"Up, and away (2009)",Comedy|Drama
20,Cars (2006),(no genres listed)
99,Old,
"""


def write(folder: Path, **files: str) -> None:
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)


class TestCold:
    def test_items_and_users_without_values_are_kept_when_asked_for(self, tmp_path: Path) -> None:
        write(tmp_path, r__csv=RATINGS, m__csv=MOVIES, u__csv="userId,age\n1,30\n7,41\n")
        tables = {"items": tmp_path / "m.csv", "users": tmp_path / "u.csv"}
        data = read(tmp_path / "r.csv", **tables, include_unrated=True)
        assert (data.item_ids.tolist(), data.item_counts.tolist()) == ([10, 20, 30, 99], [1, 1, 1, 0])
        assert (data.user_ids.tolist(), data.by_user.counts.tolist()) == ([1, 2, 7], [2, 1, 0])
        assert data.catalog.titles == ["Up, and away (2009)", "Cars (2006)", None, "Old"]
        assert data.user_table.columns["age"].tolist() == [30, None, 41]
        assert data.report.notes[:2] == (
            "kept 1 user without any value (include_unrated).",
            "kept 1 item without any value (include_unrated).",
        )
        warm = read(tmp_path / "r.csv", **tables)
        assert (warm.by_user.values.tolist(), warm.item_ids.tolist()) == (data.by_user.values.tolist(), [10, 20, 30])
        assert "1 of 2 users of u.csv without any value." in warm.report.notes

    def test_ids_of_another_type_are_not(self, tmp_path: Path) -> None:
        write(tmp_path, r__csv=RATINGS, m__csv="movieId,title\n10,Up\nnew,New\n")
        assert read(tmp_path / "r.csv", items=tmp_path / "m.csv", include_unrated=True).item_ids.tolist() == [
            10,
            20,
            30,
        ]

    def test_text_ids(self, tmp_path: Path) -> None:
        write(tmp_path, r__csv="user,item\na,x\nb,y\n", m__csv="item,title\nw,W\ny,Y\n")
        data = read(tmp_path / "r.csv", items=tmp_path / "m.csv", include_unrated=True)
        assert (data.item_ids.tolist(), data.by_user.indices.tolist()) == (["w", "x", "y"], [1, 2])

    def test_what_contradicts_it(self, tmp_path: Path) -> None:
        write(tmp_path, r__csv=RATINGS, m__csv=MOVIES)
        with pytest.raises(ParameterError, match=r"pass items= \(--items\) or users= \(--users\)"):
            read(tmp_path / "r.csv", include_unrated=True)
        with pytest.raises(ParameterError, match="min_per_user and min_per_item of the recipe drop those"):
            read(tmp_path / "r.csv", items=tmp_path / "m.csv", include_unrated=True, recipe=Recipe(min_per_item=2))


def test_tables_of_users_that_do_not_fit(tmp_path: Path) -> None:
    write(tmp_path, r__csv=RATINGS, u__csv="userId,age\n7,30\n", v__csv="key,age\n1,30\n")
    with pytest.raises(ColumnError, match=r"none of the 1 ids of u.csv \(7\) is a user of the data \(1, 2\)"):
        read(tmp_path / "r.csv", users=tmp_path / "u.csv")
    with pytest.raises(
        ColumnError, match=r"the column of user ids in .*; its columns are 'key', 'age'. Rename it to 'userId'"
    ):
        read(tmp_path / "r.csv", users=tmp_path / "v.csv")
    with pytest.raises(SourceError, match="users= must be a path or a frame, not int"):
        read(tmp_path / "r.csv", users=3)


def test_the_users_of_a_movielens_folder(movielens_100k: Path) -> None:
    profiles = read(movielens_100k).user_table
    assert list(profiles.columns) == ["age", "gender", "occupation", "zip_code"]
    assert profiles.attributes(0) == {"age": 24, "gender": "M", "occupation": "technician", "zip_code": "85711"}

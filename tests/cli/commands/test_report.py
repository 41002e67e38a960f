"""alsatian report: one page, from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from alsatian.cli.commands.report import source_title
from alsatian.evaluation import evaluate
from alsatian.ingest import read

FEW = ("--bootstrap", "20", "--metric", "ndcg", "--threads", "1")


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMDB_API_KEY", raising=False)
    monkeypatch.setenv("ALSATIAN_CACHE", str(tmp_path / "cache"))


def source(world: Path) -> list[Any]:
    return [world / "ratings.csv", "--items", world / "movies.csv"]


def test_the_page(cli: Any, world: Path, tmp_path: Path) -> None:
    page = tmp_path / "a report.html"
    chosen = ("--model", "item-knn", "--sample-user", "7", "--sample-item", "Iron Man")
    answer = cli("report", *source(world), "-o", page, *chosen, *FEW)
    assert answer.code == 0
    assert "posters are drawn: TMDB_API_KEY is not set" in answer.out
    assert answer.out.splitlines()[-1].startswith(f"saved     {page}, ")
    html = page.read_text()
    assert "<title>ratings.csv</title>" in html
    assert html.count("<h3>User ") == 1
    assert "<h3>User 7</h3>" in html
    assert "<h3>Similar to Iron Man" in html
    assert "&#39;" in html  # the quotes around the name of the page, in the command
    assert "--sample-user 7 --sample-item" in html


def test_json_is_what_evaluate_says(cli: Any, world: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    answer = cli("report", world / "ratings.csv", "-o", page, "--model", "item-knn", "--seed", "3", *FEW, "--json")
    results = evaluate("item-knn", read(world / "ratings.csv"), metrics=["ndcg"], bootstrap=20, seed=3)
    assert [row["metrics"] for row in answer.json["rows"]] == [row.metrics for row in results]
    assert answer.json["file"] == str(page)
    assert "from 0.5 to 5" in answer.err


def test_a_search(cli: Any, world: Path, tmp_path: Path) -> None:
    study, page = tmp_path / "a.study", tmp_path / "report.html"
    options = ("--model", "explicit-als", "--search", "reg=0.1..10", "--search", "factors=2,4", "--trials", "5")
    assert cli("tune", world / "ratings.csv", *options, "--test", "per-user:10", "--study-file", study).code == 0
    answer = cli("report", world / "ratings.csv", "-o", page, "--model", "item-knn", "--study", study, *FEW)
    assert answer.code == 0
    html = page.read_text()
    assert 'id="search"' in html
    assert "RMSE by reg" in html
    assert "too optimistic" not in html


def test_a_password_of_a_database_is_not_told(cli: Any, world: Path, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "r.db") as db:
        db.execute("CREATE TABLE ratings AS SELECT 1 AS user, 1 AS item, 1.0 AS rating LIMIT 0")
        rows = read(world / "ratings.csv")
        db.executemany("INSERT INTO ratings VALUES (?, ?, ?)", zip(rows.users.tolist(), rows.items.tolist(),
                       map(float, rows.values), strict=True))  # fmt: skip
    db.close()
    page = tmp_path / "report.html"
    where = "rating > 0 OR 'postgresql://me:secret@host/db' = 'password=secret'"
    query = ("--query", "SELECT * FROM ratings", "--where", where)
    answer = cli("report", f"sqlite:///{tmp_path / 'r.db'}", *query, "-o", page, "--model", "item-knn", *FEW)
    assert (answer.code, answer.err) == (0, "")
    assert "postgresql://me:…@host/db" in page.read_text()
    assert "secret" not in page.read_text()


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("data/ml-100k/", "ml-100k"),
        ("postgresql://me:secret@host/db?sslmode=require", "db"),
        ("postgresql://me:secret@host", "me:…@host"),
        ("postgresql://me:sec?ret@host", "me:…@host"),
        ("postgresql://me:sec@ret@host:5432", "me:…@host:5432"),
    ],
)
def test_a_title_is_the_name_of_the_source_without_its_password(source: str, title: str) -> None:
    assert source_title(source) == title


@pytest.mark.parametrize(
    ("options", "code", "complaint"),
    [
        (["-o", "report.pdf"], 2, "-o report.pdf must end in .html."),
        (["-o", "nowhere/report.html"], 2, "there is no folder 'nowhere' to save report.html in"),
        (["-o", "report.html", "--model", "item-nn"], 2, "there is no model 'item-nn'"),
        (["-o", "report.html", "--split", "per-user:x"], 2, "'x' is not a valid n of per-user"),
        (["-o", "report.html", "--study", "a.study"], 2, "a.study is not a study file"),
        (["-o", "report.html", "--sample-user", "ann"], 1, "no user 'ann' (str) in this model"),
        (["-o", "report.html", "--sample-item", "Qqqq Xxxx"], 1, "no item 'Qqqq Xxxx'"),
    ],
)
def test_refused(
    cli: Any,
    world: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    code: int,
    complaint: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.html").write_text("older")
    answer = cli("report", *source(world), *options)
    assert (answer.code, answer.err.count("\n")) == (code, 1)
    assert complaint in answer.err
    assert (tmp_path / "report.html").read_text() == "older"


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_the_extra_is_named(cli: Any, world: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    answer = cli("report", world / "ratings.csv", "-o", world / "report.html")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith(f"alsatian: this needs {package}, which is not installed; ")
    assert answer.err.endswith("run: pip install 'alsatian[report]'\n")

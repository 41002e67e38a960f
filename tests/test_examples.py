"""The examples run as they are."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import alsatian as al
from alsatian.spark.java_home import ensure_java

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(*command: str, folder: Path | None = None) -> str:
    process = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False, cwd=folder)
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_grid() -> None:
    output = run(str(EXAMPLES / "grid.py"))
    assert "explicit-als: rmse of 12 trials on random:0.2" in output
    assert "[12 complete]" in output
    assert "random:0.1: 10,000 held-out values" in output


def test_study(movielens_100k: Path, tmp_path: Path) -> None:
    output = run("-W", "ignore", str(EXAMPLES / "study.py"), str(movielens_100k), str(tmp_path))
    errors = dict(re.findall(r"^(explicit-als|biased-mf|bias) +(0\.\d+) ", output, re.MULTILINE))
    assert max(float(errors["explicit-als"]), float(errors["biased-mf"])) < 0.95 < float(errors["bias"])
    assert (tmp_path / "curves.png").read_bytes()[:4] == b"\x89PNG"
    for name in ("explicit-als", "biased-mf"):
        page = (tmp_path / f"similar-{name}.html").read_text()
        assert "Like Toy Story (1995)" in page
        assert page.count("score 0.") == 25


def test_movies() -> None:
    output = run(str(EXAMPLES / "movies.py"), "Iron Man (2008)", "Up (2009)")
    assert "per-user:10: 6," in output
    assert "\nimplicit-als  " in output
    assert "for a visitor who likes Iron Man (2008), Up (2009)" in output


def test_textbook(tmp_path: Path) -> None:
    """More factors overfit, less so with more regularization; the shortcut is far off on what was rated."""
    output = run(str(EXAMPLES / "textbook.py"), str(tmp_path))
    pictures = {path.name: path.read_bytes()[:4] for path in tmp_path.iterdir()}
    assert pictures == dict.fromkeys(["rank.png", "regularization.png", "shortcut.png"], b"\x89PNG")
    ends = {
        line[: line.index("}") + 1]: list(map(float, re.findall(r" (\d\.\d{3}) ", line)))
        for line in output.splitlines()
    }
    assert len(ends) == 12
    wide, narrow = (ends[f"rank: {{'factors': {rank}, 'reg': 5}}"] for rank in (40, 2))
    assert wide[2] < narrow[2]
    assert wide[1] > narrow[1]
    shortcut = ends["shortcut: {'factors': 10, 'reg': 5, 'unobserved_weight': 1}"]
    assert min(shortcut) > 2 > max(ends["shortcut: {'factors': 10, 'reg': 5}"])


def test_articles(shared_data: Path, tmp_path: Path) -> None:
    with tarfile.open(shared_data / "deskdrop.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    output = run(str(EXAMPLES / "articles.py"), str(next(tmp_path.rglob("users_interactions.csv"))))
    assert "Recipe(): Interactions(40,710 values of 1,895 users and 2,987 items); NDCG@10 0." in output
    weights = "VIEW 1, LIKE 2, BOOKMARK 3, FOLLOW 4, COMMENT CREATED 5"
    assert f"events have the usual weights of this log: {weights}." in output
    assert "\nlike -4029704725707465084\n" in output


def test_shop(shared_data: Path) -> None:
    output = run(str(EXAMPLES / "shop.py"), str(shared_data / "online-retail.parquet"), "12347")
    assert "'left out by where': 10624" in output
    assert "for user 12347" in output


def test_zeros_as_data(movielens_100k: Path, tmp_path: Path) -> None:
    output = run(str(EXAMPLES / "zeros_as_data.py"), str(movielens_100k), "10", folder=tmp_path)
    zeros, sgd = (float(error) for error in re.findall(r"epochs; MSE (\d\.\d+)", output))
    assert zeros > 4 > 0.95 > sgd
    assert output.count("like Star Wars (1977): ") == 2
    assert output.count("Return of the Jedi (1983)") >= 2
    has_plot = "written: learning_curves.png" in output
    assert has_plot == (tmp_path / "learning_curves.png").exists() == (find_spec("matplotlib") is not None)


def spark_submit(master: str, script: Path, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script by spark-submit in a folder."""
    home = Path(pytest.importorskip("pyspark").__file__).parent
    ensure_java()
    pythons = {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    environment = os.environ | pythons | {"SPARK_HOME": str(home)}  # named, as Spark's script looks for it in one word
    command = [home / "bin" / "spark-submit", "--master", master, script, *words]
    process = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, env=environment)
    assert process.returncode == 0, process.stderr
    return process


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.xdist_group("spark")
def test_spark(tmp_path: Path) -> None:
    process = spark_submit("local[4]", EXAMPLES / "spark.py", "Iron Man (2008)", folder=tmp_path)
    assert min(float(error) for error in re.findall(r"RMSE (\d\.\d+)", process.stdout)) < 0.9
    assert "who likes Iron Man (2008)" in process.stdout
    assert (tmp_path / "films.model").stat().st_size


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.xdist_group("spark")
def test_the_command_under_spark_submit(tmp_path: Path) -> None:
    ratings = tmp_path / "ratings.csv"
    ratings.write_text('user,item,rating\n007,"Up, ""again""",4\n007,Heat,5\n7,Heat,3\n7,"Up, ""again""",2\n')
    words = ["spark", "train", str(ratings), "-o", "films.model", "--set", "factors=1", "--set", "epochs=1"]
    spark_submit("local[2]", EXAMPLES / "submit.py", *words, folder=tmp_path)
    data = al.load(tmp_path / "films.model").data
    assert (data.user_ids.tolist(), data.item_ids.tolist()) == (["007", "7"], ["Heat", 'Up, "again"'])


@pytest.mark.usefixtures("fewer_users")
def test_popular_and_unknown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["popular_and_unknown.py", "Iron Man (2008)"])
    runpy.run_path(str(EXAMPLES / "popular_and_unknown.py"), run_name="__main__")
    output = capsys.readouterr().out
    bits = [float(line.split()[1]) for line in re.findall(r"^ *[01](?:\.\d+)? +\d+\.\d+ .*$", output, re.MULTILINE)]
    assert len(bits) == 5
    assert bits == sorted(bits)
    assert output.count("for a visitor who likes Iron Man (2008)") == 2

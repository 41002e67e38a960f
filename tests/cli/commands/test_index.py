"""The command index, and what becomes of an index later."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

import alsatian as al
from alsatian.cli import run
from alsatian.models.factors.ann_index import IndexBenchmark
from alsatian.serving import create_app
from support import problems

SAYS = "similar items in "


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("catalog") / "ratings.csv"
    data = problems.random_ratings(users=100, items=1_200, density=0.03)
    rows = zip(data.by_user.row_numbers, data.by_user.indices, data.by_user.values, strict=True)
    file.write_text("\n".join(["user,item,rating", *(f"{user},{item},{value}" for user, item, value in rows)]))
    return file


@pytest.fixture
def file(source: Path, tmp_path: Path) -> Path:
    file = tmp_path / "shop.model"
    al.save(al.ExplicitALS(factors=4, epochs=2).fit(al.read(str(source))), file)
    return file


@pytest.fixture
def paying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A catalog of a million items is too much for a test."""
    monkeypatch.setattr(IndexBenchmark, "is_worthwhile", True)


@pytest.mark.usefixtures("paying")
def test_it_goes_into_the_model_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(file), "--recall", "0.8"]) == 0
    model, (index, saved) = al.load(file), capsys.readouterr().out.splitlines()
    assert model.index is not None
    assert model.index.benchmark.recall > 0.75
    assert index.startswith(f"index     {SAYS}")
    assert index.endswith(f", recall {100 * model.index.benchmark.recall:.1f} %")
    assert saved.startswith(f"saved     {file}, ")


@pytest.mark.usefixtures("paying")
def test_json_and_another_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = file.with_name("indexed.model")
    assert run(["index", str(file), "-o", str(other), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    index = al.load(other).index
    assert index is not None
    assert record["index"] == index.to_json()
    assert (record["file"], record["bytes"]) == (str(other), other.stat().st_size)
    assert al.load(file).index is None


def test_one_that_does_not_pay_is_not_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(IndexBenchmark, "is_worthwhile", False)
    before = file.read_bytes()
    assert run(["index", str(file)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"alsatian: an index of 1,200 items is not worthwhile ({SAYS}")
    assert error.endswith(f"{file} is unchanged.\n")
    assert file.read_bytes() == before


@pytest.mark.parametrize(("milliseconds", "pays"), [(1.0, True), (1.1, False)])
def test_it_pays_at_half_the_time(milliseconds: float, pays: bool) -> None:
    assert IndexBenchmark(0.95, 0.95, milliseconds, 2.0, probes=1, cells=2).is_worthwhile == pays


def test_refused_before_any_work(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(file), "--recall", "95"]) == 2
    assert "recall=95.0 is not valid; pass a number above 0 and at most 1." in capsys.readouterr().err
    assert run(["index", str(file), "-o", str(file.parent / "none" / "x.model")]) == 1
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.usefixtures("paying")
def test_training_again_makes_it_again(file: Path, source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["index", str(file), "--recall", "0.8"]) == 0
    capsys.readouterr()
    with TestClient(create_app(file), base_url="http://localhost") as client:
        assert client.post("/api/events", json={"user": 500, "item": 7, "value": 4}).status_code < 300
    assert run(["retrain", str(file), "--source", str(source), "-o", str(file)]) == 0
    assert f"index     {SAYS}" in capsys.readouterr().out
    model = al.load(file)
    assert model.index is not None
    assert model.index.benchmark.asked == 0.8


def test_training_again_leaves_out_one_that_no_longer_pays(
    file: Path, source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(IndexBenchmark, "is_worthwhile", True)
    assert run(["index", str(file)]) == 0
    create_app(file).state.event_store.close()
    monkeypatch.setattr(IndexBenchmark, "is_worthwhile", False)
    capsys.readouterr()
    assert run(["retrain", str(file), "--source", str(source), "-o", str(file)]) == 0
    assert f"index     none, as it is not worthwhile: {SAYS}" in capsys.readouterr().out
    assert al.load(file).index is None


@pytest.mark.usefixtures("paying")
def test_one_that_cannot_be_read_is_said_in_one_line(file: Path) -> None:
    assert run(["index", str(file)]) == 0
    model = al.load(file)
    assert model.index is not None
    model.index.buffer = model.index.buffer[:1000]
    al.save(model, file)
    process = subprocess.run(
        [sys.executable, "-m", "alsatian", "similar", str(file), "7"], capture_output=True, text=True, check=True
    )
    assert (
        process.stderr
        == "alsatian: similar items are exact, without the index of the model: faiss cannot read the index\n"
    )


@pytest.mark.usefixtures("paying")
def test_the_service_tells_that_it_has_one(file: Path) -> None:
    with TestClient(create_app(file), base_url="http://localhost") as client:
        assert client.get("/api/model").json()["index"] is None
    assert run(["index", str(file)]) == 0
    model = al.load(file)
    assert model.index is not None
    with TestClient(create_app(file), base_url="http://localhost") as client:
        assert client.get("/api/model").json()["index"] == model.index.to_json()
        (expected,) = model.similar(7, 5).to_dicts()
        assert client.get("/api/items/7/similar?n=5").json()["items"] == expected["items"]

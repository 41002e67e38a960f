"""A model is trained anew on its source and the events of its service, as if all had been one table."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

import alsatian as al
from alsatian.cli import run
from alsatian.serving import create_app
from alsatian.serving.event_log.store import Event, EventStore
from serving.conftest import Start, wait_for

ROWS = [
    (u, i, 1 + (u * i) % 5, 1_600_000_000 + 1000 * u + i) for u in range(1, 13) for i in range(1, 10) if (u + i) % 3
]
NEW = [(3, 4, 5.0), (3, 1, 1.0), (99, 2, 4.0), (99, 77, 5.0)]
LATER = 1_700_000_000


def table(rows: list[tuple[object, ...]], header: str = "user,item,rating,timestamp") -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    (tmp_path / "ratings.csv").write_text(table(ROWS))
    titles = [(i, f"Film {i} ({1990 + i})") for i in range(1, 10)]
    (tmp_path / "items.csv").write_text(table(titles, "item,title"))
    return tmp_path


def train(folder: Path, *options: str) -> Path:
    file = folder / "m.model"
    source = [str(folder / "ratings.csv"), "--items", str(folder / "items.csv"), "--set", "factors=3"]
    assert run(["train", *source, "-o", str(file), *options]) == 0
    return file


def keep(file: Path, events: list[Event]) -> EventStore:
    database = EventStore(f"sqlite:///{file}.events.db")
    database.add(events)
    return database


@pytest.mark.parametrize(
    "options",
    [
        ["--model", "explicit-als"],
        ["--model", "implicit-als", "--min-rating", "4"],
        ["--model", "implicit-als", "--half-life", "1y"],
        ["--model", "implicit-als", "--confidence", "bm25", "--duplicates", "sum"],
    ],
    ids=lambda options: " ".join(options[2:]) or "ratings",
)
def test_equals_a_training_on_one_table(trained: Path, options: list[str]) -> None:
    file = train(trained, *options)
    old = al.load(file)
    keep(file, [Event(f"e{n}", str(u), str(i), v, None, LATER + n) for n, (u, i, v) in enumerate(NEW)])
    source = str(trained / "ratings.csv")
    assert run(["retrain", str(file), "--source", source, "-o", str(file)]) == 0
    both = [*ROWS, *((u, i, v, LATER + n) for n, (u, i, v) in enumerate(NEW))]
    (trained / "both.csv").write_text(table(both))
    data = al.read(trained / "both.csv", recipe=old.data.recipe.rules_only)
    again, expected = al.load(file), type(old)(**old.params).fit(data, progress=False)
    assert again.data.digest == expected.data.digest
    assert again.recommend(99, n=5).items == expected.recommend(99, n=5).items
    assert again.data.catalog.title_of(again.data.item_ids.row(3)) == "Film 3 (1993)"
    assert again.training["events"]["count"] == len(NEW)


def test_weighed_events_of_text_ids(tmp_path: Path) -> None:
    rows = [(f"u{n}", f"i{(n * k) % 7}", "VIEW" if k % 2 else "LIKE") for n in range(9) for k in range(1, 5)]
    more = [("u1", "i3", "LIKE"), ("new", "i2", "VIEW")]
    for name, some in (("log.csv", rows), ("both.csv", rows + more)):
        (tmp_path / name).write_text(table(some, "user,item,event"))
    rules = ["--events", "VIEW=1,LIKE=3", "--event", "event", "--model", "implicit-als", "--set", "factors=2"]
    for name in ("log", "both"):
        assert run(["train", str(tmp_path / f"{name}.csv"), "-o", str(tmp_path / f"{name}.model"), *rules]) == 0
    file, new = tmp_path / "log.model", tmp_path / "new.model"
    keep(file, [Event(f"{n}", user, item, None, event, LATER) for n, (user, item, event) in enumerate(more)])
    assert run(["retrain", str(file), "--source", str(tmp_path / "log.csv"), "-o", str(new)]) == 0
    assert al.load(new).data.digest == al.load(tmp_path / "both.model").data.digest
    np.testing.assert_array_equal(al.load(new).data.values, al.load(tmp_path / "both.model").data.values)


def test_a_service_folds_in_only_what_its_model_has_not_learned(trained: Path, start: Start) -> None:
    file, source = train(trained, "--model", "explicit-als"), str(trained / "ratings.csv")
    server = start(file)
    assert server.ask("/api/events", {"user": 3, "item": 4, "value": 5})[0] == 202
    assert server.ask("/api/users/3/recommendations")[1]["events"] == 1
    assert run(["retrain", str(file), "--source", source, "-o", str(file)]) == 0
    wait_for(lambda: server.ask("/api/users/3/recommendations")[1]["events"] == 0)
    assert server.ask("/api/events", {"user": 3, "item": 1, "value": 2})[0] == 202
    assert server.ask("/api/users/3/recommendations")[1]["events"] == 1
    server.end()


def test_two_at_once_leave_a_whole_model(trained: Path) -> None:
    file = train(trained, "--model", "explicit-als")
    keep(file, [Event("e", "3", "4", 5.0, None, LATER)])
    command = [sys.executable, "-m", "alsatian", "retrain", str(file), "--source", str(trained / "ratings.csv"), "-o"]
    both = [subprocess.Popen([*command, str(file)], stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert al.load(file).training["events"]["count"] == 1
    assert [path.name for path in trained.glob(".alsatian-*")] == []


def test_events_that_do_not_fit_the_source_are_named(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = train(trained, "--model", "explicit-als")
    keep(file, [Event("e", "alice", "4", 5.0, None, LATER)])
    assert run(["retrain", str(file), "--source", str(trained / "ratings.csv"), "-o", str(trained / "n.model")]) == 1
    assert "'alice'" in capsys.readouterr().err
    assert not (trained / "n.model").exists()


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--model", "explicit-als"], {"user": 10**30, "item": 1, "value": 3}),
        (["--model", "explicit-als"], {"user": 1, "item": "9" * 30, "value": 3}),
        (["--model", "explicit-als"], {"user": 1, "item": 77, "value": 99}),
        (["--model", "implicit-als"], {"user": 1, "item": 77, "value": -3}),
        (["--model", "implicit-als", "--min-rating", "4"], {"user": 1, "item": 1, "value": 1e300}),
        (["--model", "implicit-als", "--half-life", "1y"], {"user": 1, "item": 1, "value": 3, "time": 9 * 10**10}),
    ],
    ids=str,
)
def test_an_event_that_would_spoil_the_next_training_is_not_kept(
    trained: Path, options: list[str], wrong: dict[str, object]
) -> None:
    app = create_app(train(trained, *options))
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        refused = client.post("/api/events", json=wrong)
    assert refused.status_code == 422, refused.text
    assert app.state.event_store.last_number() == 0


@pytest.mark.parametrize("driver", [None, "sqlite", "sqlite+pysqlite"])
def test_without_a_database(trained: Path, driver: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    file = train(trained, "--model", "explicit-als")
    events = [] if driver is None else ["--event-log", f"{driver}:///{file}.events.db"]
    assert run(["retrain", str(file), "--source", str(trained / "ratings.csv"), "-o", str(file), *events]) == 1
    assert "--event-log URL" in capsys.readouterr().err
    assert not Path(f"{file}.events.db").exists()


def test_the_new_model_can_be_read_by_whom_the_old_one_could(trained: Path) -> None:
    file = train(trained, "--model", "explicit-als")
    keep(file, [Event("e", "3", "4", 5.0, None, LATER)])
    for mode in (0o640, 0o664):
        file.chmod(mode)
        assert run(["retrain", str(file), "--source", str(trained / "ratings.csv"), "-o", str(file)]) == 0
        assert file.stat().st_mode & 0o777 == mode


def test_json(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = train(trained, "--model", "explicit-als")
    database = keep(file, [Event("e", "3", "4", 5.0, None, LATER)])
    capsys.readouterr()
    source = str(trained / "ratings.csv")
    assert run(["retrain", str(file), "--source", source, "-o", str(file), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["events"] == {"database": database.database_id, "through": 1, "count": 1}

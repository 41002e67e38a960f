"""What users do is on the disk before it is acknowledged, is stored once, and is felt in the next list."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

import alsatian as al
from alsatian.data.fitted_recipe import FittedRecipe
from alsatian.serving import create_app
from alsatian.serving.event_log.store import DatabaseUnavailable, Event, EventConflict, EventStore, Stored
from alsatian.serving.service.user_updates import apply_events
from serving.conftest import Start, killed_while_loading, listed
from support import problems

ALICE = "/api/users/alice/recommendations"


def event(name: str, user: str = "alice", item: str = "heat", value: float | None = 5.0) -> Event:
    return Event(name, user, item, value, None, 1_700_000_000)


class TestDatabase:
    def test_keeps_every_event_once(self, tmp_path: Path) -> None:
        events = EventStore(f"sqlite:///{tmp_path / 'events.db'}")
        assert events.add([event("a"), event("b", "bob")]) == Stored(2, [])
        assert events.add([event("b", "bob"), event("c")]) == Stored(1, ["b"])
        assert [stored.id for stored in events.user_events("alice")] == ["a", "c"]
        assert [stored.id for stored in events.user_events("alice", after=1)] == ["c"]
        assert [stored.id for stored in events.events_through(through=2)] == ["a", "b"]

    def test_an_id_that_is_used_for_something_else_stores_nothing(self, tmp_path: Path) -> None:
        events = EventStore(f"sqlite:///{tmp_path / 'events.db'}")
        events.add([event("a")])
        with pytest.raises(EventConflict, match="a"):
            events.add([event("new"), event("a", value=1)])
        assert events.last_number() == 1
        assert events.add([event("new")]) == Stored(1, [])

    def test_is_durable(self, tmp_path: Path) -> None:
        events = EventStore(f"sqlite:///{tmp_path / 'events.db'}")
        with events.engine.connect() as connection:
            pragmas = [
                connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
            ]
        assert pragmas == ["wal", 2]  # 2 is FULL

    def test_is_found_again(self, tmp_path: Path) -> None:
        url = f"sqlite:///{tmp_path / 'events.db'}"
        first = EventStore(url)
        first.add([event("a")])
        first.close()
        assert (EventStore(url).database_id, EventStore(url).last_number()) == (first.database_id, 1)

    def test_threads_and_processes_write_side_by_side(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("alsatian.serving.event_log.database.WAIT_SECONDS", 60.0)  # a slow disk is no fault
        url = f"sqlite:///{tmp_path / 'events.db'}"
        both = EventStore(url), EventStore(url)
        writers = [
            threading.Thread(target=lambda at=at: [both[at % 2].add([event(f"{at}-{n}")]) for n in range(10)])
            for at in range(4)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert both[0].last_number() == 40

    def test_a_file_that_was_moved_is_unavailable_until_it_is_back(self, tmp_path: Path) -> None:
        path = tmp_path / "events.db"
        events = EventStore(f"sqlite:///{path}")
        events.add([event("a")])
        path.rename(tmp_path / "elsewhere")
        with pytest.raises(DatabaseUnavailable, match="put the file back"):
            events.add([event("b")])
        (tmp_path / "elsewhere").rename(path)
        assert events.add([event("b")]) == Stored(1, [])

    def test_another_file_in_its_place_is_another_database(self, tmp_path: Path) -> None:
        path = tmp_path / "events.db"
        events = EventStore(f"sqlite:///{path}")
        before = events.database_id
        path.unlink()
        path.touch()
        with pytest.raises(DatabaseUnavailable, match="another file"):
            events.add([event("a")])
        assert events.add([event("a")]) == Stored(1, [])
        assert events.database_id != before  # what a model has learned from the old one says nothing of this one

    def test_writers_wait_for_each_other_but_not_for_ever(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("alsatian.serving.event_log.database.WAIT_SECONDS", 0.1)
        events = EventStore(f"sqlite:///{tmp_path / 'events.db'}")
        with events.write_lock(), pytest.raises(DatabaseUnavailable, match="other writers wait"):
            events.add([event("a")])
        assert events.add([event("a")]) == Stored(1, [])

    @pytest.mark.parametrize("url", ["nonsense", "mysql://x/y", "sqlite://", "sqlite:///:memory:"])
    def test_urls_that_are_none(self, url: str) -> None:
        with pytest.raises(al.AlsatianError):
            EventStore(url)


class TestIntake:
    def test_single_and_batch(self, client: TestClient) -> None:
        stored = client.post("/api/events", json={"id": "a", "user": "alice", "item": "Heat (1995)", "value": 5})
        assert (stored.status_code, stored.json()["accepted"]) == (202, 1)
        again = client.post("/api/events", json={"id": "a", "user": "alice", "item": "heat", "value": 5})
        assert (again.json()["accepted"], again.json()["known"]) == (0, ["a"])
        other = client.post("/api/events", json={"id": "a", "user": "alice", "item": "heat", "value": 4})
        assert other.status_code == 409
        several = {"events": [{"user": "new", "item": "up"}, {"user": "bob", "item": "unheard of", "value": 3}]}
        record = client.post("/api/events/batch", json=several).json()
        assert (record["accepted"], len(record["ids"]), record["unknown_items"]) == (2, 2, ["unheard of"])

    @pytest.mark.parametrize(
        "wrong",
        [
            {"user": "alice", "item": "heat", "value": 6},
            {"user": "alice", "item": "heat", "value": "5"},
            {"user": "alice", "item": "heat", "event": "VIEW"},
            {"user": "alice", "item": "heat", "clicks": 3},
            {"user": "alice", "item": "heat", "time": "yesterday"},
            {"user": "alice"},
            {"item": "heat"},
            {"user": True, "item": "heat"},
            {"user": "a\x00", "item": "heat"},
            {"user": "alice", "item": "heat", "id": "a\x00"},
            {"user": " ", "item": "heat"},
            {"user": "alice", "item": ""},
            {"user": "alice", "item": "unheard of", "value": 6},
            {"user": "alice", "item": "heat", "value": 1e300},
            {"user": "alice", "item": "heat", "time": -1},
            {"user": "alice", "item": "heat", "time": 10**10},
            {"user": "alice", "item": "heat", "time": 10**30},
            {"user": "alice", "item": "heat", "time": 10**400},
        ],
        ids=lambda wrong: str(wrong)[:80],
    )
    def test_an_event_of_which_nothing_can_be_made_stores_nothing(
        self, client: TestClient, wrong: dict[str, object]
    ) -> None:
        batch = {"events": [{"user": "alice", "item": "heat", "value": 5}, wrong]}
        assert client.post("/api/events/batch", json=batch).status_code == 422
        assert client.get(ALICE).json()["events"] == 0

    def test_is_felt_in_the_next_list(self, client: TestClient, model: al.ExplicitALS) -> None:
        before = client.get(ALICE).json()
        client.post("/api/events", json={"user": "alice", "item": "heat", "value": 5})
        after = client.get(ALICE).json()
        assert (before["events"], after["events"]) == (0, 1)
        history = {"cars": 5, "iron": 1, "up": 4, "heat": 5}
        expected = json.loads(next(model.fold_in(history).recommend().to_json_lines()))["items"]
        assert after["items"] == expected
        assert expected[0]["source"] == "fold_in"
        record = client.post("/api/explanations", json={"user": "alice", "item": "iron2"}).json()
        assert {reason["item"] for reason in record["reasons"]} == set(history)

    def test_makes_a_user_of_a_stranger(self, client: TestClient, model: al.ExplicitALS) -> None:
        assert client.get("/api/users/zed/recommendations").status_code == 404
        client.post("/api/events", json={"user": "zed", "item": "iron", "value": 5})
        assert listed(client.get("/api/users/zed/recommendations")) == model.fold_in({"iron": 5}).recommend().items

    def test_a_database_out_of_reach_is_told_and_recovers(self, client: TestClient, file: Path) -> None:
        body = {"user": "alice", "item": "heat", "value": 5}
        path = Path(f"{file}.events.db")
        path.rename(path.with_name("away"))
        refused = client.post("/api/events", json=body)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert client.get("/health/ready").status_code == 503
        assert client.get(ALICE).status_code == 200
        path.with_name("away").rename(path)
        assert client.post("/api/events", json=body).status_code == 202
        assert client.get("/health/ready").status_code == 200

    def test_a_locked_database(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("alsatian.serving.event_log.database.WAIT_SECONDS", 0.1)
        body = {"user": "alice", "item": "heat", "value": 5}
        with (
            TestClient(create_app(file), base_url="http://localhost") as client,
            closing(sqlite3.connect(f"{file}.events.db", isolation_level=None)) as other,
        ):
            other.execute("BEGIN IMMEDIATE")
            assert client.post("/api/events", json=body).status_code == 503
            assert client.get(ALICE).status_code == 200  # readers do not wait
            other.execute("COMMIT")
            assert client.post("/api/events", json=body).status_code == 202

    def test_a_full_disk(self, client: TestClient) -> None:
        events: EventStore = client.app.state.event_store  # type: ignore[attr-defined]
        body = {"events": [{"user": "alice", "item": "heat", "value": 5}] * 200}
        with events.engine.connect() as connection:  # the pool gives this one again
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        refused = [client.post("/api/events/batch", json=body).status_code for _ in range(3)]
        assert refused[-1] == 503
        with events.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        assert client.post("/api/events/batch", json=body).status_code == 202


class TestNews:
    """A user's row and what happened since become one."""

    def test_a_later_rating_replaces_an_older_one(self, model: al.ExplicitALS) -> None:
        news = apply_events(model, "alice", [{"item": "iron", "value": 5.0}, {"item": "up", "value": 2.0}])
        assert news.visitor is not None
        row = news.visitor.batch.histories
        assert dict(zip(row.indices.tolist(), row.values.tolist(), strict=True)) == {0: 5.0, 2: 5.0, 4: 2.0}

    def test_counts_are_added(self) -> None:
        data = problems.from_matrix(np.array([[2, 0, 1], [0, 3, 1]]), ["a", "b"], ["x", "y", "z"])
        data = al.Interactions(**{**vars(data), "recipe": FittedRecipe(duplicates="sum")})
        model = al.ImplicitALS(factors=1).fit(data, progress=False)
        news = apply_events(model, "a", [{"item": "x", "value": 3.0}, {"item": "y"}])
        assert news.visitor is not None
        assert news.visitor.batch.histories.values.tolist() == [5.0, 1.0, 1.0]

    def test_a_dislike_takes_a_like_back_and_is_listed_no_more(self, tmp_path: Path) -> None:
        liked = problems.running_example().binarize(4)
        liked = al.Interactions(**{**vars(liked), "recipe": FittedRecipe(min_rating=4, duplicates="last")})
        model = al.ImplicitALS(factors=1).fit(liked, progress=False)
        al.save(model, tmp_path / "likes.model")
        with TestClient(create_app(tmp_path / "likes.model"), base_url="http://localhost") as client:
            for item in ("up", "heat"):
                client.post("/api/events", json={"user": "alice", "item": item, "value": 1})
            answer = client.get(ALICE)
        assert set(listed(answer)) == {"iron", "iron2"}
        assert answer.json()["events"] == 2

    def test_who_takes_all_her_likes_back_gets_what_is_popular(self, tmp_path: Path) -> None:
        liked = problems.running_example().binarize(4)
        liked = al.Interactions(**{**vars(liked), "recipe": FittedRecipe(min_rating=4, duplicates="last")})
        al.save(al.ImplicitALS(factors=1).fit(liked, progress=False), tmp_path / "likes.model")
        had = liked.item_ids.take(liked.by_user.row(liked.user_ids.row("alice"))[0])
        with TestClient(create_app(tmp_path / "likes.model"), base_url="http://localhost") as client:
            for item in had:
                client.post("/api/events", json={"user": "alice", "item": item, "value": 1})
            answer = client.get(ALICE)
            strict = client.get(ALICE, params={"unknown": "raise", "n": 1})
            why = client.post("/api/explanations", json={"user": "alice", "item": "heat"})
        assert set(listed(answer)) == set(liked.item_ids.tolist()) - set(had)
        assert {place["source"] for place in answer.json()["items"]} == {"popular"}
        assert listed(strict) == listed(answer)[:1]
        assert (why.status_code, why.json()["error"]) == (404, "UnknownUser")
        assert why.json()["detail"].startswith("user 'alice' has no remaining interactions")


def test_kill_9_in_the_middle_of_a_load_loses_nothing_that_was_acknowledged(file: Path, start: Start) -> None:
    server = start(file, "--workers", 2)

    def batch(name: str) -> tuple[str, Any]:
        rated = {"user": "alice", "item": "heat", "value": 4}
        return "/api/events/batch", {"events": [{**rated, "id": f"{name}-{n}"} for n in range(3)]}

    acknowledged = killed_while_loading(server, batch, writers=4, least=60)
    folded_in = start(file).ask(ALICE)[1]["events"]
    with closing(sqlite3.connect(f"{file}.events.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = {id for (id,) in database.execute("SELECT id FROM alsatian_events")}
    assert len(acknowledged) >= 60
    assert set(acknowledged) <= kept
    assert folded_in == len(kept)

"""The same promises with PostgreSQL, a real one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import alsatian as al
from alsatian.serving.event_log.store import DatabaseUnavailable, Event, EventConflict, EventStore, Stored
from serving.conftest import Start, killed_while_loading, wait_for

ALICE = "/api/users/alice/recommendations"
EVENT = {"user": "alice", "item": "heat", "value": 5}


pytestmark = pytest.mark.xdist_group("postgres")  # one server for all tests


class Postgres:
    """A server of its own, which can be stopped and started again. It listens at a socket in its folder, at no port."""

    def __init__(self, folder: Path) -> None:
        installed = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"))), None)
        program = shutil.which("pg_ctl", path=f"{installed}:{os.environ['PATH']}")
        if program is None:
            pytest.skip("no PostgreSQL found; install postgresql")
        self.bin, self.data = Path(program).resolve().parent, folder / "data"
        self.url = f"postgresql://postgres@/postgres?host={self.data}"
        self.user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # it does not run as root
        if self.user:
            shutil.chown(folder, "postgres")
        self.call("initdb", "-A", "trust", "-U", "postgres", "--no-sync", "-D", self.data)
        self.start()

    def call(self, program: str, *arguments: object) -> None:
        command = [*self.user, str(self.bin / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.data} -c fsync=off"
        self.call("pg_ctl", "-D", self.data, "-w", "-t", 300, "-o", options, "-l", self.data / "log", "start")

    def stop(self) -> None:
        self.call("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "-t", 300, "stop")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with tempfile.TemporaryDirectory() as folder:  # those of pytest are for their owner alone
        server = Postgres(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def url(postgres: Postgres) -> str:
    """A database without events."""
    events = EventStore(postgres.url)
    with events.engine.begin() as connection:
        connection.exec_driver_sql("TRUNCATE alsatian_events")
    events.close()
    return postgres.url


@pytest.fixture
def database(url: str) -> Iterator[Callable[[], EventStore]]:
    """Open the database, as often as one likes."""
    opened: list[EventStore] = []

    def open_database() -> EventStore:
        opened.append(EventStore(url))
        return opened[-1]

    yield open_database
    for events in opened:
        events.close()


def event(name: str, **changes: Any) -> Event:
    return Event(name, "alice", "heat", 5.0, None, 1_700_000_000)._replace(**changes)


def test_keeps_every_event_once_and_in_order(database: Callable[[], EventStore]) -> None:
    events = database()
    assert events.add([event("a", signals={"x": 1.5}), event("b", user="bob")]) == Stored(2, [])
    assert events.add([event("b", user="bob"), event("c")]) == Stored(1, ["b"])
    assert [kept.id for kept in events.user_events("alice")] == ["a", "c"]
    assert events.user_events("alice")[0] == event("a", signals={"x": 1.5})
    with pytest.raises(EventConflict):
        events.add([event("new"), event("a")])
    through = events.last_number()
    events.add([event("d")])
    assert [kept.id for kept in events.events_through(through)] == ["a", "b", "c"]
    assert database().database_id == events.database_id


def test_writers_side_by_side(database: Callable[[], EventStore]) -> None:
    both = database(), database()
    writers = [
        threading.Thread(target=lambda at=at: [both[at % 2].add([event(f"{at}-{n}")]) for n in range(10)])
        for at in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(both[0].events_through(both[0].last_number())) == 40


def test_who_holds_the_lock_for_ever_holds_nobody_else_up(database: Callable[[], EventStore]) -> None:
    events, other = database(), database()
    with other.engine.begin() as connection:
        other._lock_writers(connection)
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            events.add([event("a")])
    assert events.add([event("a")]) == Stored(1, [])


def test_a_server_that_is_gone_is_told_and_recovers(postgres: Postgres, url: str, file: Path, start: Start) -> None:
    server = start(file, "--event-log", url)
    assert server.ask("/api/events", EVENT)[0] == 202
    assert server.ask(ALICE)[1]["events"] == 1
    postgres.stop()
    status, problem = server.ask("/api/events", EVENT)
    assert (status, problem["error"]) == (503, "Unavailable")
    assert problem["detail"] == "the event log is unavailable; try again."  # no addresses, no names
    assert server.ask("/health/ready") == (503, problem)
    assert server.ask(ALICE)[0] == 200
    postgres.start()
    wait_for(lambda: server.ask("/api/events", EVENT)[0] == 202)
    assert server.ask(ALICE)[1]["events"] == 2
    assert "the event log is unavailable: " in server.end()


def test_kill_9_loses_nothing_that_was_acknowledged(
    url: str, database: Callable[[], EventStore], file: Path, start: Start
) -> None:
    server = start(file, "--event-log", url, "--workers", 2)
    acknowledged = killed_while_loading(server, lambda name: ("/api/events", EVENT | {"id": name}), writers=2, least=30)
    assert len(acknowledged) >= 30
    events = database()
    assert {kept.id for kept in events.events_through(events.last_number())} >= set(acknowledged)


def test_a_url_without_a_server() -> None:
    with socket.socket() as bound:  # it does not listen, and nobody else can at its port
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(DatabaseUnavailable, match="unavailable"):
            EventStore(f"postgresql://postgres@127.0.0.1:{bound.getsockname()[1]}/postgres")


def test_retraining_reads_it(url: str, database: Callable[[], EventStore], tmp_path: Path) -> None:
    from alsatian.cli import run

    rows = "".join(f"u{n},i{k},{1 + (n * k) % 5}\n" for n in range(6) for k in range(5))
    (tmp_path / "r.csv").write_text("user,item,rating\n" + rows)
    model = tmp_path / "r.model"
    assert run(["train", str(tmp_path / "r.csv"), "--model", "explicit-als", "-o", str(model)]) == 0
    database().add([event("x", user="u99", item="i1")])
    source = ["--source", str(tmp_path / "r.csv"), "--event-log", url, "-o", str(model)]
    assert run(["retrain", str(model), *source]) == 0
    assert al.load(model).recommend("u99", n=2).items

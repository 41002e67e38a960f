"""A small service: the running example of four users and five films, and clients of it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from fastapi.testclient import TestClient

import alsatian as al
from alsatian.serving import create_app
from support import problems


@pytest.fixture
def model() -> al.ExplicitALS:
    return al.ExplicitALS(factors=2, epochs=5).fit(problems.running_example(), progress=False)


@pytest.fixture
def file(model: al.ExplicitALS, tmp_path: Path) -> Path:
    """The model as a file."""
    al.save(model, tmp_path / "films.model")
    return tmp_path / "films.model"


@pytest.fixture
def client(file: Path) -> Iterator[TestClient]:
    """A client of a service in this process."""
    with TestClient(create_app(file), base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


def listed(answer: Any) -> list[Any]:
    """Return the items of a list."""
    assert answer.status_code == 200, answer.text
    return [place["item"] for place in answer.json()["items"]]


@dataclass
class Server:
    """A service in a process of its own. log: what it writes to standard error."""

    process: subprocess.Popen[bytes]
    log: IO[bytes]
    port: int = 0

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send JSON, and return the status and the JSON of the answer; OSError where the connection breaks off."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers)
        if data:
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error

    def metric(self, name: str) -> float | None:
        """Return a figure of /metrics, of all workers together; None as long as there is none."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=60) as answer:
            match = re.search(rf"^{name} (\S+)$", str(answer.read(), "utf-8"), re.MULTILINE)
        return None if match is None else float(match[1])

    def written(self) -> str:
        """Return what the service has written to standard error."""
        return str(os.pread(self.log.fileno(), 1 << 24, 0), "utf-8")

    def listens(self) -> bool:
        """Tell whether the service has said at which port it listens, and set `port`."""
        match = re.search(r"^serving .* at http://127\.0\.0\.1:(\d+)/$", self.written(), re.MULTILINE)
        self.port = int(match[1]) if match else 0
        return match is not None

    def workers(self) -> list[int]:
        """Return the process ids of the workers that run."""
        return [pid for pid in group_members(self.process.pid) if pid != self.process.pid]

    def signal(self, name: int) -> None:
        os.kill(self.process.pid, name)

    def end(self) -> str:
        """End the service in order, and return what it wrote."""
        self.signal(signal.SIGTERM)
        self.process.wait(timeout=120)
        return self.written()

    def kill(self) -> None:
        """Kill the service with its workers, and wait until they have let go of their files and connections."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not group_members(self.process.pid))


Start = Callable[..., Server]


@contextmanager
def services() -> Iterator[Start]:
    """Start services by the command line, each at a port of the system's choice; at the end they are killed."""
    started: list[Server] = []

    def begin(file: Path, *options: object) -> Server:
        command = [sys.executable, "-m", "alsatian", "serve", str(file), "--port", "0", *map(str, options)]
        environment = {name: value for name, value in os.environ.items() if name != "ALSATIAN_TOKEN"}
        log = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the end
        process = subprocess.Popen(command, stderr=log, env=environment, start_new_session=True)
        started.append(server := Server(process, log))
        wait_for(lambda: process.poll() is not None or (server.listens() and is_ready(server)))
        assert process.poll() is None, server.written()
        return server

    yield begin
    for server in started:
        server.kill()
        server.log.close()


def killed_while_loading(
    server: Server, request: Callable[[str], tuple[str, Any]], writers: int, least: int
) -> list[str]:
    """Send events until at least so many are acknowledged, kill the service, and return the ids that were.

    request: makes, of a name of its own, what is sent and where to.
    """
    acknowledged: list[str] = []

    def load(writer: int) -> None:
        for number in range(10_000):
            try:
                status, answer = server.ask(*request(f"{writer}-{number}"))
            except OSError:
                return
            if status == 202:
                acknowledged.extend(answer["ids"])

    threads = [threading.Thread(target=load, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) >= least)
    server.kill()
    for thread in threads:
        thread.join()
    return acknowledged


@pytest.fixture
def start() -> Iterator[Start]:
    with services() as begin:
        yield begin


def is_ready(server: Server) -> bool:
    try:
        return server.ask("/health/ready")[0] == 200
    except OSError:
        return False


def group_members(group: int) -> list[int]:
    """Return the processes of a group of which a thread still runs: as long as one does, files stay open."""
    members = set()
    for thread in Path("/proc").glob("[0-9]*/task/*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            state, _, group_of_thread, *_ = thread.read_text().rpartition(")")[2].split()
            if int(group_of_thread) == group and state not in "ZX":
                members.add(int(thread.parts[2]))
    return sorted(members)


def wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until a condition holds; the seconds only bound how long a failing test hangs."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s"
        time.sleep(0.02)

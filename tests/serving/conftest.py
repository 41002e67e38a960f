"""A small service: the running example of four users and five films, and clients of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
    """A service in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    def ask(self, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send JSON, and return the status and the JSON of the answer."""
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

    def signal(self, name: int) -> None:
        os.kill(self.process.pid, name)

    def end(self) -> str:
        """End the service in order, and return what it wrote."""
        self.signal(signal.SIGTERM)
        return self.process.communicate(timeout=120)[1]


Start = Callable[..., Server]


@contextmanager
def services() -> Iterator[Start]:
    """Start services by the command line; those still running at the end are killed."""
    started: list[Server] = []

    def begin(file: Path, *options: object, port: int | None = None) -> Server:
        port = port or free_port()
        command = [sys.executable, "-m", "alsatian", "serve", str(file), "--port", str(port), *map(str, options)]
        environment = {name: value for name, value in os.environ.items() if name != "ALSATIAN_TOKEN"}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True)
        started.append(Server(process, port))
        wait_for(lambda: process.poll() is not None or is_ready(started[-1]))
        return started[-1]

    yield begin
    for server in started:
        if server.process.poll() is None:
            os.killpg(server.process.pid, signal.SIGKILL)
        server.process.communicate()


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
                status, told = server.ask(*request(f"{writer}-{number}"))
            except OSError:
                return
            if status == 202:
                acknowledged.extend(told["ids"])

    threads = [threading.Thread(target=load, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(acknowledged) >= least)
    os.killpg(server.process.pid, signal.SIGKILL)
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


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for(happened: Callable[[], bool], seconds: float = 120) -> None:
    """Wait until something has happened."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)

"""A running `alsatian serve` and a client that loads it over HTTP. The standard library only."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Service = tuple["subprocess.Popen[bytes]", float]  # the process, and the seconds from its start until it was ready


@contextlib.contextmanager
def service(
    python: str,
    model: Path,
    workers: int,
    port: int,
    event_log: str | None = None,
    env: Mapping[str, str] | None = None,
) -> Iterator[Service]:
    """Run a service by this Python until the block ends. Its events go to a URL, or beside the model file (None)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [python, "-m", "alsatian", "serve", str(model), "--port", str(port), "--workers", str(workers)]
        command += ["--event-log", event_log] if event_log else []
        start = time.perf_counter()
        with Path(folder, "stderr.txt").open("wb") as errors:
            process = subprocess.Popen(command, stderr=errors, cwd=folder, env=env)
        try:
            while not is_ready(port):
                if process.poll() is not None:
                    raise RuntimeError(f"the service ended: {Path(folder, 'stderr.txt').read_text().strip()}")
                time.sleep(0.01)
            yield process, time.perf_counter() - start
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1) as response:
            return bool(response.status == 200)
    except OSError:
        return False


class Client(asyncio.Protocol):
    """One connection: it sends the next request when the response is complete. An error ends the measurement."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float]) -> None:
        self.requests, self.latencies, self.received = requests, latencies, b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.send()

    def send(self) -> None:
        self.start = time.perf_counter()
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        if not separator or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]):
            return
        assert head.startswith(b"HTTP/1.1 200"), self.received
        self.latencies.append(time.perf_counter() - self.start)
        self.received = b""
        self.send()


async def load(port: int, choices: list[bytes], connections: int, seconds: float) -> list[float]:
    """Send random choices of requests as fast as responses come; return their latencies, after a second of warm-up."""
    draw, latencies = random.Random(1), list[float]()
    requests = iter(lambda: draw.choice(choices), None)
    loop = asyncio.get_running_loop()
    clients = [
        await loop.create_connection(lambda: Client(requests, latencies), "127.0.0.1", port) for _ in range(connections)
    ]
    await asyncio.sleep(1)
    latencies.clear()
    await asyncio.sleep(seconds)
    measured = latencies.copy()
    for transport, _ in clients:
        transport.close()
    return measured


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n{body}".encode()

"""Processes: one listens and keeps watch, several answer. With one worker there is one process.

Workers are forked once the model is loaded: what it maps and has checked is there in all of them at once.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from alsatian.errors import ParameterError
from alsatian.serving.event_log.store import opened
from alsatian.serving.service.live_model import Current
from alsatian.serving.service.run_directory import workplace
from alsatian.serving.settings import FOLDER, Settings

BACKLOG = 2_048
LARGEST_HEADERS = 32_768  # bytes, the address among them
_READ = 1 << 18  # bytes that are read from a connection at once
GRACE = 10  # seconds for requests under way when the service ends
IDLE = 20  # seconds that a connection may stay open without a request
_TOO_FAST = 1.0  # seconds: who ends sooner than this after a start would only end again

log = logging.getLogger("alsatian.serving")


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until told to end (SIGTERM, SIGINT). ready: is told the address once it listens."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    log.setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # whenever it comes, what follows is put away
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until there is a model to look at again
    with _listening(settings) as listener, workplace() as folder:
        host, port = listener.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        if settings.workers > 1:
            os.environ[FOLDER] = str(folder)  # before the library that counts is loaded
        gc.disable()  # nothing of what is loaded now will ever be garbage
        with ThreadPoolExecutor(1) as aside:  # the model is read while the libraries are loaded
            loading = aside.submit(Current, settings.model, folder)
            opened(settings.events_url).close()  # made, or found wrong, before anybody answers
            import uvicorn.protocols.http.httptools_impl  # noqa: F401 - once, for all workers

            from alsatian.serving import app  # noqa: F401
        current = loading.result()
        gc.freeze()
        gc.enable()
        if settings.workers == 1:
            _work(settings, current, listener, lambda: ready(address))
        else:
            _Workers(settings, current, listener).run(lambda: ready(address))


def _listening(settings: Settings) -> socket.socket:
    """Return a socket that is bound. Raises ParameterError where the port is taken."""
    try:
        family = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        raise ParameterError(
            f"cannot listen on {settings.host} port {settings.port}: {error.strerror}; choose another --port."
        ) from None
    listener.set_inheritable(True)
    return listener


def _work(
    settings: Settings, current: Current, listener: socket.socket, started: Callable[[], None], keeper: int = 0
) -> None:
    """Answer requests in this process until it is told to end, or the process that keeps watch over it is gone."""
    import uvicorn
    from threadpoolctl import threadpool_limits
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from alsatian.serving.application import create_app

    told: dict[str, Any] = asdict(settings)
    app = create_app(told.pop("model"), current=current, **told)

    class Protocol(HttpToolsProtocol):
        """HTTP whose headers must not be large, nor take for ever to arrive; a body is watched by the guard."""

        clock: Any = None  # runs while the address and the headers of a request arrive
        size = arrived = 0  # of them; and of all that came with them, which the parser holds until a line is whole

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.arrived += len(data)
            if self.clock is not None and self.arrived > LARGEST_HEADERS + _READ:
                self.transport.close()

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.on_message_begin()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.size = self.arrived = 0
            self.watch(self.loop.call_later(settings.patience, self.transport.close))

        def on_url(self, url: bytes) -> None:
            super().on_url(url)
            self.grow(len(url))

        def on_header(self, name: bytes, value: bytes) -> None:
            super().on_header(name, value)
            self.grow(len(name) + len(value))

        def grow(self, more: int) -> None:
            self.size += more
            if self.size > LARGEST_HEADERS:
                self.transport.close()

        def on_headers_complete(self) -> None:
            self.watch(None)
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self.watch(None)
            super().connection_lost(exc)

        def watch(self, clock: Any) -> None:
            if self.clock is not None:
                self.clock.cancel()
            self.clock = clock

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            signal.signal(signal.SIGHUP, lambda *_: app.state.look.set())
            started()

        async def on_tick(self, counter: int) -> bool:
            return await super().on_tick(counter) or keeper not in (0, os.getppid())

    threadpool_limits(1, user_api="blas")  # small products on many threads would only wait for one another
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, backlog=BACKLOG,
        timeout_graceful_shutdown=GRACE, timeout_keep_alive=IDLE, lifespan="on", proxy_headers=False,
        http=Protocol, ws="none",
    )  # fmt: skip
    Server(config).run([listener])


class _Workers:
    """The process that keeps watch: it starts workers, starts others where one ends, and passes signals on."""

    def __init__(self, settings: Settings, current: Current, listener: socket.socket) -> None:
        self.settings, self.current, self.listener = settings, current, listener
        self.running: dict[int, float] = {}
        self.ending = False

    def run(self, started: Callable[[], None]) -> None:
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._end)
        signal.signal(signal.SIGHUP, lambda *_: self._tell(signal.SIGHUP))
        for _ in range(self.settings.workers):
            self._start()
        self.listener.listen(BACKLOG)
        started()
        while self.running:
            self._wait()

    def _start(self) -> None:
        keeper = os.getpid()
        if pid := os.fork():
            self.running[pid] = time.monotonic()
            return
        code = 1
        try:
            for name, meaning in (("SIGTERM", signal.SIG_DFL), ("SIGINT", signal.SIG_DFL), ("SIGHUP", signal.SIG_IGN)):
                signal.signal(signal.Signals[name], meaning)
            _work(self.settings, self.current, self.listener, lambda: None, keeper)
            code = 0
        except BaseException as error:
            log.error("a worker ended: %s", type(error).__name__)
        finally:
            os._exit(code)

    def _wait(self) -> None:
        from prometheus_client import multiprocess

        try:
            pid, _ = os.wait()
        except ChildProcessError:
            self.running.clear()
            return
        born = self.running.pop(pid, 0.0)
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
        if self.ending:
            return
        log.error("worker %d ended; another takes its place", pid)
        if time.monotonic() - born < _TOO_FAST:
            time.sleep(_TOO_FAST)
        self.current.refresh()  # the others may have a newer model than at the start
        if not self.ending:  # it may have been told to meanwhile
            self._start()

    def _end(self, *_: object) -> None:
        self.ending = True
        self._tell(signal.SIGTERM)

    def _tell(self, name: int) -> None:
        for pid in list(self.running):
            try:
                os.kill(pid, name)
            except ProcessLookupError:
                continue

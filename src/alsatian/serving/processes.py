"""The server: a supervisor process and its workers. With one worker there is a single process.

Workers are forked after the model is loaded, so they share its memory-mapped arrays and do not check the file again.
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
from alsatian.serving.event_log.store import open_event_store
from alsatian.serving.service.live_model import LiveModel
from alsatian.serving.service.run_directory import run_directory
from alsatian.serving.settings import METRICS_FOLDER_VARIABLE, ServiceSettings, service_log

BACKLOG = 2_048
MAX_HEADER_BYTES = 32_768  # bytes, including the URL
_RECEIVE_BYTES = 1 << 18  # bytes of one read from a connection
SHUTDOWN_SECONDS = 10  # seconds for requests in progress at shutdown
KEEP_ALIVE_SECONDS = 20  # seconds that a connection may stay open without a request
_SIGNALS = {signal.SIGTERM: signal.SIG_DFL, signal.SIGINT: signal.SIG_DFL, signal.SIGHUP: signal.SIG_IGN}  # of workers
_MIN_WORKER_SECONDS = 1.0  # a worker that ends sooner is restarted after this pause


def run_server(settings: ServiceSettings, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. on_ready: called with the URL once the service listens."""
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    service_log.setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # SystemExit, so context managers clean up
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # ignored until the model is loaded
    with _bind_socket(settings) as listener, run_directory() as folder:
        host, port = listener.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
        if settings.workers > 1:
            os.environ[METRICS_FOLDER_VARIABLE] = str(folder)  # before prometheus_client is imported
        gc.disable()  # what is loaded here lives as long as the process
        with ThreadPoolExecutor(1) as executor:  # load the model while the libraries are imported
            future = executor.submit(LiveModel, settings.model, folder)
            open_event_store(settings.event_log_url).close()  # create or check the database first
            import uvicorn.protocols.http.httptools_impl  # noqa: F401 - once, for all workers

            import alsatian.serving.application  # noqa: F401
        live_model = future.result()
        gc.freeze()
        gc.enable()
        if settings.workers == 1:
            _run_worker(settings, live_model, listener, lambda: on_ready(address))
        else:
            _Supervisor(settings, live_model, listener).run(lambda: on_ready(address))


def _bind_socket(settings: ServiceSettings) -> socket.socket:
    """Return a bound socket. Raises ParameterError if the port is in use."""
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


def _run_worker(
    settings: ServiceSettings,
    live_model: LiveModel,
    listener: socket.socket,
    on_start: Callable[[], None],
    supervisor_pid: int = 0,
) -> None:
    """Serve requests in this process until a signal ends it, or until its supervisor is gone."""
    import uvicorn
    from threadpoolctl import threadpool_limits
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    from alsatian.serving.application import create_app

    options: dict[str, Any] = asdict(settings)
    app = create_app(options.pop("model"), live_model=live_model, **options)

    class Protocol(HttpToolsProtocol):
        """HTTP with limits on the size and the arrival time of headers; RequestGuard limits bodies."""

        timeout_handle: Any = None  # runs while the URL and the headers of a request arrive
        # Bytes of the URL and the headers; received_bytes includes an incomplete line that the parser buffers.
        header_bytes = received_bytes = 0

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self.received_bytes += len(data)
            if self.timeout_handle is not None and self.received_bytes > MAX_HEADER_BYTES + _RECEIVE_BYTES:
                self.transport.close()

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self.on_message_begin()

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self.header_bytes = self.received_bytes = 0
            self.set_timeout(self.loop.call_later(settings.request_timeout, self.transport.close))

        def on_url(self, url: bytes) -> None:
            super().on_url(url)
            self.add_header_bytes(len(url))

        def on_header(self, name: bytes, value: bytes) -> None:
            super().on_header(name, value)
            self.add_header_bytes(len(name) + len(value))

        def add_header_bytes(self, count: int) -> None:
            self.header_bytes += count
            if self.header_bytes > MAX_HEADER_BYTES:
                self.transport.close()

        def on_headers_complete(self) -> None:
            self.set_timeout(None)
            super().on_headers_complete()

        def connection_lost(self, exc: Exception | None) -> None:
            self.set_timeout(None)
            super().connection_lost(exc)

        def set_timeout(self, handle: Any) -> None:
            if self.timeout_handle is not None:
                self.timeout_handle.cancel()
            self.timeout_handle = handle

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            signal.signal(signal.SIGHUP, lambda *_: app.state.reload_requested.set())
            on_start()

        async def on_tick(self, counter: int) -> bool:
            return await super().on_tick(counter) or supervisor_pid not in (0, os.getppid())

    threadpool_limits(1, user_api="blas")  # threads do not speed up small products
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, backlog=BACKLOG,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS, timeout_keep_alive=KEEP_ALIVE_SECONDS, lifespan="on",
        proxy_headers=False, http=Protocol, ws="none",
    )  # fmt: skip
    Server(config).run([listener])


class _Supervisor:
    """The supervisor: it starts workers, replaces those that end, and forwards signals."""

    def __init__(self, settings: ServiceSettings, live_model: LiveModel, listener: socket.socket) -> None:
        self.settings, self.live_model, self.listener = settings, live_model, listener
        self.start_times: dict[int, float] = {}
        self.is_stopping = False

    def run(self, on_start: Callable[[], None]) -> None:
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signal_number, self._stop)
        signal.signal(signal.SIGHUP, lambda *_: self._signal_workers(signal.SIGHUP))
        for _ in range(self.settings.workers):
            self._start_worker()
        self.listener.listen(BACKLOG)
        on_start()
        while self.start_times:
            self._wait_for_worker()

    def _start_worker(self) -> None:
        """Fork a worker.

        Signals are blocked until both processes handle them. A signal between the fork and the installation of the
        worker's handlers would run the supervisor's handler in the worker and be lost.
        """
        supervisor_pid = os.getpid()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        if pid := os.fork():
            self.start_times[pid] = time.monotonic()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            return
        code = 1
        try:
            for number, action in _SIGNALS.items():
                signal.signal(number, action)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            _run_worker(self.settings, self.live_model, self.listener, lambda: None, supervisor_pid)
            code = 0
        except BaseException as error:
            service_log.error("a worker ended: %s", type(error).__name__)
        finally:
            os._exit(code)

    def _wait_for_worker(self) -> None:
        from prometheus_client import multiprocess

        try:
            pid, _ = os.wait()
        except ChildProcessError:
            self.start_times.clear()
            return
        start_time = self.start_times.pop(pid, 0.0)
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
        if self.is_stopping:
            return
        service_log.error("worker %d ended; starting another", pid)
        if time.monotonic() - start_time < _MIN_WORKER_SECONDS:
            time.sleep(_MIN_WORKER_SECONDS)
        self.live_model.refresh()  # other workers may have a newer model
        if not self.is_stopping:  # a signal may have arrived meanwhile
            self._start_worker()

    def _stop(self, *_: object) -> None:
        self.is_stopping = True
        self._signal_workers(signal.SIGTERM)

    def _signal_workers(self, signal_number: int) -> None:
        for pid in list(self.start_times):
            try:
                os.kill(pid, signal_number)
            except ProcessLookupError:
                continue

"""The settings of a service, and its log."""

from __future__ import annotations

import ipaddress
import logging
from dataclasses import dataclass
from pathlib import Path

from alsatian.errors import ParameterError

service_log = logging.getLogger("alsatian.serving")

# Set for several workers, before prometheus_client is imported
METRICS_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
TOKEN_VARIABLE = "ALSATIAN_TOKEN"  # the variable that may hold the token


@dataclass(frozen=True)
class ServiceSettings:
    """The settings of one service.

    model: the model file. event_log: URL of the database of events (None: SQLite, next to the model file).
    token: required to write and to reload; None lets every client on this machine do both.
    max_body_bytes: the largest body of a request. response_timeout: seconds for a response. request_timeout: seconds
    for a request to arrive. Raises ParameterError.
    """

    model: Path
    event_log: str | None = None
    token: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    max_body_bytes: int = 1 << 20
    response_timeout: float = 10.0
    request_timeout: float = 10.0

    def __post_init__(self) -> None:
        if self.token is not None and (
            len(self.token) < 16 or not self.token.isascii() or not self.token.isprintable()
        ):
            raise ParameterError(
                "the token must have at least 16 printable ASCII characters; create one with 'openssl rand -hex 32'."
            )
        if self.token is None and not is_loopback(self.host):
            raise ParameterError(
                f"--host {self.host} is open to other machines and needs a token; set ${TOKEN_VARIABLE}, "
                "or pass --token-file FILE."
            )
        for name, value, low, high in (("--port", self.port, 0, 65_535), ("--workers", self.workers, 1, 256)):
            if not low <= value <= high:
                raise ParameterError(f"{name} {value} is out of bounds; pass {low} to {high}.")

    @property
    def event_log_url(self) -> str:
        """The URL of the database of events; by default the file `movies.model.events.db` next to `movies.model`."""
        return self.event_log or f"sqlite:///{self.model.resolve()}.events.db"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

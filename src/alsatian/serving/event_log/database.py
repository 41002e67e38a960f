"""Where events are kept: the URL of a database, its driver, and how SQLite and PostgreSQL are to behave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from alsatian.errors import DependencyError, ParameterError

WAIT = 3.0  # seconds to wait for another writer, or for a connection
_PATIENCE: dict[str, Any] = {  # with PostgreSQL, milliseconds; without it one that hangs would hold every thread
    "options": f"-c lock_timeout={WAIT * 1000:.0f} -c statement_timeout={10 * WAIT * 1000:.0f}",
    "tcp_user_timeout": int(WAIT * 1000), "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3,
}  # fmt: skip


def url_of(written: str) -> sa.URL:
    """Return the URL of a database. Raises ParameterError, DependencyError."""
    try:
        url = sa.make_url(written)
    except ArgumentError:
        raise ParameterError(
            "--events is no URL of a database; write sqlite:///events.db or postgresql://user@host/database."
        ) from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ParameterError(f"events are kept in SQLite or PostgreSQL, not in {backend!r}; write sqlite:///events.db.")
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise ParameterError("events in memory would be lost; name a file, such as sqlite:///events.db.")
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def file_of(url: sa.URL) -> Path | None:
    """Return the file that a database is, if it is one."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def engine_of(url: sa.URL) -> sa.Engine:
    """Return what connects to a database. Raises DependencyError where its driver is missing."""
    local = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"timeout": WAIT} if local else {"connect_timeout": int(WAIT), **_PATIENCE}
    try:
        engine = sa.create_engine(
            url, connect_args=arguments, pool_pre_ping=not local, pool_timeout=WAIT, hide_parameters=True
        )
    except NoSuchModuleError as error:
        raise DependencyError(f"SQLAlchemy does not know this database: {error}.") from None
    except ImportError as error:
        raise DependencyError(
            f"the events database needs its driver: {error}; pip install 'psycopg[binary]'."
        ) from None
    if local:
        sa.event.listen(engine, "connect", _durable)
    return engine


def _durable(connection: Any, _: object) -> None:
    """Have SQLite flush every commit to the disk; readers do not wait for writers."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def prepared(query: Any, dialect: Any) -> Callable[..., tuple[str, Any]]:
    """Return a query as the driver takes it; every list asks it, and SQLAlchemy's own way takes four times as long."""
    written = query.compile(dialect=dialect)
    text, names, fixed = str(written), written.positiontup, written.params

    def with_values(**values: Any) -> tuple[str, Any]:
        given = fixed | values
        return text, given if names is None else tuple(given[name] for name in names)

    return with_values

"""The database of the event log: its URL, its driver, and the settings of SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from alsatian.errors import DependencyError, ParameterError

WAIT_SECONDS = 3.0  # seconds to wait for another writer, or for a connection
# Timeouts, so that a server that hangs does not block every thread; options are in milliseconds.
_POSTGRES_ARGUMENTS: dict[str, Any] = {
    "options": f"-c lock_timeout={WAIT_SECONDS * 1000:.0f} -c statement_timeout={10 * WAIT_SECONDS * 1000:.0f}",
    "tcp_user_timeout": int(WAIT_SECONDS * 1000), "keepalives_idle": 10, "keepalives_interval": 3,
    "keepalives_count": 3,
}  # fmt: skip


def parse_database_url(text: str) -> sa.URL:
    """Return the URL of a database. Raises ParameterError, DependencyError."""
    try:
        url = sa.make_url(text)
    except ArgumentError:
        raise ParameterError(
            "--event-log is not a valid database URL; write sqlite:///events.db or postgresql://user@host/database."
        ) from None
    backend = url.get_backend_name()
    if backend not in ("sqlite", "postgresql"):
        raise ParameterError(
            f"the event log does not support {backend!r}; use SQLite or PostgreSQL, such as sqlite:///events.db."
        )
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise ParameterError("an event log in memory would be lost; name a file, such as sqlite:///events.db.")
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def sqlite_path(url: sa.URL) -> Path | None:
    """Return the file of a SQLite URL; None for other databases."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def make_engine(url: sa.URL) -> sa.Engine:
    """Return the SQLAlchemy engine of a URL. Raises DependencyError if its driver is missing."""
    is_sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = (
        {"timeout": WAIT_SECONDS} if is_sqlite else {"connect_timeout": int(WAIT_SECONDS), **_POSTGRES_ARGUMENTS}
    )
    try:
        engine = sa.create_engine(
            url, connect_args=arguments, pool_pre_ping=not is_sqlite, pool_timeout=WAIT_SECONDS, hide_parameters=True
        )
    except NoSuchModuleError as error:
        raise DependencyError(f"SQLAlchemy does not support this database: {error}.") from None
    except ImportError as error:
        raise DependencyError(
            f"the event log needs a database driver: {error}; pip install 'psycopg[binary]'."
        ) from None
    if is_sqlite:
        sa.event.listen(engine, "connect", _set_sqlite_pragmas)
    return engine


def _set_sqlite_pragmas(connection: Any, _: object) -> None:
    """Make SQLite flush every commit to disk, and let readers and writers run at the same time."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def compile_query(query: Any, dialect: Any) -> Callable[..., tuple[str, Any]]:
    """Return a query compiled for the driver: every list runs it, and without this it takes four times as long."""
    compiled = query.compile(dialect=dialect)
    text, names, defaults = str(compiled), compiled.positiontup, compiled.params

    def bind_values(**values: Any) -> tuple[str, Any]:
        parameters = defaults | values
        return text, parameters if names is None else tuple(parameters[name] for name in names)

    return bind_values

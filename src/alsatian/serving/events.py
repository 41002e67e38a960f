"""The events database: what users did since, kept before it is acknowledged. SQLite or PostgreSQL, by SQLAlchemy.

An event is stored once by its id. Events are numbered in the order in which they are committed, so that "all up to
number 500" (a training) and "all after it" (what is folded in) leave none out: writers wait for each other.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from alsatian.errors import DependencyError, ParameterError, SourceError

WAIT = 3.0  # seconds to wait for another writer, or for a connection
_LOCK = 0x616C7361  # of PostgreSQL, for writers
_PATIENCE: dict[str, Any] = {  # with PostgreSQL, milliseconds; without it one that hangs would hold every thread
    "options": f"-c lock_timeout={WAIT * 1000:.0f} -c statement_timeout={10 * WAIT * 1000:.0f}",
    "tcp_user_timeout": int(WAIT * 1000), "keepalives_idle": 10, "keepalives_interval": 3, "keepalives_count": 3,
}  # fmt: skip
_BATCH = 500  # parameters of one query

_tables = sa.MetaData()
EVENTS = sa.Table(
    "alsatian_events",
    _tables,
    sa.Column("number", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("user", sa.Text, nullable=False),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("event", sa.Text),
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("signals", sa.Text),
    sa.Index("alsatian_events_by_user", "user", "number"),
    sqlite_autoincrement=True,
)
ABOUT = sa.Table("alsatian_about", _tables, sa.Column("database", sa.Text, primary_key=True))
_OF_USER = (
    sa.select(*(EVENTS.c[name] for name in ("id", "user", "item", "value", "event", "time", "signals")))
    .where(EVENTS.c.user == sa.bindparam("user"), EVENTS.c.number > sa.bindparam("after"))
    .order_by(EVENTS.c.number.desc())
    .limit(sa.bindparam("most"))
)


class Event(NamedTuple):
    """Something that a user did. Ids are text here, whatever they are in the model; time is seconds since 1970."""

    id: str
    user: str
    item: str
    value: float | None
    event: str | None
    time: int
    signals: dict[str, float] | None = None

    @property
    def row(self) -> dict[str, Any]:
        """The event as a row of raw data."""
        given = {"item": self.item, "value": self.value, "event": self.event, "time": self.time}
        return {name: value for name, value in given.items() if value is not None} | (self.signals or {})


class Kept(NamedTuple):
    """What became of events: how many are new, and the ids of those that were there already."""

    new: int
    known: list[str]


class Gone(Exception):
    """The database cannot be reached or written to now; the message says why, without any event."""


class Conflict(Exception):
    """An id was used before, for another event."""


class Events:
    """A database of events. Raises Gone from every call while it is out of reach, and works again afterwards."""

    def __init__(self, url: str) -> None:
        self.url = _url(url)
        self.local = self.url.get_backend_name() == "sqlite"
        self.path = Path(self.url.database or "") if self.local else None
        self._engine = _engine(self.url)
        self._known: os.stat_result | None = None
        self._turn = threading.Lock()
        self._of_user = _prepared(_OF_USER, self._engine.dialect)
        with self._reached(creating=True):
            self._known = self._open()

    def _open(self) -> os.stat_result | None:
        """Make the tables where there are none, read the database's name, and return which file it is in."""
        with self._engine.begin() as connection:
            self._lock(connection)
            _tables.create_all(connection)
            if connection.scalar(sa.select(sa.func.count()).select_from(ABOUT)) == 0:
                connection.execute(ABOUT.insert().values(database=uuid.uuid4().hex))
            self.name: str = connection.scalars(sa.select(ABOUT.c.database)).one()
        return self.path.stat() if self.path else None

    def keep(self, events: Sequence[Event]) -> Kept:
        """Store events, all or none; when this returns, they are on the disk. Raises Conflict, Gone."""
        rows = [event._asdict() | {"signals": _packed(event.signals)} for event in events]
        with self._reached(), self._in_turn(), self._engine.begin() as connection:
            self._lock(connection)
            insert = _insert(self.local).on_conflict_do_nothing(index_elements=["id"]).returning(EVENTS.c.id)
            new = set(connection.scalars(insert, rows))
            known = {event.id: event for event in events if event.id not in new}
            for stored in _stored(connection, list(known)):
                if stored != known[stored.id]._replace(time=stored.time):  # one without a time has that of its arrival
                    raise Conflict(stored.id)
        return Kept(len(new), list(known))

    def of_user(self, user: str, after: int = 0, most: int = 10_000) -> list[Event]:
        """Return what a user did after event number `after`; of very many the latest."""
        with self._reached(), closing(self._engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(*self._of_user(user=user, after=after, most=most))
            return [_event(Event(*row)) for row in cursor.fetchall()][::-1]

    def last(self) -> int:
        """Return the number of the last event, 0 where there is none."""
        with self._reached(), self._engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(EVENTS.c.number))) or 0

    def all(self, through: int) -> list[Event]:
        """Return all events up to a number, in order."""
        asked = sa.select(EVENTS).where(EVENTS.c.number <= through).order_by(EVENTS.c.number)
        with self._reached(), self._engine.connect() as connection:
            return [_event(row) for row in connection.execution_options(yield_per=10_000).execute(asked)]

    def trouble(self) -> str | None:
        """Return why events cannot be kept now, or None."""
        try:
            self.last()
        except Gone as gone:
            return str(gone)
        return None

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for the other writers of this process, but not for ever: each may itself be waiting for a database."""
        if not self._turn.acquire(timeout=WAIT):
            raise Gone("the events database is out of reach: others wait for it; try again.")
        try:
            yield
        finally:
            self._turn.release()

    def _lock(self, connection: sa.Connection) -> None:
        """Wait for all other writers, and hold them off until the end of the transaction."""
        if self.local:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))

    @contextmanager
    def _reached(self, *, creating: bool = False) -> Iterator[None]:
        """Tell whatever goes wrong by Gone; a file that is no longer in its place counts as out of reach."""
        known = self._known  # one and the same before and after, whatever others find meanwhile
        try:
            if not creating:
                self._check_place(known)
            yield
            if not creating:
                self._check_place(known)
        except DBAPIError as error:
            raise Gone(f"the events database is out of reach: {_said(error.orig)}; try again.") from None
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise Gone(f"the events database is out of reach: {_said(error)}; try again.") from None
        except SQLAlchemyError as error:
            raise Gone(f"the events database is out of reach: {type(error).__name__}; try again.") from None
        except OSError as error:
            raise Gone(f"the events database is out of reach: {error.strerror}; try again.") from None

    def _check_place(self, known: os.stat_result | None) -> None:
        """SQLite would go on writing to a file that was moved or deleted, where nobody will look for events."""
        if self.path is None or known is None:
            return
        try:
            there = self.path.stat()
        except OSError as error:
            raise Gone(f"the events database is out of reach: {error.strerror}; put it back.") from None
        if (there.st_dev, there.st_ino) != (known.st_dev, known.st_ino):
            self._engine.dispose()
            self._known = self._open()
            raise Gone("the events database was replaced by another file; try again.")


def opened(url: str) -> Events:
    """Open the database of a service. Raises SourceError where it cannot be reached."""
    try:
        return Events(url)
    except Gone as gone:
        raise SourceError(str(gone).replace("; try again", "; correct --events, or start it")) from None


def _url(written: str) -> sa.URL:
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


def _engine(url: sa.URL) -> sa.Engine:
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


def _prepared(query: Any, dialect: Any) -> Callable[..., tuple[str, Any]]:
    """Return a query as the driver takes it; every list asks it, and SQLAlchemy's own way takes four times as long."""
    written = query.compile(dialect=dialect)
    text, names, fixed = str(written), written.positiontup, written.params

    def prepared(**values: Any) -> tuple[str, Any]:
        given = fixed | values
        return text, given if names is None else tuple(given[name] for name in names)

    return prepared


def _insert(local: bool) -> Any:
    """Return an insertion that can pass over what is there; each dialect has its own, and takes time to load."""
    if local:
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(EVENTS)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(EVENTS)


def _stored(connection: sa.Connection, ids: Sequence[str]) -> Iterator[Event]:
    """Yield events by their ids."""
    for start in range(0, len(ids), _BATCH):
        some = sa.select(EVENTS).where(EVENTS.c.id.in_(ids[start : start + _BATCH]))
        yield from map(_event, connection.execute(some))


def _event(row: Any) -> Event:
    return Event(row.id, row.user, row.item, row.value, row.event, row.time, json.loads(row.signals or "null"))


def _packed(signals: dict[str, float] | None) -> str | None:
    return json.dumps(signals, sort_keys=True) if signals else None


def _said(error: BaseException) -> str:
    """Return what the driver says, in one line, without what was to be stored."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split("DETAIL:")[0].strip().rstrip(".")


def now() -> int:
    return int(time.time())

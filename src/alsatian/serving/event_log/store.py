"""The event log in SQLite or PostgreSQL, through SQLAlchemy. Events are on disk before they are acknowledged.

An event is stored once by its id. Events are numbered in the order of their commits, because writers wait for each
other. So "all up to number 500" (a training) and "all after 500" (the fold-in) together miss no event.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from alsatian.errors import SourceError
from alsatian.serving.event_log import database
from alsatian.serving.settings import service_log

_ADVISORY_LOCK = 0x616C7361  # the lock of PostgreSQL for writers
_IDS_PER_QUERY = 500  # parameters of one query

_schema = sa.MetaData()
EVENTS_TABLE = sa.Table(
    "alsatian_events",
    _schema,
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
DATABASE_TABLE = sa.Table("alsatian_about", _schema, sa.Column("database", sa.Text, primary_key=True))
_USER_EVENTS_QUERY = (
    sa.select(*(EVENTS_TABLE.c[name] for name in ("id", "user", "item", "value", "event", "time", "signals")))
    .where(EVENTS_TABLE.c.user == sa.bindparam("user"), EVENTS_TABLE.c.number > sa.bindparam("after"))
    .order_by(EVENTS_TABLE.c.number.desc())
    .limit(sa.bindparam("most"))
)


class Event(NamedTuple):
    """An event of a user. Ids are text, also if the model has integers; time is in seconds since 1970."""

    id: str
    user: str
    item: str
    value: float | None
    event: str | None
    time: int
    signals: dict[str, float] | None = None

    @property
    def raw_row(self) -> dict[str, Any]:
        """The event as a row of raw data."""
        cells = {"item": self.item, "value": self.value, "event": self.event, "time": self.time}
        return {name: value for name, value in cells.items() if value is not None} | (self.signals or {})


class Stored(NamedTuple):
    """The result of storing events: the number of new ones, and the ids of those that were stored before."""

    new_count: int
    duplicate_ids: list[str]


class DatabaseUnavailable(Exception):
    """The database cannot be reached or written to now. The message has the reason, and no data of events.

    public_message: the message for clients, without the text of the server, which may contain addresses and names.
    """

    def __init__(self, message: str, public_message: str | None = None) -> None:
        super().__init__(message)
        self.public_message = public_message or message


class EventConflict(Exception):
    """The id is already used by another event."""


class EventStore:
    """A database of events. Every method raises DatabaseUnavailable while the database is unavailable."""

    def __init__(self, url: str) -> None:
        self.url = database.parse_database_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.path = database.sqlite_path(self.url)
        self.engine = database.make_engine(self.url)
        self._file_status: os.stat_result | None = None
        self._thread_lock = threading.Lock()
        self._last_error = ""  # the last error in the log
        self._user_query = database.compile_query(_USER_EVENTS_QUERY, self.engine.dialect)
        with self._translate_errors(creating=True):
            self._file_status = self._open()

    def _open(self) -> os.stat_result | None:
        """Create missing tables, read the id of the database, and return the status of its file."""
        with self.engine.begin() as connection:
            self._lock_writers(connection)
            _schema.create_all(connection)
            if connection.scalar(sa.select(sa.func.count()).select_from(DATABASE_TABLE)) == 0:
                connection.execute(DATABASE_TABLE.insert().values(database=uuid.uuid4().hex))
            self.database_id: str = connection.scalars(sa.select(DATABASE_TABLE.c.database)).one()
        return self.path.stat() if self.path else None

    def add(self, events: Sequence[Event]) -> Stored:
        """Store events, all or none; when this returns, they are on disk.

        Raises EventConflict, DatabaseUnavailable.
        """
        rows = [event._asdict() | {"signals": _signals_json(event.signals)} for event in events]
        with self._translate_errors(), self.write_lock(), self.engine.begin() as connection:
            self._lock_writers(connection)
            insert = (
                _insert_statement(self.is_sqlite)
                .on_conflict_do_nothing(index_elements=["id"])
                .returning(EVENTS_TABLE.c.id)
            )
            new_ids = set(connection.scalars(insert, rows))
            known_events = {event.id: event for event in events if event.id not in new_ids}
            for stored in _events_by_id(connection, list(known_events)):
                # The time may differ: an event that was sent without one has the time of its arrival.
                if stored != known_events[stored.id]._replace(time=stored.time):
                    raise EventConflict(stored.id)
        return Stored(len(new_ids), list(known_events))

    def user_events(self, user: str, after: int = 0, limit: int = 10_000) -> list[Event]:
        """Return the events of a user after number `after`, in order; at most the latest `limit`."""
        with self._translate_errors(), closing(self.engine.raw_connection()) as connection:
            cursor = connection.cursor()
            cursor.execute(*self._user_query(user=user, after=after, most=limit))
            return [_event_from_row(Event(*row)) for row in cursor.fetchall()][::-1]

    def last_number(self) -> int:
        """Return the number of the last event; 0 if there is none."""
        with self._translate_errors(), self.engine.connect() as connection:
            return connection.scalar(sa.select(sa.func.max(EVENTS_TABLE.c.number))) or 0

    def events_through(self, through: int) -> list[Event]:
        """Return all events up to a number, in order."""
        query = sa.select(EVENTS_TABLE).where(EVENTS_TABLE.c.number <= through).order_by(EVENTS_TABLE.c.number)
        with self._translate_errors(), self.engine.connect() as connection:
            return [_event_from_row(row) for row in connection.execution_options(yield_per=10_000).execute(query)]

    def unavailable_reason(self) -> str | None:
        """Return why events cannot be stored now, or None."""
        try:
            self.last_number()
        except DatabaseUnavailable as error:
            return error.public_message
        return None

    def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        self.engine.dispose()

    @contextmanager
    def write_lock(self) -> Iterator[None]:
        """Wait for the other writers of this process, for a limited time: they may wait for the database."""
        if not self._thread_lock.acquire(timeout=database.WAIT_SECONDS):
            raise DatabaseUnavailable("the event log is unavailable: other writers wait for it; try again.")
        try:
            yield
        finally:
            self._thread_lock.release()

    def _lock_writers(self, connection: sa.Connection) -> None:
        """Wait for all other writers, and block them until the end of the transaction."""
        if self.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))

    @contextmanager
    def _translate_errors(self, *, creating: bool = False) -> Iterator[None]:
        """Raise DatabaseUnavailable for any error of the database, and for a file that was moved."""
        file_status = self._file_status  # read once: other threads may replace it before the second check
        try:
            if not creating:
                self._check_file(file_status)
            yield
            if not creating:
                self._check_file(file_status)
            self._last_error = ""
        except DBAPIError as error:
            raise self._unavailable_error(_driver_message(error.orig), creating) from None
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise self._unavailable_error(_driver_message(error), creating) from None
        except SQLAlchemyError as error:
            raise self._unavailable_error(type(error).__name__, creating) from None
        except OSError as error:
            raise self._unavailable_error(str(error.strerror), creating) from None

    def _unavailable_error(self, reason: str, creating: bool) -> DatabaseUnavailable:
        """Return the error to raise. The message of a server goes to the log, once until it changes."""
        message = f"the event log is unavailable: {reason}; try again."
        if self.is_sqlite or creating:
            return DatabaseUnavailable(message)
        if reason != self._last_error:
            service_log.error(message)
        self._last_error = reason
        return DatabaseUnavailable(message, "the event log is unavailable; try again.")

    def _check_file(self, file_status: os.stat_result | None) -> None:
        """Raise DatabaseUnavailable if the file was moved or deleted: SQLite would keep writing to the old one."""
        if self.path is None or file_status is None:
            return
        try:
            status = self.path.stat()
        except OSError as error:
            raise DatabaseUnavailable(f"the event log is unavailable: {error.strerror}; put the file back.") from None
        if (status.st_dev, status.st_ino) != (file_status.st_dev, file_status.st_ino):
            self.engine.dispose()
            self._file_status = self._open()
            raise DatabaseUnavailable("the event log was replaced by another file; try again.")


def open_event_store(url: str, *, create: bool = True) -> EventStore:
    """Open the event log at a URL. Raises SourceError if it is unavailable.

    create: whether to create a missing file; otherwise it is an error.
    """
    if not create and (file := database.sqlite_path(database.parse_database_url(url))) and not file.is_file():
        raise SourceError(f"there is no event log at {url}; pass that of the service with --event-log URL.")
    try:
        return EventStore(url)
    except DatabaseUnavailable as error:
        raise SourceError(str(error).replace("; try again", "; correct --event-log, or start the database")) from None


def _insert_statement(is_sqlite: bool) -> Any:
    """Return an INSERT that can skip existing rows; each dialect has its own, and is imported on first use."""
    if is_sqlite:
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(EVENTS_TABLE)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(EVENTS_TABLE)


def _events_by_id(connection: sa.Connection, ids: Sequence[str]) -> Iterator[Event]:
    """Yield the events with these ids."""
    for start in range(0, len(ids), _IDS_PER_QUERY):
        query = sa.select(EVENTS_TABLE).where(EVENTS_TABLE.c.id.in_(ids[start : start + _IDS_PER_QUERY]))
        yield from map(_event_from_row, connection.execute(query))


def _event_from_row(row: Any) -> Event:
    return Event(row.id, row.user, row.item, row.value, row.event, row.time, json.loads(row.signals or "null"))


def _signals_json(signals: dict[str, float] | None) -> str | None:
    return json.dumps(signals, sort_keys=True) if signals else None


def _driver_message(error: BaseException) -> str:
    """Return the message of the driver in one line, without the values of the statement."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].split("DETAIL:")[0].strip().rstrip(".")


def now() -> int:
    """Return the present time in whole seconds since 1970."""
    return int(time.time())

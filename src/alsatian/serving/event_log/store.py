"""The events database: what users did since, kept before it is acknowledged. SQLite or PostgreSQL, by SQLAlchemy.

An event is stored once by its id. Events are numbered in the order in which they are committed, so that "all up to
number 500" (a training) and "all after it" (what is folded in) leave none out: writers wait for each other.
"""

from __future__ import annotations

import json
import logging
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

log = logging.getLogger("alsatian.serving")
_LOCK = 0x616C7361  # of PostgreSQL, for writers
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
    """The database cannot be reached or written to now; the message says why, without any event.

    public: the message for everybody, without the words of a server, which may name its address and its users.
    """

    def __init__(self, why: str, public: str | None = None) -> None:
        super().__init__(why)
        self.public = public or why


class Conflict(Exception):
    """An id was used before, for another event."""


class Events:
    """A database of events. Raises Gone from every call while it is out of reach, and works again afterwards."""

    def __init__(self, url: str) -> None:
        self.url = database.url_of(url)
        self.local = self.url.get_backend_name() == "sqlite"
        self.path = database.file_of(self.url)
        self._engine = database.engine_of(self.url)
        self._known: os.stat_result | None = None
        self._turn = threading.Lock()
        self._trouble = ""  # what the log has heard of last
        self._of_user = database.prepared(_OF_USER, self._engine.dialect)
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
            return gone.public
        return None

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        """Wait for the other writers of this process, but not for ever: each may itself be waiting for a database."""
        if not self._turn.acquire(timeout=database.WAIT):
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
            self._trouble = ""
        except DBAPIError as error:
            raise self._gone(_said(error.orig), creating) from None
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._gone(_said(error), creating) from None
        except SQLAlchemyError as error:
            raise self._gone(type(error).__name__, creating) from None
        except OSError as error:
            raise self._gone(str(error.strerror), creating) from None

    def _gone(self, why: str, creating: bool) -> Gone:
        """Return what to raise. What a server says in service goes to the log, once until it says something else."""
        told = f"the events database is out of reach: {why}; try again."
        if self.local or creating:
            return Gone(told)
        if why != self._trouble:
            log.error(told)
        self._trouble = why
        return Gone(told, "the events database is out of reach; try again.")

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


def opened(url: str, *, making: bool = True) -> Events:
    """Open the database of a service, or make one where there is none. Raises SourceError where it is out of reach.

    making: whether to make a file; without it a missing one is an error.
    """
    if not making and (file := database.file_of(database.url_of(url))) and not file.is_file():
        raise SourceError(f"no service has kept events at {url}; pass its database by --events URL.")
    try:
        return Events(url)
    except Gone as gone:
        raise SourceError(str(gone).replace("; try again", "; correct --events, or start it")) from None


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

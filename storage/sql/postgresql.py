"""PostgreSQL through psycopg 3: many readers, and one transaction at a time that writes.

Whoever means to write locks the head of the log first (`SELECT … FOR UPDATE`), before anything is
read. Each entry carries the hash of the one before, so the entries of two transactions can't be
made side by side in any case; and since there is one lock, taken first, no two can wait for one
another, whatever contacts and cases they touch and in whatever order. What a use case has read is
true until it is stored. What is not serialised: reading, the claims of the outbox (row locks with
SKIP LOCKED), and everything around a transaction. The lock is held for as long as the statements
take: they are few, since what was changed is sent at the end at once, together with COMMIT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.consent.errors import Changed, OptinError, StorageFailed
from storage.sql.database import Database
from storage.sql.session import UNKNOWN, Row, Session

#: Seconds until whoever waits for the lock, or for a connection, gives up.
_PATIENCE = 60
_CONNECTIONS = 16
#: Of the lock under which the schema is changed.
_SCHEMA = 0x6F7074696E

#: A replica that was frozen does not hold up the others for longer.
_BEGIN = f"BEGIN; SET LOCAL idle_in_transaction_session_timeout = '{_PATIENCE}s'"

_BUSY = "The storage is busy, so nothing was changed. Try again soon."


class PostgreSQL(Database):
    error = psycopg.Error

    def __init__(self, url: URL) -> None:
        host = url.host or url.query.get("host") or "localhost"
        self._password = str(url.password or "")
        self.name = f"The database {url.database or ''} at {host}".replace("  ", " ")
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            pool_timeout=_PATIENCE,
            pool_use_lifo=True,
            connect_args={"autocommit": True, "connect_timeout": 10},
        )
        event.listen(engine, "connect", _prepare)
        super().__init__(engine)
        self.begin_writing = f"{_BEGIN}; {self.sql.lock}"

    @contextmanager
    def session(self) -> Iterator[PostgreSQLSession]:
        session = PostgreSQLSession(self)
        try:
            yield session
        finally:
            session.close()

    def connect(self) -> PoolProxiedConnection:
        try:
            return self.engine.raw_connection()
        except PoolTimeout as error:
            raise StorageFailed(_BUSY) from error
        except (psycopg.Error, DBAPIError) as error:
            raise self.failed(error) from error

    def tidy(self) -> None:
        """The old rows are overwritten when autovacuum has passed: that is the server's matter."""

    def alone(self, connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA})")

    def failed(self, error: Exception) -> StorageFailed:
        if isinstance(error, psycopg.errors.LockNotAvailable):
            return StorageFailed(_BUSY)
        if isinstance(error, psycopg.OperationalError):
            said = self._said(error)
            return StorageFailed(f"{self.name} can't be reached, so nothing was changed ({said}).")
        if isinstance(error, psycopg.Error) and error.sqlstate is None:
            # The driver's own, of the address: whatever stands in it may be a secret.
            return StorageFailed(f"{self.name} can't be used as OPTIN_STORAGE says.")
        said = self._said(error)
        return StorageFailed(f"{self.name} refused the change, so nothing was changed: {said}.")

    def _said(self, error: Exception) -> str:
        """The first line of what the server or the network said."""
        said = (str(error).strip() or "no reason was given").splitlines()[0].strip().rstrip(".")
        return said.replace(self._password, "…") if self._password else said


class PostgreSQLSession(Session):
    def __init__(self, database: PostgreSQL) -> None:
        super().__init__(database.sql, database.error, database.failed)
        self._database = database
        self._connect()

    def many(self, values: Sequence[str]) -> object:
        """As PostgreSQL writes an array: the driver takes it for granted that it has to look at
        each of them for its type."""
        quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
        return "{" + ",".join(f'"{value}"' for value in quoted) + "}"

    def read(self) -> None:
        self._begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def write(self) -> Row:
        self._begin(self._database.begin_writing)
        while self.cursor.nextset():
            pass
        return self.cursor.fetchone()  # type: ignore[no-any-return]  # each driver has a cursor of its own

    def claim(self) -> None:
        self._begin(_BEGIN)

    def commit(self, flush: Callable[[], None]) -> None:
        try:
            with self._driver.pipeline():
                flush()
                self.cursor.execute("COMMIT")
        except psycopg.Error as error:
            raise self._failure(error) from error
        except StorageFailed as failed:
            if isinstance(failed.__cause__, psycopg.Error):
                raise self._failure(failed.__cause__) from failed
            raise

    def undo(self) -> None:
        """A connection on which even this fails is of no use to anybody."""
        try:
            self._driver.rollback()
        except psycopg.Error:
            self._driver.close()

    def close(self) -> None:
        if self._driver.closed and self._connection.is_valid:
            self._connection.invalidate()
        self._connection.close()

    def _failure(self, error: psycopg.Error) -> OptinError:
        """What the server itself refuses was certainly not stored. Anything else is a connection
        that was lost, or is about to be."""
        if error.sqlstate is None or isinstance(error, psycopg.OperationalError):
            self._driver.close()
            return StorageFailed(UNKNOWN)
        if error.diag.constraint_name == "cases_one_open":
            return Changed()
        return self._failed(error)

    def _begin(self, sql: str) -> None:
        """Connections that waited in the pool may be dead since the server was started anew.
        Nothing has begun yet, so it is tried again until one of them is alive, or is new."""
        for _ in range(2 * _CONNECTIONS):
            try:
                self.cursor.execute(sql, prepare=False)
                return
            except psycopg.Error as error:
                if not self._driver.closed:
                    self.undo()
                    raise self._failed(error) from error
            self._connection.invalidate()
            self._connect()
        raise StorageFailed(_BUSY)

    def _connect(self) -> None:
        self._connection = self._database.connect()
        driver = self._connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        self._driver: psycopg.Connection[Any] = driver
        self.cursor = driver.cursor()


def _prepare(connection: psycopg.Connection[Any], _: object) -> None:
    connection.execute(f"SET lock_timeout = '{_PATIENCE}s'")
    # A server may be set up to say that something is stored before it is.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )

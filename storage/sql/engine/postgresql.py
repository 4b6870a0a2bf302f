"""PostgreSQL through psycopg 3: many readers, and one transaction at a time that writes.

Whoever means to write locks the head of the log first (`SELECT … FOR UPDATE`), before anything is
read. Each entry carries the hash of the one before, so the entries of two transactions can't be
made side by side in any case; and since there is one lock, taken first, no two can wait for one
another, whatever contacts and cases they touch and in whatever order. What a use case has read is
true until it is stored.

What is not serialised: reading, the claims of the outbox, and everything around a transaction:
signatures, parsing, answering. Who claims has a lock that nobody waits for, and takes no row that
somebody else has (SKIP LOCKED); who writes an alert waits until it is no longer being claimed.
And whoever writes does so for many: the requests that wait at a replica share a transaction, and
with it the lock. Where a use case says what it will look up, as one does that takes events in, the
lock is held for little more than two ways to the server, however many they are: what they look up
is one statement, sent with the lock, and what was changed is another, sent with COMMIT.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.consent.errors import StorageFailed, StorageRefused
from storage.sql.engine.database import PATIENCE, Database
from storage.sql.engine.database_session import BUSY
from storage.sql.engine.postgresql_session import (
    CONNECTIONS,
    FROZEN,
    IN_THE_WAY,
    SCHEMA_LOCK,
    WRITE,
    PostgreSQLSession,
    local_settings,
    settle,
)
from storage.sql.statements import Statements, statements

#: Seconds that whoever is first may need for the tables.
_SCHEMA_WITHIN = 60


class PostgreSQL(Database):
    """The connections of one process to one PostgreSQL database."""

    error = psycopg.Error

    def __init__(self, url: URL, *, patience: float = PATIENCE) -> None:
        """`patience` is how many seconds are waited for those who write, or for a connection."""
        host = url.host or url.query.get("host") or "localhost"
        self._password = str(url.password or "")
        self.name = f"The database {url.database or ''} at {host}".replace("  ", " ")
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            pool_timeout=patience,
            pool_use_lifo=True,
            pool_reset_on_return=None,  # the session undoes what was left open
            connect_args={"autocommit": True, "connect_timeout": 10},
        )
        # Whoever waits for a row holds the log's head meanwhile. Half of the time is left for those
        # who wait for that, and have nothing to do with the row.
        rows_within = _milliseconds(patience / 2)
        event.listen(engine, "connect", lambda driver, _: _prepare(driver, rows_within))
        event.listen(engine, "checkout", lambda driver, *_: settle(driver))
        super().__init__(engine)
        self._patience, self._rows_within = patience, rows_within

    @cached_property
    def lock(self) -> Sequence[str]:
        """What is sent to be the one who writes; the last of it gives the log's head."""
        # `lock_timeout` counts each wait by itself, and there are several where many are in line:
        # the one for the statement is for all of them.
        patient = local_settings(
            idle_in_transaction_session_timeout=FROZEN,
            lock_timeout=0,
            statement_timeout=_milliseconds(self._patience),
        )
        from_then_on = local_settings(lock_timeout=self._rows_within, statement_timeout=0)
        return (
            f"SELECT {patient}",
            f"SELECT head.*, {from_then_on} FROM ({self.sql.lock}) AS head",  # noqa: S608 - numbers
        )

    @contextmanager
    def session(self) -> Iterator[PostgreSQLSession]:
        session = PostgreSQLSession(self.sql, self.failed, self.lock, self.connect)
        try:
            yield session
        finally:
            session.close()

    def connect(self) -> PoolProxiedConnection:
        try:
            return self.engine.raw_connection()
        except PoolTimeout as error:
            raise StorageFailed(BUSY) from error
        except (psycopg.Error, DBAPIError) as error:
            raise self.failed(error) from error

    def tidy(self) -> None:
        """The old rows are overwritten when autovacuum has passed: that is the server's matter."""

    def alone(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"{WRITE}; SET LOCAL lock_timeout = '{_SCHEMA_WITHIN}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})")

    def statements(self, connection: Connection) -> Statements:
        found = connection.exec_driver_sql("SELECT to_regclass('contacts_names')").scalar()
        return statements(self.engine.dialect, pg_trgm=found is not None)

    def failed(self, error: Exception) -> StorageFailed:
        if isinstance(error, IN_THE_WAY):
            return StorageFailed(BUSY)
        if isinstance(error, psycopg.OperationalError):
            said = self._said(error)
            return StorageRefused(f"{self.name} can't be reached, so nothing was changed ({said}).")
        if isinstance(error, psycopg.Error) and error.sqlstate is None:
            # The driver's own, of the address: whatever stands in it may be a secret.
            return StorageRefused(f"{self.name} can't be used as OPTIN_STORAGE says.")
        said = self._said(error)
        return StorageRefused(f"{self.name} refused the change, so nothing was changed: {said}.")

    def _said(self, error: Exception) -> str:
        """The first line of what the server or the network said."""
        said = (str(error).strip() or "no reason was given").splitlines()[0].strip().rstrip(".")
        return said.replace(self._password, "…") if self._password else said


def _milliseconds(seconds: float) -> int:
    """0 would be for ever."""
    return max(1, int(seconds * 1000))


def _prepare(connection: psycopg.Connection[Any], lock_timeout: int) -> None:
    connection.execute(f"SET lock_timeout = {lock_timeout}")
    # Each of our joins is from a few rows to an index. The planner, who takes a JSON text for a
    # hundred rows, reads a table of a thousand contacts for one of them.
    connection.execute("SET enable_hashjoin = off")
    connection.execute("SET enable_mergejoin = off")
    # A server may be set up to say that something is stored before it is.
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )

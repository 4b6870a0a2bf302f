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

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, PoolProxiedConnection, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.consent.errors import Changed, OptinError, StorageFailed
from storage.sql.engine.database import PATIENCE, Database
from storage.sql.engine.database_session import BUSY, UNKNOWN, Question, Row, Session, Values
from storage.sql.engine.pipelining import combine_queries, combine_statements, split_results
from storage.sql.statements import Statements, statements

_CONNECTIONS = 16
#: Seconds that whoever is first may need for the tables.
_SCHEMA_WITHIN = 60
#: Of the lock under which the schema is changed, and of the one that whoever claims has.
_SCHEMA = 0x6F7074696E
_CLAIM = f"SELECT pg_try_advisory_xact_lock({_SCHEMA + 1})"

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#: What is read behind the lock is as whoever had it before has left it.
_WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
#: A replica that was frozen does not hold up the others for longer, in milliseconds.
_FROZEN = 60_000

#: Others were in the way. The server undoes the transaction before it says so.
_IN_THE_WAY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


class PostgreSQL(Database):
    error = psycopg.Error

    def __init__(self, url: URL, *, patience: float = PATIENCE) -> None:
        """`patience` is how many seconds are waited for those who write, or for a connection."""
        host = url.host or url.query.get("host") or "localhost"
        self._password = str(url.password or "")
        self.name = f"The database {url.database or ''} at {host}".replace("  ", " ")
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            pool_timeout=patience,
            pool_use_lifo=True,
            pool_reset_on_return=None,  # the session undoes what was left open
            connect_args={"autocommit": True, "connect_timeout": 10},
        )
        # Whoever waits for a row holds the log's head meanwhile. Half of the time is left for those
        # who wait for that, and have nothing to do with the row.
        rows_within = _milliseconds(patience / 2)
        event.listen(engine, "connect", lambda driver, _: _prepare(driver, rows_within))
        super().__init__(engine)
        self._patience, self._rows_within = patience, rows_within

    @cached_property
    def lock(self) -> Sequence[str]:
        """What is sent to be the one who writes; the last of it gives the log's head."""
        # `lock_timeout` counts each wait by itself, and there are several where many are in line:
        # the one for the statement is for all of them.
        patient = _local(
            idle_in_transaction_session_timeout=_FROZEN,
            lock_timeout=0,
            statement_timeout=_milliseconds(self._patience),
        )
        from_then_on = _local(lock_timeout=self._rows_within, statement_timeout=0)
        return (
            f"SELECT {patient}",
            f"SELECT head.*, {from_then_on} FROM ({self.sql.lock}) AS head",
        )

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
            raise StorageFailed(BUSY) from error
        except (psycopg.Error, DBAPIError) as error:
            raise self.failed(error) from error

    def tidy(self) -> None:
        """The old rows are overwritten when autovacuum has passed: that is the server's matter."""

    def alone(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"{_WRITE}; SET LOCAL lock_timeout = '{_SCHEMA_WITHIN}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_SCHEMA})")

    def statements(self, connection: Connection) -> Statements:
        found = connection.exec_driver_sql("SELECT to_regclass('contacts_names')").scalar()
        return statements(self.engine.dialect, pg_trgm=found is not None)

    def failed(self, error: Exception) -> StorageFailed:
        if isinstance(error, _IN_THE_WAY):
            return StorageFailed(BUSY)
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
        #: What is to be done with COMMIT, once that is near.
        self._together: list[Question] | None = None
        self._connect()

    def many(self, values: Sequence[str]) -> object:
        """As PostgreSQL writes an array: the driver takes it for granted that it has to look at
        each of them for its type."""
        quoted = (value.replace("\\", "\\\\").replace('"', '\\"') for value in values)
        return "{" + ",".join(f'"{value}"' for value in quoted) + "}"

    def ask(self, questions: Sequence[Question]) -> list[list[Row]]:
        return split_results(self.rows(*combine_queries(questions)), len(questions))

    def do(self, sql: str, rows: Sequence[Values]) -> None:
        if self._together is None or len(rows) > 1:
            super().do(sql, rows)
        else:
            self._together.append((sql, rows[0]))

    def read(self, questions: Sequence[Question]) -> list[list[Row]]:
        return self._begin(_READ, questions)

    def write(self, questions: Sequence[Question]) -> list[list[Row]]:
        asked: list[Question] = [(sql, ()) for sql in self._database.lock]
        if questions:
            asked.append(combine_queries(questions))
        _, ((seq, hash, *_),), *found = self._begin(_WRITE, asked)
        return [[(seq, hash)], *split_results(found[0] if found else [], len(questions))]

    def claim(self) -> bool:
        """The lock goes when what was claimed can be seen, so the next one sees it."""
        unfrozen = f"SELECT {_local(idle_in_transaction_session_timeout=_FROZEN)}"
        _, ((alone,),) = self._begin(_WRITE, [(unfrozen, ()), (_CLAIM, ())])
        return bool(alone)

    def commit(self, flush: Callable[[], None]) -> None:
        try:
            with self._driver.pipeline():
                self._together = []
                flush()
                if self._together:
                    self.cursor.execute(*combine_statements(self._together))
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
        """Also of what went wrong before anybody knew that something had begun."""
        if not self._driver.closed:
            self.undo()
        if self._driver.closed and self._connection.is_valid:
            self._connection.invalidate()
        self._connection.close()

    def _failure(self, error: psycopg.Error) -> OptinError:
        """What the server itself refuses was certainly not stored. Anything else is a connection
        that was lost, or is about to be."""
        if isinstance(error, _IN_THE_WAY):
            return self._failed(error)
        if error.sqlstate is None or isinstance(error, psycopg.OperationalError):
            self._driver.close()
            return StorageFailed(UNKNOWN)
        if error.diag.constraint_name == "cases_one_open":
            return Changed()
        return self._failed(error)

    def _begin(self, begin: str, questions: Sequence[Question]) -> list[list[Row]]:
        """Connections that waited in the pool may be dead since the server was started anew.
        Nothing has begun yet, so it is tried again until one of them is alive, or is new."""
        for _ in range(2 * _CONNECTIONS):
            try:
                return self._begun(begin, questions)
            except psycopg.Error as error:
                if not self._driver.closed:
                    self.undo()
                    raise self._failed(error) from error
            self._connection.invalidate()
            self._connect()
        raise StorageFailed(BUSY)

    def _begun(self, begin: str, questions: Sequence[Question]) -> list[list[Row]]:
        """All of them at once, so that there is one way to the server and back."""
        with self._driver.pipeline():
            self.cursor.execute(begin)
            asked = [self._driver.execute(sql, values) for sql, values in questions]
        return [cursor.fetchall() for cursor in asked]

    def _connect(self) -> None:
        self._connection = self._database.connect()
        driver = self._connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        self._driver: psycopg.Connection[Any] = driver
        self.cursor = driver.cursor()


def _local(**settings: int) -> str:
    """Settings of this transaction."""
    return ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())


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

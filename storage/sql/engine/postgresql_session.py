"""A connection to PostgreSQL in use: how transactions begin, claim and commit on it."""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import PoolProxiedConnection

from bot.consent.errors import Changed, OptinError, StorageFailed
from storage.sql.engine.database_session import BUSY, UNKNOWN, Question, Row, Session, Values
from storage.sql.engine.pipelining import combine_queries, combine_statements, split_results
from storage.sql.statements import Statements

#: Connections that are kept.
CONNECTIONS = 16
#: Of the lock under which the schema is changed, and of the one that whoever claims has.
SCHEMA_LOCK = 0x6F7074696E
_CLAIM = f"SELECT pg_try_advisory_xact_lock({SCHEMA_LOCK + 1})"

_READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
#: What is read behind the lock is as whoever had it before has left it.
WRITE = "BEGIN ISOLATION LEVEL READ COMMITTED"
#: A replica that was frozen does not hold up the others for longer, in milliseconds.
FROZEN = 60_000

#: Others were in the way. The server undoes the transaction before it says so.
IN_THE_WAY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
)


class PostgreSQLSession(Session):
    """One pooled connection. It sends several statements in one round trip where it can."""

    def __init__(
        self,
        sql: Statements,
        failed: Callable[[Exception], StorageFailed],
        lock: Sequence[str],
        connect: Callable[[], PoolProxiedConnection],
    ) -> None:
        super().__init__(sql, psycopg.Error, failed)
        self._lock = lock
        self._open = connect
        self._reads = False
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
        self._reads = True
        return self._begin(_READ, [(self.sql.look, ()), *questions])

    def write(self, questions: Sequence[Question]) -> list[list[Row]]:
        asked: list[Question] = [(sql, ()) for sql in (*self._lock, self.sql.look)]
        if questions:
            asked.append(combine_queries(questions))
        _, _, looked, *found = self._begin(WRITE, asked)
        return [looked, *split_results(found[0] if found else [], len(questions))]

    def claim(self) -> bool:
        """The lock goes when what was claimed can be seen, so the next one sees it."""
        unfrozen = f"SELECT {local_settings(idle_in_transaction_session_timeout=FROZEN)}"
        _, ((alone,),) = self._begin(WRITE, [(unfrozen, ()), (_CLAIM, ())])
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
        if self._reads and self._ends_by_itself():
            return
        try:
            self._driver.rollback()
        except psycopg.Error:
            self._driver.close()

    def _ends_by_itself(self) -> bool:
        """Nobody need wait for the end of what only read: `settle` takes the answer."""
        raw = self._driver.pgconn
        if raw.transaction_status == TransactionStatus.INTRANS:
            raw.send_query(b"ROLLBACK")
            raw.flush()
        return raw.transaction_status == TransactionStatus.ACTIVE

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
        if isinstance(error, IN_THE_WAY):
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
        for _ in range(2 * CONNECTIONS):
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
        self._connection = self._open()
        driver = self._connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        self._driver: psycopg.Connection[Any] = driver
        self.cursor = driver.cursor()


def settle(connection: psycopg.Connection[Any]) -> None:
    """Takes the answer to the ROLLBACK that was sent last, if there is one."""
    raw = connection.pgconn
    if raw.transaction_status != TransactionStatus.ACTIVE:
        return
    arrived = select.poll()
    arrived.register(raw.socket, select.POLLIN)
    ended = False
    while not ended:
        while raw.is_busy():  # to ask for the result would stop every thread meanwhile
            arrived.poll()
            raw.consume_input()
        ended = raw.get_result() is None


def local_settings(**settings: int) -> str:
    """Settings of this transaction."""
    return ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())

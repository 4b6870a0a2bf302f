"""SQLite: one file, and one process at a time that writes into it.

WAL with synchronous FULL: a commit is on the disk before `COMMIT` returns, and nobody sees it
earlier. Whoever means to write takes the write lock first (BEGIN IMMEDIATE), so that what was read
stays true until it is written, and no two can wait for one another.
"""

from __future__ import annotations

import itertools
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.consent.errors import Changed, Corrupt, StorageFailed
from storage.files import Lock
from storage.sql.engine.database import PATIENCE, Database
from storage.sql.engine.database_session import BUSY, UNKNOWN, Question, Row, Session
from storage.sql.schema import INDEXES

PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "secure_delete = ON",
    "cache_size = -65536",
    "mmap_size = 0",
    "temp_store = MEMORY",
)
#: Seconds that whoever is first may need for the tables.
_SCHEMA_WITHIN = 60.0
#: Connections that are kept: each reader has one.
_CONNECTIONS = 32

#: Pages of the search index that are put together in one go.
_STEP = 500
#: Seconds. Whoever empties the journal keeps others from writing while somebody still reads what
#: is in it.
_CHECKPOINT_WITHIN, _CHECKPOINT_PAUSE = 0.1, 0.4

#: SQLite's result codes (sqlite.org/rescode.html) after which a COMMIT has stored nothing; the busy
#: and locked ones have extended forms (SQLITE_BUSY_SNAPSHOT, SQLITE_BUSY_TIMEOUT …).
_NOT_WRITTEN = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_BUSY", "SQLITE_LOCKED")
_DAMAGED = ("malformed", "not a database", "disk image", "encrypted")


class SQLite(Database):
    error = sqlite3.Error

    def __init__(self, path: Path, *, patience: float = PATIENCE) -> None:
        """`patience` is how many seconds are waited for those who write."""
        path = path.absolute()
        self.patience = patience
        self.name = str(path)
        self._path = path
        #: Who waits for SQLite's own lock tries again now and then, and whoever comes back at once
        #: is always quicker. So there is a queue before it, of threads and of processes.
        self.turn = threading.Lock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            self._queue = [_opened(path, ".lock"), _opened(path, ".turn")]
        except OSError as error:
            raise StorageFailed(
                f"The storage {path} can't be opened ({error.strerror})."
            ) from error
        self.lock = Lock(*self._queue)
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            paramstyle="named",
            pool_size=_CONNECTIONS,
            max_overflow=_CONNECTIONS,
            pool_timeout=patience,
            pool_reset_on_return=None,  # who gives it back has undone what was left open
            connect_args={
                "isolation_level": None,
                "check_same_thread": False,
                "timeout": patience,
                "cached_statements": 256,
            },
        )
        event.listen(engine, "connect", _prepare)
        super().__init__(engine)

    @contextmanager
    def session(self) -> Iterator[SQLiteSession]:
        try:
            connection = self.engine.raw_connection()
        except PoolTimeout as error:
            raise StorageFailed(BUSY) from error
        except sqlite3.Error as error:
            raise self.failed(error) from error
        with closing(connection):
            yield SQLiteSession(self, connection.cursor())

    def alone(self, connection: Connection) -> None:
        connection.exec_driver_sql(_waiting(_SCHEMA_WITHIN))
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql(_waiting(self.patience))

    def failed(self, error: Exception) -> StorageFailed:
        text = str(error)
        if any(word in text for word in _DAMAGED):
            return Corrupt(
                f"{self.name} is damaged, or no storage of Optin's ({text}). It was left "
                "untouched: restore it from a backup."
            )
        if "locked" in text or "busy" in text:
            return StorageFailed(BUSY)
        return StorageFailed(
            f"The change could not be stored in {self.name}, so nothing was changed: {text}."
        )

    def back_up(self, version: str) -> Path:
        """By SQLite's own backup, which takes what the write-ahead log holds, too."""
        path = _unused(self._path.with_name(f"{self._path.name}.before-{version}"))
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with (
                closing(sqlite3.connect(self._path)) as source,
                closing(sqlite3.connect(path)) as copy,
            ):
                source.backup(copy)
            os.fsync(descriptor)
        except sqlite3.Error as error:
            raise self.failed(error) from error
        finally:
            os.close(descriptor)
        return path

    def close(self) -> None:
        super().close()
        while self._queue:
            os.close(self._queue.pop())

    def tidy(self) -> None:
        """Deleted text is overwritten in the file at once (secure_delete); the journal and the
        search index hold it until they are put together anew. By steps, between which others
        write: an index of a million names takes its time, and so does somebody who reads."""
        with self.session() as session:
            for index in INDEXES.values():
                _merge(session, index)
            end = time.monotonic() + self.patience
            session.rows(_waiting(_CHECKPOINT_WITHIN))
            try:
                while session.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
                    if time.monotonic() > end:
                        raise StorageFailed("Somebody reads what was there before.")
                    time.sleep(_CHECKPOINT_PAUSE)
            finally:
                session.rows(_waiting(self.patience))


class SQLiteSession(Session):
    def __init__(self, database: SQLite, cursor: Any) -> None:
        super().__init__(database.sql, database.error, database.failed)
        self._turn = database.turn
        self._lock = database.lock
        self._patience = database.patience
        self._holds = False
        self.cursor = cursor

    @property
    def changes(self) -> int:
        """Rows that this connection has changed so far."""
        return int(self.cursor.connection.total_changes)

    def many(self, values: Sequence[str]) -> object:
        return json.dumps(values)

    def read(self, questions: Sequence[Question]) -> list[list[Row]]:
        self.rows("BEGIN")
        return self.ask(questions)

    def write(self, questions: Sequence[Question]) -> list[list[Row]]:
        """In three lines, but all in all no longer than patience lasts."""
        end = time.monotonic() + self._patience
        if not self._turn.acquire(timeout=self._patience):
            raise StorageFailed(BUSY)
        try:
            self._lock.acquire(end - time.monotonic())
        except BaseException:
            self._turn.release()
            raise
        self._holds = True
        try:
            self._begin(end - time.monotonic())
            return self.ask([(self.sql.head, ()), *questions])
        except BaseException:
            self.undo()
            raise

    def claim(self) -> bool:
        """One writes at a time here."""
        self.write(())
        return True

    def commit(self, flush: Callable[[], None]) -> None:
        flush()
        try:
            self.cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def undo(self) -> None:
        with suppress(sqlite3.Error):
            if self.cursor.connection.in_transaction:
                self.cursor.execute("ROLLBACK")
        self._release()

    def do(self, sql: str, rows: Sequence[Any]) -> None:
        try:
            super().do(sql, rows)
        except StorageFailed as failure:
            if "cases.contact" in str(failure.__cause__):
                raise Changed from failure
            raise

    def _begin(self, within: float) -> None:
        if within > 0.99 * self._patience:  # as the connection is set up
            self.rows("BEGIN IMMEDIATE")
            return
        self.rows(_waiting(within))
        try:
            self.rows("BEGIN IMMEDIATE")
        finally:
            self.rows(_waiting(self._patience))

    def _failure(self, error: sqlite3.Error) -> StorageFailed:
        """The commit is a record that is written last: where it could not be written, or was not
        even begun, it is not there. Of what else may happen, nobody knows."""
        code = getattr(error, "sqlite_errorname", "")
        return self._failed(error) if code.startswith(_NOT_WRITTEN) else StorageFailed(UNKNOWN)

    def _release(self) -> None:
        if self._holds:
            self._holds = False
            self._lock.release()
            self._turn.release()


def _merge(session: SQLiteSession, index: str) -> None:
    # Negative begins with all of it.
    for pages in itertools.chain([-_STEP], itertools.repeat(_STEP)):
        before = session.changes
        session.rows(f"INSERT INTO {index}({index}, rank) VALUES('merge', {pages})")
        if pages > 0 and session.changes - before < 2:  # as SQLite says that it is done
            return


def _waiting(seconds: float) -> str:
    """For SQLite's own lock, which those take who don't know of our queue."""
    return f"PRAGMA busy_timeout = {max(0, int(seconds * 1000))}"


def _unused(path: Path) -> Path:
    """The path, or the same with a number where something is there."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _opened(path: Path, ending: str) -> int:
    return os.open(path.with_name(path.name + ending), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")

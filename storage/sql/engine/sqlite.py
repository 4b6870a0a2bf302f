"""SQLite: one file, and one process at a time that writes into it.

WAL with synchronous FULL: a commit is on the disk before `COMMIT` returns, and nobody sees it
earlier. Whoever means to write takes the write lock first (BEGIN IMMEDIATE), so that what was read
stays true until it is written, and no two can wait for one another.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot.consent.errors import Corrupt, StorageFailed, StorageRefused
from storage import disks
from storage.files import refuse_links
from storage.sql.engine.database import PATIENCE, Database
from storage.sql.engine.database_session import BUSY
from storage.sql.engine.sqlite_files import SQLiteFiles
from storage.sql.engine.sqlite_session import SQLiteSession, busy_timeout
from storage.sql.engine.write_queue import WriteQueue
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

_DAMAGED = ("malformed", "not a database", "disk image", "encrypted")


class SQLite(Database):
    """The connections of one process to one SQLite file, and its queue of writers."""

    error = sqlite3.Error

    def __init__(self, path: Path, *, patience: float = PATIENCE) -> None:
        """`patience` is how many seconds are waited for those who write."""
        path = path.absolute()
        self.patience = patience
        self.name = str(path)
        self._path = path
        #: Once it is up to date.
        self._files: SQLiteFiles | None = None
        refuse_links(path)
        try:
            disks.refuse_network(path)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600, exist_ok=True)
            self._queue = WriteQueue(path, patience)
        except OSError as error:
            raise StorageRefused(
                f"The storage {path} can't be opened ({error.strerror})."
            ) from error
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
            cursor = connection.cursor()
            yield SQLiteSession(self.sql, self.failed, self._queue, cursor, self._files)

    def migrate(self) -> None:
        super().migrate()
        try:
            self._files = SQLiteFiles(self._path)
        except (sqlite3.Error, OSError) as error:
            raise self.failed(error) from error

    def alone(self, connection: Connection) -> None:
        connection.exec_driver_sql(busy_timeout(_SCHEMA_WITHIN))
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        connection.exec_driver_sql(busy_timeout(self.patience))

    def failed(self, error: Exception) -> StorageFailed:
        text = str(error)
        if text.startswith("Could not decode"):  # and then it quotes what is stored
            return Corrupt(self._damaged("a text in it can't be read"))
        if any(word in text for word in _DAMAGED):
            return Corrupt(self._damaged(text))
        if "locked" in text or "busy" in text:
            return StorageFailed(BUSY)
        return StorageRefused(
            f"The change could not be stored in {self.name}, so nothing was changed: {text}."
        )

    def _damaged(self, how: str) -> str:
        return (
            f"{self.name} is damaged, or no storage of Optin's ({how}). It was left untouched: "
            "restore it from a backup."
        )

    def free_bytes(self) -> int:
        return disks.free_bytes(self._path)

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
        if self._files is not None:
            self._files.close()
        self._queue.close()

    def tidy(self) -> None:
        """Deleted text is overwritten in the file at once (secure_delete); the journal and the
        search index hold it until they are put together anew. By steps, between which others
        write: an index of a million names takes its time, and so does somebody who reads."""
        with self.session() as session:
            for index in INDEXES.values():
                _merge(session, index)
            end = time.monotonic() + self.patience
            session.rows(busy_timeout(_CHECKPOINT_WITHIN))
            try:
                while session.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0][0]:
                    if time.monotonic() > end:
                        raise StorageFailed("Somebody reads what was there before.")
                    time.sleep(_CHECKPOINT_PAUSE)
            finally:
                session.rows(busy_timeout(self.patience))


def _merge(session: SQLiteSession, index: str) -> None:
    # Negative begins with all of it.
    for pages in itertools.chain([-_STEP], itertools.repeat(_STEP)):
        before = session.changes
        session.rows(f"INSERT INTO {index}({index}, rank) VALUES('merge', {pages})")
        if pages > 0 and session.changes - before < 2:  # as SQLite says that it is done
            return


def _unused(path: Path) -> Path:
    """The path, or the same with a number where something is there."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")

"""A connection to SQLite in use: it reads, or it writes when its turn in the queue has come."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from bot.consent.errors import Changed, NeedsRestart, StorageFailed
from storage.sql.engine.database_session import UNKNOWN, Question, Row, Session
from storage.sql.engine.sqlite_files import SQLiteFiles
from storage.sql.engine.write_queue import WriteQueue
from storage.sql.statements import Statements

#: SQLite's result codes (sqlite.org/rescode.html) after which a COMMIT has stored nothing; the busy
#: and locked ones have extended forms (SQLITE_BUSY_SNAPSHOT, SQLITE_BUSY_TIMEOUT …).
_NOT_WRITTEN = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_BUSY", "SQLITE_LOCKED")
#: After these, the kernel may have dropped what it could not write: only a new process reads the
#: disk.
_NOT_SYNCED = ("SQLITE_IOERR_FSYNC", "SQLITE_IOERR_DIR_FSYNC")


class SQLiteSession(Session):
    """One pooled connection. `write` waits in the queue; `undo` leaves it, after a commit too."""

    def __init__(
        self,
        sql: Statements,
        failed: Callable[[Exception], StorageFailed],
        queue: WriteQueue,
        cursor: Any,
        files: SQLiteFiles | None,
    ) -> None:
        super().__init__(sql, sqlite3.Error, failed)
        self._queue = queue
        self._holds = False
        self.cursor = cursor
        self._files = files

    @property
    def changes(self) -> int:
        """Rows that this connection has changed so far."""
        return int(self.cursor.connection.total_changes)

    def many(self, values: Sequence[str]) -> object:
        return json.dumps(values)

    def read(self, questions: Sequence[Question]) -> list[list[Row]]:
        if self._files is not None:
            self._files.check()
        self.rows("BEGIN")
        return self.ask([(self.sql.look, ()), *questions])

    def write(self, questions: Sequence[Question]) -> list[list[Row]]:
        """In three lines, but all in all no longer than patience lasts."""
        end = time.monotonic() + self._queue.patience
        self._queue.acquire()
        self._holds = True
        try:
            if self._files is not None:
                self._files.check()
            self._begin(end - time.monotonic())
            return self.ask([(self.sql.look, ()), *questions])
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
        if self._files is not None:
            self._files.check_commit()

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
        if within > 0.99 * self._queue.patience:  # as the connection is set up
            self.rows("BEGIN IMMEDIATE")
            return
        self.rows(busy_timeout(within))
        try:
            self.rows("BEGIN IMMEDIATE")
        finally:
            self.rows(busy_timeout(self._queue.patience))

    def _failure(self, error: sqlite3.Error) -> StorageFailed:
        """The commit is a record that is written last: where it could not be written, or was not
        even begun, it is not there. Of what else may happen, nobody knows."""
        code = getattr(error, "sqlite_errorname", "")
        if code in _NOT_SYNCED:
            return NeedsRestart(UNKNOWN)
        return self._failed(error) if code.startswith(_NOT_WRITTEN) else StorageFailed(UNKNOWN)

    def _release(self) -> None:
        if self._holds:
            self._holds = False
            self._queue.release()


def busy_timeout(seconds: float) -> str:
    """For SQLite's own lock, which those take who don't know of our queue."""
    return f"PRAGMA busy_timeout = {max(0, int(seconds * 1000))}"

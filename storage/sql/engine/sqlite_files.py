"""The files of an open SQLite database: whether they are still those that were opened.

SQLite goes on with a file that was removed, and with a write-ahead log that was emptied: it would
acknowledge opt-outs that are gone with the next start.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from bot.consent.errors import Corrupt
from storage.files import inode

#: How a write-ahead log begins (sqlite.org/fileformat2.html#the_write_ahead_log).
_WAL = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")


class SQLiteFiles:
    """The database and its write-ahead log. A connection of its own keeps SQLite from removing the
    log when the last other connection is closed."""

    def __init__(self, path: Path) -> None:
        """Raises sqlite3.Error and OSError."""
        # SQLite follows a link, and has its log beside the file itself.
        self._database = str(path.resolve())
        wal = f"{self._database}-wal"
        self._anchor = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._wal = -1
        try:
            # The first reading opens the log.
            ((mode,),) = self._anchor.execute("PRAGMA journal_mode = WAL").fetchall()
            self._anchor.execute("SELECT COUNT(*) FROM sqlite_master").fetchall()
            self._inode = inode(self._database)
            self._inodes: dict[str, int] = {}
            # Some file systems can't have one.
            if mode == "wal":
                self._wal = os.open(wal, os.O_RDONLY | os.O_CLOEXEC)
                self._inodes = {name: inode(name) for name in (wal, f"{self._database}-shm")}
        except BaseException:
            self.close()
            raise
        self._broken = False

    def check(self) -> None:
        """Raises `Corrupt` where the database was removed, replaced or emptied, and where a commit
        found out more."""
        if self._broken or not self._is_database():
            self._fail()

    def check_commit(self) -> None:
        """Raises `Corrupt` where a commit is not in the files that others will read."""
        if self._broken or not (self._is_database() and self._is_log()):
            self._fail()
        begins = os.pread(self._wal, 4, 0) if self._wal >= 0 else b""
        # It is empty where somebody has just brought all of it into the database.
        if begins and begins not in _WAL:
            self._fail()

    def close(self) -> None:
        self._anchor.close()
        if self._wal >= 0:
            os.close(self._wal)
            self._wal = -1

    def _is_database(self) -> bool:
        try:
            found = os.stat(self._database)  # noqa: PTH116 - for each transaction
        except FileNotFoundError:
            return False
        return found.st_ino == self._inode and found.st_size > 0

    def _is_log(self) -> bool:
        try:
            return all(inode(name) == known for name, known in self._inodes.items())
        except FileNotFoundError:
            return False

    def _fail(self) -> None:
        self._broken = True
        raise Corrupt(
            f"{self._database} or a file that belongs to it was removed, replaced or emptied while "
            "Optin was running. Nothing is stored any more. Restart Optin."
        )

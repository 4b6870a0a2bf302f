"""The store over SQLite or PostgreSQL."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.consent.errors import StorageFailed
from bot.consent.storage_behind import ForgetfulMemory, HeadMemory
from bot.consent.store import Records, WouldWait
from storage.sql.engine.database import Database
from storage.sql.sql_records import SQLRecords
from storage.sql.transaction import Transaction

logger = logging.getLogger(__name__)

_CLOSED = "The storage is closed."


class SQLStore:
    """See `bot.consent.store.Store`. A block begins when its records are first asked for
    something, and has a connection of its own."""

    def __init__(self, database: Database, heads: HeadMemory | None = None) -> None:
        """`heads` remembers the log's end elsewhere. Raises `Corrupt`, or `StorageFailed` where the
        database can't be opened."""
        self._database = database
        self._heads = heads or ForgetfulMemory()
        self._closed = False
        self._inside = threading.local()
        try:
            database.migrate()
        except BaseException:
            database.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[SQLRecords]:
        with self._turn(writes=True) as turn:
            records = SQLRecords(turn)
            yield records
            if records.changed and not turn.begun:
                turn.begin()
            turn.end(records.flush)
        if turn.redacted:
            self._tidy()

    @contextmanager
    def reading(self) -> Iterator[SQLRecords]:
        with self._turn(writes=False) as turn:
            yield SQLRecords(turn)

    def reading_at_once(self) -> AbstractContextManager[SQLRecords]:
        """A database is always asked in a thread."""
        raise WouldWait

    @contextmanager
    def rehearsal(self) -> Iterator[Records]:
        """What is changed goes into a SQLite file of its own, over what is read here."""
        from storage.sql.dry_run import DryRunRecords
        from storage.sql.engine.sqlite import SQLite

        with (
            self._turn(writes=False) as turn,
            TemporaryDirectory(prefix="optin-") as folder,
            closing(SQLStore(SQLite(Path(folder) / "rehearsal.db"))) as scratch,
            scratch._turn(writes=True) as over,
        ):
            yield DryRunRecords(SQLRecords(turn), SQLRecords(over), outdated=self.outdated)

    def free_bytes(self) -> int | None:
        """See `bot.consent.store.Store`."""
        return self._database.free_bytes()

    @property
    def outdated(self) -> bool:
        """See `bot.consent.store.Store`."""
        return self._database.outdated

    def back_up(self, version: str) -> Path | None:
        """See `bot.consent.store.Store`."""
        return self._database.back_up(version)

    def upgrade(self) -> None:
        """See `bot.consent.store.Store`."""
        self._database.upgrade()

    def close(self) -> None:
        self._closed = True
        self._database.close()

    def _tidy(self) -> None:
        """The erasure itself is stored, and nobody is told that it is not."""
        try:
            self._database.tidy()
        except StorageFailed as error:
            logger.warning(
                "%s: its files hold what was erased until the next erasure: %s",
                self._database.name,
                error.sentence,
            )

    @contextmanager
    def _turn(self, *, writes: bool) -> Iterator[Transaction]:
        if getattr(self._inside, "busy", False):
            raise RuntimeError("a transaction, reading or rehearsal inside another")
        if self._closed:
            raise StorageFailed(_CLOSED)
        self._inside.busy = True
        try:
            with self._database.session() as session:
                turn = Transaction(session, writes=writes, heads=self._heads)
                try:
                    yield turn
                finally:
                    turn.end(None)
        finally:
            self._inside.busy = False

"""The store over TinyDB: one transaction at a time, committed in groups."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.consent.errors import Corrupt, NeedsRestart, StorageFailed, StorageRefused
from bot.consent.storage_behind import ForgetfulMemory, HeadMemory
from bot.consent.store import WouldWait
from storage import disks, files
from storage.tinydb import snapshot
from storage.tinydb.activity_log_file import newest_of
from storage.tinydb.commits import UNKNOWN, Commits
from storage.tinydb.compaction import Compaction
from storage.tinydb.journal import JournalChange
from storage.tinydb.snapshot import SCHEMA
from storage.tinydb.state import State
from storage.tinydb.tables import TableDatabase, nothing
from storage.tinydb.tinydb_records import TinyDBRecords

#: Seconds until a thread gives up waiting for its turn.
_PATIENCE = 60.0
#: Contacts, some 10 ms of work.
_AT_ONCE = 2_000


class TinyDBStore:
    """See `bot.consent.store.Store`. The blocks of one process run one after the other, so a long
    one holds up the others; what they wait for on the disk they wait for together."""

    def __init__(self, path: Path, heads: HeadMemory | None = None) -> None:
        """`heads` remembers the log's end elsewhere. Raises `Corrupt`, or `StorageFailed` where the
        files can't be opened."""
        path = path.absolute()
        files.refuse_links(path)
        try:
            disks.refuse_network(path)
            self._state = State(path)
        except OSError as error:
            raise StorageRefused(
                f"The storage {path} can't be opened ({error.strerror})."
            ) from error
        self._turn = threading.Lock()
        self._owner = 0
        self._heads = heads or ForgetfulMemory()
        self._commits = Commits(self._state.lock, self._write)
        self._compaction = Compaction(self._state, self._alone, self._give_up)
        #: For whoever knows TinyDB: the same documents through its own interface. What it
        #: changes belongs into a transaction.
        self.database = TableDatabase(storage=lambda: self._state.tables)
        try:
            with self._alone():
                pass
            self._compaction.clean()
        except BaseException:
            self._state.close()
            raise
        if self._state.outgrown:
            self._compaction.start()

    @contextmanager
    def transaction(self) -> Iterator[TinyDBRecords]:
        with self._next():
            self._enter()
            try:
                with self._changing() as (records, change):
                    yield records
                    records.flush()
                    batch = self._commits.submit(change)
            except BaseException:
                self._commits.leave()
                raise
        try:
            if batch is not None:
                self._commits.settle(batch)
        finally:
            self._commits.leave()
        if change.redacted:
            # Until the old journals are gone, they still hold what was erased.
            self._compaction.run(wait=True)
        elif self._state.outgrown:
            self._compaction.start()

    @contextmanager
    def reading(self) -> Iterator[TinyDBRecords]:
        batch = None
        try:
            with self._next():
                self._look()
                try:
                    yield TinyDBRecords(self._state.tables, self._state.log, None)
                finally:
                    batch = self._commits.unsettled()
        finally:
            if batch is not None:
                self._commits.settle(batch)

    @contextmanager
    def reading_at_once(self) -> Iterator[TinyDBRecords]:
        if self._owner == threading.get_ident() or not self._turn.acquire(blocking=False):
            raise WouldWait
        self._owner = threading.get_ident()
        try:
            # What is not on the disk yet may not be told, and others' changes are to be read first.
            if not self._commits.quiet:
                raise WouldWait
            if not self._commits.held and self._state.journal.grown():
                raise WouldWait
            yield TinyDBRecords(self._state.tables, self._state.log, None)
        finally:
            self._owner = 0
            self._turn.release()

    @contextmanager
    def rehearsal(self) -> Iterator[TinyDBRecords]:
        """Everything changed is kept in memory until the end, some 2 KB for a contact and its
        entries; the other threads of this process wait as long."""
        batch = None
        try:
            with self._next():
                self._look()
                try:
                    with self._changing() as (records, _):
                        yield records
                        raise _Over
                except _Over:
                    pass
                finally:
                    batch = self._commits.unsettled()
        finally:
            if batch is not None:
                self._commits.settle(batch)

    def warm(self) -> None:
        """Prepares what the first search would have to wait for, little by little."""
        done = False
        while not done:
            with self.reading():
                done = self._state.tables.index.names.build(at_most=_AT_ONCE)

    def compact(self) -> None:
        """Writes a snapshot now. Happens by itself as the journal grows."""
        self._compaction.run(wait=True)

    def free_bytes(self) -> int:
        """See `bot.consent.store.Store`."""
        return disks.free_bytes(self._state.path)

    @property
    def outdated(self) -> bool:
        """See `bot.consent.store.Store`."""
        return self._state.schema < SCHEMA

    def back_up(self, version: str) -> Path:
        """Copies all files of the storage into a folder beside it, and returns that."""
        path = self._state.path
        folder = path.with_name(f"{path.name}.before-{version}")
        with self._alone():
            return files.copy_all(path, folder)

    def upgrade(self) -> None:
        """Marks the storage as of this version: an older program refuses it from now on. Raises
        `StorageFailed` where that could not be stored."""
        with self._alone():
            self._state.schema = SCHEMA
        self._compaction.run(wait=True)
        if snapshot.read(self._state.path).schema != SCHEMA:
            raise StorageRefused(
                f"{self._state.path} could not be written anew. Run `optin migrate` again."
            )

    def close(self) -> None:
        """Waits for a compaction that runs. Nothing works after it."""
        self._compaction.stop()
        with self._next():
            first = self._commits.close(_CLOSED)
        if first:
            self._state.close()

    @contextmanager
    def _next(self) -> Iterator[None]:
        """One thread at a time."""
        me = threading.get_ident()
        if self._owner == me:
            raise RuntimeError("a transaction, reading or rehearsal inside another")
        if not self._turn.acquire(timeout=_PATIENCE):
            raise StorageFailed("The storage is busy, so nothing was changed. Try again soon.")
        self._owner = me
        try:
            yield
        finally:
            self._owner = 0
            self._turn.release()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._next():
            self._enter()
            try:
                self._commits.drain()
                yield
            finally:
                self._commits.leave()

    @contextmanager
    def _changing(self) -> Iterator[tuple[TinyDBRecords, JournalChange]]:
        """An error inside undoes what the block did."""
        state = self._state
        change = JournalChange(head=state.log.head)
        tables = state.tables
        records = TinyDBRecords(tables, state.log, change)
        tables.change, tables.flush = change, records.flush
        try:
            yield records, change
        except BaseException:
            state.undo(change)
            raise
        finally:
            tables.change, tables.flush = None, nothing

    def _enter(self) -> None:
        """Takes the storage's lock, and what other processes wrote."""
        self._refresh()
        fresh = self._commits.enter()
        try:
            # Again: `enter` may have waited for what then failed.
            self._refresh()
            if fresh:
                least = self._heads.newest
                self._state.catch_up()
                # Nothing of this process is pending: all that the log holds is on the disk.
                head = self._state.log.head
                self._heads.look(least, (head.seq, head.hash))
        except Corrupt as error:
            self._commits.broken = NeedsRestart(error.sentence)
            self._commits.leave()
            raise
        except OSError as error:
            self._commits.leave()
            raise files.failed(error) from error
        except BaseException:
            self._commits.leave()
            raise

    def _write(self, changes: list[JournalChange]) -> None:
        self._state.commit(changes)
        if (end := newest_of(changes)) is not None:
            self._heads.stored(end)

    def _look(self) -> None:
        """Takes the lock only where other processes wrote."""
        self._refresh()
        if not self._commits.held and self._state.journal.grown():
            self._enter()
            self._commits.leave()

    def _give_up(self) -> None:
        self._commits.broken = NeedsRestart(UNKNOWN)

    def _refresh(self) -> None:
        for change in self._commits.doomed():
            self._state.undo(change)
        if (broken := self._commits.broken) is not None:
            raise type(broken)(broken.sentence)


class _Over(Exception):
    """A rehearsal has ended."""


_CLOSED = "The storage is closed."

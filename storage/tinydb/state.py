"""The storage as one process sees it: the files, and what they say in memory.

Knows no threads: whoever calls sees to it that nobody else does, and that the process holds the
storage's lock where `catch_up`, `commit` or `rotate` are called.
"""

from __future__ import annotations

import logging
import os
import secrets
from contextlib import ExitStack
from pathlib import Path

import msgspec

from bot.consent.errors import Corrupt
from bot.consent.log.chain import GENESIS
from storage import files
from storage.files import Lock
from storage.tinydb import snapshot
from storage.tinydb.activity_log_file import LogFile
from storage.tinydb.journal import (
    Head,
    Journal,
    JournalChange,
    JournalRecord,
    Title,
    document,
    generations,
    merged,
    path_of,
)
from storage.tinydb.tables import Tables

logger = logging.getLogger(__name__)

#: Bytes. A journal is shorter than this, or than half its snapshot.
SHORT = 8 << 20
#: How often a storage is read without the lock while others compact it meanwhile.
_TRIES = 3


class State:
    """One storage, open in this process. It is not safe for threads."""

    def __init__(self, path: Path) -> None:
        """Opens the storage, makes it where there is none. Raises `Corrupt` or OSError."""
        self.path = path
        self._name = str(path)
        self.tables = Tables()
        self._journals = ExitStack()
        self._adopted = False
        #: Bytes of the journal below which no compaction is tried again after one that failed.
        self.not_below = 0
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            snapshot.title(path)
        self._lock_path = path.with_name(f"{path.name}.lock")
        self._log_path = path.with_name(f"{path.name}.log")
        with ExitStack() as opened:
            opened.callback(self._journals.close)
            self._lock = _opened(opened, self._lock_path, os.O_CREAT)
            try:
                self._log = _opened(opened, self._log_path, 0 if path.exists() else os.O_CREAT)
            except FileNotFoundError:
                raise Corrupt(f"{self._log_path} is missing. {files.ADVICE}") from None
            self._inodes = {
                str(self._lock_path): os.fstat(self._lock).st_ino,
                str(self._log_path): os.fstat(self._log).st_ino,
            }
            self.lock = Lock(self._lock, self._log)
            self._create()
            self.load()
            self._opened = opened.pop_all()

    def load(self) -> None:
        """Reads everything without the lock; with it, where others compact faster than this reads.
        They wait then."""
        for _ in range(_TRIES):
            if self._load():
                return
        self.lock.acquire()
        try:
            self._load_locked()
        finally:
            self.lock.release()

    def _load_locked(self) -> None:
        """Reads everything while this process holds the lock. A compaction that began before ends
        without the lock, and no other one can begin."""
        while not self._load():
            pass

    def _load(self) -> bool:
        """Reads everything. False where another process compacted meanwhile: read it again."""
        found = snapshot.read(self.path)
        try:
            journal = Journal.open(self.path, found.title)
        except FileNotFoundError:
            # Unless another process compacted just now, it should be there.
            if snapshot.title(self.path) == found.title:
                raise Corrupt(
                    f"{path_of(self.path, found.title.generation)} is missing. {files.ADVICE}"
                ) from None
            return False
        self._go_on(journal)
        self.store = found.title.store
        #: Of the snapshot, and of the next one.
        self.schema = found.schema
        self.snapshot_size = found.size
        self._identity, self._generation = found.identity, found.title.generation
        #: The journals hold text that was erased since.
        self.redacted = False
        title = _log_title(self.store)
        if files.read(self._log, len(title), 0) != title or files.size(self._log) < found.head.end:
            raise Corrupt(f"{self._log_path} is damaged or from another storage. {files.ADVICE}")
        self.tables.load(found.documents)
        self.log = LogFile(self._log, len(title))
        self.log.load(found.head, found.newest)
        return self._follow()

    def catch_up(self) -> None:
        """Takes in what other processes committed, and mends what a killed one left behind."""
        if self.journal.shrunk():
            # What was read without the lock was taken back by its writer.
            self._load_locked()
        if self.journal.grown() and not self._follow():
            self._load_locked()
        if self.log.size() > self.log.head.end:
            # The log is written after the journal was synced, so the journal lost its end.
            raise Corrupt(f"{self.journal.path} ends before {self._log_path} does. {files.ADVICE}")
        if self.journal.grown():
            logger.warning(
                "Cut off a torn line at byte %d of %s: what a killed process had not finished",
                self.journal.end,
                self.journal.path,
            )
            self.journal.cut()
        if self._adopted:
            # Whoever wrote it may have been killed before it was on the disk.
            self.journal.sync()
            self._adopted = False
        self._mend_log()
        self._check()

    @property
    def outgrown(self) -> bool:
        """Whether a compaction is due: the journal is long, or holds what was erased."""
        longest = 0 if self.redacted else max(SHORT, self.snapshot_size // 2)
        return self.journal.end >= max(longest, self.not_below)

    def commit(self, changes: list[JournalChange]) -> None:
        """Raises OSError when nothing was stored."""
        self.journal.append(merged(changes))
        self.redacted = self.redacted or any(change.redacted for change in changes)
        try:
            self.log.write_commit(changes)
        except OSError as error:
            logger.warning("The Activity Log is behind its journal: %s", error)

    def undo(self, change: JournalChange) -> None:
        self.tables.undo(change)
        self.log.undo(change)

    def rotate(self, journal: Journal) -> tuple[Head, dict[str, int], dict[str, dict[str, bytes]]]:
        """Goes on in the new journal; returns what is to be written as its snapshot."""
        self.log.write()
        self.journal.append(JournalRecord(next=journal.generation))
        self._go_on(journal)
        documents = {name: dict(table) for name, table in self.tables.documents.items()}
        return self.log.head, dict(self.log.newest), documents

    def close(self) -> None:
        self._journals.close()
        self._opened.close()

    def _follow(self) -> bool:
        """Reads what was added since. False where others compacted more than once meanwhile."""
        while True:
            following = None
            for record in self.journal.read():
                self._take(record)
                following = record.next
            if following is None:
                return True
            try:
                journal = Journal.open(self.path, Title(store=self.store, generation=following))
            except FileNotFoundError:
                if snapshot.title(self.path).generation < following:
                    raise Corrupt(
                        f"{path_of(self.path, following)} is missing. {files.ADVICE}"
                    ) from None
                return False
            self._go_on(journal)

    def _go_on(self, journal: Journal) -> None:
        self._journals.close()
        self._journals.callback(journal.close)
        self.journal = journal

    def _take(self, record: JournalRecord) -> None:
        for table, changed in record.documents.items():
            for id, raw in changed.items():
                self.tables.take(table, id, document(raw))
        self.log.take(record)
        self._adopted = True
        self.redacted = self.redacted or bool(record.redacted)

    def _mend_log(self) -> None:
        try:
            self.log.write()
        except OSError as error:
            logger.warning("The Activity Log is behind its journal: %s", error)

    def _check(self) -> None:
        """Raises `Corrupt` where the files under these names are not those that we opened."""
        try:
            same = files.inode(self.journal.name) == self.journal.inode and all(
                files.inode(name) == inode for name, inode in self._inodes.items()
            )
            if same and (found := files.identity(self._name)) != self._identity:
                # A compaction put it there, or somebody another file, such as an old backup.
                title = snapshot.title(self.path)
                known = range(self._generation, self.journal.generation + 1)
                same = title.store == self.store and title.generation in known
                self._identity, self._generation = found, title.generation
            # Somebody emptied the log, or cut off what was written into it.
            same = same and self.log.size() >= self.log.written
        except FileNotFoundError:
            same = False
        if not same:
            raise Corrupt(
                f"{self.path} or a file that belongs to it was replaced, removed or emptied while "
                "Optin was running, so nothing was changed. Restart Optin."
            )

    def _create(self) -> None:
        if self.path.exists():
            return
        self.lock.acquire()
        try:
            if not self.path.exists():
                self._create_alone()
        finally:
            self.lock.release()

    def _create_alone(self) -> None:
        store = secrets.token_hex(16)
        title = _log_title(store)
        journals = [path_of(self.path, generation) for generation in generations(self.path)]
        used = any(journal.read_bytes().count(b"\n") > 1 for journal in journals)
        if used or files.size(self._log) > len(title):
            raise Corrupt(
                f"{self.path} is missing, though its log or journal is there. {files.ADVICE}"
            )
        os.ftruncate(self._log, 0)
        files.write(self._log, title, 0)
        os.fsync(self._log)
        first = Title(store=store, generation=0)
        Journal.create(self.path, first).close()
        head = Head(end=len(title), seq=0, hash=GENESIS)
        draft = self.path.with_name(f"{self.path.name}.new")
        descriptor = files.open_file(draft, os.O_CREAT | os.O_TRUNC)
        try:
            snapshot.write(descriptor, first, head, {}, {})
        finally:
            os.close(descriptor)
        draft.replace(self.path)
        files.sync_folder(self.path.parent)


def _opened(stack: ExitStack, path: Path, flags: int) -> int:
    descriptor = files.open_file(path, flags)
    stack.callback(os.close, descriptor)
    return descriptor


def _log_title(store: str) -> bytes:
    return msgspec.json.encode({"optin": "log", "store": store}) + b"\n"

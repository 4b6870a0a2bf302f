"""Group commit: transactions that wait at the same time share one write and one sync."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bot.consent.errors import NeedsRestart, StorageFailed
from storage import files
from storage.files import Lock
from storage.tinydb.journal import JournalChange

#: Seconds after which other processes get their turn, even where transactions never pause.
_LONGEST_HOLD = 0.05

#: After a sync that failed.
UNKNOWN = "The disk reported an error while syncing. Nothing is taken until Optin is restarted."


class Batch:
    """Transactions that reach the disk together, or not at all."""

    def __init__(self, state: threading.Lock) -> None:
        self.changes: list[JournalChange] = []
        self.settled = False
        self.error: StorageFailed | None = None
        self.waiting = threading.Condition(state)


class Commits:
    """Who runs a transaction calls `enter`, then `submit`, then `settle`, then `leave`; the first
    two are called by one thread at a time. The process holds the storage's lock from the first
    `enter` to the last `leave`.

    A thread that comes to `settle` writes everything submitted until then, unless another is
    writing: then it waits, and is woken when its own is on the disk, or to write the next.
    """

    def __init__(self, lock: Lock, write: Callable[[list[JournalChange]], None]) -> None:
        self._lock = lock
        self._write = write
        self._state = threading.Lock()
        self._idle = threading.Condition(self._state)
        self._users = 0
        self._held = False
        self._since = 0.0
        self._pending = Batch(self._state)
        self._writing: Batch | None = None
        self._doomed: list[JournalChange] = []
        #: Why nothing is taken any more; none while all is well.
        self.broken: StorageFailed | None = None

    @property
    def held(self) -> bool:
        """No other process can have written since this was first true."""
        return self._held

    @property
    def quiet(self) -> bool:
        """Whether everything that was submitted is on the disk."""
        with self._state:
            unsettled = self._pending.changes or self._writing is not None or self._doomed
            return not unsettled and self.broken is None

    def enter(self) -> bool:
        """Whether the lock was just taken: other processes may have written before."""
        with self._state:
            if self._held and time.monotonic() - self._since > _LONGEST_HOLD:
                while self._users:
                    self._idle.wait()
            self._users += 1
            if self._held:
                return False
        try:
            self._lock.acquire()
        except BaseException:
            with self._state:
                self._users -= 1
            raise
        self._since = time.monotonic()
        self._held = True
        return True

    def leave(self) -> None:
        with self._state:
            self._users -= 1
            if not self._users:
                if self._held:
                    self._lock.release()
                    self._held = False
                self._idle.notify_all()

    def drain(self) -> None:
        """Returns when all that was submitted is settled."""
        while batch := self.unsettled():
            self.settle(batch)

    def close(self, reason: str) -> bool:
        """Waits for what is under way and takes nothing after it. False if that was so already."""
        with self._state:
            while self._users:
                self._idle.wait()
            before, self.broken = self.broken, StorageFailed(reason)
            return before is None or before.sentence != reason

    def submit(self, change: JournalChange) -> Batch | None:
        """The batch to settle. Raises as `unsettled` does, and has not taken the change then."""
        with self._state:
            if not (change.empty or self._doomed):
                self._pending.changes.append(change)
        return self.unsettled()

    def unsettled(self) -> Batch | None:
        """What has to be settled before anything read now is told to anybody.

        Raises `StorageFailed` where some of it could not be stored already.
        """
        with self._state:
            if self._doomed:
                raise StorageFailed
            return self._pending if self._pending.changes else self._writing

    def settle(self, batch: Batch) -> None:
        """Returns when the batch is on the disk; raises `StorageFailed` when it is not."""
        with self._state:
            while not batch.settled and self._writing is not None:
                batch.waiting.wait()
            leads = not batch.settled
            if leads:
                self._writing, self._pending = batch, Batch(self._state)
        if leads:
            self._flush(batch)
        if batch.error is not None:
            raise type(batch.error)(batch.error.sentence)

    def doomed(self) -> list[JournalChange]:
        """What failed to be stored and has to be undone in memory, the newest first. The caller
        sees to it that no transaction runs."""
        with self._state:
            doomed, self._doomed = self._doomed, []
        return doomed[::-1]

    def _flush(self, batch: Batch) -> None:
        written, error = False, None
        try:
            self._write(batch.changes)
            written = True
        except OSError as reason:
            if not isinstance(reason, files.SyncFailed):
                error = files.failed(reason)
        finally:
            with self._state:
                self._writing = None
                if not written:
                    self._fail(batch, error or NeedsRestart(UNKNOWN))
                batch.settled = True
                batch.waiting.notify_all()
                self._pending.waiting.notify()

    def _fail(self, batch: Batch, error: StorageFailed) -> None:
        """What was submitted meanwhile builds upon what failed, and fails with it."""
        if isinstance(error, NeedsRestart):
            self.broken = error
        following, self._pending = self._pending, Batch(self._state)
        self._doomed += batch.changes + following.changes
        batch.error = following.error = error
        following.settled = True
        following.waiting.notify_all()

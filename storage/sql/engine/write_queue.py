"""The queue of those who want to write into one SQLite file: threads, then processes.

Who waits for SQLite's own lock tries again now and then, and whoever comes back at once is always
quicker. So there is a queue before it.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from bot.consent.errors import StorageFailed
from storage.files import Lock
from storage.sql.engine.database_session import BUSY


class WriteQueue:
    """A lock that one writer holds at a time, across threads and processes."""

    def __init__(self, path: Path, patience: float) -> None:
        """Of the SQLite file at `path`. `patience` is how many seconds a writer waits. Raises
        OSError."""
        self.patience = patience
        self._threads = threading.Lock()
        self._files = [_opened(path, ".lock"), _opened(path, ".turn")]
        self._processes = Lock(*self._files)

    def acquire(self) -> None:
        """Raises `StorageFailed` when patience is over."""
        end = time.monotonic() + self.patience
        if not self._threads.acquire(timeout=self.patience):
            raise StorageFailed(BUSY)
        try:
            self._processes.acquire(end - time.monotonic())
        except BaseException:
            self._threads.release()
            raise

    def release(self) -> None:
        self._processes.release()
        self._threads.release()

    def close(self) -> None:
        while self._files:
            os.close(self._files.pop())


def _opened(path: Path, ending: str) -> int:
    return os.open(path.with_name(path.name + ending), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

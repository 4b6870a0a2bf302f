"""One process writes at a time, and none waits for ever."""

from __future__ import annotations

import fcntl
import time

from bot.consent.errors import StorageFailed

#: Seconds. A process that writes lets go after 50 ms; only a stopped one holds on for longer.
_PATIENCE = 10.0
_PAUSE = 0.0005


class Lock:
    """Two locks on two files: who waits for the first holds the second, the turnstile. So a
    process that has just let go can't be back before those who wait."""

    def __init__(self, lock: int, turnstile: int, *, patience: float = _PATIENCE) -> None:
        self._lock = lock
        self._turnstile = turnstile
        self._patience = patience

    def acquire(self, within: float | None = None) -> None:
        """Raises `StorageFailed` after so many seconds, or when patience is over."""
        deadline = time.monotonic() + (self._patience if within is None else within)
        _wait_for(self._turnstile, deadline)
        try:
            _wait_for(self._lock, deadline)
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)

    def release(self) -> None:
        fcntl.flock(self._lock, fcntl.LOCK_UN)


def try_lock(descriptor: int) -> bool:
    """Takes the lock if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for(descriptor: int, deadline: float) -> None:
    while not try_lock(descriptor):
        if time.monotonic() > deadline:
            raise StorageFailed(
                "Another process holds the storage and does not let go, so nothing was changed."
            )
        time.sleep(_PAUSE)

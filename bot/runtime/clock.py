"""The time of the whole process, asked here and nowhere else, so that it can be held still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta


def now() -> datetime:
    """The time, aware, in UTC."""
    return _read()


class Stopped:
    """A clock that moves only when it is told to."""

    def __init__(self, at: datetime) -> None:
        """`at` has to be aware: a time without a zone is nobody's."""
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._at

    def advance(self, by: timedelta) -> None:
        """Moves the clock; a negative `by` sets it back, as a corrected clock does."""
        self._at += by


@contextmanager
def stopped(at: datetime) -> Iterator[Stopped]:
    """The process's clock stands still at this time, for every thread, until the block ends."""
    global _read
    before, clock = _read, Stopped(at)
    _read = clock
    try:
        yield clock
    finally:
        _read = before


def _system() -> datetime:
    return datetime.now(UTC)


_read: Callable[[], datetime] = _system

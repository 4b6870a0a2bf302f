"""The time of the whole process, asked here and nowhere else, so that it can be held still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

#: The time, aware, in UTC. A service takes it when it is opened.
now: Callable[[], datetime] = partial(datetime.now, UTC)


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
    """The process's clock stands still at this time, for every thread, until the block ends. A
    service that was opened before keeps the clock that it took."""
    global now
    before, clock = now, Stopped(at)
    now = clock
    try:
        yield clock
    finally:
        now = before

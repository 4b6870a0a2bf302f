"""The times that providers sign, beside the clock of this machine.

A time counts only where the signature over it holds. A time from the future can't be a replay, so
one is enough. An old one can: it counts if three in a row, each of another time, are as old.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

#: Old times in a row, and by how much their ages may differ: by the way from provider to Optin.
_IN_A_ROW, _ALIKE = 3, timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockDifference:
    """A provider whose clock differs from this machine's."""

    provider: str
    #: How far the provider's clock is ahead.
    ahead: timedelta


class SignedTimes:
    """What the newest signed times of each provider say. Safe across threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        #: By provider, how far it was ahead, by the time that it signed.
        self.wrong: dict[str, dict[datetime, timedelta]] = {}

    def agrees(self, provider: str) -> None:
        """A request held at the time of this machine. Only of interest where something is wrong."""
        with self._lock:
            self.wrong.pop(provider, None)

    def differs(self, provider: str, signed: datetime, now: datetime) -> None:
        """A request held, but for its time."""
        with self._lock:
            wrong = self.wrong.setdefault(provider, {})
            wrong.setdefault(signed, signed - now)
            while len(wrong) > _IN_A_ROW:
                del wrong[next(iter(wrong))]

    def difference(self) -> ClockDifference | None:
        """A provider whose times show that one of the clocks is wrong."""
        with self._lock:
            wrong: Mapping[str, list[timedelta]] = {
                name: list(times.values()) for name, times in self.wrong.items()
            }
        for name, ahead in wrong.items():
            if ahead[-1] > timedelta():
                return ClockDifference(provider=name, ahead=ahead[-1])
            if len(ahead) == _IN_A_ROW and max(ahead) - min(ahead) <= _ALIKE:
                return ClockDifference(provider=name, ahead=ahead[-1])
        return None

"""A log that nobody can fill from outside: the first few of a line that comes again and again."""

from __future__ import annotations

import logging
import time

#: Of each line, within so many seconds.
_MOST, _WITHIN = 20, 60.0
#: Lines that are remembered; the oldest is forgotten for one more.
_REMEMBERED = 1_000


class RepeatedLines(logging.Filter):
    """Drops what repeats. The next line of its kind after a minute says how many were dropped."""

    def __init__(self) -> None:
        super().__init__()
        #: By text, when its minute began, and how many came in it.
        self._seen: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        text, now = record.getMessage(), time.monotonic()
        began, count = self._seen.pop(text, (now, 0))
        if now - began >= _WITHIN:
            if count > _MOST:
                record.msg, record.args = f"{text} (and {count - _MOST} more before)", ()
            began, count = now, 0
        self._seen[text] = began, count + 1
        if len(self._seen) > _REMEMBERED:
            self._seen.pop(next(iter(self._seen)), None)
        return count < _MOST

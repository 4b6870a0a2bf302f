"""How the deliveries of this process go, for /metrics."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Undelivered:
    """What an endpoint has not got yet."""

    #: Entries of the log behind the slowest lane, and failed events that wait by themselves.
    entries: int
    failed: int
    #: Since when the oldest event waits.
    oldest: datetime | None


class OutboundHealth:
    """Written by the worker, read by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        #: By webhook.
        self.waiting: Mapping[str, Undelivered] = {}

    def count(self, webhook: str, outcome: str) -> None:
        """Counts an attempt."""
        with self._lock:
            self._outcomes[webhook, outcome] += 1

    def outcomes(self) -> Mapping[tuple[str, str], int]:
        """Attempts by webhook and outcome, since the start."""
        with self._lock:
            return dict(self._outcomes)

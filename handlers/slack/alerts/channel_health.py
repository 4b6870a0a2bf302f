"""How the posting of alerts goes: for /metrics, /readyz and `optin doctor`."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from datetime import datetime


class Health:
    """Written by the worker and a timer, read by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outcomes: Counter[tuple[str, str]] = Counter()
        #: Alerts that Slack has to be told; since when the first of them waits, where its channel
        #: takes anything; alerts given up.
        self.waiting = 0
        self.oldest: datetime | None = None
        self.dead = 0
        #: Slack's word for what is wrong with our token; nothing is posted meanwhile.
        self.token_problem: str | None = None
        #: By Slack channel, Slack's word for why it takes nothing.
        self.paused: Mapping[str, str] = {}
        #: The last notice for whoever looks after Optin reached none of the managers.
        self.nobody_to_notify = False

    def count(self, method: str, outcome: str) -> None:
        """Counts a call to Slack by its result: "ok", Slack's word, or "unknown"."""
        with self._lock:
            self._outcomes[method, outcome] += 1

    def outcomes(self) -> Mapping[tuple[str, str], int]:
        """Calls by method and outcome, since the start."""
        with self._lock:
            return dict(self._outcomes)

    @property
    def rate_limited(self) -> int:
        """How often Slack said 429."""
        return sum(n for (_, outcome), n in self.outcomes().items() if outcome == "ratelimited")

    def ready(self) -> bool:
        """Whether Slack accepts our token. Full channels and slow answers pass by themselves."""
        return self.token_problem is None

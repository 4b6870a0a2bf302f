"""Which calls may be made now: one a second for each channel, Slack's limits, dead channels, and a
token that Slack refuses.

All replicas share the first two, by marks in the storage. The last call in a channel leaves a mark
that differs from the one before and has no time in it: the clocks of two machines differ by more
than a second allows. A replica that finds the mark changed counts its second from there, by its own
clock. Slack's limits have a time: a replica whose clock is some seconds ahead retries too early, is
limited again, and loses nothing.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.consent.alerts import Alert
from bot.consent.errors import StorageFailed
from bot.consent.records import KeyValue
from bot.consent.use_cases.context import Service
from bot.consent.use_cases.key_values import read_values, write_value
from handlers.slack.alerts.client import LOOKING, method

logger = logging.getLogger(__name__)

#: Seconds: Slack takes about one message a second for each channel.
_PACE = 1.0
#: How often a channel that takes nothing is tried again; and a refused token, later less often.
_PAUSE = timedelta(minutes=1)
_FIRST_STOP = timedelta(seconds=15)
_LONGEST_STOP = timedelta(minutes=5)
#: Marks: one for each channel, and one for each method.
_LAST_CALL = "last call:"
_LIMITED = "limited:"


class RateLimiter:
    """One replica's `PostingLimits`. Each finds dead channels and a refused token itself."""

    def __init__(self, service: Service, monotonic: Callable[[], float]) -> None:
        self._service = service
        self._monotonic = monotonic
        self._paused: dict[str, tuple[datetime, str]] = {}
        self._stopped: datetime | None = None
        self._stop = _FIRST_STOP
        self._limited: dict[str, datetime] = {}
        #: The mark of each channel as it was last read or written.
        self._last: dict[str, str | None] = {}
        #: When the last call there was made, at the latest: by us, or by the replica of the mark.
        self._used: dict[str, float] = {}
        for slack_channel, text in read_values(service, _LAST_CALL).items():
            self._learn(slack_channel, text)

    def may(self, key_value: KeyValue, alert: Alert) -> bool:
        """Whether the call for this alert may be made now."""
        now = self._service.now()
        called = method(alert)
        if self._stopped is not None and now < self._stopped:
            return False
        if called in LOOKING:
            return not self._is_limited(key_value, called, now)
        paused = self._paused.get(alert.slack_channel)
        if paused is not None and now < paused[0]:
            return False
        # Memory first, so that few of hundreds of waiting alerts read the storage.
        return (
            self._has_rested(alert.slack_channel)
            and not self._is_limited(key_value, called, now)
            and self._is_free(key_value, alert.slack_channel)
        )

    def take(self, key_value: KeyValue, alert: Alert) -> None:
        """Stores a mark that the call for this alert is made now. Our own second begins with the
        call (`used`)."""
        if method(alert) not in LOOKING:
            self._last[alert.slack_channel] = secrets.token_hex(8)
            key_value.put(_LAST_CALL + alert.slack_channel, self._last[alert.slack_channel])

    def used(self, slack_channel: str) -> None:
        self._used[slack_channel] = self._monotonic()

    def limit(self, called: str, wait: timedelta) -> None:
        """Slack limits this method in the whole workspace. If that can't be stored, the other
        replicas find out themselves."""
        until = self._service.now() + wait
        self._limited[called] = until
        try:
            write_value(self._service, _LIMITED + called, until.isoformat())
        except StorageFailed as error:
            logger.warning("Slack's limit is not shared with other replicas: %s", error.sentence)

    def pause(self, slack_channel: str, word: str) -> None:
        """Sends nothing to a channel that takes no messages, and tries it again later."""
        self._paused[slack_channel] = (self._service.now() + _PAUSE, word)

    def resume(self, slack_channel: str) -> None:
        """Ends the pause of a channel: the next message is sent at once."""
        self._paused.pop(slack_channel, None)

    def stop(self) -> None:
        """Slack refuses the token: makes no calls for a while, longer each time."""
        self._stopped = self._service.now() + self._stop
        self._stop = min(self._stop * 2, _LONGEST_STOP)

    def works(self, slack_channel: str | None) -> None:
        """Slack accepts our token, and a message in this channel."""
        if slack_channel is not None:
            self._paused.pop(slack_channel, None)
        self._stopped, self._stop = None, _FIRST_STOP

    def paused(self) -> Mapping[str, str]:
        """Slack's word by channel. May be called from any thread."""
        return {slack_channel: word for slack_channel, (_, word) in self._paused.copy().items()}

    def _has_rested(self, slack_channel: str) -> bool:
        used = self._used.get(slack_channel)
        return used is None or self._monotonic() - used >= _PACE

    def _is_free(self, key_value: KeyValue, slack_channel: str) -> bool:
        """Whether no other replica has made a call there since we last read the mark."""
        mark = key_value.get(_LAST_CALL + slack_channel)
        if mark == self._last.get(slack_channel):
            return True
        self._learn(slack_channel, mark)
        return False

    def _learn(self, slack_channel: str, mark: str | None) -> None:
        self._last[slack_channel] = mark
        self.used(slack_channel)

    def _is_limited(self, key_value: KeyValue, called: str, now: datetime) -> bool:
        known = self._limited.get(called)
        if known is not None and now < known:
            return True
        until = key_value.get(_LIMITED + called)
        if until is None:
            return False
        self._limited[called] = datetime.fromisoformat(until)
        return now < self._limited[called]

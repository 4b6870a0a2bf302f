"""Which calls may be made now: a second between two to one channel, Slack's limits, dead channels,
a token that Slack refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.consent.alerts import Alert
from bot.consent.service.service import Service
from handlers.slack.alerts.posting import HISTORY, LOOKING, POST, REPLIES, UPDATE, UPLOAD, method

#: Seconds: Slack takes about one message a second for each channel.
_PACE = 1.0
#: A channel that takes nothing is tried again so often, and so is a refused token, later less so.
_PAUSE = timedelta(minutes=1)
_FIRST_STOP = timedelta(seconds=15)
_LONGEST_STOP = timedelta(minutes=5)
_METHODS = (POST, UPDATE, UPLOAD, HISTORY, REPLIES)


class Roads:
    """Kept in memory, but Slack's limits: a restart has to obey them, too."""

    def __init__(self, service: Service, monotonic: Callable[[], float]) -> None:
        self._service = service
        self._monotonic = monotonic
        self._used: dict[str, float] = {}
        self._paused: dict[str, tuple[datetime, str]] = {}
        self._stopped: datetime | None = None
        self._stop = _FIRST_STOP
        self._limited: dict[str, datetime] = {}
        with service.store.reading() as records:
            for name in _METHODS:
                if until := records.mark(_mark(name)):
                    self._limited[name] = datetime.fromisoformat(until)

    def may(self, alert: Alert) -> bool:
        """Whether the call for this alert may be made now."""
        now = self._service.now()
        called = method(alert)
        if self._stopped is not None and now < self._stopped:
            return False
        if called in self._limited and now < self._limited[called]:
            return False
        if called in LOOKING:
            return True
        paused = self._paused.get(alert.slack_channel)
        if paused is not None and now < paused[0]:
            return False
        used = self._used.get(alert.slack_channel)
        return used is None or self._monotonic() - used >= _PACE

    def used(self, slack_channel: str) -> None:
        self._used[slack_channel] = self._monotonic()

    def limit(self, called: str, wait: timedelta) -> None:
        """Slack wants this method left alone, in the whole workspace."""
        until = self._service.now() + wait
        self._limited[called] = until
        with self._service.store.transaction() as records:
            records.put_mark(_mark(called), until.isoformat())

    def pause(self, slack_channel: str, word: str) -> None:
        """This channel takes nothing."""
        self._paused[slack_channel] = (self._service.now() + _PAUSE, word)

    def stop(self) -> None:
        """Slack refuses the token: nothing is called for a while, longer each time."""
        self._stopped = self._service.now() + self._stop
        self._stop = min(self._stop * 2, _LONGEST_STOP)

    def works(self, slack_channel: str | None) -> None:
        """Slack takes our token, and something in this channel."""
        if slack_channel is not None:
            self._paused.pop(slack_channel, None)
        self._stopped, self._stop = None, _FIRST_STOP

    def paused(self) -> Mapping[str, str]:
        """Slack's word by channel."""
        return {slack_channel: word for slack_channel, (_, word) in self._paused.items()}


def _mark(called: str) -> str:
    return f"limited:{called}"

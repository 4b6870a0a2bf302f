"""The worker beside the server: claims alerts that are due, posts them, and settles the result.

It makes one call at a time. What it learns about Slack between calls (limits, dead channels, a
refused token) stays in memory; what must outlive a restart is in the outbox.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from bot.consent.alerts import Alert, DeliveryState
from bot.consent.errors import StorageFailed, without_text
from bot.consent.use_cases.alerts.outbox import claim, outbox
from bot.consent.use_cases.alerts.settle import Posting, Result, settle
from bot.consent.use_cases.context import Service
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import (
    AlertClient,
)
from handlers.slack.alerts.poster import Poster
from handlers.slack.alerts.rate_limits import RateLimiter
from handlers.slack.alerts.shared import SharedChannels

logger = logging.getLogger(__name__)

#: Seconds between looks at the outbox.
POLL = 0.25
#: Seconds for the call under way to end when we stop. The next start looks for its result.
_GRACE = 3.0
#: Seconds in which the result of a call has to be stored. After that, Optin looks for the message.
_SETTLE_WITHIN = 30.0


class Worker:
    """One for the process. `run` is a coroutine function for `bot.runtime.server.Server`."""

    def __init__(
        self,
        service: Service,
        slack: AlertClient,
        health: Health,
        *,
        shared: SharedChannels | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service
        self._shared = shared or SharedChannels(slack.client, monotonic=monotonic)
        self._health = health
        self._limits = RateLimiter(service, monotonic)
        self._poster = Poster(service, slack, health, self._limits, self._shared)
        self._stop = threading.Event()

    async def run(self) -> None:
        """Works in a thread until cancelled."""
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[None] = loop.create_future()

        def end(problem: BaseException | None) -> None:
            if problem is None:
                ended.set_result(None)
            else:
                ended.set_exception(problem)

        def work() -> None:
            problem: BaseException | None = None
            try:
                self.work()
            except BaseException as error:  # noqa: BLE001 - raised again in the loop
                problem = error
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(end, problem)

        # A daemon: a call that Slack does not answer must not keep the process from ending.
        threading.Thread(target=work, name="alerts", daemon=True).start()
        try:
            await asyncio.shield(ended)
        finally:
            self._stop.set()
            await asyncio.wait([ended], timeout=_GRACE)

    def work(self) -> None:
        """Until `stop`, in this thread."""
        while not self._stop.is_set():
            try:
                busy = self.step()
            except StorageFailed as error:
                logger.warning("the outbox can't be read or written: %s", error.sentence)
                busy = False
            if not busy:
                self._stop.wait(POLL)

    def stop(self) -> None:
        self._stop.set()

    def look_at_outbox(self) -> None:
        """Updates the health that /readyz and /metrics show. May be called from any thread."""
        # A channel that takes nothing does not make the bot unready: it still takes opt-outs.
        status = outbox(self._service, except_in=self._limits.paused().keys())
        self._health.waiting = status.waiting
        self._health.oldest = status.oldest
        self._health.dead = status.dead

    def step(self) -> bool:
        """Posts one alert of each channel, so that none waits for another; returns whether there
        was any."""
        for channel in self._shared.take_changed():
            self._limits.resume(channel)
        told: set[str] = set()
        while not self._stop.is_set():
            alert = claim(self._service, self._limits, except_in=told)
            if alert is None:
                break
            told.add(alert.slack_channel)
            self._deliver(alert)
        return bool(told)

    def _deliver(self, alert: Alert) -> None:
        try:
            posting = self._poster.attempt(alert)
        except StorageFailed:
            raise
        except Exception as error:
            # One alert that can't be drawn must not hold up the others.
            bare = without_text(error)
            logger.error("alert %s can't be told: %s", alert.id, bare, exc_info=bare)
            posting = Posting(result=Result.DEAD, problem=type(error).__name__)
        settled = self._settle(alert, posting)
        if settled is not None and settled.delivery.state is DeliveryState.DEAD:
            logger.error("alert %s was given up: %s", alert.id, settled.delivery.problem)

    def _settle(self, alert: Alert, posting: Posting) -> Alert | None:
        """Retries while the storage is busy: if Slack's answer were lost, a person could get the
        message twice."""
        end = time.monotonic() + _SETTLE_WITHIN
        while True:
            try:
                return settle(self._service, alert, posting)
            except StorageFailed as error:
                if time.monotonic() > end or self._stop.wait(POLL):
                    raise
                logger.warning("alert %s can't be settled yet: %s", alert.id, error.sentence)

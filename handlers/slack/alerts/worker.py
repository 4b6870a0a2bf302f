"""The worker beside the server: posts what is due, one call at a time, and settles what came of it.

What it learns of Slack between calls (limits, dead channels, a refused token) it keeps here; what
must outlive a restart is in the outbox.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from slack_sdk.errors import SlackApiError

from bot.consent.alerts import INSTALLER, Alert, Delivery, DeliveryState
from bot.consent.errors import StorageFailed
from bot.consent.use_cases import (
    CaseDetails,
    details_of,
    run_case_timers,
    unsubscribe_from_requests,
)
from bot.consent.use_cases.alerts.outbox import claim, outbox, sweep
from bot.consent.use_cases.alerts.reviews import expire_reviews
from bot.consent.use_cases.alerts.settle import Posting, Result, settle
from bot.consent.use_cases.alerts.storms import Listed, end_storms, storm_list
from bot.consent.use_cases.context import Service
from handlers.slack.alerts.case_text import CASES
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.client import (
    LOOKING,
    AlertClient,
    is_direct,
    is_file,
    is_private,
    method,
)
from handlers.slack.alerts.failure_policy import Verdicts
from handlers.slack.alerts.rate_limits import RateLimiter
from handlers.slack.alerts.shared import INFO, SharedChannels
from handlers.slack.alerts.slack_errors import CALL_FAILED, ErrorKind, slack_failure

logger = logging.getLogger(__name__)

#: Seconds between looks at the outbox.
POLL = 0.25
#: Seconds for the call under way to end when we stop; its outcome is looked up at the next start.
_GRACE = 3.0
#: Seconds in which what became of a call has to be stored: soon after it is looked for in Slack.
_SETTLE_WITHIN = 30.0
NOBODY_TO_NOTIFY = "nobody whom OPTIN_MANAGERS names can be reached"
#: A line waits for its card.
_CARD_FIRST = timedelta(seconds=2)


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
        self._slack = slack
        self._health = health
        self._roads = RateLimiter(service, monotonic)
        self._verdicts = Verdicts(service, self._roads, health)
        self._stop = threading.Event()
        self._chores: list[tuple[timedelta, Callable[[], object]]] = [
            (timedelta(seconds=5), lambda: end_storms(service)),
            (timedelta(seconds=5), self._look_at_outbox),
            (timedelta(minutes=1), lambda: expire_reviews(service)),
            (timedelta(minutes=1), lambda: run_case_timers(service)),
            (timedelta(hours=1), lambda: sweep(service)),
        ]
        self._done: dict[int, datetime] = {}

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

    def step(self) -> bool:
        """Chores that are due, and one alert of each channel, so that none waits for another.
        Whether there was any."""
        now = self._service.now()
        for number, (every, chore) in enumerate(self._chores):
            last = self._done.get(number)
            if last is None or abs(now - last) >= every:
                self._done[number] = now
                self._do(chore)
        for channel in self._shared.take_changed():
            self._roads.resume(channel)
        told: set[str] = set()
        while not self._stop.is_set():
            alert = claim(self._service, self._roads, except_in=told)
            if alert is None:
                break
            told.add(alert.slack_channel)
            self._deliver(alert)
        return bool(told)

    def _do(self, chore: Callable[[], object]) -> None:
        try:
            chore()
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001 - see `_log`
            _log("a chore of the alerts failed", error)

    def _deliver(self, alert: Alert) -> None:
        try:
            posting = self._attempt(alert)
        except StorageFailed:
            raise
        except Exception as error:  # noqa: BLE001 - see `_log`
            _log(f"alert {alert.id} can't be told", error)
            posting = Posting(result=Result.DEAD, problem=type(error).__name__)
        settled = self._settle(alert, posting)
        if settled is not None and settled.delivery.state is DeliveryState.DEAD:
            logger.error("alert %s was given up: %s", alert.id, settled.delivery.problem)

    def _settle(self, alert: Alert, posting: Posting) -> Alert | None:
        """What Slack has said is not thrown away because the storage is busy: where nobody knows
        it any more, a person would be told twice."""
        end = time.monotonic() + _SETTLE_WITHIN
        while True:
            try:
                return settle(self._service, alert, posting)
            except StorageFailed as error:
                if time.monotonic() > end or self._stop.wait(POLL):
                    raise
                logger.warning("alert %s can't be settled yet: %s", alert.id, error.sentence)

    def _attempt(self, alert: Alert) -> Posting:
        parent, missing = self._parent(alert)
        if missing:
            return missing
        called = method(alert)
        if called in LOOKING:
            return self._look(alert, called, parent)
        if not is_direct(alert) and (failed := self._shared.refusal(alert.slack_channel)):
            return self._verdicts.refused(alert, INFO, failed)
        self._roads.used(alert.slack_channel)
        try:
            posting = self._call(alert, parent)
        except CALL_FAILED as error:
            return self._verdicts.refused(alert, called, slack_failure(error))
        self._verdicts.worked(alert, called)
        return posting

    def _call(self, alert: Alert, parent: str | None) -> Posting:
        about = None
        if alert.kind in CASES:
            about = self._matter(alert)
            if about is None:
                return Posting(result=Result.GONE, problem="its request is not kept any more")
        if alert.delivery.ts is not None:
            self._slack.update(alert, alert.delivery.ts, about)
            return Posting(result=Result.SENT)
        if is_file(alert):
            self._slack.upload(alert, parent, self._listed(alert))
            return Posting(result=Result.SENT)
        if not self._slack.may_have(alert):
            unsubscribe_from_requests(self._service, alert.slack_channel)
            return Posting(result=Result.GONE, problem="whom it is for is no manager any more")
        for channel in self._slack.channels(alert):
            try:
                ts, posted_in = self._slack.post(alert, channel, parent, about)
            except SlackApiError as error:
                if (
                    alert.slack_channel == INSTALLER
                    and slack_failure(error).trouble is ErrorKind.CHANNEL
                ):
                    continue  # the next one
                raise
            if alert.slack_channel == INSTALLER:
                self._health.nobody_to_notify = False
            return Posting(
                result=Result.SENT, ts=ts, posted_in=posted_in if posted_in != channel else None
            )
        self._health.nobody_to_notify = True
        return Posting(result=Result.DEAD, problem=NOBODY_TO_NOTIFY)

    def _matter(self, alert: Alert) -> CaseDetails | None:
        with self._service.store.reading() as records:
            case = records.case(alert.about or "")
            return details_of(self._service, records, case) if case else None

    def _parent(self, alert: Alert) -> tuple[str | None, Posting | None]:
        """The card whose thread it goes to, or why it can't go there yet."""
        if alert.thread is None:
            return None, None
        with self._service.store.reading() as records:
            card = records.alert(alert.thread)
        posting = card.delivery if card else Delivery(state=DeliveryState.DEAD)
        if posting.ts is not None:
            return posting.ts, None
        if posting.state in (DeliveryState.DEAD, DeliveryState.SENT):
            return None, Posting(result=Result.GONE, problem="its card was not posted")
        return None, Posting(result=Result.LATER, wait=_CARD_FIRST)

    def _listed(self, alert: Alert) -> Sequence[Listed]:
        with self._service.store.reading() as records:
            storm = records.alert(alert.thread or "")
        return storm_list(self._service, storm) if storm else ()

    def _look(self, alert: Alert, called: str, parent: str | None) -> Posting:
        """Whether Slack has what was posted with an outcome that nobody knows."""
        since = alert.delivery.started_at or alert.first_at
        if is_private(alert):
            return Posting(result=Result.REPEAT)
        try:
            ts = self._slack.find(alert, since, parent)
        except CALL_FAILED as error:
            return self._verdicts.blind(alert, called, since, slack_failure(error))
        self._verdicts.worked(alert, called)
        if ts is None:
            return Posting(result=Result.MISSING)
        return Posting(result=Result.FOUND, ts=ts)

    def _look_at_outbox(self) -> None:
        # An archived channel is no reason to take no more opt-outs.
        standing = outbox(self._service, except_in=self._roads.paused().keys())
        self._health.waiting = standing.waiting
        self._health.oldest = standing.oldest
        self._health.dead = standing.dead


def _log(what: str, error: Exception) -> None:
    """Writes down what broke, and where: one alert that can't be drawn must not end the taking in
    of opt-outs. Not the error's own text, which may hold what a contact wrote."""
    bare = RuntimeError(f"{type(error).__module__}.{type(error).__qualname__}")
    logger.error("%s: %s", what, bare, exc_info=(RuntimeError, bare, error.__traceback__))

"""What runs beside the server from time to time: jobs in threads of their own, and the timers.

`timers` is the one table of what time alone does: deadlines, reminders, ends and clean-ups.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from bot.consent.errors import StorageFailed, without_text
from bot.consent.records import KeyValue
from bot.consent.use_cases import Service, run_case_timers
from bot.consent.use_cases.alerts.digest import post_digests
from bot.consent.use_cases.alerts.first_run import look_at_first_run
from bot.consent.use_cases.alerts.outbox import sweep
from bot.consent.use_cases.alerts.reviews import expire_reviews
from bot.consent.use_cases.alerts.storms import end_storms
from bot.consent.use_cases.cases.hourly_requests import post_hourly_requests
from bot.consent.use_cases.home_facts import store_look_ups
from bot.consent.use_cases.idempotency import sweep_answers
from bot.consent.use_cases.imports.import_jobs import sweep_jobs
from bot.consent.use_cases.log_tree import grow_tree
from bot.consent.use_cases.opt_out_counts import count_opt_outs
from bot.consent.use_cases.stated.pending_consents import sweep_pending
from bot.consent.use_cases.step_ends import sweep_ends
from bot.runtime.repeated import every
from handlers.slack.alerts.worker import Worker

logger = logging.getLogger(__name__)

#: Seconds between two looks at the timers.
_LOOK = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """One row of the table."""

    #: As the log calls it.
    name: str
    every: timedelta
    run: Callable[[], object]


def timers(service: Service, worker: Worker) -> tuple[Timer, ...]:
    """The table. Without an alert channel, too: reviews that nobody answers have a deadline."""
    seconds, minute, hour = timedelta(seconds=5), timedelta(minutes=1), timedelta(hours=1)
    return (
        Timer(name="end of storms", every=seconds, run=partial(end_storms, service)),
        Timer(name="health of the outbox", every=seconds, run=worker.look_at_outbox),
        Timer(name="recent look-ups", every=seconds, run=partial(store_look_ups, service)),
        Timer(name="count of opt-outs", every=minute, run=partial(count_opt_outs, service)),
        Timer(name="tree of the log", every=minute, run=partial(grow_tree, service)),
        Timer(name="digests", every=minute, run=partial(post_digests, service)),
        Timer(name="deadlines of reviews", every=minute, run=partial(expire_reviews, service)),
        Timer(name="reminders of cases", every=minute, run=partial(run_case_timers, service)),
        Timer(
            name="requests of programs", every=minute, run=partial(post_hourly_requests, service)
        ),
        Timer(name="removal of old alerts", every=hour, run=partial(sweep, service)),
        Timer(name="removal of old imports", every=hour, run=partial(sweep_jobs, service)),
        Timer(name="removal of old answers", every=hour, run=partial(sweep_answers, service)),
        Timer(name="removal of ends of steps", every=hour, run=partial(sweep_ends, service)),
        Timer(name="removal of old confirmations", every=hour, run=partial(sweep_pending, service)),
    )


def first_run_timer(service: Service, managers: bool, heard: Callable[[KeyValue], bool]) -> Timer:
    """Ticks the first steps, until they are done."""
    look = partial(look_at_first_run, service, managers=managers, heard=heard)
    return Timer(name="first run", every=timedelta(seconds=5), run=look)


class Timers:
    """Runs the rows of a table that are due. A row that fails is due again after its interval."""

    def __init__(self, table: Sequence[Timer], now: Callable[[], datetime]) -> None:
        self._table = table
        self._now = now
        self._last: dict[str, datetime] = {}

    def run_due(self, stopping: threading.Event | None = None) -> None:
        """Runs every row at the first call. Stops between two rows when the flag is set."""
        for timer in self._table:
            if stopping is not None and stopping.is_set():
                return
            now, last = self._now(), self._last.get(timer.name)
            # A clock that was set back makes nothing wait for ever.
            if last is None or abs(now - last) >= timer.every:
                self._last[timer.name] = now
                _run(timer)

    def job(self) -> Callable[[], Awaitable[None]]:
        """For `bot.runtime.server.Server`."""
        return every(_LOOK, "timers", self.run_due)


def _run(timer: Timer) -> None:
    try:
        timer.run()
    except StorageFailed as error:
        logger.warning("%s has to wait: %s", timer.name, error.sentence)
    except Exception as error:
        # One row that fails must not hold up the others.
        bare = without_text(error)
        logger.error("%s failed: %s", timer.name, bare, exc_info=bare)

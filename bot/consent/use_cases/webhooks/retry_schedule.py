"""When a delivery that failed is tried again. Pure functions: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.consent.webhooks import HOLD, MOST_PARKED, EndpointHealth, FailedEvent, Lane

#: Before the first attempt, the second and so on: ten attempts in about three days.
SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
#: A wait is longer or shorter by this share of it, so that endpoints are not called in step.
_JITTER = 0.2
#: How long a worker has a lane: longer than a turn and its last call may take, with the clocks of
#: two replicas seconds apart. And how far ahead the end of a lease can be at most.
LEASE, LEASE_AHEAD = timedelta(seconds=30), timedelta(seconds=90)
#: An endpoint that does not answer in time gets this long to recover.
_AFTER_TIMEOUT = timedelta(seconds=60)


class AttemptOutcome(StrEnum):
    """How an attempt to deliver ended, as /metrics names it."""

    DELIVERED = "delivered"
    #: An answer that is no success, a redirect too.
    REFUSED = "refused"
    #: 429, 502, 503 or 504: the endpoint can't take it now.
    THROTTLED = "throttled"
    #: 410: the endpoint is gone for good.
    GONE = "gone"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    #: The host's name leads to an address that Optin does not connect to.
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptResult:
    """What came of one attempt."""

    outcome: AttemptOutcome
    #: In words, for an alert: "answered 500". Nothing out of the answer itself.
    problem: str = ""
    #: How long the endpoint asks us to wait.
    retry_after: timedelta | None = None

    @property
    def delivered(self) -> bool:
        return self.outcome is AttemptOutcome.DELIVERED


def delay_before(attempt: int, chance: float) -> timedelta:
    """The wait before this attempt, counted from 1. `chance` is a random number from 0 to 1."""
    usual = SCHEDULE[min(attempt, len(SCHEDULE)) - 1]
    return usual * (1 - _JITTER + 2 * _JITTER * chance)


def wait_after(failures: int, result: AttemptResult, chance: float) -> timedelta:
    """How long to wait after so many failures. What the endpoint asks for counts from the usual
    wait to twice as long: no answer can park an event for a year."""
    usual = delay_before(failures + 1, chance)
    if result.outcome is AttemptOutcome.TIMED_OUT:
        usual = max(usual, _AFTER_TIMEOUT)
    if result.retry_after is None or result.outcome is not AttemptOutcome.THROTTLED:
        return usual
    return min(max(result.retry_after, usual), 2 * usual)


def is_last(attempts: int) -> bool:
    """Whether an event is given up after so many failures, if others of its endpoint succeed."""
    return attempts >= len(SCHEDULE)


def park_at(lane: Lane, event: FailedEvent, health: EndpointHealth) -> datetime | None:
    """When an event has held its lane long enough. None while no other event of the endpoint has
    succeeded since, or while too many wait already."""
    success = health.last_success_at
    if success is None or success <= event.first_at or len(lane.parked) >= MOST_PARKED:
        return None
    return event.first_at + HOLD


def retry_at(event: FailedEvent, health: EndpointHealth) -> datetime:
    """When the event that holds its lane is tried again: by the schedule, or at the end of an
    outage."""
    times = [event.next_at or event.last_at]
    if health.recovered_at and health.recovered_at > event.last_at:
        times.append(health.recovered_at)
    return min(times)


def lane_due_at(lane: Lane, health: EndpointHealth, now: datetime) -> datetime | None:
    """When a lane has something to retry; None if there is nothing. New events come besides."""
    times = [event.next_at for event in lane.parked if event.next_at]
    if lane.failing:
        times.append(retry_at(lane.failing, health))
        if end := park_at(lane, lane.failing, health):
            times.append(end)
    if lane.restart_at is not None:
        times.append(now)
    return min(times, default=None)


def blocked_until(lane: Lane, health: EndpointHealth, now: datetime) -> datetime | None:
    """Until when nothing of the lane is delivered: another worker has it, or the endpoint asked
    for a pause. None if it may begin now. A lease from before the clock was set back counts no
    more."""
    times = [lane.lease.until] if lane.lease and lane.lease.until <= now + LEASE_AHEAD else []
    if health.throttled_until:
        times.append(health.throttled_until)
    return max((at for at in times if at > now), default=None)

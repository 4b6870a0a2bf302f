"""One turn of a worker at a lane: what comes next, and what becomes of the lane. Pure values; the
worker makes the calls between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.consent.frozen import replace
from bot.consent.use_cases.webhooks.retry_schedule import (
    AttemptOutcome,
    AttemptResult,
    is_last,
    park_at,
    retry_at,
    wait_after,
)
from bot.consent.webhooks import EndpointHealth, FailedEvent, Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptMade:
    """An attempt of this turn, as the endpoint's health counts it."""

    at: datetime
    result: AttemptResult
    #: A random number from 0 to 1, for the jitter.
    chance: float


class LaneTurn:
    """The lane as it changes during a turn."""

    def __init__(self, lane: Lane, health: EndpointHealth, chance: Callable[[], float]) -> None:
        """`health` is as it was when the turn began."""
        self.lane = lane
        self.attempts: list[AttemptMade] = []
        self._health = health
        self._chance = chance

    @property
    def stopped(self) -> bool:
        """Whether the newest attempt failed in a way that concerns the whole endpoint."""
        return bool(self.attempts) and self.attempts[-1].result.outcome in _OF_THE_ENDPOINT

    def parked_due(self, now: datetime) -> list[FailedEvent]:
        """The events to be retried by themselves."""
        return [event for event in self.lane.parked if event.next_at and event.next_at <= now]

    def retried(self, event: FailedEvent, result: AttemptResult, now: datetime) -> None:
        """What came of an event out of `parked`. It leaves the lane, or waits for its next
        attempt, or is given up."""
        chance = self._note(result, now)
        others = tuple(one for one in self.lane.parked if one.seq != event.seq)
        if not result.delivered:
            failed = _failed_again(event, result, now, chance)
            if is_last(failed.attempts) and result.outcome not in _OF_THE_ENDPOINT:
                failed = replace(failed, next_at=None)
            others = tuple(sorted((*others, failed), key=lambda one: one.seq))
        self.lane = replace(self.lane, parked=others)

    def may_go_on(self, now: datetime) -> bool:
        """Whether the lane delivers now. An event that has held it long enough is parked first."""
        event = self.lane.failing
        if event is None or retry_at(event, self._health) <= now:
            return True
        return self._park(event, now)

    def delivered(self, seq: int, result: AttemptResult, now: datetime) -> bool:
        """What came of the event behind the cursor. Whether the lane goes on."""
        chance = self._note(result, now)
        if result.delivered:
            self.lane = replace(self.lane, cursor=seq, failing=None)
            return True
        before = self.lane.failing
        if before is None or before.seq != seq:
            before = FailedEvent(seq=seq, attempts=0, first_at=now, last_at=now, next_at=now)
        event = _failed_again(before, result, now, chance)
        self.lane = replace(self.lane, failing=event)
        return not self.stopped and self._park(event, now)

    def passed(self, place: int) -> None:
        """Up to here there is nothing for this lane."""
        if place > self.lane.cursor and self.lane.failing is None:
            self.lane = replace(self.lane, cursor=place)

    def _park(self, event: FailedEvent, now: datetime) -> bool:
        """Lets the lane go on without this event, where it has held it long enough."""
        end = park_at(self.lane, event, self._health)
        if end is None or end > now:
            return False
        if is_last(event.attempts):
            event = replace(event, next_at=None)
        parked = (*self.lane.parked, event)
        self.lane = replace(self.lane, cursor=event.seq, failing=None, parked=parked)
        return True

    def _note(self, result: AttemptResult, now: datetime) -> float:
        chance = self._chance()
        self.attempts.append(AttemptMade(at=now, result=result, chance=chance))
        return chance


#: After these, the turn ends: what follows would fail, too.
_OF_THE_ENDPOINT = frozenset(
    {
        AttemptOutcome.THROTTLED,
        AttemptOutcome.GONE,
        AttemptOutcome.TIMED_OUT,
        AttemptOutcome.UNREACHABLE,
        AttemptOutcome.FORBIDDEN,
    }
)


def _failed_again(
    event: FailedEvent, result: AttemptResult, now: datetime, chance: float
) -> FailedEvent:
    attempts = event.attempts + 1
    next_at = now + wait_after(attempts, result, chance)
    return replace(event, attempts=attempts, last_at=now, next_at=next_at)

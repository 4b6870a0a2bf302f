"""Which lanes have something to deliver now. An idle process reads where the log ends, and writes
nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.consent.use_cases import Service
from bot.consent.use_cases.feed import FeedRow
from bot.consent.use_cases.webhooks.retry_schedule import blocked_until, lane_due_at
from bot.consent.use_cases.webhooks.settle_lane import (
    LaneState,
    look_at_lanes,
    look_at_webhooks,
)
from handlers.outbound.delivery_health import OutboundHealth, Undelivered
from handlers.outbound.feed_window import FeedWindow

#: Entries of the log that a lane may lag behind in the storage when none of them is for it.
LAG = 10_000
#: The lanes are read again after this, whatever happened, since another replica may have died.
_LOOK_AGAIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the lanes were looked at with."""

    head: int
    text: str | None
    #: When one of them has something to do even if nothing happens.
    wake_at: datetime


class LaneLookout:
    """Looks at the lanes for one process."""

    def __init__(
        self, service: Service, window: FeedWindow, health: OutboundHealth, *, lag: int = LAG
    ) -> None:
        self._service = service
        self._window = window
        self._health = health
        self._lag = lag
        #: By lane: the stored cursor, and the place up to which nothing behind it is for the lane.
        self._passed: dict[tuple[str, int], tuple[int, int]] = {}
        self._seen: _Seen | None = None

    def look_again(self) -> None:
        """The next look reads the lanes, whatever the last one saw. Safe across threads."""
        self._seen = None

    def due(self, *, busy: bool = False) -> Sequence[LaneState]:
        """The lanes whose turn has come. While some are worked at (`busy`), what was read of them
        is out of date soon. Raises `StorageFailed`."""
        now = self._service.now()
        head, text = look_at_webhooks(self._service)
        seen = self._seen
        if seen and seen.head == head and seen.text == text and now < seen.wake_at:
            return []
        due: list[LaneState] = []
        waiting: dict[str, Undelivered] = {}
        wake_at = now + _LOOK_AGAIN
        for state in look_at_lanes(self._service, text):
            row = self._next_row(state, head)
            waiting[state.webhook.id] = _undelivered(state, row, head, waiting)
            begins = self._begins_at(state, row, now)
            if begins is not None and begins <= now:
                due.append(state)
            elif begins is not None:
                wake_at = min(wake_at, begins)
        self._health.waiting = waiting
        self._seen = None if due or busy else _Seen(head=head, text=text, wake_at=wake_at)
        return due

    def place(self, state: LaneState) -> int:
        """The place up to which nothing behind the lane's cursor is for the lane."""
        cursor = state.lane.cursor
        known, place = self._passed.get((state.webhook.id, state.number), (cursor, cursor))
        return place if known == cursor else cursor

    def _begins_at(self, state: LaneState, row: FeedRow | None, now: datetime) -> datetime | None:
        """When a turn at this lane has something to do; None if it has nothing."""
        lane = state.lane
        times = [lane_due_at(lane, state.health, now)]
        lag = self.place(state) - lane.cursor
        if lane.failing is None and (row is not None or lag > self._lag):
            times.append(now)
        begins = min((at for at in times if at is not None), default=None)
        blocked = blocked_until(lane, state.health, now)
        return max(begins, blocked) if begins and blocked else begins

    def _next_row(self, state: LaneState, head: int) -> FeedRow | None:
        """The first event behind the cursor. Remembers up to where there is none."""
        lane, key = state.lane, (state.webhook.id, state.number)
        place = self.place(state)
        while place < head:
            found = self._window.next_rows(state.number, state.webhook.events, place, head, limit=1)
            if found.rows:
                return found.rows[0]
            if found.place <= place:
                break
            place = found.place
            self._passed[key] = (lane.cursor, place)
        return None


def _undelivered(
    state: LaneState, row: FeedRow | None, head: int, so_far: dict[str, Undelivered]
) -> Undelivered:
    """What the webhook has not got, with this lane and those before it."""
    lane, before = state.lane, so_far.get(state.webhook.id)
    failed = [*lane.parked, *([lane.failing] if lane.failing else [])]
    times = [event.first_at for event in failed if event.next_at]
    if row is not None:
        times.append(row.entry.recorded_at)
    if before and before.oldest:
        times.append(before.oldest)
    behind = head - row.seq + 1 if row else 0
    return Undelivered(
        entries=max(behind, before.entries if before else 0),
        failed=len(failed) + (before.failed if before else 0),
        oldest=min(times, default=None),
    )

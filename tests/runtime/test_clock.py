"""The process's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from threading import Thread

import pytest

from bot.runtime import clock

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def test_the_time_is_aware_and_in_utc():
    before, now, after = datetime.now(UTC), clock.now(), datetime.now(UTC)

    assert now.tzinfo is UTC
    assert before <= now <= after


def test_a_stopped_clock_moves_only_when_told_to_and_for_every_thread():
    seen: list[datetime] = []
    with clock.stopped(NOON) as stopped:
        seen.append(clock.now())
        stopped.advance(timedelta(minutes=5))
        thread = Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
        stopped.advance(timedelta(hours=-1))
        seen.append(clock.now())

    assert seen == [NOON, NOON + timedelta(minutes=5), NOON + timedelta(minutes=-55)]
    assert clock.now() > NOON + timedelta(minutes=5) or clock.now() < NOON


def test_a_stopped_clock_speaks_utc_and_takes_no_time_without_a_zone():
    with clock.stopped(NOON.astimezone(timezone(timedelta(hours=2)))):
        now = clock.now()

    assert now == NOON
    assert now.utcoffset() == timedelta(0)
    with pytest.raises(ValueError, match="aware"), clock.stopped(NOON.replace(tzinfo=None)):
        pass

"""The schedule of retries, as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.consent.use_cases.webhooks.retry_schedule import (
    SCHEDULE,
    AttemptOutcome,
    AttemptResult,
    delay_before,
    is_last,
    wait_after,
)

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
REFUSED = AttemptResult(outcome=AttemptOutcome.REFUSED)
TIMED_OUT = AttemptResult(outcome=AttemptOutcome.TIMED_OUT)


def throttled(after: timedelta | None) -> AttemptResult:
    return AttemptResult(outcome=AttemptOutcome.THROTTLED, retry_after=after)


@pytest.mark.parametrize(
    ("failures", "result", "wait"),
    [
        (1, REFUSED, 5 * SECOND),
        (2, REFUSED, 5 * MINUTE),
        (3, REFUSED, 30 * MINUTE),
        (4, REFUSED, 2 * HOUR),
        (5, REFUSED, 5 * HOUR),
        (6, REFUSED, 10 * HOUR),
        (7, REFUSED, 14 * HOUR),
        (8, REFUSED, 20 * HOUR),
        (9, REFUSED, 24 * HOUR),
        (10, REFUSED, 24 * HOUR),
        (99, REFUSED, 24 * HOUR),
        # After a time-out, a minute at least.
        (1, TIMED_OUT, 60 * SECOND),
        (2, TIMED_OUT, 5 * MINUTE),
        # What the endpoint asks for, between the usual wait and twice that.
        (1, throttled(None), 5 * SECOND),
        (1, throttled(timedelta(0)), 5 * SECOND),
        (1, throttled(7 * SECOND), 7 * SECOND),
        (1, throttled(999_999_999 * SECOND), 10 * SECOND),
        (2, throttled(8 * MINUTE), 8 * MINUTE),
        (9, throttled(999_999_999 * SECOND), 48 * HOUR),
    ],
)
def test_the_wait_after_a_failure(failures: int, result: AttemptResult, wait: timedelta):
    assert wait_after(failures, result, chance=0.5) == wait


@given(st.integers(1, 20), st.floats(0, 1))
def test_jitter_is_a_fifth_at_most(attempt: int, chance: float):
    usual = SCHEDULE[min(attempt, 10) - 1]

    assert usual * 0.799 <= delay_before(attempt, chance) <= usual * 1.201


def test_the_jitter_goes_both_ways():
    assert delay_before(4, 0) == 24 * MINUTE
    assert delay_before(4, 1) == 36 * MINUTE


def test_ten_attempts_take_three_days():
    assert sum(SCHEDULE, timedelta(0)) > timedelta(days=3)
    assert [is_last(attempts) for attempts in (1, 9, 10)] == [False, False, True]

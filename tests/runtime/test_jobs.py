"""The table of timers: each row runs at its interval, and none holds up another."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.consent.errors import StorageFailed
from bot.runtime.clock import Stopped
from bot.runtime.jobs import Timer, Timers

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> Stopped:
    return Stopped(datetime(2026, 11, 3, 12, tzinfo=UTC))


def row(name: str, ran: list[str], every: timedelta = MINUTE) -> Timer:
    return Timer(name=name, every=every, run=lambda: ran.append(name))


def raising(error: Exception) -> Callable[[], object]:
    def run() -> None:
        raise error

    return run


def test_every_row_runs_at_the_start_and_then_at_its_interval(clock: Stopped):
    ran: list[str] = []
    timers = Timers([row("slow", ran, MINUTE * 60), row("quick", ran)], clock)
    for _ in range(5):
        timers.run_due()
        clock.advance(MINUTE / 2)

    assert ran == ["slow", "quick", "quick", "quick"]


def test_a_clock_that_was_set_back_stops_no_timer(clock: Stopped):
    ran: list[str] = []
    timers = Timers([row("quick", ran)], clock)
    timers.run_due()
    clock.advance(-MINUTE * 60)
    timers.run_due()

    assert ran == ["quick", "quick"]


@pytest.mark.parametrize(
    ("error", "level", "said"),
    [
        (StorageFailed("The disk is full."), logging.WARNING, "broken has to wait: The disk is"),
        (ValueError("what a contact wrote"), logging.ERROR, "broken failed: builtins.ValueError"),
    ],
)
def test_a_row_that_fails_is_logged_and_holds_up_no_other(
    clock: Stopped,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
    level: int,
    said: str,
):
    ran: list[str] = []
    broken = Timer(name="broken", every=MINUTE, run=raising(error))
    Timers([broken, row("whole", ran)], clock).run_due()

    (record,) = caplog.records
    assert ran == ["whole"]
    assert record.levelno == level
    assert said in record.getMessage()
    assert "contact wrote" not in caplog.text


def test_no_row_begins_after_the_end(clock: Stopped):
    ran: list[str] = []
    stopping = threading.Event()
    last = Timer(name="last", every=MINUTE, run=stopping.set)
    Timers([last, row("late", ran)], clock).run_due(stopping)

    assert ran == []

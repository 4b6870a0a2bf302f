"""Slack asks for an odd wait: the alert is told later, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bot.consent.alerts import DeliveryState
from tests.support.alerts_fixtures import Bench, reply


@pytest.mark.parametrize("asked", [10**30, -5, 0, "1e300", "nan", "soon", "1e-300"], ids=str)
def test_an_alert_outlives_any_wait_that_slack_asks_for(bench: Bench, asked: Any) -> None:
    bench.workspace.fault("chat.postMessage", "ratelimited", retry_after=asked)
    bench.take(reply("STOP"))
    bench.settle()
    waits = bench.alert().delivery.state
    bench.clock.advance(timedelta(days=1))
    bench.run(5)

    assert waits is DeliveryState.WAITING
    assert len(bench.messages()) == 1

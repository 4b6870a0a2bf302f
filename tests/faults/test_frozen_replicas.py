"""A replica that is frozen between its claim and its call, and thawed when others have gone on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.alerts import Alert
from bot.consent.use_cases.alerts.outbox import claim
from bot.consent.use_cases.alerts.settle import Posting, Result, settle
from handlers.slack.alerts.channel_health import Health
from handlers.slack.alerts.poster import Poster
from handlers.slack.alerts.rate_limits import RateLimiter
from handlers.slack.alerts.shared import SharedChannels
from tests.support.alerts_fixtures import Bench, Seconds, reply


class Frozen:
    """What the replica has claimed before it froze."""

    def __init__(self, bench: Bench) -> None:
        limits = RateLimiter(bench.service, Seconds(bench.clock))
        claimed = claim(bench.service, limits)
        assert claimed is not None
        self.alert: Alert = claimed
        shared = SharedChannels(bench.slack.client, monotonic=Seconds(bench.clock))
        self._poster = Poster(bench.service, bench.slack, Health(), limits, shared)
        self._bench = bench

    def thaw(self) -> Posting:
        """It goes on where it stood: the call, then the result."""
        posting = self._poster.attempt(self.alert)
        settle(self._bench.service, self.alert, posting)
        return posting


@pytest.mark.parametrize("asleep", [41, 120])
def test_a_replica_that_thaws_after_another_has_posted_posts_nothing(
    bench: Bench, asleep: int
) -> None:
    bench.take(reply("STOP"))
    frozen = Frozen(bench)
    bench.clock.advance(timedelta(seconds=asleep))
    bench.run(10)
    assert len(bench.messages()) == 1

    posting = frozen.thaw()
    bench.run(60)

    assert posting.result is Result.LATER
    assert len(bench.messages()) == 1


@pytest.mark.parametrize("asleep", [25, 39, 41])
def test_a_replica_whose_claim_is_about_to_expire_leaves_the_message_to_the_next_claim(
    bench: Bench, asleep: int
) -> None:
    bench.take(reply("STOP"))
    frozen = Frozen(bench)
    bench.clock.advance(timedelta(seconds=asleep))

    posting = frozen.thaw()
    nothing_yet = len(bench.messages())
    bench.run(60)

    assert posting.result is Result.LATER
    assert nothing_yet == 0
    assert len(bench.messages()) == 1


def test_a_replica_that_is_slow_posts_within_its_claim(bench: Bench) -> None:
    bench.take(reply("STOP"))
    frozen = Frozen(bench)
    bench.clock.advance(timedelta(seconds=15))

    assert frozen.thaw().result is Result.SENT
    bench.run(60)
    assert len(bench.messages()) == 1

"""Leases, replays and removals: what a lane does while a worker has it, and after."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.errors import Invalid, NotFound, Refused
from bot.consent.use_cases import Service
from bot.consent.use_cases.feed import newest_place
from bot.consent.use_cases.webhooks import (
    EVENTS,
    add_webhook,
    find_webhook,
    pause_webhook,
    place_of_time,
    remove_webhook,
    replay_webhook,
    resume_webhook,
    webhooks,
)
from bot.consent.use_cases.webhooks.lane_turn import LaneTurn
from bot.consent.use_cases.webhooks.retry_schedule import LEASE, AttemptOutcome, AttemptResult
from bot.consent.use_cases.webhooks.settle_lane import (
    Claim,
    claim_lane,
    look_at_lanes,
    look_at_webhooks,
    settle_lane,
)
from bot.consent.webhooks import LANES, Lane, Webhook, lane_of
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import NOW, told
from tests.support.endpoints import deliver, receiver, worker_of
from tests.support.outbound_fixtures import person, rename

DELIVERED = AttemptResult(outcome=AttemptOutcome.DELIVERED)
REFUSED = AttemptResult(outcome=AttemptOutcome.REFUSED, problem="answered 500")


@pytest.fixture
def webhook(service: Service) -> Webhook:
    return add_webhook(service, "cli:root", url="https://crm.example.com/")


def claimed(service: Service, webhook: Webhook, worker: str = "a") -> Claim:
    claim = claim_lane(service, webhook.id, 3, worker)
    assert claim is not None
    return claim


def turn_of(claim: Claim) -> LaneTurn:
    return LaneTurn(claim.lane, claim.health, lambda: 0.5)


def lane(service: Service, number: int = 3) -> Lane:
    _, text = look_at_webhooks(service)
    return next(s.lane for s in look_at_lanes(service, text) if s.number == number)


def test_a_lane_is_one_workers_until_its_lease_ends(
    service: Service, webhook: Webhook, clock: Stopped
):
    first = claimed(service, webhook, "a")
    second = claim_lane(service, webhook.id, 3, "b")
    clock.advance(LEASE)
    third = claim_lane(service, webhook.id, 3, "c")

    assert first.token == "a"
    assert second is None
    assert third is not None


def test_a_clock_that_is_set_back_holds_no_lane_for_hours(
    service: Service, webhook: Webhook, clock: Stopped
):
    claimed(service, webhook, "a")
    clock.advance(-timedelta(hours=2))

    assert claim_lane(service, webhook.id, 3, "b") is not None


def test_a_worker_that_lost_its_lane_changes_nothing(
    service: Service, webhook: Webhook, clock: Stopped
):
    first = claimed(service, webhook, "a")
    clock.advance(LEASE)
    claimed(service, webhook, "b")
    turn = turn_of(first)
    turn.passed(99)

    assert not settle_lane(service, first, turn)
    assert lane(service).cursor == 0


def test_settling_gives_the_lane_back(service: Service, webhook: Webhook):
    claim = claimed(service, webhook)
    turn = turn_of(claim)
    turn.delivered(1, DELIVERED, NOW)

    assert settle_lane(service, claim, turn)
    assert lane(service) == Lane(cursor=1)


def test_a_replay_during_a_turn_begins_after_it(service: Service, webhook: Webhook):
    for number in range(4):
        person(service, number)
    claim = claimed(service, webhook)
    replay_webhook(service, webhook.id, after=1)
    taken = claim_lane(service, webhook.id, 3, "b")
    turn = turn_of(claim)
    turn.delivered(4, DELIVERED, NOW)
    settle_lane(service, claim, turn)

    assert taken is None
    assert lane(service) == Lane(cursor=1)


def test_a_replay_keeps_what_waits_from_before_its_place(service: Service, webhook: Webhook):
    for number in range(4):
        person(service, number)
    claim = claimed(service, webhook)
    turn = turn_of(claim)
    turn.delivered(2, REFUSED, NOW)
    settle_lane(service, claim, turn)
    replay_webhook(service, webhook.id, after=3)
    claimed(service, webhook, "b")

    assert lane(service).cursor == 3
    assert [event.seq for event in lane(service).parked] == [2]


def test_a_webhook_that_is_removed_during_a_turn_leaves_nothing(service: Service, webhook: Webhook):
    claim = claimed(service, webhook)
    remove_webhook(service, webhook.id)
    settle_lane(service, claim, turn_of(claim))

    with service.store.reading() as records:
        assert [name for name, _ in records.key_value.all() if "webhook" in name] == []


def test_a_webhook_that_is_paused_during_a_turn_stays_paused(service: Service, webhook: Webhook):
    claim = claimed(service, webhook)
    pause_webhook(service, webhook.id)
    turn = turn_of(claim)
    turn.delivered(1, DELIVERED, NOW)
    settle_lane(service, claim, turn)

    assert claim_lane(service, webhook.id, 3, "b") is None
    resume_webhook(service, webhook.id)
    assert lane(service).cursor == 1


def test_a_replay_sends_the_same_ids_again(outbound: Service, clock: Stopped):
    with receiver() as endpoint, worker_of(outbound) as worker:
        webhook = add_webhook(outbound, "cli:root", url=endpoint.url)
        people = [person(outbound, number) for number in range(3)]
        clock.advance(timedelta(hours=1))
        at = clock()
        for one in people:
            rename(outbound, one, 1)
        deliver(worker)
        first = {one.id: one.body for one in endpoint.received}
        endpoint.received.clear()
        replay_webhook(outbound, webhook.id, after=place_of_time(outbound, at))
        deliver(worker)
        again = {one.id: one.body for one in endpoint.received}

    assert len(first) == 6
    assert len(again) == 3
    assert again.items() <= first.items()


def test_a_replay_can_begin_before_the_webhook_was_added(outbound: Service):
    person(outbound, 1)
    person(outbound, 2)
    with receiver() as endpoint, worker_of(outbound) as worker:
        webhook = add_webhook(outbound, "cli:root", url=endpoint.url)
        replay_webhook(outbound, webhook.id, after=0)
        deliver(worker)

    assert sorted(endpoint.seqs()) == [1, 2]


def test_a_resume_can_skip_what_was_missed(outbound: Service):
    with receiver() as endpoint, worker_of(outbound) as worker:
        webhook = add_webhook(outbound, "cli:root", url=endpoint.url)
        pause_webhook(outbound, webhook.id)
        person(outbound, 1)
        resume_webhook(outbound, webhook.id, after=newest_place(outbound))
        person(outbound, 2)
        deliver(worker)

    assert endpoint.seqs() == [2]


def test_a_place_in_the_log_is_found_by_its_time(service: Service, clock: Stopped):
    for number in range(7):
        person(service, number)
        clock.advance(timedelta(minutes=1))
    entries = told(service)

    for entry in entries:
        assert place_of_time(service, entry.recorded_at) == entry.seq - 1
    assert place_of_time(service, NOW - timedelta(days=1)) == 0
    assert place_of_time(service, clock()) == len(entries)


def test_a_lane_that_lags_far_stores_its_place(outbound: Service):
    with receiver() as endpoint, worker_of(outbound, lag=10) as worker:
        add_webhook(outbound, "cli:root", url=endpoint.url, events=["case.changed"])
        for number in range(10):
            person(outbound, number)
        before = worker.step()
        person(outbound, 11)
        after = worker.step()

    assert (before, after) == (False, True)
    assert {lane(outbound, number).cursor for number in range(LANES)} == {11}
    assert endpoint.received == []


def test_contacts_spread_over_the_lanes():
    assert {lane_of(f"{number:032x}") for number in range(100)} == set(range(LANES))
    assert lane_of(None) in range(LANES)


def test_there_is_an_end_to_webhooks(service: Service):
    for number in range(50):
        add_webhook(service, "cli:root", url=f"https://crm.example.com/{number}")

    with pytest.raises(Refused, match="There are 50 webhooks already"):
        add_webhook(service, "cli:root", url="https://crm.example.com/")


def test_what_can_not_be_is_refused(service: Service, webhook: Webhook):
    with pytest.raises(Invalid, match="'consent' is no type of event"):
        add_webhook(service, "cli:root", url="https://crm.example.com/", events=["consent"])
    with pytest.raises(Invalid, match="The log's places go from 0 to 0"):
        replay_webhook(service, webhook.id, after=1)
    with pytest.raises(NotFound):
        pause_webhook(service, "0")
    with pytest.raises(Invalid):
        add_webhook(replace(service, webhook_allow=()), "cli:root", url="http://127.0.0.1/")
    assert webhooks(service) == (webhook,)
    assert find_webhook(service, webhook.id[:4]) == webhook
    assert webhook.events == EVENTS

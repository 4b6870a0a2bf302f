"""Clearing the bounces of an outage: guarded, counted, and taken off the provider's list."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.errors import Invalid, NeedsEvidence, NotAllowed
from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import Bounce
from bot.consent.suppressions import Cause
from bot.consent.use_cases.lists.clear_bounces import (
    ClearedBounces,
    Outage,
    clear_bounces,
    count_bounces,
)
from bot.consent.write_backs import WriteAction, WriteState
from tests.support.consent_fixtures import AGENT, MANAGER, told
from tests.support.list_fixtures import Lists, ana, check
from tests.support.take_fixtures import facts, mailed, tell


@pytest.fixture
def outage(lists: Lists) -> Outage:
    """Ten addresses bounced within an hour, and one of them was reported as spam besides."""
    since = lists.clock()
    for number in range(10):
        address = f"c{number}@example.com"
        ana(lists, f"C{number}", email=address)
        lists.sendgrid.put(address, Cause.BOUNCE)
        hard = mailed(EventKind.FAILED, address=address, failure=Failure.HARD)
        tell(lists.service, hard)
    tell(lists.service, mailed(EventKind.COMPLAINT, address="c9@example.com"))
    lists.clock.advance(timedelta(hours=1))
    return Outage(
        provider="sendgrid",
        since=since,
        until=lists.clock(),
        reason="Our mail server was broken",
        evidence="Repaired, and tried by hand",
    )


def test_each_bounce_gets_an_entry_and_goes_from_the_providers_list(
    lists: Lists, outage: Outage
) -> None:
    counted = count_bounces(lists.service, outage, MANAGER)
    assert counted == ClearedBounces(cleared=9, complaints=1)
    before = len(told(lists.service))
    assert clear_bounces(lists.service, outage, MANAGER) == counted

    fresh = [e for e in told(lists.service)[before:] if e.kind is EntryKind.BOUNCE]
    assert [(e.after, e.evidence.text if e.evidence else "") for e in fresh] == [
        ("PROBATION", outage.evidence)
    ] * 9
    assert lists.rows("c1@example.com")["sendgrid/bounce"] == (
        WriteAction.REMOVE,
        WriteState.WAITING,
    )
    lists.work_until_done()
    assert lists.sendgrid.addresses == ["c9@example.com"]
    assert facts(lists.service, "c9@example.com").bounce is Bounce.YES
    check(lists)


def test_what_is_cleared_already_does_not_count_twice(lists: Lists, outage: Outage) -> None:
    once = count_bounces(lists.service, outage, MANAGER)
    clear_bounces(lists.service, outage, MANAGER)

    assert count_bounces(lists.service, outage, MANAGER) == ClearedBounces(
        complaints=once.complaints
    )


def test_only_managers_may_and_they_say_why(lists: Lists, outage: Outage) -> None:
    with pytest.raises(NotAllowed):
        clear_bounces(lists.service, outage, AGENT)
    with pytest.raises(Invalid):
        clear_bounces(lists.service, replace(outage, reason=" "), MANAGER)
    with pytest.raises(NeedsEvidence):
        clear_bounces(lists.service, replace(outage, evidence=""), MANAGER)
    late = replace(outage, until=lists.clock() + timedelta(seconds=1))
    with pytest.raises(Invalid, match="future"):
        clear_bounces(lists.service, late, MANAGER)

    assert count_bounces(lists.service, outage, MANAGER).cleared == 9

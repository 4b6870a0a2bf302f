"""The log is whole, and the state is what it says; whoever meddles with a file is found out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.log.chain import GENESIS
from bot.consent.model import AddressFacts, Bounce, ConsentValue
from bot.consent.use_cases import Details, Service, StatusUpdate, add, change, verify
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, NOW, told
from tests.support.storages import tamper

pytestmark = pytest.mark.every_storage


@pytest.fixture
def busy(service: Service) -> Service:
    for n in range(3):
        contact = add(service, Details(name=f"N{n}", phone=f"+1 415 555 010{n}"), AGENT)
        change(service, contact.id, StatusUpdate(sms=ConsentValue.YES, evidence="web form"), AGENT)
        change(
            service, contact.id, StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"), AGENT
        )
    return service


def test_an_empty_log_is_whole(service: Service):
    verdict = verify(service)

    assert (verdict.entries, verdict.head, verdict.problem) == (0, GENESIS, None)


def test_a_log_that_nobody_touched_is_whole_and_says_how_long_it_is(busy: Service):
    verdict = verify(busy)

    assert verdict.problem is None
    assert verdict.entries == 9
    assert verdict.head == told(busy)[-1].hash


def test_each_entry_carries_the_hash_of_the_one_before_without_a_gap(busy: Service):
    entries = told(busy)

    assert [entry.seq for entry in entries] == list(range(1, 10))
    assert len({entry.hash for entry in entries} | {entry.id for entry in entries}) == 18


@pytest.mark.parametrize(
    ("was", "became"),
    [
        (b"Asked by phone", b"Asked to stay!"),
        (b'"after":"NO"', b'"after":"NA"'),
        (b"slack:U0AGENT1", b"slack:U0AGENT2"),
        (b"2026-11-03T14:02", b"2026-11-03T14:03"),
    ],
)
def test_an_entry_that_was_changed_in_the_storage_is_named(
    busy: Service, storage_path: Path, was: bytes, became: bytes
):
    tamper(storage_path, 6, was, became)

    problem = verify(busy).problem
    assert problem == "Entry 6 does not hold: it, or one before it, was changed."


def test_a_contact_whose_state_is_not_what_the_log_says_is_named(busy: Service):
    with busy.store.transaction() as records:
        contact = next(records.contacts.all())
        records.contacts.put(replace(contact, consents={}))

    assert verify(busy).problem == f"Contact {contact.id} is not what the log says."


def test_a_contact_that_vanished_or_came_from_nowhere_is_named(busy: Service):
    with busy.store.transaction() as records:
        contact = next(records.contacts.all())
        records.contacts.remove(contact.id)

    problem = verify(busy).problem
    assert problem == f"Contact {contact.id} is in the log, and not in the contacts."


def test_an_address_of_which_more_is_known_than_the_log_says_is_found(busy: Service):
    with busy.store.transaction() as records:
        records.addresses.put(
            AddressFacts(address="+14155550100", bounce=Bounce.YES, bounced_at=NOW)
        )

    assert verify(busy).problem == "What is known of one address is not what the log says."


def test_what_was_redacted_without_an_erasure_is_found(busy: Service):
    with busy.store.transaction() as records:
        contact = next(records.contacts.all())
        records.log.redact(contact.id)

    problem = verify(busy).problem
    assert problem is not None
    assert "lost its personal part, and its contact was never erased" in problem


def test_a_clock_that_is_set_back_breaks_nothing(service: Service, clock: Stopped):
    contact = add(service, Details(name="Ana", phone="+1 415 555 0100"), AGENT)
    change(service, contact.id, StatusUpdate(sms=ConsentValue.YES, evidence="form"), AGENT)
    clock.advance(timedelta(days=-1))
    change(service, contact.id, StatusUpdate(sms=ConsentValue.NO), AGENT)

    assert verify(service).problem is None

"""A number that the provider reports as reassigned: a block that nobody asked for, and a question
for a person. It is never the contact's opt-out."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.alerts import NEW_OWNER, Alert, AlertKind
from bot.consent.events import Event, EventKind
from bot.consent.model import BlockState, Channel, ConsentValue, Contact, Origin
from bot.consent.use_cases import Service, profile
from bot.consent.use_cases.alerts.reviews import answer_review, expire_reviews
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT
from tests.support.take_fixtures import LOCAL, PHONE, block, consent, facts, kept, tell


def reassigned(address: str = PHONE) -> Event:
    return Event(
        provider="twilio",
        id=f"twilio:reassigned:{address}",
        kind=EventKind.REASSIGNED,
        channel=Channel.SMS,
        address=address,
        sender=LOCAL,
    )


def test_it_blocks_that_sender_and_asks_a_person(alerting: Service, subscriber: Contact) -> None:
    tell(alerting, reassigned())

    assert block(alerting) is BlockState.BLOCKED
    hold = facts(alerting).hold
    assert hold is not None
    assert hold.text == NEW_OWNER
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert facts(alerting).refusals == ()
    gates = {
        gate.code: gate
        for gate in profile(alerting, subscriber.id, AGENT).decisions[Channel.SMS].gates
    }
    assert set(gates) == {"review_hold"}  # another sender than the default one is blocked
    assert "new owner" in gates["review_hold"].reason
    (alert,) = reviews(alerting)
    assert (alert.text, alert.follow_up.deadline) == (NEW_OWNER, None)


@pytest.mark.parametrize("new_owner", [True, False])
def test_the_answer_is_the_persons_and_never_the_contacts(
    alerting: Service, subscriber: Contact, new_owner: bool
) -> None:
    tell(alerting, reassigned())
    (alert,) = reviews(alerting)
    assert answer_review(alerting, alert.id, new_owner, AGENT).won

    said = consent(alerting, subscriber)
    assert said.on is (ConsentValue.NO if new_owner else ConsentValue.YES)
    assert not said.refused
    assert not new_owner or said.by is Origin.STAFF
    assert facts(alerting).hold is None
    assert facts(alerting).refusals == ()
    assert block(alerting) is BlockState.BLOCKED


def test_without_an_answer_it_never_becomes_an_opt_out(
    alerting: Service, subscriber: Contact, clock: Stopped
) -> None:
    tell(alerting, reassigned())
    clock.advance(timedelta(days=60))

    assert expire_reviews(alerting) == 0
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert facts(alerting).hold is not None


def test_of_a_number_that_nobody_has_it_is_a_block(alerting: Service) -> None:
    tell(alerting, reassigned())

    assert kept(alerting, PHONE).block(LOCAL)[0] is BlockState.BLOCKED
    assert kept(alerting, PHONE).hold is None
    assert reviews(alerting) == []


def test_told_again_it_changes_nothing(alerting: Service, subscriber: Contact) -> None:
    tell(alerting, reassigned())

    assert tell(alerting, reassigned()) == []


def reviews(service: Service) -> list[Alert]:
    with service.store.reading() as records:
        return [alert for alert in records.outbox.all() if alert.kind is AlertKind.REVIEW]

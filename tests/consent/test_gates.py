"""What the gates say to people, and who has to act."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.consent import gates
from bot.consent.gates import Owner
from bot.consent.model import (
    UNSET,
    AddressFacts,
    Block,
    BlockState,
    Bounce,
    Channel,
    Consent,
    ConsentValue,
    Origin,
)
from bot.consent.rules import ANY
from tests.support.consent_fixtures import sender

SINCE = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
TOLL_FREE = sender("+18885550199")


def test_nobody_but_the_contact_lifts_a_carrier_block():
    facts = AddressFacts(
        address="+14155550100", blocks={TOLL_FREE.id: Block(state=BlockState.BLOCKED, since=SINCE)}
    )

    [gate] = gates.carrier_blocks(facts, TOLL_FREE, ANY)

    assert gate.owner is Owner.CONTACT
    assert gate.since == SINCE
    assert gate.remedy == "The contact texts UNSTOP to +18885550199. Nobody can do it for them."


@pytest.mark.parametrize(
    ("by", "owner", "approval"),
    [
        (Origin.CONTACT, Owner.MANAGER, "a manager approves"),
        (Origin.IMPORT, Owner.MANAGER, "a manager approves"),
        (None, Owner.MANAGER, "a manager approves"),
        (Origin.STAFF, Owner.AGENT, "needs no approval"),
    ],
)
def test_what_the_contact_refused_needs_a_manager_and_what_staff_refused_does_not(
    by: Origin | None, owner: Owner, approval: str
):
    [gate] = gates.consent(Consent(on=ConsentValue.NO, by=by, since=SINCE), Channel.SMS)

    assert (gate.owner, gate.since) == (owner, SINCE)
    assert approval in gate.remedy


def test_who_was_never_asked_is_asked_by_an_agent_with_evidence_and_no_approval():
    [gate] = gates.consent(UNSET, Channel.EMAIL)

    assert gate.owner is Owner.AGENT
    assert "Email On to YES with the evidence" in gate.remedy
    assert "no approval" in gate.remedy


def test_a_yes_is_no_gate():
    assert gates.consent(Consent(on=ConsentValue.YES), Channel.SMS) == []


def test_an_agent_clears_a_bounce_and_only_a_manager_a_complaint():
    bounced = AddressFacts(address="ana@example.com", bounce=Bounce.YES, bounced_at=SINCE)
    complained = AddressFacts(
        address="ana@example.com", bounce=Bounce.YES, bounced_at=SINCE, complaint=True
    )

    assert [g.owner for g in gates.bounce(bounced, Channel.EMAIL)] == [Owner.AGENT]
    assert [g.owner for g in gates.bounce(complained, Channel.EMAIL)] == [Owner.MANAGER]


def test_a_bounce_says_why_in_the_words_that_were_given():
    facts = AddressFacts(
        address="+14155550100", bounce=Bounce.YES, bounced_at=SINCE, bounce_reason="No such number"
    )

    [gate] = gates.bounce(facts, Channel.SMS)

    assert gate.reason == "No such number"
    assert "clear SMS Bounce" in gate.remedy


def test_a_gate_of_one_fact_says_nothing_of_another():
    blocked = AddressFacts(
        address="+14155550100", blocks={TOLL_FREE.id: Block(state=BlockState.BLOCKED, since=SINCE)}
    )
    bounced = AddressFacts(address="+14155550100", bounce=Bounce.YES, bounced_at=SINCE)

    assert gates.bounce(blocked, Channel.SMS) == []
    assert gates.carrier_blocks(bounced, TOLL_FREE, ANY) == []
    assert gates.hold(blocked) == gates.hold(bounced) == []


def test_a_block_is_as_old_as_its_beginning_however_often_it_was_shown_again():
    later = SINCE.replace(day=9)
    block = Block(state=BlockState.BLOCKED, since=later, first=SINCE)
    facts = AddressFacts(address="+14155550100", blocks={TOLL_FREE.id: block})

    [gate] = gates.carrier_blocks(facts, TOLL_FREE, ANY)

    assert gate.since == SINCE

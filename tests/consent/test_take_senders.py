"""Senders are groups of numbers: what a STOP blocks, what lifts it, and which number people see
(rules.md §2b)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.events import Event, EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import BlockState, Channel, ConsentValue, Contact
from bot.consent.senders import Number, NumberKind, Sender
from bot.consent.use_cases import Service, profile
from bot.runtime.clock import Stopped
from handlers.entry_sentences import plain_sentence
from tests.support.consent_fixtures import AGENT, PROVIDERS
from tests.support.take_fixtures import (
    LOCAL,
    MAILBOX,
    TOLL_FREE,
    alerts,
    consent,
    delivered,
    facts,
    failed,
    lines,
    mailed,
    tell,
    text,
)

MG = "MG0123456789abcdef0123456789abcdef"
SECOND = "+14155550188"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def grouped(alerting: Service) -> Service:
    """One service with two local numbers and a toll-free one."""
    numbers = (
        Number(number=LOCAL, kind=NumberKind.LONG_CODE),
        Number(number=SECOND, kind=NumberKind.LONG_CODE),
        Number(number=TOLL_FREE, kind=NumberKind.TOLL_FREE),
    )
    return replace(alerting, senders=(Sender(id="support", service=MG, numbers=numbers),))


def blocks(service: Service) -> dict[str, BlockState]:
    return {name: block.state for name, block in facts(service).blocks.items()}


@pytest.mark.parametrize("told", [{"service": MG}, {}])
@pytest.mark.parametrize("number", [LOCAL, SECOND])
def test_a_stop_to_one_number_blocks_its_service_and_unstop_to_another_lifts_it(
    grouped: Service, subscriber: Contact, clock: Stopped, number: str, told: dict[str, str]
):
    stopped = tell(grouped, text("STOP", sender=number, **told))
    blocked = blocks(grouped)
    [gate, _] = profile(grouped, subscriber.id, AGENT).decisions[Channel.SMS].gates
    clock.advance(MINUTE)

    lifted = tell(grouped, text("UNSTOP", sender=SECOND, **told))

    assert blocked == {MG: BlockState.BLOCKED}
    assert (gate.sender, gate.sender_id) == (number, "support")
    assert number in gate.remedy
    assert MG not in gate.remedy + gate.reason
    assert blocks(grouped) == {}
    shown = [
        plain_sentence(entry, PROVIDERS)
        for entry in (*stopped, *lifted)
        if entry.kind is EntryKind.BLOCK
    ]
    assert not any("MG" in words for words in shown)
    assert shown[-1] == "Texted UNSTOP to +1 415-555-0188, which lifts the block"


def test_a_stop_to_a_toll_free_number_blocks_it_besides_its_service(
    grouped: Service, subscriber: Contact, clock: Stopped
):
    tell(grouped, text("STOP", sender=TOLL_FREE, service=MG))
    both = blocks(grouped)
    clock.advance(MINUTE)
    for words in ("YES", "UNSTOP"):
        tell(grouped, text(words, sender=LOCAL, service=MG))
    left = blocks(grouped)
    [gate, _] = profile(grouped, subscriber.id, AGENT).decisions[Channel.SMS].gates
    clock.advance(MINUTE)
    tell(grouped, text("YES", sender=TOLL_FREE, service=MG))
    still = blocks(grouped)
    tell(grouped, text("UNSTOP", sender=TOLL_FREE, service=MG))

    assert both == {MG: BlockState.BLOCKED, TOLL_FREE: BlockState.BLOCKED}
    assert left == still == {TOLL_FREE: BlockState.BLOCKED}
    assert TOLL_FREE in gate.remedy
    assert blocks(grouped) == {}


def test_a_delivery_lifts_the_block_of_the_number_that_sent_it_and_of_its_service(
    grouped: Service, subscriber: Contact, clock: Stopped
):
    tell(grouped, text("STOP", sender=TOLL_FREE, service=MG))
    clock.advance(HOUR)

    tell(grouped, delivered(sender=LOCAL, service=MG, sent_at=clock()))

    assert blocks(grouped) == {TOLL_FREE: BlockState.BLOCKED}
    tell(grouped, delivered(sender=TOLL_FREE, service=MG, sent_at=clock()))
    assert blocks(grouped) == {}


def test_the_expected_error_of_a_service_comes_from_any_of_its_numbers(
    grouped: Service, subscriber: Contact, clock: Stopped
):
    tell(grouped, text("STOP", sender=LOCAL, service=MG))
    clock.advance(timedelta(seconds=2))

    entries = tell(grouped, failed(Failure.OPT_OUT, sender=SECOND, service=MG))

    assert lines(entries) == [(EntryKind.EXPECTED_ERROR, "", "")]
    assert alerts(grouped) == [AlertKind.STOP]


def test_a_service_that_only_events_have_shown_counts_against_every_sender(
    alerting: Service, subscriber: Contact
):
    tell(alerting, failed(Failure.OPT_OUT, sender=SECOND, service=MG, sent_at=None))

    seen = profile(alerting, subscriber.id, AGENT)

    assert {d.answer for d in (seen.decisions[Channel.SMS], *seen.by_sender.values())} == {"no"}
    gate = seen.decisions[Channel.SMS].gates[0]
    assert (gate.sender, gate.sender_id) == (SECOND, MG)


@pytest.mark.parametrize("words", ["STOP", "Stop. Thank you", "take me off your list"])
def test_a_refusal_by_whatsapp_is_held_for_a_person_and_blocks_no_texts(
    alerting: Service, subscriber: Contact, words: str
):
    entries = tell(alerting, text(words, whatsapp=True))

    assert lines(entries) == [(EntryKind.HOLD, "", "held")]
    assert consent(alerting, subscriber).on is ConsentValue.YES
    assert facts(alerting).blocks == {}
    assert alerts(alerting) == [AlertKind.REVIEW]


@pytest.mark.parametrize(
    "event",
    [
        text("UNSTOP", whatsapp=True),
        text("YES", whatsapp=True),
        delivered(whatsapp=True),
        *(failed(failure, whatsapp=True) for failure in Failure),
    ],
    ids=lambda event: f"{event.kind} {event.failure or event.text}",
)
def test_what_else_comes_by_whatsapp_says_nothing_of_texts(
    alerting: Service, subscriber: Contact, clock: Stopped, event: Event
):
    tell(alerting, text("STOP"))
    clock.advance(HOUR)

    assert tell(alerting, event) == []


def test_the_log_names_a_providers_list_and_why_an_address_is_on_it(
    alerting: Service, subscriber: Contact, clock: Stopped
):
    listed = tell(alerting, mailed(EventKind.UNSUBSCRIBED, scope="news"))[-1]
    clock.advance(HOUR)
    (lifted,) = tell(alerting, mailed(EventKind.RESUBSCRIBED, scope="news"))

    assert plain_sentence(listed, PROVIDERS) == (
        "Put on SendGrid's suppression list: the contact unsubscribed (news)"
    )
    assert plain_sentence(lifted, PROVIDERS) == (
        "Taken off SendGrid's suppression list: subscribed again at the provider"
    )
    assert listed.address == MAILBOX

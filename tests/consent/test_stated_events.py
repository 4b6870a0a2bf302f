"""Provider-neutral events: the same rules as a provider's, a result for each, and no opt-out lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.errors import Invalid, NotAllowed
from bot.consent.model import BlockState, Bounce, Channel, ConsentValue, Contact
from bot.consent.rules import Answer
from bot.consent.use_cases import Details, Service, add, profile, verify
from bot.consent.use_cases.stated.stated_event import EventType, StatedEvent
from bot.consent.use_cases.stated.stated_events import take_events
from bot.runtime.clock import Stopped
from tests.support.cases_fixtures import DAY, HOUR
from tests.support.consent_fixtures import AGENT, SENDERS, told
from tests.support.stated_fixtures import NEWSLETTER, SHOP
from tests.support.take_fixtures import (
    LOCAL,
    MAILBOX,
    OTHER_PHONE,
    PHONE,
    alerts,
    block,
    consent,
    facts,
    kept,
)

NO, YES, UNSET = ConsentValue.NO, ConsentValue.YES, ConsentValue.UNSET


def event(service: Service, type: str, address: str = PHONE, **more: Any) -> StatedEvent:
    """Of now, with the type and the address as its id."""
    given = {"id": f"{type}:{address}", "occurred_at": service.now(), **more}
    return StatedEvent(type=EventType(type), address=address, **given)


def take(service: Service, *events: StatedEvent) -> list[str]:
    return [one.outcome for one in take_events(service, events, NEWSLETTER)]


def test_each_type_does_what_a_providers_event_does(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    assert take(desk, event(desk, "bounce", MAILBOX, hard=True)) == ["applied"]
    assert facts(desk, MAILBOX).bounce is Bounce.YES

    assert take(desk, event(desk, "opt_out", sender=LOCAL, text="STOP")) == ["applied"]
    assert consent(desk, subscriber).refused
    assert block(desk) is BlockState.BLOCKED

    clock.advance(HOUR)
    assert take(desk, event(desk, "opt_in_keyword", sender=LOCAL)) == ["applied"]
    assert block(desk) is BlockState.NONE
    assert consent(desk, subscriber).on is NO

    assert take(desk, event(desk, "unsubscribe", MAILBOX)) == ["applied"]
    assert consent(desk, subscriber, MAILBOX).refused
    assert AlertKind.STOP in alerts(desk)


def test_an_opt_out_without_a_sender_blocks_nothing(desk: Service, subscriber: Contact) -> None:
    assert take(desk, event(desk, "opt_out")) == ["applied"]

    assert consent(desk, subscriber).refused
    assert facts(desk).blocks == {}


@pytest.mark.parametrize("type", ["opt_out", "unsubscribe", "complaint"])
def test_a_program_keeps_no_suppression_list(desk: Service, subscriber: Contact, type: str) -> None:
    """What it reports happened elsewhere: nobody can take an address off its list."""
    assert take(desk, event(desk, type, MAILBOX)) == ["applied"]

    assert consent(desk, subscriber, MAILBOX).refused
    assert facts(desk, MAILBOX).blocks == {}
    assert facts(desk, MAILBOX).complaint is (type == "complaint")


@pytest.mark.parametrize(
    ("words", "on", "held"),
    [("STOP", NO, False), ("please take me off your list", YES, True), ("See you!", YES, False)],
)
def test_a_reply_is_read_like_any_other(
    desk: Service, subscriber: Contact, words: str, on: ConsentValue, held: bool
) -> None:
    take(desk, event(desk, "reply", text=words, sender=LOCAL))

    assert consent(desk, subscriber).on is on
    assert (facts(desk).hold is not None) is held


def test_soft_bounces_count_and_a_delivery_resets_them(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    for n in range(2):
        take(desk, event(desk, "bounce", id=str(n), code="30003", reason="The phone is off."))
        clock.advance(DAY)
    entry = told(desk, subscriber.id)[-1]

    assert len(facts(desk).soft_failures) == 2
    assert entry.reason == "The phone is off (30003)."
    take(desk, event(desk, "delivered"))
    assert facts(desk).soft_failures == ()


@pytest.mark.parametrize(
    "name",
    [LOCAL, "(415) 555-0177", "support", "MG0123456789"],
    ids=["e164", "us", "id", "service"],
)
def test_a_sender_is_a_number_an_id_or_a_service(
    desk: Service, subscriber: Contact, name: str
) -> None:
    group = replace(SENDERS[1], id="support", service="MG0123456789")
    desk = replace(desk, senders=[SENDERS[0], group])
    take(desk, event(desk, "opt_out", sender=name))
    gates = {gate.sender for gate in profile(desk, subscriber.id, AGENT).by_sender["support"].gates}

    assert LOCAL in gates


def test_the_same_id_twice_changes_nothing(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    unstop = event(desk, "opt_in_keyword", sender=LOCAL)
    assert take(desk, unstop, unstop) == ["applied", "duplicate"]
    clock.advance(HOUR)
    take(desk, event(desk, "opt_out", sender=LOCAL))
    before = told(desk)

    assert take(desk, replace(unstop, occurred_at=clock())) == ["duplicate"]
    assert told(desk) == before
    assert block(desk) is BlockState.BLOCKED


def test_two_programs_may_use_the_same_ids(desk: Service, subscriber: Contact) -> None:
    one = event(desk, "reply", text="STOP")
    first = take_events(desk, [one], NEWSLETTER)
    second = take_events(desk, [one], SHOP)

    assert [r.outcome for r in (*first, *second)] == ["applied", "applied"]
    assert [e.source for e in told(desk, subscriber.id)[-2:]] == [
        "provider:api:newsletter",
        "provider:api:shop",
    ]


def test_an_opt_out_of_nobody_is_kept(desk: Service) -> None:
    take(desk, event(desk, "opt_out"))
    ana = add(desk, Details(name="Ana", phone=PHONE), AGENT)

    assert kept(desk, PHONE).refusal is not None
    assert ana.consent(Channel.SMS).refused


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": None}, "type"),
        ({"address": "12"}, "address"),
        ({"address": "ana@"}, "address"),
        ({"address": ""}, "address"),
        ({"id": ""}, "id"),
        ({"id": "x" * 256}, "id"),
        ({"occurred_at": None}, "occurred_at"),
        ({"occurred_at": datetime(2126, 1, 1, tzinfo=UTC)}, "occurred_at"),
        ({"occurred_at": datetime(2026, 1, 1)}, "occurred_at"),  # noqa: DTZ001 - no zone
        ({"sent_at": datetime(2126, 1, 1, tzinfo=UTC)}, "sent_at"),
        ({"text": None}, "text"),
        ({"text": "x" * 5_001}, "text"),
        ({"sender": "x" * 301}, "sender"),
        ({"address": MAILBOX}, "address"),
        ({"type": EventType.OPT_IN_KEYWORD}, "sender"),
        ({"type": EventType.COMPLAINT}, "address"),
        ({"problem": Invalid("There is no field colour.", field="colour")}, "colour"),
    ],
)
def test_a_bad_one_is_an_error_in_its_place_and_the_others_are_taken(
    desk: Service, subscriber: Contact, wrong: dict[str, Any], field: str
) -> None:
    good = event(desk, "bounce", MAILBOX, hard=True)
    bad = replace(event(desk, "reply", text="hello"), **wrong)
    other = event(desk, "opt_out", OTHER_PHONE)
    first, second, third = take_events(desk, [good, bad, other], NEWSLETTER)

    assert (first.outcome, second.outcome, third.outcome) == ("applied", "error", "applied")
    assert second.problem is not None
    assert second.problem.field == field
    assert facts(desk, MAILBOX).bounce is Bounce.YES
    assert kept(desk, OTHER_PHONE).refusal is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": ""},
        {"occurred_at": None},
        {"occurred_at": datetime(2126, 1, 1, tzinfo=UTC)},
        {"text": "x" * 2**20},
        {"problem": Invalid("There is no field colour.", field="colour")},
    ],
)
@pytest.mark.parametrize("type", ["opt_out", "unsubscribe", "complaint"])
@pytest.mark.parametrize("address", [PHONE, MAILBOX])
def test_no_opt_out_is_lost_by_a_wrong_field_beside_it(
    desk: Service, subscriber: Contact, wrong: dict[str, Any], type: str, address: str
) -> None:
    bad = replace(event(desk, type, address), **wrong)
    [first] = take_events(desk, [bad], NEWSLETTER)
    before = told(desk)
    [again] = take_events(desk, [bad], NEWSLETTER)

    assert (first.outcome, first.opted_out) == ("error", True)
    assert again == replace(first, problem=again.problem)
    assert told(desk) == before
    assert consent(desk, subscriber, address).refused
    assert consent(desk, subscriber, address).since == desk.now()


def test_what_was_wrong_is_taken_once_it_is_right(desk: Service, subscriber: Contact) -> None:
    bad = replace(event(desk, "opt_out", sender=LOCAL), occurred_at=None)
    take(desk, bad)

    assert take(desk, replace(bad, occurred_at=desk.now())) == ["applied"]
    assert block(desk) is BlockState.BLOCKED


def test_a_clock_that_is_minutes_ahead_means_now(desk: Service, subscriber: Contact) -> None:
    late = event(desk, "opt_out", occurred_at=desk.now() + timedelta(minutes=4))

    assert take(desk, late) == ["applied"]
    assert consent(desk, subscriber).since == desk.now()


def test_hostile_text_changes_nothing_but_what_it_says(desk: Service, subscriber: Contact) -> None:
    hostile = "\x00\ud800<!channel> \u202e'; DROP TABLE contacts; --"
    results = take(
        desk,
        event(desk, "reply", text=hostile, id=hostile),
        event(desk, "bounce", MAILBOX, hard=True, reason=hostile, code=hostile, id=hostile),
        event(desk, "unsubscribe", MAILBOX, scope=hostile, id=hostile + "2"),
    )

    assert "error" not in results
    assert verify(desk).problem is None
    assert profile(desk, subscriber.id, AGENT).decisions[Channel.EMAIL].answer is Answer.NO


def test_no_event_makes_a_yes(desk: Service) -> None:
    ana = add(desk, Details(name="Ana", phone=PHONE, email=MAILBOX), AGENT)
    take(
        desk,
        event(desk, "opt_in_keyword", sender=LOCAL, text="START"),
        event(desk, "reply", text="YES"),
        event(desk, "delivered"),
        event(desk, "delivered", MAILBOX),
    )

    assert consent(desk, ana).on is UNSET
    assert consent(desk, ana, MAILBOX).on is UNSET


def test_people_state_no_events(desk: Service) -> None:
    with pytest.raises(NotAllowed):
        take_events(desk, [event(desk, "opt_out")], AGENT)


def test_an_empty_list_is_no_event(desk: Service) -> None:
    assert take_events(desk, [], NEWSLETTER) == []

"""Replies that may be opt-outs, listed and answered without an alert channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.alerts import AlertKind
from bot.consent.errors import Changed, NotAllowed, NotFound, Refused
from bot.consent.log.entries import EntryKind
from bot.consent.model import UNSET, Channel, ConsentValue, Contact, Origin
from bot.consent.use_cases import Details, Service, add, edit, erase, profile, verify
from bot.consent.use_cases.alerts.held_replies import (
    HeldReply,
    answer_hold,
    held_replies,
    held_reply,
    held_reply_of,
)
from bot.consent.use_cases.alerts.reviews import answer_review, expire_reviews
from bot.consent.use_cases.ingest import ingest
from bot.runtime.clock import Stopped
from tests.support.alerts_fixtures import reply
from tests.support.consent_fixtures import AGENT, MANAGER, NOBODY, OPERATOR, told

PHONE, OTHER = "+14155550100", "+14155550111"
TEXT = "please stop texting me"


@pytest.fixture
def ana(service: Service) -> Contact:
    return add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)


def writes(service: Service, text: str = TEXT, phone: str = PHONE) -> None:
    """A contact or a stranger texts us now."""
    ingest(service, [reply(text, phone, occurred_at=service.now())])


def forget_alerts(service: Service) -> None:
    """The outbox has no alert any more, as in a storage that came from elsewhere."""
    with service.store.transaction() as records:
        for alert in list(records.outbox.all()):
            records.outbox.remove(alert.id)


def held(service: Service, contact: Contact) -> bool:
    return profile(service, contact.id, AGENT).facts[Channel.SMS].hold is not None


def sms(service: Service, contact: Contact) -> ConsentValue:
    return profile(service, contact.id, AGENT).contact.consent(Channel.SMS).on


# What waits


def test_what_waits_is_listed_the_oldest_first_with_its_deadline(
    service: Service, ana: Contact, clock: Stopped
) -> None:
    since = clock()
    writes(service)
    clock.advance(timedelta(minutes=1))
    writes(service, "take me off your list", OTHER)

    first, second = held_replies(service, AGENT)

    assert first == HeldReply(
        id=first.id,
        channel=Channel.SMS,
        contact=profile(service, ana.id, AGENT).contact,
        masked="ending 0100",
        text=TEXT,
        since=since,
        deadline=service.deadline(since),
    )
    assert (second.contact, second.masked, second.text) == (
        None,
        "ending 0111",
        "take me off your list",
    )


def test_pages_of_what_waits_go_on_behind_a_reply_that_was_answered_meanwhile(
    service: Service, clock: Stopped
) -> None:
    for number in range(5):
        writes(service, f"{TEXT} {number}", f"+1415555010{number}")
        clock.advance(timedelta(seconds=1))

    page = held_replies(service, AGENT, limit=2)
    assert [r.text[-1] for r in page] == ["0", "1"]
    answer_review(service, page[-1].id or "", False, AGENT)
    page = held_replies(service, AGENT, after=page[-1].id, limit=2)
    assert [r.text[-1] for r in page] == ["2", "3"]
    (last,) = held_replies(service, AGENT, after=page[-1].id, limit=2)
    assert last.text[-1] == "4"
    with pytest.raises(NotFound):
        held_replies(service, AGENT, after="0" * 32)


def test_a_stranger_who_became_a_contact_is_listed_by_name(service: Service) -> None:
    writes(service)
    ana = add(service, Details(name="Ana Gómez", phone=PHONE), AGENT)

    (waiting,) = held_replies(service, AGENT)

    assert waiting.contact is not None
    assert waiting.contact.id == ana.id


def test_what_was_erased_waits_for_nobody(service: Service, ana: Contact) -> None:
    writes(service)
    erase(service, ana.id, OPERATOR)

    assert held_replies(service, AGENT) == []


def test_a_reply_waits_on_for_whoever_shares_the_number_with_somebody_who_was_erased(
    service: Service, ana: Contact
) -> None:
    leo = add(service, Details(name="Leo", phone=PHONE), AGENT)
    writes(service)
    erase(service, ana.id, OPERATOR)

    (waiting,) = held_replies(service, AGENT)

    assert waiting.contact is not None
    assert (waiting.contact.id, waiting.masked, waiting.text) == (leo.id, "ending 0100", "")
    assert answer_hold(service, leo.id, Channel.SMS, True, AGENT).won
    assert sms(service, leo) is ConsentValue.NO


def test_an_answered_reply_is_shown_with_its_answer(service: Service, ana: Contact) -> None:
    writes(service)
    (waiting,) = held_replies(service, AGENT)
    assert held_reply_of(service, ana.id, Channel.SMS, AGENT) == waiting
    answer_review(service, waiting.id or "", False, MANAGER, reason="She means the other shop")

    assert held_replies(service, AGENT) == []
    assert held_reply(service, waiting.id or "", AGENT) == replace(
        waiting,
        contact=profile(service, ana.id, AGENT).contact,
        refusal=False,
        answered_by=MANAGER.id,
        answered_at=service.now(),
    )
    assert told(service)[-1].reason == f"“{TEXT}” (She means the other shop) was read as no opt-out"


# The answer


@pytest.mark.parametrize("with_alert", [True, False])
@pytest.mark.parametrize("refusal", [True, False])
def test_the_hold_of_a_contact_is_answered_with_and_without_its_alert(
    service: Service, ana: Contact, clock: Stopped, with_alert: bool, refusal: bool
) -> None:
    leo = add(service, Details(name="Leo", phone=PHONE), AGENT)
    writes(service)
    since = clock()
    clock.advance(timedelta(hours=1))
    if not with_alert:
        forget_alerts(service)
    shown = held_reply_of(service, ana.id, Channel.SMS, AGENT)
    assert (shown.text, shown.since, shown.id is not None) == (TEXT, since, with_alert)
    answer = answer_hold(service, ana.id, Channel.SMS, refusal, AGENT)

    assert (answer.won, answer.refusal, answer.by, answer.at) == (True, refusal, AGENT.id, clock())
    assert held_replies(service, AGENT) == []
    assert expire_reviews(service) == 0
    word = "an" if refusal else "no"
    for contact in (ana, leo):
        assert not held(service, contact)
        consent = profile(service, contact.id, AGENT).contact.consent(Channel.SMS)
        entries = [e for e in told(service, contact.id) if e.recorded_at == clock()]
        assert {e.reason for e in entries} == {f"“{TEXT}” was read as {word} opt-out"}
        if refusal:
            assert (consent.on, consent.by, consent.since) == (
                ConsentValue.NO,
                Origin.CONTACT,
                since,
            )
            assert [e.kind for e in entries] == [EntryKind.CONSENT, EntryKind.HOLD]
        else:
            assert consent == UNSET
            assert [e.kind for e in entries] == [EntryKind.HOLD]
    assert verify(service).problem is None


def test_the_entries_are_those_of_an_answered_alert(service: Service, ana: Contact) -> None:
    bo = add(service, Details(name="Bo", phone=OTHER), AGENT)
    writes(service)
    writes(service, TEXT, OTHER)
    review = next(r for r in held_replies(service, AGENT) if r.masked == "ending 0111")
    answer_hold(service, ana.id, Channel.SMS, True, AGENT)
    answer_review(service, review.id or "", True, AGENT)

    def told_of(contact: Contact) -> list[object]:
        bare = {"id": "", "contact": "", "address": "", "salt": "", "seq": 0, "digest": ""}
        return [replace(e, **bare, hash="") for e in told(service, contact.id)[2:]]  # type: ignore[arg-type]

    assert told_of(ana) == told_of(bo)


@pytest.mark.parametrize("with_alert", [True, False])
def test_the_first_answer_wins_and_the_second_learns_whose_it_was(
    service: Service, ana: Contact, clock: Stopped, with_alert: bool
) -> None:
    writes(service)
    if not with_alert:
        forget_alerts(service)
    first = answer_hold(service, ana.id, Channel.SMS, False, AGENT)
    clock.advance(timedelta(minutes=3))
    entries = len(told(service))
    second = answer_hold(service, ana.id, Channel.SMS, True, MANAGER)

    assert second == replace(first, won=False)
    assert len(told(service)) == entries
    assert sms(service, ana) is ConsentValue.UNSET


def test_an_answer_at_the_alert_and_one_at_the_deadline_win_too(
    service: Service, ana: Contact, clock: Stopped
) -> None:
    bo = add(service, Details(name="Bo", phone=OTHER), AGENT)
    writes(service)
    writes(service, TEXT, OTHER)
    review = next(r for r in held_replies(service, AGENT) if r.masked == "ending 0100")
    answer_review(service, review.id or "", False, MANAGER)
    clock.advance(timedelta(days=10))
    assert expire_reviews(service) == 1

    of_ana = answer_hold(service, ana.id, Channel.SMS, True, AGENT)
    of_bo = answer_hold(service, bo.id, Channel.SMS, False, AGENT)
    assert (of_ana.won, of_ana.refusal, of_ana.by) == (False, False, MANAGER.id)
    assert (of_bo.won, of_bo.refusal, of_bo.by) == (False, True, "system")
    assert sms(service, bo) is ConsentValue.NO


def test_nobody_answers_another_reply_than_the_one_that_they_saw(
    service: Service, ana: Contact, clock: Stopped
) -> None:
    writes(service, "wrong number")
    seen = clock()
    answer_hold(service, ana.id, Channel.SMS, False, MANAGER, since=seen)
    clock.advance(timedelta(minutes=1))
    writes(service)

    with pytest.raises(Changed):
        answer_hold(service, ana.id, Channel.SMS, False, AGENT, since=seen)
    assert held(service, ana)


def test_a_contact_of_whom_no_reply_ever_waited_has_none_to_answer(
    service: Service, ana: Contact
) -> None:
    leo = add(service, Details(name="Leo", email="leo@example.com"), AGENT)

    for contact in (ana, leo):
        with pytest.raises(Refused, match="No reply of this contact waits"):
            answer_hold(service, contact.id, Channel.SMS, True, AGENT)
        with pytest.raises(Refused, match="No reply of this contact waits"):
            held_reply_of(service, contact.id, Channel.SMS, AGENT)


def test_a_hold_stays_with_the_number_that_it_was_of(service: Service, ana: Contact) -> None:
    writes(service)
    edit(service, ana.id, Details(name="Ana Gómez", phone=OTHER), AGENT)

    with pytest.raises(Refused):
        answer_hold(service, ana.id, Channel.SMS, True, AGENT)
    (waiting,) = held_replies(service, AGENT)
    assert waiting.contact is not None
    assert (waiting.contact.id, waiting.masked) == (ana.id, "ending 0100")


def test_who_is_nobody_here_neither_reads_nor_answers(service: Service, ana: Contact) -> None:
    writes(service)
    (waiting,) = held_replies(service, AGENT)
    entries = told(service)

    with pytest.raises(NotAllowed):
        held_replies(service, NOBODY)
    with pytest.raises(NotAllowed):
        held_reply(service, waiting.id or "", NOBODY)
    with pytest.raises(NotAllowed):
        held_reply_of(service, ana.id, Channel.SMS, NOBODY)
    with pytest.raises(NotAllowed):
        answer_hold(service, ana.id, Channel.SMS, True, NOBODY)
    assert told(service) == entries


def test_only_a_review_is_a_held_reply(service: Service, ana: Contact) -> None:
    ingest(replace(service, alert_channel="C0ALERTS"), [reply("STOP")])
    with service.store.reading() as records:
        (alert,) = records.outbox.all()
    assert alert.kind is AlertKind.STOP

    assert held_replies(service, AGENT) == []
    with pytest.raises(NotFound):
        held_reply(service, alert.id, AGENT)

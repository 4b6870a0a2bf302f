"""Adding and editing contacts: a new phone number or mailbox is a new address."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.errors import Changed, Invalid, NeedsManager, NotAllowed, Refused
from bot.consent.log.changes import ConsentChanged
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue, Contact, LineType, Origin
from bot.consent.rules import Reason
from bot.consent.use_cases import (
    Details,
    Service,
    StatusUpdate,
    add,
    change,
    edit,
    find,
    profile,
    verify,
)
from bot.consent.use_cases.cases.complete import RE_OPT_IN
from bot.consent.use_cases.record import Recorder
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import AGENT, NOBODY, OTHER_AGENT, stop, told

OLD, NEW = "+14155550100", "+14155550111"
YES = StatusUpdate(sms=ConsentValue.YES, evidence="web form")


@pytest.fixture
def ana(service: Service) -> Contact:
    return add(service, Details(name="Ana Gómez", phone=OLD, email="Ana@Example.com"), AGENT)


def answer(service: Service, contact: Contact, channel: Channel = Channel.SMS) -> str:
    return profile(service, contact.id, AGENT).decisions[channel].answer


def test_a_new_contact_has_what_was_typed_and_one_entry(service: Service, ana: Contact):
    assert (ana.phone, ana.line, ana.email, ana.version) == (
        OLD,
        LineType.MOBILE,
        "Ana@Example.com",
        1,
    )
    assert ana.keys == (OLD, "ana@example.com")
    assert [(e.kind, e.after) for e in told(service)] == [(EntryKind.CONTACT, "added")]


@pytest.mark.parametrize(
    ("details", "field"),
    [
        (Details(phone=OLD), "name"),
        (Details(name="  \u200b ", phone=OLD), "name"),
        (Details(name="\0", phone=OLD), "name"),
        (Details(name="Bo"), "phone"),
        (Details(name="Bo", phone=" ", email=""), "phone"),
        (Details(name="Bo", phone="12345", email="bo@example.com"), "phone"),
        (Details(name="Bo", email="bo at example"), "email"),
        (Details(name="B" * 10_000, phone=OLD), "name"),
        (Details(name="Bo", phone=OLD, company="C" * 1_001), "company"),
    ],
)
def test_what_is_no_contact_is_refused_at_the_field_that_is_wrong(
    service: Service, details: Details, field: str
):
    with pytest.raises(Invalid) as refusal:
        add(service, details, AGENT)

    assert refusal.value.field == field
    assert told(service) == []


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  Ana \t Gómez ", "Ana Gómez"),
        ("\u202eAna\u202c", "Ana"),
        ("Ana\0\x1b[31m", "Ana\ufffd[31m"),
        ("Ana\ud800", "Ana\ufffd"),
        ("<!channel>", "<!channel>"),
        ("אנה 🙂", "אנה 🙂"),
        ("N" * 1_000, "N" * 1_000),
    ],
)
def test_a_name_is_kept_as_far_as_it_can_be_seen_and_stored(
    service: Service, typed: str, kept: str
):
    contact = add(service, Details(name=typed, phone=OLD), AGENT)

    assert profile(service, contact.id, AGENT).contact.name == kept
    assert verify(service).problem is None


@pytest.mark.parametrize("name", ["Ana Gómez", "ANA  GOMEZ", "ana-gomez"])
def test_the_same_person_is_not_added_twice_to_a_number_or_mailbox(
    service: Service, ana: Contact, name: str
):
    with pytest.raises(Refused):
        add(service, Details(name=name, phone="(415) 555-0100"), AGENT)
    with pytest.raises(Refused):
        add(service, Details(name=name, email="ANA@example.com"), AGENT)
    assert len(told(service)) == 1


@pytest.mark.parametrize(
    ("reason", "anas"), [(Reason.WRONG_PERSON, "yes"), (Reason.PHONE, "no"), (None, "no")]
)
def test_what_one_of_two_at_a_number_refused_holds_for_both_and_what_staff_refused_for_one(
    service: Service, ana: Contact, reason: str | None, anas: str
):
    bo = add(service, Details(name="Bo", phone=OLD), AGENT)
    for contact in (ana, bo):
        change(service, contact.id, YES, AGENT)
    (made,) = change(
        service, bo.id, StatusUpdate(sms=ConsentValue.NO, reason=reason), AGENT
    ).changes
    consent = profile(service, ana.id, AGENT).contact.consent(Channel.SMS)

    assert (answer(service, ana), answer(service, bo)) == (anas, "no")
    assert made.also == (() if anas == "yes" else ("Ana Gómez",))
    assert consent.refused is (anas == "no")
    assert profile(service, ana.id, AGENT).shared[Channel.SMS] == 1


def test_nobody_agrees_for_another_at_the_same_number(service: Service, ana: Contact):
    bo = add(service, Details(name="Bo", phone=OLD), AGENT)
    change(service, ana.id, YES, AGENT)

    assert answer(service, ana) == "yes"
    assert profile(service, bo.id, AGENT).contact.consent(Channel.SMS).on is ConsentValue.UNSET


def test_a_second_contact_at_a_number_that_refused_starts_at_no(
    service: Service, ana: Contact, clock: Stopped
):
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    since = clock()
    clock.advance(timedelta(days=1))
    bo = add(service, Details(name="Bo", phone=OLD), AGENT)
    consent = bo.consent(Channel.SMS)

    assert (consent.on, consent.by, consent.since) == (ConsentValue.NO, Origin.CONTACT, since)
    with pytest.raises(NeedsManager):
        change(service, bo.id, YES, AGENT)


def test_an_external_id_belongs_to_one_contact(service: Service, ana: Contact):
    edit(service, ana.id, Details(external_id="crm-1"), AGENT)
    with pytest.raises(Refused) as refusal:
        add(service, Details(name="Bo", phone=NEW, external_id="crm-1"), AGENT)

    bo = add(service, Details(name="Bo", phone=NEW), AGENT)
    with pytest.raises(Refused):
        edit(service, bo.id, Details(external_id=" crm-1 "), AGENT)
    assert refusal.value.field == "external_id"
    assert edit(service, ana.id, Details(external_id="crm-1"), AGENT).version == 2


def test_a_new_number_inherits_nothing_and_the_old_one_keeps_its_own(
    service: Service, ana: Contact
):
    change(service, ana.id, YES, AGENT)
    moved = edit(service, ana.id, Details(phone=NEW), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.CORRECTION), AGENT)
    back = edit(service, ana.id, Details(phone=OLD), AGENT)

    assert moved.consent(Channel.SMS).on is ConsentValue.UNSET
    assert back.consent(Channel.SMS).on is ConsentValue.YES
    assert back.consents[NEW].on is ConsentValue.NO
    assert answer(service, ana) == "yes"


def test_what_the_contact_refused_goes_along_to_a_new_number_and_back_with_its_old_date(
    service: Service, ana: Contact, clock: Stopped
):
    change(service, ana.id, YES, AGENT)
    edit(service, ana.id, Details(phone=NEW), AGENT)
    clock.advance(timedelta(days=1))
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    since = clock()
    clock.advance(timedelta(days=1))
    back = edit(service, ana.id, Details(phone=OLD), AGENT)
    third = edit(service, ana.id, Details(phone="+1 415 555 0122"), AGENT)

    for moved in (back, third):
        consent = moved.consent(Channel.SMS)
        assert (consent.on, consent.by, consent.since) == (ConsentValue.NO, Origin.CONTACT, since)
    assert back.consents[NEW].refused
    carried = told(service, ana.id)[-1]
    assert (carried.actor, carried.reason) == ("system", "Refused at an earlier address")
    assert "act" in (carried.changes or {})


def test_a_refused_number_is_refused_still_when_its_contact_comes_back_to_it(
    service: Service, ana: Contact
):
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    edit(service, ana.id, Details(phone=""), AGENT)
    edit(service, ana.id, Details(phone=OLD), AGENT)

    assert profile(service, ana.id, AGENT).contact.consent(Channel.SMS).refused


def test_a_mailbox_in_other_letters_is_the_same_address(service: Service, ana: Contact):
    change(service, ana.id, StatusUpdate(email=ConsentValue.NO), AGENT)
    edited = edit(service, ana.id, Details(email=" ANA@EXAMPLE.COM "), AGENT)

    # It is shown as it was written last, and nothing else is different.
    assert (edited.version, edited.email) == (3, "ANA@EXAMPLE.COM")
    assert told(service)[-1].changes == {"email": ("Ana@Example.com", "ANA@EXAMPLE.COM")}
    assert edited.consents.keys() == {"ana@example.com"}
    assert edited.consent(Channel.EMAIL).refused


def test_a_landline_is_kept_and_cannot_get_texts(service: Service, ana: Contact):
    edit(service, ana.id, Details(phone="+44 20 7946 0958"), AGENT)
    change(service, ana.id, YES, AGENT)
    landline = profile(service, ana.id, AGENT)
    edit(service, ana.id, Details(phone="+44 7911 123456"), AGENT)

    assert [g.code for g in landline.decisions[Channel.SMS].gates] == ["invalid_address"]
    assert profile(service, ana.id, AGENT).contact.line is LineType.MOBILE


def test_the_last_address_and_the_name_cannot_be_taken_away(service: Service, ana: Contact):
    edit(service, ana.id, Details(phone=""), AGENT)
    with pytest.raises(Invalid):
        edit(service, ana.id, Details(email=""), AGENT)
    with pytest.raises(Invalid):
        edit(service, ana.id, Details(name=" "), AGENT)


def test_who_edits_upon_a_change_of_somebody_else_is_told(service: Service, ana: Contact):
    change(service, ana.id, YES, OTHER_AGENT)
    with pytest.raises(Changed):
        edit(service, ana.id, Details(name="Anna"), AGENT, version=1)

    assert profile(service, ana.id, AGENT).contact.name == "Ana Gómez"


def test_an_edit_that_changes_nothing_writes_nothing(service: Service, ana: Contact):
    edit(service, ana.id, Details(name="Ana Gómez", phone="(415) 555-0100"), AGENT)

    assert len(told(service)) == 1


def test_an_edit_says_each_field_before_and_after(service: Service, ana: Contact):
    edit(service, ana.id, Details(name="Anna", phone="+44 20 7946 0958"), AGENT)

    assert told(service)[-1].changes == {
        "name": ("Ana Gómez", "Anna"),
        "phone": (OLD, "+442079460958"),
        "line": ("mobile", "landline"),
    }


def test_who_is_nobody_here_adds_and_edits_nothing(service: Service, ana: Contact):
    with pytest.raises(NotAllowed):
        add(service, Details(name="Bo", phone=NEW), NOBODY)
    with pytest.raises(NotAllowed):
        edit(service, ana.id, Details(name="Bo"), NOBODY)
    with pytest.raises(NotAllowed):
        find(service, "Ana", NOBODY)


# Refusals at a number that nobody has


def test_a_stop_from_a_number_that_nobody_has_is_kept_for_who_appears_with_it(service: Service):
    stop(service, OLD)
    ana = add(service, Details(name="Ana", phone=OLD), AGENT)

    consent = ana.consent(Channel.SMS)
    assert (consent.on, consent.by, consent.actor) == (ConsentValue.NO, Origin.CONTACT, "system")
    assert answer(service, ana) == "no"


def test_a_stop_at_a_number_that_its_contact_had_left_is_found_on_coming_back(
    service: Service, ana: Contact, clock: Stopped
):
    change(service, ana.id, YES, AGENT)
    edit(service, ana.id, Details(phone=NEW), AGENT)
    clock.advance(timedelta(days=1))
    stop(service, OLD)
    back = edit(service, ana.id, Details(phone=OLD), AGENT)

    assert back.consent(Channel.SMS).refused
    assert told(service, ana.id)[-1].before == "YES"
    assert verify(service).problem is None


def test_a_yes_that_is_newer_than_a_kept_stop_stands_on_coming_back(
    service: Service, clock: Stopped
):
    stop(service, OLD)
    clock.advance(timedelta(days=1))
    ana = add(service, Details(name="Ana", phone=OLD), AGENT)
    with service.store.transaction() as records:
        # What an approved case will do.
        Recorder(
            service=service, records=records, actor="slack:U0MANAGER", source="slack", now=clock()
        ).record(
            ana,
            ConsentChanged(by=Origin.CONTACT, before="NO", after="YES", reason=RE_OPT_IN),
            address=OLD,
            channel=Channel.SMS,
        )
    edit(service, ana.id, Details(phone=NEW), AGENT)
    back = edit(service, ana.id, Details(phone=OLD), AGENT)

    assert back.consent(Channel.SMS).on is ConsentValue.YES

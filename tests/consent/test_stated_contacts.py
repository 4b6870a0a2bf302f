"""A program puts and patches contacts by the company's own id."""

from __future__ import annotations

import pytest

from bot.consent.errors import Changed, Invalid, NotFound, Refused
from bot.consent.model import Channel, ConsentValue, LineType
from bot.consent.use_cases import Details, Service, add, erase, find
from bot.consent.use_cases.stated.stated_contacts import patch_contact, put_contact
from tests.support.consent_fixtures import AGENT, OPERATOR, told
from tests.support.stated_fixtures import NEWSLETTER, say
from tests.support.take_fixtures import MAILBOX, OTHER_PHONE, PHONE, consent, tell, text

ANA = Details(name="Ana Gómez", phone="(415) 555-0100", email=MAILBOX, company="Acme")


def test_an_unknown_id_makes_a_contact(desk: Service) -> None:
    done = put_contact(desk, "42", ANA, NEWSLETTER)
    contact = done.contact

    assert (done.created, done.changed) == (True, True)
    assert (contact.external_id, contact.name, contact.company) == ("42", "Ana Gómez", "Acme")
    assert (contact.phone, contact.line, contact.email) == (PHONE, LineType.MOBILE, MAILBOX)
    assert contact.consents == {}
    assert told(desk, contact.id)[-1].actor == NEWSLETTER.id


def test_the_same_once_more_changes_nothing(desk: Service) -> None:
    first = put_contact(desk, "42", ANA, NEWSLETTER)
    before = told(desk)
    second = put_contact(desk, " 42 ", ANA, NEWSLETTER)

    assert (second.created, second.changed, second.contact) == (False, False, first.contact)
    assert told(desk) == before


def test_a_known_id_is_updated_and_what_is_not_given_stays(desk: Service) -> None:
    put_contact(desk, "42", ANA, NEWSLETTER)
    done = put_contact(desk, "42", Details(name="Eve", phone=OTHER_PHONE), NEWSLETTER)

    assert (done.created, done.changed) == (False, True)
    assert (done.contact.name, done.contact.phone, done.contact.email) == (
        "Eve",
        OTHER_PHONE,
        MAILBOX,
    )


def test_an_empty_detail_is_taken_away(desk: Service) -> None:
    put_contact(desk, "42", ANA, NEWSLETTER)
    done = put_contact(desk, "42", Details(phone="", company=""), NEWSLETTER)

    assert (done.contact.phone, done.contact.company) == (None, "")


@pytest.mark.parametrize(
    ("external_id", "details", "field"),
    [
        ("42", Details(phone=PHONE), "name"),
        ("42", Details(name=" \u200b", phone=PHONE), "name"),
        ("42", Details(name="Ana"), "phone"),
        ("42", Details(name="Ana", phone="12"), "phone"),
        ("42", Details(name="Ana", email="ana@"), "email"),
        ("42", Details(name="x" * 1_001, phone=PHONE), "name"),
        ("x" * 1_001, ANA, "external_id"),
        (" ", ANA, "external_id"),
        ("N/A", ANA, "external_id"),
        ("0", ANA, "external_id"),
        ("7.00123E+12", ANA, None),
    ],
)
def test_what_is_no_contact_is_refused_by_its_field(
    desk: Service, external_id: str, details: Details, field: str | None
) -> None:
    with pytest.raises(Invalid) as refusal:
        put_contact(desk, external_id, details, NEWSLETTER)

    assert refusal.value.field == field
    assert told(desk) == []


def test_the_last_address_is_not_taken_away(desk: Service) -> None:
    put_contact(desk, "42", ANA, NEWSLETTER)
    with pytest.raises(Invalid):
        put_contact(desk, "42", Details(phone="", email=""), NEWSLETTER)


def test_a_contact_without_an_id_gets_it_by_name_and_address(desk: Service) -> None:
    known = add(desk, Details(name="ANA GOMEZ", phone=PHONE), AGENT)
    done = put_contact(desk, "42", ANA, NEWSLETTER)

    assert (done.created, done.contact.id, done.contact.external_id) == (False, known.id, "42")


def test_another_name_at_the_same_number_is_another_contact(desk: Service) -> None:
    known = add(desk, Details(name="Bo", phone=PHONE), AGENT)
    done = put_contact(desk, "42", ANA, NEWSLETTER)

    assert done.created
    assert done.contact.id != known.id


def test_a_new_contact_starts_at_no_where_the_address_opted_out(desk: Service) -> None:
    tell(desk, text("STOP"))
    done = put_contact(desk, "42", ANA, NEWSLETTER)

    assert done.contact.consent(Channel.SMS).refused


def test_a_refusal_goes_along_to_a_new_number(desk: Service) -> None:
    ana = put_contact(desk, "42", ANA, NEWSLETTER).contact
    say(desk, ana, "no")
    put_contact(desk, "42", Details(phone=OTHER_PHONE), NEWSLETTER)

    assert consent(desk, ana, OTHER_PHONE).refused
    assert consent(desk, ana, PHONE).on is ConsentValue.NO


def test_an_erased_contact_is_not_brought_back_by_its_id(desk: Service) -> None:
    ana = put_contact(desk, "42", ANA, NEWSLETTER).contact
    say(desk, ana, "no")
    erase(desk, ana.id, OPERATOR)
    again = put_contact(desk, "42", ANA, NEWSLETTER)

    assert again.created
    assert again.contact.id != ana.id
    assert again.contact.consent(Channel.SMS).refused


def test_a_put_with_an_old_version_is_refused(desk: Service) -> None:
    first = put_contact(desk, "42", ANA, NEWSLETTER).contact
    put_contact(desk, "42", Details(company="New"), NEWSLETTER, version=first.version)

    with pytest.raises(Changed):
        put_contact(desk, "42", Details(company="Old"), NEWSLETTER, version=first.version)
    with pytest.raises(Changed):
        put_contact(desk, "43", ANA, NEWSLETTER, version=1)


def test_a_patch_changes_what_it_names_at_the_version_it_saw(desk: Service) -> None:
    ana = put_contact(desk, "42", ANA, NEWSLETTER).contact
    done = patch_contact(desk, ana.id, Details(company="New"), NEWSLETTER, version=ana.version)

    assert (done.changed, done.contact.company, done.contact.name) == (True, "New", "Ana Gómez")
    assert done.contact.version == ana.version + 1
    with pytest.raises(Changed):
        patch_contact(desk, ana.id, Details(company="Old"), NEWSLETTER, version=ana.version)


def test_a_patch_moves_no_external_id(desk: Service) -> None:
    ana = put_contact(desk, "42", ANA, NEWSLETTER).contact
    wanted = Details(external_id="43")
    done = patch_contact(desk, ana.id, wanted, NEWSLETTER, version=ana.version)

    assert (done.changed, done.contact.external_id) == (False, "42")


def test_who_is_gone_can_not_be_patched(desk: Service) -> None:
    ana = put_contact(desk, "42", ANA, NEWSLETTER).contact
    after = erase(desk, ana.id, OPERATOR)

    with pytest.raises(Refused):
        patch_contact(desk, ana.id, Details(name="Ana"), NEWSLETTER, version=after.version)
    with pytest.raises(NotFound):
        patch_contact(desk, "f" * 32, Details(name="Ana"), NEWSLETTER, version=1)


def test_hostile_names_are_stored_as_text(desk: Service) -> None:
    name = "=cmd|' /C calc'!A0\x00\u202e<!channel>\ud800"
    put_contact(desk, "42", Details(name=name, phone=PHONE), NEWSLETTER)
    [found] = find(desk, PHONE, AGENT).contacts

    assert found.contact.name == "=cmd|' /C calc'!A0\ufffd<!channel>\ufffd"

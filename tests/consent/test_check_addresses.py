"""A list of addresses, each with its answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.consent.errors import NotAllowed
from bot.consent.log.changes import BlockChanged
from bot.consent.model import BlockState, Channel, ConsentValue
from bot.consent.rules import Answer, Status
from bot.consent.use_cases import (
    AddressVerdict,
    CheckedAddress,
    Details,
    Service,
    StatusUpdate,
    add,
    change,
    check_addresses,
    erase,
    profile,
)
from bot.consent.use_cases.record import Recorder
from handlers.address_list import next_step, read_addresses, reason
from tests.support.consent_fixtures import AGENT, NOBODY, OPERATOR, bounce, stop
from tests.support.storages import on_disk

PHONE, EMAIL = "+14155550100", "ana@example.com"


def yes(service: Service, name: str, *, phone: str | None = None, email: str | None = None) -> str:
    """A contact who agreed to everything; the id."""
    contact = add(service, Details(name=name, phone=phone, email=email), AGENT)
    on = ConsentValue.YES
    wish = StatusUpdate(
        sms=on if phone else None,
        email=on if email else None,
        evidence="Web form",
        reason="Web form",
    )
    change(service, contact.id, wish, AGENT)
    return contact.id


def checked(service: Service, *texts: str) -> list[CheckedAddress]:
    return list(check_addresses(service, texts, AGENT))


def test_each_address_has_the_answer_of_its_card(service: Service) -> None:
    id = yes(service, "Ana", phone=PHONE, email=EMAIL)
    bounce(service, EMAIL)
    sms, email = checked(service, "(415) 555-0100", "ANA@example.com")
    card = profile(service, id, AGENT)

    assert (sms.verdict, email.verdict) == (AddressVerdict.YES, AddressVerdict.NO)
    assert [sms.decision, email.decision] == list(card.decisions.values())
    assert (sms.address, email.address) == (PHONE, "ANA@example.com")


@pytest.mark.parametrize("text", ["", "Ana", "17", "ana@", "+1 555", "12345678901234567890"])
def test_what_is_no_address_says_why_and_stops_no_other(service: Service, text: str) -> None:
    yes(service, "Ana", phone=PHONE)
    wrong, right = checked(service, text, PHONE)

    assert wrong.verdict is AddressVerdict.UNREADABLE
    assert wrong.problem
    assert right.verdict is AddressVerdict.YES


def test_an_address_that_nobody_has_was_never_asked(service: Service) -> None:
    (unknown,) = checked(service, PHONE)

    assert unknown.verdict is AddressVerdict.NO
    assert unknown.decision is not None
    assert unknown.decision.status is Status.NEVER_ASKED
    assert (unknown.contact, unknown.holders) == (None, 0)


@pytest.mark.parametrize("address", [PHONE, EMAIL])
def test_an_opt_out_is_found_when_its_contact_is_gone(service: Service, address: str) -> None:
    phone, email = (None, address) if "@" in address else (address, None)
    id = yes(service, "Ana", phone=phone, email=email)
    stop(service, address)
    erase(service, id, OPERATOR)
    (gone,) = checked(service, address)

    assert gone.verdict is AddressVerdict.NO
    assert gone.decision is not None
    assert gone.decision.status is Status.OPTED_OUT


def test_of_several_contacts_the_one_who_may_be_sent_least_counts(service: Service) -> None:
    yes(service, "Ana", phone=PHONE)
    add(service, Details(name="Ben", phone=PHONE), AGENT)
    (one,) = checked(service, PHONE)

    assert one.verdict is AddressVerdict.NO
    assert one.contact is not None
    assert (one.contact.name, one.holders) == ("Ben", 2)


def test_a_long_list_keeps_its_order_and_repeats(service: Service) -> None:
    yes(service, "Ana", phone=PHONE)
    texts = [f"+1415555{number:04}" for number in range(100, 450)] + [PHONE] * 60
    answers = checked(service, *texts)

    assert [one.text for one in answers] == texts
    assert [one.verdict is AddressVerdict.YES for one in answers] == [t == PHONE for t in texts]


def test_a_check_stores_nothing(service: Service, storage_path: Path) -> None:
    yes(service, "Ana", phone=PHONE)
    before = on_disk(storage_path)
    checked(service, PHONE, "+14155550123", "ben@example.com", "nonsense")

    assert on_disk(storage_path) == before


def test_who_may_not_look_may_not_check(service: Service) -> None:
    with pytest.raises(NotAllowed):
        next(check_addresses(service, [PHONE], NOBODY))


def test_a_block_of_another_sender_is_said_beside_the_answer(service: Service) -> None:
    yes(service, "Ana", phone=PHONE)
    with service.store.transaction() as records:
        recorder = Recorder(
            service=service,
            records=records,
            actor="contact",
            source="provider:twilio",
            now=service.now(),
        )
        recorder.record(
            records.contacts.at(PHONE)[0],
            BlockChanged(sender="+14155550177", before=BlockState.NONE, after=BlockState.BLOCKED),
            address=PHONE,
            channel=Channel.SMS,
        )
    (one,) = checked(service, PHONE)

    assert one.verdict is AddressVerdict.YES
    assert [decision.answer for decision in one.others.values()] == [Answer.NO]
    assert "From Sales: Blocked. The contact replied STOP to" in reason(one)
    assert "texts START to +14155550177" in next_step(one)


def test_every_address_of_a_line_counts_however_it_is_written() -> None:
    text = "Ana <ana@example.com> Ben <ben@example.com>"

    assert [*read_addresses(["＋１４１５５５５０１００", text])] == [
        "＋１４１５５５５０１００",
        "ana@example.com",
        "ben@example.com",
    ]

"""Erasure: the person goes out of every file, the refusal stays as a keyed hash."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.errors import NeedsManager, NotAllowed, NotFound, Refused
from bot.consent.log.entries import EntryKind
from bot.consent.model import (
    Actor,
    AddressFacts,
    BlockState,
    Bounce,
    Channel,
    ConsentValue,
    Contact,
    Evidence,
)
from bot.consent.rules import Reason
from bot.consent.use_cases import (
    Details,
    Row,
    Service,
    StatusUpdate,
    activity,
    add,
    change,
    edit,
    erase,
    find,
    import_rows,
    note,
    profile,
    undo_import,
    verify,
)
from bot.consent.write_backs import WriteState
from bot.runtime.clock import Stopped
from tests.support.consent_fixtures import (
    AGENT,
    MANAGER,
    NOBODY,
    OPERATOR,
    bounce,
    open_service,
    stop,
    told,
)
from tests.support.storages import on_disk
from tests.support.store_fixtures import write_back

pytestmark = pytest.mark.every_storage

PHONE, OTHER_PHONE, MAILBOX = "+14155550100", "+14155550111", "ana@example.com"
NO = StatusUpdate(sms=ConsentValue.NO, email=ConsentValue.NO, reason=Reason.PHONE)
YES = StatusUpdate(sms=ConsentValue.YES, email=ConsentValue.YES, evidence="the form of Ana")


@pytest.fixture
def ana(service: Service) -> Contact:
    return add(
        service,
        Details(
            name="Ana Gómez", phone=PHONE, email=MAILBOX, company="Acme", external_id="crm-ana"
        ),
        AGENT,
    )


def facts(service: Service, address: str) -> AddressFacts:
    with service.store.reading() as records:
        return records.addresses.get(address)


def imported(
    service: Service, name: str, phone: str, on: ConsentValue = ConsentValue.YES
) -> Contact:
    evidence = Evidence(text="web form", at=service.now())
    row = Row(line=2, details=Details(name=name, phone=phone), sms=on, evidence=evidence)
    import_rows(service, [row], file="contacts.csv", actor=OPERATOR)
    return next(p.contact for p in find(service, phone, AGENT).contacts if p.contact.name == name)


def test_nothing_personal_is_left_in_any_file(
    service: Service, ana: Contact, storage_path: Path, clock: Stopped
):
    change(service, ana.id, YES, AGENT)
    change(
        service,
        ana.id,
        StatusUpdate(
            sms=ConsentValue.NO, reason="her sister Zuzana asked", note="lives in Elm Street"
        ),
        AGENT,
    )
    note(service, ana.id, "calls herself Zuzana", AGENT)
    bounce(service, PHONE)
    edit(service, ana.id, Details(name="Ana Zuzana", phone=OTHER_PHONE), AGENT)
    edit(service, ana.id, Details(email="zuzana@example.com"), AGENT)
    erase(service, ana.id, OPERATOR)
    service.store.close()

    kept = on_disk(storage_path)
    for personal in (
        "Ana", "Zuzana", "Gómez", "G\\u00f3mez", "Acme", "crm-ana", "form of", "Elm Street",
        PHONE[2:], OTHER_PHONE[2:], MAILBOX, "zuzana@", "550 5.1.1",
    ):  # fmt: skip
        assert personal.encode() not in kept
    again = open_service(storage_path, clock)
    assert verify(again).problem is None
    again.store.close()


def test_an_erased_contact_is_found_by_nothing_and_answers_no(service: Service, ana: Contact):
    change(service, ana.id, YES, AGENT)
    erase(service, ana.id, OPERATOR)

    for text in ("Ana", PHONE, MAILBOX, "crm-ana"):
        assert find(service, text, AGENT).contacts == []
    erased = profile(service, ana.id, AGENT)
    assert [g.code for g in erased.decisions[Channel.SMS].gates] == ["erased"]
    assert erased.contact == Contact(id=ana.id, version=erased.contact.version, erased=True)


def test_what_happened_when_and_by_whom_stays_in_the_log(service: Service, ana: Contact):
    change(service, ana.id, NO, AGENT)
    erase(service, ana.id, OPERATOR)

    _, entries = activity(service, ana.id, AGENT)
    assert [e.kind for e in entries] == [
        EntryKind.ERASED,
        EntryKind.CONSENT,
        EntryKind.CONSENT,
        EntryKind.CONTACT,
    ]
    assert entries[1].actor == AGENT.id
    assert entries[1].after == "NO"


@pytest.mark.parametrize("who", [NOBODY, AGENT, MANAGER])
def test_erasure_is_made_at_the_command_line(service: Service, ana: Contact, who: Actor):
    with pytest.raises(NotAllowed):
        erase(service, ana.id, who)

    assert profile(service, ana.id, AGENT).contact == ana


def test_who_was_erased_is_changed_by_nothing(service: Service, ana: Contact):
    erase(service, ana.id, OPERATOR)

    for act in (
        lambda: change(service, ana.id, NO, AGENT),
        lambda: edit(service, ana.id, Details(name="Ana"), AGENT),
        lambda: note(service, ana.id, "x", AGENT),
        lambda: erase(service, ana.id, OPERATOR),
    ):
        with pytest.raises(Refused):
            act()
    with pytest.raises(NotFound):
        erase(service, "0" * 32, OPERATOR)


@pytest.mark.parametrize("name", ["Ana Gómez", "A. Gomez"])
def test_a_later_import_cannot_revive_who_refused(service: Service, ana: Contact, name: str):
    change(service, ana.id, NO, AGENT)
    erase(service, ana.id, OPERATOR)
    revived = imported(service, name, PHONE)

    assert revived.consent(Channel.SMS).refused
    assert profile(service, revived.id, AGENT).decisions[Channel.SMS].answer == "no"
    with pytest.raises(NeedsManager):
        change(service, revived.id, YES, AGENT)


def test_who_is_added_or_moves_to_an_erased_refused_address_is_refused_there(
    service: Service, ana: Contact, clock: Stopped
):
    change(service, ana.id, NO, AGENT)
    since = clock()
    erase(service, ana.id, OPERATOR)
    clock.advance(timedelta(days=1))
    added = add(service, Details(name="Ana", email=MAILBOX), AGENT)
    moved = edit(service, added.id, Details(phone=PHONE), AGENT)

    for channel in Channel:
        assert moved.consent(channel).refused
        assert moved.consent(channel).since == since


def test_a_refusal_at_a_former_address_is_kept_too(service: Service, ana: Contact):
    change(service, ana.id, NO, AGENT)
    edit(service, ana.id, Details(phone=OTHER_PHONE), AGENT)
    erase(service, ana.id, OPERATOR)

    # It had gone along with the contact.
    for phone in (PHONE, OTHER_PHONE):
        assert imported(service, "Bo", phone).consent(Channel.SMS).refused
    assert imported(service, "Bo", "+14155550122").consent(Channel.SMS).on is ConsentValue.YES


def test_do_not_contact_is_a_refusal_that_erasure_keeps(service: Service, ana: Contact):
    change(service, ana.id, YES, AGENT)
    change(service, ana.id, StatusUpdate(do_not_contact=True), AGENT)
    erase(service, ana.id, OPERATOR)

    assert imported(service, "Ana Gómez", PHONE).consent(Channel.SMS).refused


def test_what_staff_refused_is_no_refusal_of_the_contact(service: Service, ana: Contact):
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=Reason.WRONG_PERSON), AGENT)
    erase(service, ana.id, OPERATOR)

    assert imported(service, "Bo", PHONE).consent(Channel.SMS).on is ConsentValue.YES


def test_undoing_an_import_of_who_was_erased_keeps_the_refusal(service: Service, ana: Contact):
    change(service, ana.id, NO, AGENT)
    erase(service, ana.id, OPERATOR)
    for _ in range(2):
        row = Row(line=2, details=Details(name="Ana", phone=PHONE), sms=ConsentValue.YES)
        report = import_rows(service, [row], file="contacts.csv", actor=OPERATOR)
        assert report.counts["SMS On kept at NO although the file says YES"] == 1
        assert report.id is not None
        undo_import(service, report.id, OPERATOR)

    assert facts(service, service.hashed(PHONE)).refusal is not None


def test_the_hash_needs_the_key(service: Service):
    assert PHONE not in service.hashed(PHONE)
    assert service.hashed(PHONE).startswith("hash:")
    assert len(service.hashed(PHONE)) == len("hash:") + 64


def test_a_block_is_kept_under_the_hash_and_meets_who_comes_with_the_number(
    service: Service, ana: Contact
):
    stop(service, PHONE, sender="+18885550199")
    erase(service, ana.id, OPERATOR)
    forgotten = facts(service, PHONE)
    bo = add(service, Details(name="Bo", phone=PHONE), AGENT)

    assert forgotten == AddressFacts(address=PHONE)
    gates = profile(service, bo.id, AGENT).decisions[Channel.SMS].gates
    assert [g.code for g in gates] == ["carrier_block", "opted_out"]
    assert facts(service, PHONE).blocks["+18885550199"].state is BlockState.BLOCKED
    assert verify(service).problem is None


# Addresses that more than one person has or had


def test_what_is_known_of_a_shared_address_stays_with_who_still_has_it(
    service: Service, ana: Contact
):
    bounce(service, PHONE)
    bo = add(service, Details(name="Bo", phone=PHONE), AGENT)
    known = facts(service, PHONE)
    erase(service, ana.id, OPERATOR)

    assert facts(service, PHONE) == known
    assert told(service, bo.id)[-1].kind is EntryKind.BOUNCE
    assert verify(service).problem is None


@pytest.mark.parametrize(
    ("reason", "on"), [(Reason.WRONG_PERSON, ConsentValue.YES), (Reason.PHONE, ConsentValue.NO)]
)
def test_who_shares_the_address_keeps_their_own_consent(
    service: Service, ana: Contact, reason: str, on: ConsentValue
):
    bo = add(service, Details(name="Bo", phone=PHONE), AGENT)
    change(service, bo.id, StatusUpdate(sms=ConsentValue.YES, evidence="call"), AGENT)
    change(service, ana.id, StatusUpdate(sms=ConsentValue.NO, reason=reason), AGENT)
    before = profile(service, bo.id, AGENT).contact.consent(Channel.SMS)
    erase(service, ana.id, OPERATOR)

    assert profile(service, bo.id, AGENT).contact.consent(Channel.SMS) == before
    assert before.on is on
    # … and so does whoever comes to the address.
    third = add(service, Details(name="Cy", phone=PHONE), AGENT).consent(Channel.SMS)
    assert third.refused is (on is ConsentValue.NO)
    assert verify(service).problem is None


def test_a_bounce_that_a_former_holders_log_tells_is_still_what_the_log_tells(
    service: Service, ana: Contact
):
    bo = add(service, Details(name="Bo", phone=PHONE), AGENT)
    bounce(service, PHONE)
    edit(service, bo.id, Details(phone=OTHER_PHONE), AGENT)
    erase(service, ana.id, OPERATOR)

    assert facts(service, PHONE).bounce is Bounce.YES
    assert verify(service).problem is None


def test_a_bounce_of_a_number_that_was_replaced_goes_with_its_contact(
    service: Service, ana: Contact
):
    bounce(service, PHONE)
    edit(service, ana.id, Details(phone=OTHER_PHONE), AGENT)
    erase(service, ana.id, OPERATOR)

    assert facts(service, PHONE) == AddressFacts(address=PHONE)
    assert verify(service).problem is None


def test_a_bounce_taken_back_at_a_number_that_nobody_has_goes_with_its_contact(
    service: Service, ana: Contact, storage_path: Path
):
    details = Details(name="Ana Gómez", phone=PHONE)
    row = Row(line=2, details=details, sms_bounce=True)
    report = import_rows(service, [row], file="contacts.csv", actor=OPERATOR)
    edit(service, ana.id, Details(phone=OTHER_PHONE), AGENT)
    assert report.id is not None
    undo_import(service, report.id, OPERATOR)
    erase(service, ana.id, OPERATOR)

    assert verify(service).problem is None
    assert PHONE[2:].encode() not in on_disk(storage_path)


def test_of_two_refusals_at_one_address_the_later_is_kept(
    service: Service, ana: Contact, clock: Stopped
):
    bo = add(service, Details(name="Bo", phone=PHONE), AGENT)
    change(service, ana.id, NO, AGENT)
    clock.advance(timedelta(days=1))
    change(service, bo.id, StatusUpdate(sms=ConsentValue.NO), AGENT)
    later = clock()
    erase(service, bo.id, OPERATOR)
    erase(service, ana.id, OPERATOR)

    refusal = facts(service, service.hashed(PHONE)).refusal
    assert refusal is not None
    assert refusal.since == later


def test_what_is_told_while_somebody_is_erased_is_not_forgotten(service: Service, ana: Contact):
    over = threading.Event()

    def tell() -> None:
        while not over.is_set():
            stop(service, PHONE, sender="+18885550199")
            bounce(service, PHONE)

    with ThreadPoolExecutor(1) as beside:
        telling = beside.submit(tell)
        try:
            for number in range(12):
                other = add(service, Details(name=f"Bo {number}", phone=PHONE), AGENT)
                erase(service, other.id, OPERATOR)
        finally:
            over.set()
        telling.result()

    assert verify(service).problem is None
    assert facts(service, PHONE).bounce is Bounce.YES


def test_writes_to_the_providers_lists_go_with_the_address(
    service: Service, ana: Contact, storage_path: Path
) -> None:
    with service.store.transaction() as records:
        for state in (WriteState.WAITING, WriteState.CONFIRMED):
            write = write_back(MAILBOX, listing=f"{state}/ours", state=state)
            records.write_backs.put(write)
        records.write_backs.put(write_back("ben@example.com"))
    erase(service, ana.id, OPERATOR)

    with service.store.reading() as records:
        assert list(records.write_backs.all()) == [write_back("ben@example.com")]
    assert MAILBOX.encode() not in on_disk(storage_path)


def test_writes_stay_while_somebody_else_has_the_address(service: Service, ana: Contact) -> None:
    add(service, Details(name="Ben", email=MAILBOX), AGENT)
    with service.store.transaction() as records:
        records.write_backs.put(write_back(MAILBOX))
    erase(service, ana.id, OPERATOR)

    with service.store.reading() as records:
        assert records.write_backs.of(MAILBOX) == [write_back(MAILBOX)]

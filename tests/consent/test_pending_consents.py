"""Double opt-in: unconfirmed it is never YES, and nothing that came between is overruled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.consent.cases import CONTACT, CaseState
from bot.consent.errors import NotFound, Refused
from bot.consent.events import EventKind
from bot.consent.gates import Code
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.rules import Answer
from bot.consent.use_cases import (
    Details,
    Service,
    StatusUpdate,
    change,
    edit,
    erase,
    profile,
    undo,
)
from bot.consent.use_cases.idempotency import IdempotentRequests, KeptAnswer, OnceKey
from bot.consent.use_cases.stated.confirm_consent import confirm
from bot.consent.use_cases.stated.pending_consents import sweep_pending
from bot.consent.use_cases.stated.statement import Withheld
from bot.runtime.clock import Stopped
from tests.support.cases_fixtures import DAY, HOUR
from tests.support.consent_fixtures import AGENT, OPERATOR, told
from tests.support.stated_fixtures import NEWSLETTER, SHOP, say, stranger
from tests.support.take_fixtures import consent, mailed, tell, text

NO, YES, UNSET = ConsentValue.NO, ConsentValue.YES, ConsentValue.UNSET
CLEO = "+14155550155"


def ask(service: Service, contact: Contact, channel: Channel = Channel.SMS) -> str:
    """A pending consent; its token."""
    token = say(service, contact, "pending", channel).token
    assert token is not None
    return token


def stored(service: Service) -> dict[str, str]:
    with service.store.reading() as records:
        return {
            name: text
            for name, text in records.key_value.all()
            if name.startswith("pending_consent:")
        }


def answer(service: Service, contact: Contact, channel: Channel = Channel.SMS) -> Answer:
    return profile(service, contact.id, AGENT).decisions[channel].answer


def test_a_pending_consent_is_no_yes_and_is_noted(desk: Service, clock: Stopped) -> None:
    cleo = stranger(desk)
    done = say(desk, cleo, "pending")
    entry = told(desk, cleo.id)[-1]

    assert (done.changed, done.expires_at) == (False, clock() + 7 * DAY)
    assert answer(desk, cleo) is Answer.NO
    assert (entry.kind, entry.actor) == (EntryKind.NOTE, NEWSLETTER.id)
    assert entry.reason == "Confirmation of SMS asked for, until 10 Nov 2026"


def test_only_the_hash_of_a_token_and_of_the_address_is_stored(desk: Service) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo)
    [(name, kept)] = stored(desk).items()

    assert name == f"pending_consent:{hashlib.sha256(token.encode()).hexdigest()}"
    assert token not in kept
    assert CLEO not in kept
    assert len(token) >= 40


def test_a_confirmation_fills_the_consent_with_both_times(desk: Service, clock: Stopped) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo)
    clock.advance(HOUR)
    done = confirm(desk, token, SHOP)
    entry = told(desk, cleo.id)[-1]

    assert done.changed
    assert answer(desk, cleo) is Answer.YES
    assert entry.evidence is not None
    assert entry.evidence.text == (
        "Ticked “Text me offers” (source: checkout) "
        "(signed up 2026-11-03 14:01 UTC, confirmed 2026-11-03 15:02 UTC)"
    )
    assert entry.evidence.at == clock()


def test_a_token_works_once(desk: Service, clock: Stopped) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo)
    confirm(desk, token, NEWSLETTER)
    before = told(desk)

    with pytest.raises(Refused, match="confirmed already"):
        confirm(desk, token, NEWSLETTER)
    assert told(desk) == before
    assert "Ticked" not in "".join(stored(desk).values())


def test_a_used_token_is_no_way_back_from_a_later_stop(desk: Service, clock: Stopped) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo)
    confirm(desk, token, NEWSLETTER)
    clock.advance(HOUR)
    tell(desk, text("STOP", address=CLEO))

    with pytest.raises(Refused):
        confirm(desk, token, NEWSLETTER)
    assert answer(desk, cleo) is Answer.NO


@pytest.mark.parametrize("token", ["", "x", "\x00", "é" * 10_000, "\ud800", "../../etc/passwd"])
def test_a_token_that_nobody_was_given_is_not_found(desk: Service, token: str) -> None:
    ask(desk, stranger(desk))
    with pytest.raises(NotFound):
        confirm(desk, token, NEWSLETTER)


def test_a_token_expires_and_is_swept(desk: Service, clock: Stopped) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo)
    clock.advance(7 * DAY)

    with pytest.raises(NotFound, match="expired"):
        confirm(desk, token, NEWSLETTER)
    assert sweep_pending(desk) == 1
    assert stored(desk) == {}
    assert consent(desk, cleo, CLEO).on is UNSET


def test_a_token_that_still_works_is_not_swept(desk: Service, clock: Stopped) -> None:
    token = ask(desk, stranger(desk))
    clock.advance(7 * DAY - timedelta(seconds=1))

    assert sweep_pending(desk) == 0
    assert confirm(desk, token, NEWSLETTER).changed


def stop(service: Service, contact: Contact) -> None:
    tell(service, text("STOP", address=CLEO))


def late_stop(service: Service, contact: Contact) -> None:
    tell(service, text("STOP", address=CLEO, occurred_at=service.now() - 30 * DAY))


def said_no(service: Service, contact: Contact) -> None:
    say(service, contact, "no")


def told_staff(service: Service, contact: Contact) -> None:
    change(service, contact.id, StatusUpdate(sms=NO, reason="Asked by phone"), AGENT)


def wrong_person(service: Service, contact: Contact) -> None:
    change(service, contact.id, StatusUpdate(sms=NO, reason="Wrong person"), AGENT)


def do_not_contact(service: Service, contact: Contact) -> None:
    change(service, contact.id, StatusUpdate(do_not_contact=True), AGENT)


@pytest.mark.parametrize(
    ("between", "code"),
    [
        (stop, Code.OPTED_OUT),
        (late_stop, Code.OPTED_OUT),
        (said_no, Code.OPTED_OUT),
        (told_staff, Code.OPTED_OUT),
        (wrong_person, Code.OPTED_OUT),
        (do_not_contact, Code.DO_NOT_CONTACT),
    ],
)
def test_a_confirmation_does_nothing_after_a_refusal(
    desk: Service, clock: Stopped, between: Callable[[Service, Contact], None], code: Code
) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo)
    clock.advance(HOUR)
    between(desk, cleo)
    clock.advance(HOUR)
    before = told(desk)

    with pytest.raises(Withheld) as refusal:
        confirm(desk, token, NEWSLETTER)
    assert refusal.value.gate.code is code
    assert told(desk) == before
    assert answer(desk, cleo) is Answer.NO


def test_a_confirmation_works_again_once_the_refusal_was_a_slip(
    desk: Service, clock: Stopped
) -> None:
    cleo = stranger(desk)
    say(desk, cleo, "yes", Channel.EMAIL)
    token = ask(desk, cleo)
    change(desk, cleo.id, StatusUpdate(email=NO, reason="Asked by phone"), AGENT)
    undo(desk, cleo.id, Channel.EMAIL, AGENT)

    assert confirm(desk, token, NEWSLETTER).changed


@pytest.mark.parametrize("phone", ["+14155550188", ""])
def test_a_confirmation_does_nothing_for_another_address(
    desk: Service, clock: Stopped, phone: str
) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo)
    edit(desk, cleo.id, Details(phone=phone), AGENT)

    with pytest.raises(Refused, match="changed since"):
        confirm(desk, token, NEWSLETTER)
    after = profile(desk, cleo.id, AGENT).contact
    assert all(one.on is not YES for one in after.consents.values())


def test_another_spelling_of_the_address_is_the_same_one(desk: Service) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo, Channel.EMAIL)
    edit(desk, cleo.id, Details(email="CLEO@EXAMPLE.COM"), AGENT)

    assert confirm(desk, token, NEWSLETTER).changed


def test_a_confirmation_adds_nothing_to_a_yes(desk: Service) -> None:
    cleo = stranger(desk)
    token = ask(desk, cleo)
    say(desk, cleo, "yes")
    before = told(desk)

    assert not confirm(desk, token, NEWSLETTER).changed
    assert told(desk) == before
    assert say(desk, cleo, "pending").token is None


def test_erasure_takes_the_pending_consents_with_it(desk: Service) -> None:
    cleo, other = stranger(desk), stranger(desk, "Dan", "+14155550156")
    token, others = ask(desk, cleo), ask(desk, other)
    erase(desk, cleo.id, OPERATOR)

    assert len(stored(desk)) == 1
    with pytest.raises(NotFound):
        confirm(desk, token, NEWSLETTER)
    assert confirm(desk, others, NEWSLETTER).changed


def test_erasure_leaves_nothing_of_it_in_any_file(desk: Service, storage_path: Path) -> None:
    cleo = stranger(desk)
    once = OnceKey.of("newsletter", "key-1", "POST", "/", b"")

    def pending(service: Service) -> KeptAnswer:
        say(service, cleo, "pending", text="Secret words")
        return KeptAnswer(status=200, body="Secret words", contacts=(cleo.id,))

    IdempotentRequests().answer(desk, once, pending, lambda error: KeptAnswer(status=409, body=""))
    before = held(storage_path)
    erase(desk, cleo.id, OPERATOR)

    assert b"Secret words" in before or storage_path.suffix not in (".json", ".db")
    assert b"Secret words" not in held(storage_path)


def held(path: Path) -> bytes:
    """Everything in the files of a storage that is files."""
    return b"".join(file.read_bytes() for file in path.parent.glob("*") if file.is_file())


# Whoever had refused


def test_who_refused_gets_a_case_only_by_the_confirmation(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    token = ask(desk, stopped)
    with desk.store.reading() as records:
        assert records.cases.open_for(stopped.id, Channel.SMS) is None
    clock.advance(HOUR)
    done = confirm(desk, token, NEWSLETTER)

    assert done.case is not None
    assert done.case.state is CaseState.PENDING
    assert "confirmed 2026-11-03" in done.case.evidence.text
    assert answer(desk, stopped) is Answer.NO


def test_a_stop_between_the_two_leaves_no_case(
    desk: Service, stopped: Contact, clock: Stopped
) -> None:
    token = ask(desk, stopped)
    clock.advance(HOUR)
    tell(desk, text("STOP"))
    clock.advance(HOUR)

    with pytest.raises(Withheld, match="refused texts since"):
        confirm(desk, token, NEWSLETTER)
    with desk.store.reading() as records:
        assert records.cases.of(stopped.id) == []


@pytest.fixture
def unsubscribed(desk: Service, subscriber: Contact, clock: Stopped) -> Contact:
    """By Optin's own link, an hour ago: no provider's list has the address."""
    tell(desk, mailed(EventKind.UNSUBSCRIBED, provider="one_click"))
    clock.advance(HOUR)
    return subscriber


def test_a_confirmed_link_completes_a_case_for_email_where_it_is_allowed(
    desk: Service, unsubscribed: Contact, clock: Stopped
) -> None:
    desk = replace(desk, confirmed_opt_in=True)
    token = ask(desk, unsubscribed, Channel.EMAIL)
    clock.advance(HOUR)
    done = confirm(desk, token, NEWSLETTER)
    steps = [(entry.kind, entry.after, entry.actor) for entry in told(desk, unsubscribed.id)[-4:]]

    assert done.case is not None
    assert (done.changed, done.case.state, done.case.decided_by) == (
        True,
        CaseState.COMPLETED,
        CONTACT,
    )
    assert answer(desk, unsubscribed, Channel.EMAIL) is Answer.YES
    assert steps == [
        (EntryKind.CASE, "pending", NEWSLETTER.id),
        (EntryKind.CASE, "approved", CONTACT),
        (EntryKind.CASE, "completed", CONTACT),
        (EntryKind.CONSENT, "YES", CONTACT),
    ]


def test_without_the_setting_a_manager_decides_about_email_too(
    desk: Service, unsubscribed: Contact
) -> None:
    done = confirm(desk, ask(desk, unsubscribed, Channel.EMAIL), NEWSLETTER)

    assert done.case is not None
    assert done.case.state is CaseState.PENDING
    assert answer(desk, unsubscribed, Channel.EMAIL) is Answer.NO


def test_a_confirmed_link_never_completes_a_case_for_texts(desk: Service, stopped: Contact) -> None:
    desk = replace(desk, confirmed_opt_in=True)
    done = confirm(desk, ask(desk, stopped), NEWSLETTER)

    assert done.case is not None
    assert done.case.state is CaseState.PENDING
    assert answer(desk, stopped) is Answer.NO


def test_after_a_spam_complaint_a_manager_decides_all_the_same(
    desk: Service, subscriber: Contact, clock: Stopped
) -> None:
    tell(desk, mailed(EventKind.COMPLAINT))
    clock.advance(HOUR)
    desk = replace(desk, confirmed_opt_in=True)
    done = confirm(desk, ask(desk, subscriber, Channel.EMAIL), NEWSLETTER)

    assert done.case is not None
    assert done.case.state is CaseState.PENDING

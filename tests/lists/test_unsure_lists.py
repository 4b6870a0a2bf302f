"""Lists that differ from what Optin believes: a call with an unknown result, a webhook that never
came, entries that are newer than the one Optin knows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.events import EventKind, Failure
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.suppressions import Cause
from bot.consent.use_cases import Details, StatusUpdate, change, edit, erase, profile, undo
from bot.consent.use_cases.lists.finish_reads import finish_read, lift_gone
from bot.consent.use_cases.lists.reads import begin_read, take_page
from bot.consent.use_cases.lists.settle_writes import OutcomeKind, WriteOutcome, settle_write
from bot.consent.write_backs import WriteState
from tests.support.consent_fixtures import AGENT, OPERATOR, told
from tests.support.list_fixtures import (
    BY_PHONE,
    EVERY,
    Lists,
    ana,
    check,
    come_back,
    with_lists,
)
from tests.support.take_fixtures import MAILBOX, consent, mailed, tell

DAY = timedelta(days=1)


@pytest.mark.parametrize("when", ["the worker was killed", "the provider did not answer"])
@pytest.mark.parametrize("undone", [True, False])
def test_an_add_that_may_have_been_made_is_taken_off_like_one_that_was(
    lists: Lists, when: str, undone: bool
) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    (write,) = lists.claim()
    lists.sendgrid.add(write.address)
    if when == "the provider did not answer":
        down = WriteOutcome(kind=OutcomeKind.UNAVAILABLE, problem="SendGrid does not answer")
        settle_write(lists.service, write, down)
    lists.clock.advance(timedelta(seconds=5))
    if undone:
        undo(lists.service, contact.id, Channel.EMAIL, AGENT)
    else:
        come_back(lists, contact)
    for _ in range(3):
        lists.clock.advance(timedelta(seconds=61))
        lists.work_until_done()
        lists.work_until_done("postmark")

    assert lists.sendgrid.addresses == []
    assert lists.answer(contact.id) == "yes"
    check(lists)


def test_a_card_is_not_green_while_an_entry_stands_that_optin_did_not_know(lists: Lists) -> None:
    """The contact unsubscribed at SendGrid, no webhook came, and Optin's own add changed nothing
    there."""
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    lists.clock.advance(timedelta(hours=3))
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()
    lists.work_until_done("postmark")
    lists.clock.advance(timedelta(hours=2))
    come_back(lists, contact)
    for _ in range(3):
        lists.work_until_done()
        lists.work_until_done("postmark")

    assert lists.sendgrid.addresses == [MAILBOX]
    assert lists.answer(contact.id) == "no"
    assert lists.blocks(MAILBOX) == {"sendgrid/unsubscribe": False}
    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.YES
    check(lists)


def test_what_is_being_taken_off_is_the_operators_step_once_writes_are_off(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    come_back(lists, contact)
    assert profile(lists.service, contact.id, OPERATOR).held_up == {}
    reads_only = EVERY.__class__(shows=EVERY.shows, shows_scopes=True)
    off = with_lists(lists.service, dict.fromkeys(lists.by_name, reads_only))

    assert "OPTIN_WRITE_BACK" in profile(off, contact.id, OPERATOR).held_up["sendgrid/unsubscribe"]


def test_an_own_add_beside_a_removal_is_no_act_of_the_contact(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    come_back(lists, contact)
    lists.work()
    lists.clock.advance(timedelta(seconds=5))
    change(lists.service, contact.id, BY_PHONE, AGENT)
    before = [e for e in told(lists.service, contact.id) if e.actor == "contact"]
    lists.clock.advance(timedelta(seconds=2))
    lists.work_until_done()

    assert lists.sendgrid.addresses == [MAILBOX]
    after = [e for e in told(lists.service, contact.id) if e.actor == "contact"]
    assert after == before
    assert consent(lists.service, contact, MAILBOX).reason == BY_PHONE.reason
    assert lists.answer(contact.id) == "no"
    check(lists)


@pytest.mark.parametrize("cause", [Cause.UNSUBSCRIBE, Cause.COMPLAINT])
def test_a_newer_refusal_under_an_entry_that_optin_knows_counts(lists: Lists, cause: Cause) -> None:
    """No webhook came. Optin still has the entry that a case could not take off."""
    reads_only = EVERY.__class__(shows=EVERY.shows, shows_scopes=True)
    lists.service = with_lists(lists.service, dict.fromkeys(lists.by_name, reads_only))
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, cause)
    lists.read()
    come_back(lists, contact)
    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.YES
    lists.read()
    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.YES
    lists.clock.advance(timedelta(hours=2))
    lists.sendgrid.put(MAILBOX, cause)
    lists.clock.advance(DAY)
    end = lists.read()

    assert end.report.only_theirs == {cause.value: 1}
    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.NO
    again = lists.read()
    assert again.report.only_theirs == {}
    check(lists)


def test_what_came_back_after_it_went_during_a_read_counts(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    lists.clock.advance(timedelta(minutes=1))
    read = begin_read(lists.service, "sendgrid", account="a", token="reader")
    assert read is not None
    lists.clock.advance(timedelta(minutes=1))
    tell(lists.service, mailed(EventKind.RESUBSCRIBED))
    assert lists.blocks(MAILBOX) == {}
    lists.clock.advance(timedelta(minutes=1))
    lists.sendgrid.put(MAILBOX)
    lists.clock.advance(timedelta(minutes=1))
    read = take_page(lists.service, read, lists.sendgrid.entries, (), None)
    assert read is not None
    finish_read(lists.service, read)

    assert lists.blocks(MAILBOX) == {"sendgrid/unsubscribe": False}
    assert lists.answer(contact.id) == "no"


def test_what_comes_between_a_look_up_and_its_storing_is_not_lifted(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED))
    asked = lists.clock() + DAY
    lists.clock.advance(DAY + timedelta(seconds=2))
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED))
    lists.clock.advance(timedelta(seconds=2))

    assert lift_gone(lists.service, "sendgrid", MAILBOX, (), asked=asked) == 0
    assert lists.blocks(MAILBOX) == {"sendgrid/unsubscribe": False}
    assert lists.answer(contact.id) == "no"


@pytest.mark.parametrize("state", [WriteState.SENDING, WriteState.SENT])
def test_a_bounce_that_is_cleared_again_during_the_removal_goes_too(
    lists: Lists, state: WriteState
) -> None:
    contact = ana(lists)
    bounced(lists)
    clear(lists, contact)
    if state is WriteState.SENDING:
        lists.claim()
        lists.sendgrid.entries.clear()
    else:
        lists.work()
    lists.clock.advance(timedelta(seconds=2))
    bounced(lists)
    lists.clock.advance(timedelta(seconds=2))
    clear(lists, contact)
    lists.work_until_done()
    lists.work_until_done()

    assert lists.sendgrid.entries == []
    assert lists.blocks(MAILBOX) == {}
    assert lists.answer(contact.id) == "unverified"
    check(lists)


def test_an_address_that_nobody_has_any_more_is_not_looked_up_each_day(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()
    now = profile(lists.service, contact.id, OPERATOR).contact
    moved = Details(name="Ana", email="ana@new.example.com")
    edit(lists.service, contact.id, moved, AGENT, version=now.version)
    lists.sendgrid.entries.clear()
    before = len(told(lists.service))
    for _ in range(2):
        lists.clock.advance(DAY)
        assert lists.read().to_look_up == ()
    assert len(told(lists.service)) == before

    # Whoever has it later is looked up, and added again.
    ana(lists, "Bob", yes=False)
    assert lists.read().to_look_up == (MAILBOX,)
    lists.work_until_done()
    assert MAILBOX in lists.sendgrid.addresses
    check(lists)


def test_an_entry_of_before_an_erasure_is_taken_off_after_a_case(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done("postmark")
    erase(lists.service, contact.id, OPERATOR)
    again = ana(lists, "Ana again", yes=False)
    come_back(lists, again)
    for _ in range(3):
        lists.work_until_done("postmark")
        lists.work_until_done()

    assert lists.by_name["postmark"].addresses == lists.sendgrid.addresses == []
    assert lists.answer(again.id) == "yes"
    check(lists)


def bounced(lists: Lists) -> None:
    lists.sendgrid.put(MAILBOX, Cause.BOUNCE)
    tell(lists.service, mailed(EventKind.FAILED, failure=Failure.HARD))


def clear(lists: Lists, contact: Contact) -> None:
    """An agent clears the bounce, later than its second."""
    lists.clock.advance(timedelta(seconds=2))
    wish = StatusUpdate(
        clear_bounce=frozenset({Channel.EMAIL}), reason="Works", evidence="They wrote to us"
    )
    change(lists.service, contact.id, wish, AGENT)

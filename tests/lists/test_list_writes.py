"""What a change of consent does to the providers' suppression lists, write by write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.consent.errors import NotAllowed, Refused
from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import Channel, ConsentValue, Contact
from bot.consent.suppressions import Cause
from bot.consent.use_cases import (
    Details,
    StatusUpdate,
    add,
    change,
    removed_at_provider,
    undo,
)
from bot.consent.use_cases.lists.list_state import confirm_writes, read_state
from bot.consent.use_cases.lists.settle_writes import (
    MOST_ATTEMPTS,
    OutcomeKind,
    WriteOutcome,
    settle_write,
)
from bot.consent.use_cases.lists.writes import claim_writes, give_back, release_parked
from bot.consent.write_backs import WriteAction, WriteState
from tests.support.consent_fixtures import AGENT, MANAGER, OPERATOR, told
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

ADDED = (WriteAction.ADD, WriteState.CONFIRMED)
WAITS = (WriteAction.ADD, WriteState.WAITING)
DROPPED_ADD = (WriteAction.ADD, WriteState.DROPPED)
LEAVES = (WriteAction.REMOVE, WriteState.WAITING)
SENT = (WriteAction.REMOVE, WriteState.SENT)
OFF = (WriteAction.REMOVE, WriteState.CONFIRMED)
DROPPED = (WriteAction.REMOVE, WriteState.DROPPED)


def test_an_opt_out_in_slack_is_added_to_each_providers_list(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    assert lists.rows(MAILBOX) == {"postmark/ours": WAITS, "sendgrid/ours": WAITS}
    for name in lists.by_name:
        lists.work(name)

    assert lists.rows(MAILBOX) == {"postmark/ours": ADDED, "sendgrid/ours": ADDED}
    assert lists.blocks(MAILBOX) == {"postmark/ours": False, "sendgrid/ours": False}
    assert [there.addresses for there in lists.by_name.values()] == [[MAILBOX], [MAILBOX]]
    entry = told(lists.service, contact.id)[-1]
    assert (entry.kind, entry.actor, entry.source) == (
        EntryKind.BLOCK,
        "system",
        "provider:postmark",
    )
    check(lists)


def test_an_approved_case_takes_it_off_and_only_a_look_makes_the_card_green(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done("sendgrid")
    lists.work_until_done("postmark")
    lists.clock.advance(timedelta(hours=2))
    come_back(lists, contact)
    assert lists.blocks(MAILBOX) == {"postmark/ours": True, "sendgrid/ours": True}
    assert lists.answer(contact.id) == "no"
    lists.work("postmark")
    lists.work("sendgrid")
    assert lists.sendgrid.addresses == []
    # The provider's yes is not enough.
    assert lists.rows(MAILBOX)["sendgrid/ours"] == SENT
    assert lists.answer(contact.id) == "no"
    assert lists.work("sendgrid") == []
    lists.clock.advance(timedelta(seconds=10))
    lists.work("sendgrid")
    assert lists.answer(contact.id) == "no"
    lists.work("postmark")

    assert lists.rows(MAILBOX) == {"postmark/ours": OFF, "sendgrid/ours": OFF}
    assert lists.blocks(MAILBOX) == {}
    assert lists.answer(contact.id) == "yes"
    assert lists.sendgrid.removed == [f"sendgrid/unsubscribe:{MAILBOX}"]
    check(lists)


def test_an_unsubscribe_at_one_provider_is_added_to_the_others_and_all_go(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    assert lists.rows(MAILBOX) == {"postmark/ours": WAITS, "sendgrid/ours": WAITS}
    lists.work("sendgrid")
    lists.work("postmark")
    come_back(lists, contact)
    for _ in range(3):
        lists.work_until_done("sendgrid")
        lists.work_until_done("postmark")

    assert lists.by_name["postmark"].addresses == lists.sendgrid.addresses == []
    assert lists.answer(contact.id) == "yes"
    check(lists)


def test_nothing_is_written_before_a_person_confirms_it(unconfirmed: Lists) -> None:
    lists = unconfirmed
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    assert lists.work() == []
    with pytest.raises(Refused, match="has not read all of SendGrid's lists"):
        confirm_writes(lists.service, "sendgrid", MANAGER)
    lists.read()
    assert lists.work() == []
    with pytest.raises(NotAllowed):
        confirm_writes(lists.service, "sendgrid", AGENT)
    confirm_writes(lists.service, "sendgrid", MANAGER)
    lists.work()

    assert lists.sendgrid.added == [MAILBOX]
    assert lists.rows(MAILBOX)["postmark/ours"] == WAITS
    assert read_state(lists.service, "sendgrid").confirmed_by == MANAGER.id


def test_before_that_an_approved_case_waits_with_the_operators_step(unconfirmed: Lists) -> None:
    lists = unconfirmed
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    come_back(lists, contact)
    assert lists.blocks(MAILBOX) == {"sendgrid/unsubscribe": False}
    lists.confirm()
    (write,) = lists.claim()
    assert lists.blocks(MAILBOX) == {"sendgrid/unsubscribe": True}
    settle_write(lists.service, write, lists.call(write))
    lists.work_until_done()

    assert lists.answer(contact.id) == "yes"
    check(lists)


@pytest.mark.parametrize(
    "wish",
    [
        StatusUpdate(email=ConsentValue.NO, reason="Wrong person"),
        StatusUpdate(email=ConsentValue.NO, reason="Correction"),
        StatusUpdate(do_not_contact=True, reason="Asked by phone"),
        StatusUpdate(sms=ConsentValue.NO, reason="Asked by phone"),
    ],
    ids=["wrong person", "correction", "do not contact", "sms"],
)
def test_what_is_no_opt_out_of_the_mailbox_is_not_added(lists: Lists, wish: StatusUpdate) -> None:
    contact = add(lists.service, Details(name="Ana", email=MAILBOX, phone="+14155550100"), AGENT)
    change(lists.service, contact.id, wish, AGENT)

    assert lists.rows(MAILBOX) == {}


def test_what_a_list_has_already_is_not_added(lists: Lists) -> None:
    ana(lists)
    tell(lists.service, mailed(EventKind.COMPLAINT, provider="sendgrid"))
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid", scope="asm_group:12"))
    lists.work_until_done()

    # The complaint came with its block after the opt-out, which was added all the same.
    assert lists.sendgrid.added == []


def test_a_stranger_is_not_added_before_a_contact_has_the_address(lists: Lists) -> None:
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="postmark"))
    assert lists.rows(MAILBOX) == {}
    contact = ana(lists, yes=False)

    assert contact.consent(Channel.EMAIL).refused
    assert lists.rows(MAILBOX)["sendgrid/ours"] == WAITS


def test_undo_before_the_call_makes_no_call(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    undo(lists.service, contact.id, Channel.EMAIL, AGENT)

    assert lists.rows(MAILBOX)["sendgrid/ours"] == DROPPED_ADD
    lists.work()
    assert lists.sendgrid.added == []
    assert lists.answer(contact.id) == "yes"
    check(lists)


def test_undo_after_the_call_takes_off_what_optin_added_and_nothing_else(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, scope="asm_group:12", since=lists.clock() - timedelta(days=3))
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work()
    lists.clock.advance(timedelta(minutes=5))
    undo(lists.service, contact.id, Channel.EMAIL, AGENT)
    assert lists.rows(MAILBOX)["sendgrid/ours"] == LEAVES
    lists.work_until_done()

    assert lists.sendgrid.removed == [f"sendgrid/unsubscribe:{MAILBOX}"]
    assert [one.listing.scope for one in lists.sendgrid.entries] == ["asm_group:12"]
    # The look that confirmed it showed this entry, which Optin did not know.
    assert lists.blocks(MAILBOX) == {"sendgrid/unsubscribe/asm_group:12": False}
    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.YES
    assert lists.answer(contact.id) == "no"
    check(lists)


def test_undo_while_the_call_is_made_waits_for_its_end(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    (claimed,) = lists.claim()
    undo(lists.service, contact.id, Channel.EMAIL, AGENT)
    assert lists.claim() == []
    settle_write(lists.service, claimed, lists.call(claimed))
    assert lists.sendgrid.addresses == [MAILBOX]
    lists.work_until_done()

    assert lists.sendgrid.addresses == []
    assert lists.answer(contact.id) == "yes"
    check(lists)


def test_two_contacts_with_one_mailbox_do_not_send_it_back_and_forth(lists: Lists) -> None:
    """One of them came back by a case, and the other one's NO stands."""
    first, second = ana(lists), ana(lists, "Bo")
    change(lists.service, first.id, BY_PHONE, AGENT)
    for name in lists.by_name:
        lists.work_until_done(name)
    come_back(lists, first)
    for _ in range(3):
        for name in lists.by_name:
            lists.work_until_done(name)
            lists.read(name)
        lists.clock.advance(timedelta(days=1))

    assert lists.answer(first.id) == "yes"
    assert lists.answer(second.id) == "no"
    assert (lists.sendgrid.added, lists.sendgrid.addresses) == ([MAILBOX], [])
    assert len(lists.sendgrid.removed) == 1
    # Whoever opts out next puts it back.
    change(lists.service, second.id, BY_PHONE, AGENT)
    lists.work_until_done()
    assert lists.sendgrid.addresses == [MAILBOX]
    check(lists)


def test_an_entry_that_is_newer_than_the_approval_stays_and_counts(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    come_back(lists, contact)
    lists.clock.advance(timedelta(seconds=5))
    lists.sendgrid.put(MAILBOX)
    lists.work_until_done()

    assert lists.sendgrid.removed == []
    assert lists.rows(MAILBOX)["sendgrid/unsubscribe"] == DROPPED
    assert lists.blocks(MAILBOX)["sendgrid/unsubscribe"] is False
    assert lists.answer(contact.id) == "no"
    (write,) = (w for w in told(lists.service, contact.id)[-1:] if w.kind is EntryKind.CONSENT)
    assert (write.before, write.after, write.actor) == ("YES", "NO", "contact")
    check(lists)


def test_a_complaint_is_never_taken_off(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, Cause.COMPLAINT)
    tell(lists.service, mailed(EventKind.COMPLAINT, provider="sendgrid"))
    come_back(lists, contact)
    wish = StatusUpdate(
        clear_bounce=frozenset({Channel.EMAIL}), reason="They asked", evidence="Call"
    )
    change(lists.service, contact.id, wish, MANAGER)
    lists.work_until_done()

    assert lists.sendgrid.removed == []
    assert [one.listing.cause for one in lists.sendgrid.entries] == [Cause.COMPLAINT]
    assert lists.blocks(MAILBOX)["sendgrid/complaint"] is False
    assert lists.answer(contact.id) == "no"


def test_a_cleared_bounce_goes_from_the_list_of_the_provider_that_told_of_it(
    lists: Lists,
) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, Cause.BOUNCE)
    tell(lists.service, mailed(EventKind.FAILED, provider="sendgrid", failure=Failure.HARD))
    lists.clock.advance(timedelta(hours=1))
    clear(lists, contact)
    assert lists.blocks(MAILBOX) == {"sendgrid/bounce": True}
    assert set(lists.rows(MAILBOX)) == {"sendgrid/bounce"}
    lists.work_until_done()

    assert lists.sendgrid.removed == [f"sendgrid/bounce:{MAILBOX}"]
    assert lists.blocks(MAILBOX) == {}
    assert lists.answer(contact.id) == "unverified"
    check(lists)


def test_a_bounce_that_comes_before_the_removal_stays(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, Cause.BOUNCE)
    tell(lists.service, mailed(EventKind.FAILED, provider="sendgrid", failure=Failure.HARD))
    lists.clock.advance(timedelta(hours=1))
    clear(lists, contact)
    lists.clock.advance(timedelta(minutes=1))
    tell(lists.service, mailed(EventKind.FAILED, provider="sendgrid", failure=Failure.HARD))
    lists.sendgrid.put(MAILBOX, Cause.BOUNCE)
    lists.work_until_done()

    assert lists.sendgrid.removed == []
    assert lists.rows(MAILBOX)["sendgrid/bounce"] == DROPPED
    check(lists)


def test_the_test_message_that_is_dropped_meanwhile_is_no_new_bounce(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, Cause.BOUNCE)
    tell(lists.service, mailed(EventKind.FAILED, provider="sendgrid", failure=Failure.HARD))
    lists.clock.advance(timedelta(hours=1))
    clear(lists, contact)
    lists.clock.advance(timedelta(seconds=30))
    dropped = mailed(
        EventKind.FAILED,
        provider="sendgrid",
        failure=Failure.LISTED_BOUNCE,
        occurred_at=lists.clock(),
    )
    tell(lists.service, dropped)
    lists.work_until_done()
    # The same is told late, after the entry is gone.
    tell(lists.service, replace(dropped, id="told late"))

    assert lists.sendgrid.addresses == []
    assert lists.blocks(MAILBOX) == {}
    assert lists.answer(contact.id) == "unverified"


def test_a_message_that_is_dropped_meanwhile_is_no_new_opt_out(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    come_back(lists, contact)
    lists.clock.advance(timedelta(seconds=30))
    dropped = mailed(
        EventKind.FAILED,
        provider="sendgrid",
        failure=Failure.LISTED_OPT_OUT,
        occurred_at=lists.clock(),
    )
    tell(lists.service, dropped)
    lists.work_until_done()
    tell(lists.service, replace(dropped, id="told late"))

    assert lists.answer(contact.id) == "yes"


def test_a_manager_who_removes_it_by_hand_ends_no_write(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    come_back(lists, contact)
    lists.sendgrid.entries.clear()
    removed_at_provider(lists.service, contact.id, "sendgrid", MANAGER)
    assert lists.answer(contact.id) == "yes"
    lists.work_until_done()

    assert lists.answer(contact.id) == "yes"
    assert lists.rows(MAILBOX)["sendgrid/unsubscribe"] == OFF
    check(lists)


def clear(lists: Lists, contact: Contact) -> None:
    """An agent clears the bounce."""
    wish = StatusUpdate(
        clear_bounce=frozenset({Channel.EMAIL}), reason="Works", evidence="They wrote to us"
    )
    change(lists.service, contact.id, wish, AGENT)


# Claims


def test_a_claim_expires_and_another_worker_looks_first(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    (lost,) = lists.claim()
    lists.sendgrid.add(lost.address)
    lists.clock.advance(timedelta(seconds=61))
    lists.work()

    assert lists.sendgrid.added == [MAILBOX]
    assert lists.rows(MAILBOX)["sendgrid/ours"] == ADDED


def test_a_write_is_claimed_once(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)

    assert len(claim_writes(lists.service, "sendgrid", limit=5, token="one")) == 1
    assert claim_writes(lists.service, "sendgrid", limit=5, token="other") == []


def test_a_claim_that_was_given_back_was_never_made(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    (write,) = lists.claim()
    give_back(lists.service, write)
    undo(lists.service, contact.id, Channel.EMAIL, AGENT)

    assert lists.rows(MAILBOX)["sendgrid/ours"] == DROPPED_ADD


def test_a_provider_that_is_down_is_asked_again_and_for_a_day_at_most(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    come_back(lists, contact)
    down = WriteOutcome(kind=OutcomeKind.UNAVAILABLE, problem="SendGrid did not answer")
    for _ in range(MOST_ATTEMPTS):
        (write,) = lists.claim()
        settle_write(lists.service, write, down)
        lists.clock.advance(timedelta(hours=1))

    assert lists.rows(MAILBOX)["sendgrid/unsubscribe"] == (WriteAction.REMOVE, WriteState.PARKED)
    assert lists.blocks(MAILBOX)["sendgrid/unsubscribe"] is False
    assert lists.claim() == []
    assert release_parked(lists.service, "sendgrid") == 1
    lists.work_until_done()
    assert lists.answer(contact.id) == "yes"
    check(lists)


def test_a_later_opt_out_stops_a_removal_that_waits(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    come_back(lists, contact)
    lists.clock.advance(timedelta(minutes=1))
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()

    assert lists.sendgrid.removed == []
    assert lists.rows(MAILBOX)["sendgrid/unsubscribe"] == DROPPED
    assert not any(lists.blocks(MAILBOX).values())
    assert lists.sendgrid.addresses == [MAILBOX]
    check(lists)


def test_a_provider_whose_lists_are_off_gets_no_row(lists: Lists) -> None:
    nothing = replace(EVERY, adds=False, removes=frozenset())
    off = with_lists(lists.service, dict.fromkeys(lists.by_name, nothing))
    contact = ana(lists)
    change(off, contact.id, BY_PHONE, AGENT)

    assert lists.rows(MAILBOX) == {}
    with pytest.raises(Refused, match="OPTIN_WRITE_BACK"):
        confirm_writes(off, "sendgrid", OPERATOR)

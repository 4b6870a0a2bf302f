"""A whole read of a provider's lists: what it takes in, what it adds, and what it leaves alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.consent.alerts import Alert, AlertKind
from bot.consent.events import EventKind, Failure
from bot.consent.log.entries import EntryKind
from bot.consent.model import Bounce, Channel, ConsentValue
from bot.consent.suppressions import Cause
from bot.consent.use_cases import StatusUpdate, change, verify
from bot.consent.use_cases.lists.finish_reads import finish_read
from bot.consent.use_cases.lists.list_alerts import ListNewsKind, news_of
from bot.consent.use_cases.lists.list_state import note_problem, read_state
from bot.consent.use_cases.lists.reads import begin_read, take_page
from bot.consent.write_backs import ECHO_WITHIN, WriteAction, WriteState
from tests.support.consent_fixtures import AGENT, told
from tests.support.list_fixtures import BY_PHONE, Lists, ana, check, come_back
from tests.support.take_fixtures import MAILBOX, consent, delivered, facts, mailed, tell

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("cause", "on", "bounce"),
    [
        (Cause.UNSUBSCRIBE, ConsentValue.NO, Bounce.NO),
        (Cause.COMPLAINT, ConsentValue.NO, Bounce.YES),
        (Cause.BOUNCE, ConsentValue.YES, Bounce.YES),
        (Cause.OURS, ConsentValue.NO, Bounce.NO),
        (Cause.UNKNOWN, ConsentValue.YES, Bounce.NO),
    ],
)
def test_an_entry_that_only_the_provider_has_is_taken_in_as_its_event_would_be(
    lists: Lists, cause: Cause, on: ConsentValue, bounce: Bounce
) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, cause)
    end = lists.read()

    assert end.report.only_theirs == {cause.value: 1}
    assert consent(lists.service, contact, MAILBOX).on is on
    assert facts(lists.service, MAILBOX).bounce is bounce
    assert lists.blocks(MAILBOX) == {f"sendgrid/{cause}": False}
    assert lists.answer(contact.id) == "no"
    # Read again, it is nothing new.
    before = len(told(lists.service))
    again = lists.read()
    assert (again.report.on_both, again.report.only_theirs) == (1, {})
    assert len(told(lists.service)) == before
    check(lists)


@pytest.mark.parametrize("cause", [Cause.UNSUBSCRIBE, Cause.COMPLAINT])
def test_a_yes_that_is_newer_than_the_entry_stays_and_a_person_looks(
    lists: Lists, cause: Cause
) -> None:
    before = lists.clock() - DAY
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, cause, since=before)
    end = lists.read()

    assert end.report.theirs_but_yes == 1
    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.YES
    assert lists.answer(contact.id) == "no"
    (alert,) = (one for one in alerts_of(lists) if news_of(one).kind is ListNewsKind.DRIFT)
    assert alert.subject.contacts == (contact.id,)


def test_a_yes_that_rests_on_a_completed_case_stays(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()
    come_back(lists, contact)
    lists.work_until_done()
    old = lists.clock() - timedelta(days=2)
    lists.sendgrid.put(MAILBOX, since=old, scope="asm_group:12")
    lists.read()

    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.YES
    assert lists.blocks(MAILBOX)["sendgrid/unsubscribe/asm_group:12"] is False
    check(lists)


def test_an_unsubscribe_that_is_newer_than_the_case_counts(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()
    come_back(lists, contact)
    lists.work_until_done()
    lists.clock.advance(ECHO_WITHIN * 3)
    lists.sendgrid.put(MAILBOX)
    lists.read()

    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.NO


def test_an_entry_of_a_strangers_address_holds_for_whoever_appears(lists: Lists) -> None:
    lists.sendgrid.put(MAILBOX)
    lists.read()
    before = len(told(lists.service))
    lists.read()

    assert len(told(lists.service)) == before
    contact = ana(lists, yes=False)
    assert contact.consent(Channel.EMAIL).refused
    assert lists.blocks(MAILBOX) == {"sendgrid/unsubscribe": False}


@pytest.mark.parametrize("newer", ["delivery", "clearing"])
def test_a_bounce_entry_that_is_older_than_a_proof_is_a_block_and_no_bounce(
    lists: Lists, newer: str
) -> None:
    """What somebody subscribes to again revives no bounce."""
    contact = ana(lists)
    old = lists.clock() - timedelta(minutes=30)
    tell(lists.service, mailed(EventKind.FAILED, provider="mailgun", failure=Failure.HARD))
    lists.clock.advance(timedelta(minutes=1))
    if newer == "delivery":
        tell(lists.service, delivered(address=MAILBOX, sent_at=lists.clock(), provider="mailgun"))
    else:
        wish = StatusUpdate(
            clear_bounce=frozenset({Channel.EMAIL}), reason="Works", evidence="They wrote"
        )
        change(lists.service, contact.id, wish, AGENT)
    lists.clock.advance(timedelta(minutes=1))
    lists.sendgrid.put(MAILBOX, Cause.BOUNCE, since=old)
    lists.read()

    assert facts(lists.service, MAILBOX).bounce is not Bounce.YES
    assert lists.blocks(MAILBOX)["sendgrid/bounce"] is False


def test_what_only_optin_has_is_added(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()
    # Somebody empties the list at the provider.
    lists.sendgrid.entries.clear()
    lists.clock.advance(DAY)
    end = lists.read()

    assert end.to_look_up == (MAILBOX,)
    assert lists.rows(MAILBOX)["sendgrid/ours"] == (WriteAction.ADD, WriteState.WAITING)
    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.NO
    lists.work_until_done()
    assert lists.sendgrid.addresses == [MAILBOX]
    assert read_state(lists.service, "sendgrid").last_report.gone == 1
    check(lists)


def test_opt_outs_of_before_the_lists_were_on_are_added_after_the_first_read(
    unconfirmed: Lists,
) -> None:
    lists = unconfirmed
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    names = lists.rows(MAILBOX)
    with lists.service.store.transaction() as records:
        for name in names:
            records.write_backs.remove(f"{name}:{MAILBOX}")
    rehearsed = lists.read(rehearse=True)
    assert lists.rows(MAILBOX) == {}
    end = lists.read()

    assert rehearsed.report == end.report
    assert end.report.only_ours == 1
    (alert,) = alerts_of(lists)
    assert news_of(alert).kind is ListNewsKind.CONFIRM
    assert news_of(alert).report["only_ours"] == 1


def test_an_entry_that_is_gone_there_is_lifted_here_and_is_no_consent(lists: Lists) -> None:
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX, Cause.BOUNCE)
    lists.read()
    lists.sendgrid.entries.clear()
    lists.clock.advance(DAY)
    lists.read()

    assert lists.blocks(MAILBOX) == {}
    assert facts(lists.service, MAILBOX).bounce is Bounce.YES
    entry = told(lists.service, contact.id)[-1]
    assert (entry.kind, entry.reason) == (EntryKind.BLOCK, "No longer on SendGrid's list")


def test_a_read_never_opts_anybody_in_and_takes_nothing_off(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()
    lists.sendgrid.put(MAILBOX, Cause.BOUNCE)
    for _ in range(3):
        lists.clock.advance(DAY)
        lists.read()
        lists.work_until_done()

    assert lists.sendgrid.removed == []
    assert consent(lists.service, contact, MAILBOX).on is ConsentValue.NO


def test_a_dry_run_writes_nothing_and_counts_the_same(lists: Lists) -> None:
    for number in range(7):
        ana(lists, f"Contact {number}", email=f"c{number}@example.com")
        if number % 2:
            lists.sendgrid.put(f"C{number}@Example.com", list(Cause)[number % 3])
    before = len(told(lists.service))
    rehearsed = lists.read(rehearse=True)

    assert len(told(lists.service)) == before
    assert lists.read().report == rehearsed.report


def test_a_read_that_was_killed_goes_on_after_its_last_page(lists: Lists) -> None:
    people = [ana(lists, f"C{n}", email=f"c{n}@example.com") for n in range(4)]
    entries = [lists.sendgrid.put(f"c{n}@example.com") for n in range(4)]
    first = begin_read(lists.service, "sendgrid", account="a", token="one")
    assert first is not None
    assert take_page(lists.service, first, entries[:2], (), "2") is not None
    # Nobody else reads meanwhile, and after a while another one goes on.
    assert begin_read(lists.service, "sendgrid", account="a", token="two") is None
    lists.clock.advance(timedelta(minutes=6))
    second = begin_read(lists.service, "sendgrid", account="a", token="two")
    assert second is not None
    assert (second.cursor, second.pages, second.report.only_theirs) == ("2", 1, {"unsubscribe": 2})
    assert take_page(lists.service, first, entries[2:], (), None) is None
    second = take_page(lists.service, second, entries[2:], (), None)
    assert second is not None
    end = finish_read(lists.service, second)

    assert end is not None
    assert (end.report.only_theirs, end.to_look_up) == ({"unsubscribe": 4}, ())
    assert all(lists.answer(one.id) == "no" for one in people)
    with lists.service.store.reading() as records:
        assert not [name for name, _ in records.key_value.all() if name.startswith("list_seen:")]


def test_what_came_while_the_list_was_read_is_not_missed_on_it(lists: Lists) -> None:
    ana(lists)
    read = begin_read(lists.service, "sendgrid", account="a", token="one")
    assert read is not None
    read = take_page(lists.service, read, (), (), None)
    assert read is not None
    lists.clock.advance(timedelta(minutes=1))
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED, provider="sendgrid"))
    end = finish_read(lists.service, read)

    assert end is not None
    assert (end.to_look_up, end.report.only_ours) == ((), 0)


def test_another_account_has_to_be_confirmed_anew(lists: Lists) -> None:
    lists.read(account="another")

    assert not read_state(lists.service, "sendgrid").confirmed
    kinds = [news_of(one).kind for one in alerts_of(lists)]
    assert ListNewsKind.CONFIRM in kinds
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    assert lists.claim() == []


def test_a_list_that_is_empty_all_at_once_is_not_believed(lists: Lists) -> None:
    for number in range(20):
        ana(lists, f"Contact {number}", email=f"c{number}@example.com")
        lists.sendgrid.put(f"c{number}@example.com")
    lists.read()
    lists.sendgrid.entries.clear()
    lists.clock.advance(DAY)
    end = lists.read()

    assert (end.other_lists, end.to_look_up) == (True, ())
    assert lists.blocks("c1@example.com") == {"sendgrid/unsubscribe": False}
    assert not read_state(lists.service, "sendgrid").confirmed
    assert lists.claim() == []


def test_the_read_of_a_list_without_origins_shows_what_optin_added(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done()
    end = lists.read()

    assert (end.report.on_both, end.report.only_theirs) == (1, {})
    assert lists.blocks(MAILBOX) == {"sendgrid/ours": False}


@pytest.mark.parametrize("when", ["before the answer", "after the answer", "within the hour"])
def test_an_echo_of_our_own_add_changes_nobodys_consent(lists: Lists, when: str) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    if when == "before the answer":
        assert len(lists.claim("postmark")) == 1
        echo(lists, EventKind.SUPPRESSED)
        lists.clock.advance(timedelta(minutes=2))
    lists.work_until_done("postmark")
    if when == "within the hour":
        lists.clock.advance(timedelta(minutes=50))
    if when != "before the answer":
        echo(lists, EventKind.SUPPRESSED)

    assert lists.rows(MAILBOX)["postmark/ours"] == (WriteAction.ADD, WriteState.CONFIRMED)
    said = consent(lists.service, contact, MAILBOX)
    assert (said.reason, said.refused) == ("Asked by phone", True)
    assert not [
        entry
        for entry in told(lists.service, contact.id)
        if (entry.reason or "").startswith("Suppressed by our own side")
    ]


def test_an_echo_of_our_own_removal_makes_no_card_green(lists: Lists) -> None:
    contact = ana(lists)
    change(lists.service, contact.id, BY_PHONE, AGENT)
    lists.work_until_done("postmark")
    lists.clock.advance(timedelta(hours=2))
    come_back(lists, contact)
    lists.work("postmark")
    echo(lists, EventKind.UNSUPPRESSED)

    assert lists.blocks(MAILBOX)["postmark/ours"] is True
    lists.clock.advance(timedelta(seconds=10))
    lists.work("postmark")
    assert lists.blocks(MAILBOX) == {}
    assert lists.answer(contact.id) == "yes"


def test_our_own_side_that_suppresses_by_hand_is_no_echo(lists: Lists) -> None:
    contact = ana(lists)
    echo(lists, EventKind.SUPPRESSED)

    said = consent(lists.service, contact, MAILBOX)
    assert (said.on, said.refused) == (ConsentValue.NO, False)


def echo(lists: Lists, kind: EventKind) -> None:
    tell(lists.service, mailed(kind, provider="postmark", occurred_at=lists.clock()))


def test_a_problem_is_told_once_until_it_is_over(lists: Lists) -> None:
    before = len(alerts_of(lists))
    for _ in range(3):
        note_problem(lists.service, "sendgrid", "the key lacks a scope")
    assert read_state(lists.service, "sendgrid").problem_since == lists.clock()
    note_problem(lists.service, "sendgrid", "")

    assert len(alerts_of(lists)) == before + 1
    assert read_state(lists.service, "sendgrid").problem == ""


def test_the_log_has_each_entry_of_a_shared_mailbox_once_for_each_contact(lists: Lists) -> None:
    ana(lists)
    ana(lists, "Bo")
    lists.sendgrid.put(MAILBOX)
    lists.read()

    assert verify(lists.service).problem is None
    with lists.service.store.reading() as records:
        blocks = [e for e in records.log.all() if e.kind is EntryKind.BLOCK]
    assert len(blocks) == 2
    assert {entry.sender for entry in blocks} == {"sendgrid/unsubscribe"}


def alerts_of(lists: Lists) -> list[Alert]:
    with lists.service.store.reading() as records:
        return [alert for alert in records.outbox.all() if alert.kind is AlertKind.LISTS]

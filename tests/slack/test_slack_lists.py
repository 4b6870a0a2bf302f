"""The providers' suppression lists as people see them in Slack: the card's step, the approval, the
alert about a read, and the manager's yes to the first write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.cli.terminal_card import answer
from bot.consent.alerts import AlertKind
from bot.consent.cases import Case
from bot.consent.events import EventKind, Failure
from bot.consent.model import Actor, Channel, Contact, Role
from bot.consent.suppressions import Cause
from bot.consent.use_cases import (
    CaseRequest,
    StatusUpdate,
    approve,
    case_details,
    change,
    profile,
    request,
)
from bot.consent.use_cases.lists.list_alerts import ListNews, ListNewsKind, announce
from bot.consent.use_cases.lists.list_records import list_state, put_state
from bot.consent.use_cases.lists.list_state import confirm_writes, note_problem, read_state
from bot.consent.use_cases.lists.settle_writes import OutcomeKind, WriteOutcome, settle_write
from handlers.slack.alerts.render.case_progress import current_headline, progress, still
from handlers.slack.blocks.card import card
from sandbox.first_workspace import ALERTS, LEE
from tests.support.alert_cases import AGENT
from tests.support.alert_cases import desk as desk
from tests.support.alerts_fixtures import Bench
from tests.support.alerts_fixtures import bench as bench
from tests.support.consent_fixtures import MANAGER
from tests.support.list_fixtures import EVERY, ListInMemory, Lists, ana, come_back, with_lists
from tests.support.slack_fixtures import Slack, said, started
from tests.support.take_fixtures import MAILBOX, mailed, tell

LEE_CHEN = Actor(id=f"slack:{LEE}", role=Role.MANAGER, source="slack")


def drawn(lists: Lists, contact: Contact) -> str:
    """The card as a manager sees it."""
    blocks = card(profile(lists.service, contact.id, MANAGER))
    return json.dumps(blocks, ensure_ascii=False)


def unsubscribed(lists: Lists) -> Contact:
    """Whom a manager brought back, while the list still has the address."""
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(lists.service, mailed(EventKind.UNSUBSCRIBED))
    come_back(lists, contact)
    return contact


def test_the_card_says_that_optin_takes_it_off(lists: Lists) -> None:
    contact = unsubscribed(lists)
    shown = drawn(lists, contact)

    assert "☐ *Optin:* taking it off SendGrid's list…" in shown
    assert "Removed at SendGrid" not in shown
    assert "Email 🔴" in shown
    lists.work_until_done()
    lists.work_until_done("postmark")
    assert "Email ✅ Opted in" in drawn(lists, contact)


def test_the_card_says_why_optin_does_not_take_it_off(lists: Lists) -> None:
    contact = unsubscribed(lists)
    note_problem(lists.service, "sendgrid", "the key may not write: give it the full access")
    assert "Optin does not: the key may not write: give it the full access" in drawn(lists, contact)
    note_problem(lists.service, "sendgrid", "")
    (write,) = lists.claim()
    settle_write(
        lists.service, write, WriteOutcome(kind=OutcomeKind.REFUSED, problem="SendGrid says no")
    )
    shown = drawn(lists, contact)

    assert "☐ *Operator:* take it off SendGrid's list (the contact unsubscribed)" in shown
    assert "Optin does not: SendGrid says no" in shown
    assert "Removed at SendGrid" in shown


def test_before_the_first_write_is_confirmed_the_operator_does_it(unconfirmed: Lists) -> None:
    shown = drawn(unconfirmed, unsubscribed(unconfirmed))

    assert "☐ *Operator:* take it off SendGrid's list" in shown
    assert "nobody has confirmed the first write to SendGrid's lists" in shown
    assert "Removed at SendGrid" in shown


def test_a_cleared_bounce_is_looked_up(lists: Lists) -> None:
    contact = ana(lists)
    tell(lists.service, mailed(EventKind.FAILED, failure=Failure.HARD))
    wish = StatusUpdate(clear_bounce=frozenset({Channel.EMAIL}), reason="Works", evidence="Call")
    change(lists.service, contact.id, wish, MANAGER)

    assert "☐ *Optin:* looking it up on SendGrid's list…" in drawn(lists, contact)


# What the worker posts


@pytest.fixture
def board(desk: Bench) -> Bench:
    """Alerts go to a channel, and SendGrid's lists are on."""
    desk.service = with_lists(desk.service, {"sendgrid": EVERY})
    desk.worker = desk.hire(desk.slack)
    return desk


def lists_of(board: Bench) -> Lists:
    there = ListInMemory(name="sendgrid", clock=board.clock)
    return Lists(service=board.service, clock=board.clock, by_name={"sendgrid": there})


def test_the_first_write_waits_for_a_manager_with_its_counts(board: Bench) -> None:
    lists = lists_of(board)
    for number in range(3):
        ana(lists, f"C{number}", email=f"c{number}@example.com")
        lists.sendgrid.put(f"c{number}@example.com", Cause.BOUNCE if number else Cause.COMPLAINT)
    lists.read()
    board.run()
    message = board.messages()[-1]

    assert "Before Optin writes to SendGrid's suppression lists, a manager confirms it." in (
        message.plain
    )
    assert "3 only at SendGrid: 1 spam complaint and 2 bounces. Optin has taken them in." in (
        message.plain
    )
    assert message.buttons == ["Confirm"]
    assert "@example.com" not in message.plain
    lists.confirm()
    board.run()
    assert "confirmed" in board.messages()[-1].plain
    assert board.messages()[-1].buttons == ["Mark handled"]


def test_lists_that_optin_only_reads_are_confirmed_without_a_word_of_writing(
    board: Bench,
) -> None:
    board.service = with_lists(board.service, {"sendgrid": EVERY.read_only()})
    board.worker = board.hire(board.slack)
    lists = lists_of(board)
    for number in range(20):
        ana(lists, f"C{number}", email=f"c{number}@example.com")
        lists.sendgrid.put(f"c{number}@example.com", Cause.BOUNCE)
    lists.read()
    lists.sendgrid.entries.clear()
    board.clock.advance(timedelta(days=1))
    lists.read()
    board.run(seconds=30)
    (asked,) = (one for one in board.messages() if one.buttons == ["Confirm"])

    assert "SendGrid's suppression lists may be others now" in asked.plain
    assert "Optin writes nothing to these lists." in asked.plain
    confirm_writes(board.service, "sendgrid", MANAGER)
    board.run(seconds=30)
    (answered,) = (one for one in board.messages() if "confirmed" in one.plain)
    assert "these are SendGrid's lists." in answered.plain
    assert "Confirm" not in answered.buttons


def test_whose_yes_stays_is_shown_by_view(board: Bench) -> None:
    lists = lists_of(board)
    lists.confirm()
    before = lists.clock() - timedelta(days=1)
    ana(lists)
    lists.sendgrid.put(MAILBOX, since=before)
    lists.read()
    board.run()
    message = board.messages()[-1]

    assert "SendGrid's suppression lists and Optin differed" in message.plain
    assert "1 contact stays at YES" in message.plain
    assert message.buttons == ["View", "Mark handled"]


def test_the_approval_and_the_requester_follow_the_list(board: Bench) -> None:
    lists = lists_of(board)
    lists.confirm()
    contact = ana(lists)
    lists.sendgrid.put(MAILBOX)
    tell(board.service, mailed(EventKind.UNSUBSCRIBED))
    board.clock.advance(timedelta(minutes=1))
    case = request(
        board.service, contact.id, CaseRequest(channel=Channel.EMAIL, evidence="Called"), AGENT
    )
    board.run()
    approve(board.service, case.id, LEE_CHEN)
    board.run()
    asked = board.messages("#optin-approvals")[0].plain
    told = board.workspace.person("Ana").dms()[-1].plain

    assert "The address is being taken off SendGrid's suppression list" in asked
    assert "☐ Optin: Optin takes the address off SendGrid's suppression list." in asked
    assert "The address is being taken off SendGrid's list. After that, e-mails are sent." in told
    lists.work_until_done()
    board.run()
    assert "✅ Done." in board.messages("#optin-approvals")[0].plain
    assert "e-mails are sent again" in board.workspace.person("Ana").dms()[-1].plain


def test_a_key_that_is_refused_is_told(board: Bench) -> None:
    note_problem(board.service, "sendgrid", "the key lacks the scope suppressions")
    board.run()
    message = board.message()

    assert "Optin can't read or write SendGrid's suppression lists" in message.plain
    assert "the key lacks the scope suppressions" in message.plain
    assert board.alert().kind is AlertKind.LISTS


# The button


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Slack]:
    settings: Mapping[str, str] = {
        "OPTIN_ALERT_CHANNEL": ALERTS,
        "OPTIN_SENDGRID_API_KEY": "SG.of-tests",
        # Nobody answers there: the test itself reads the list.
        "OPTIN_SENDGRID_API_URL": "http://127.0.0.1:9",
        "OPTIN_WRITE_BACK": "yes",
    }
    with started(tmp_path, "http", **settings) as slack:
        yield slack


def test_only_a_manager_confirms_and_the_button_carries_the_provider_alone(running: Slack) -> None:
    now = running.clock()
    news = ListNews(kind=ListNewsKind.CONFIRM, label="SendGrid", report={"only_ours": 2}, at=now)
    with running.service.store.transaction() as records:
        state = list_state(records.key_value, "sendgrid")
        put_state(records.key_value, "sendgrid", replace(state, finished_at=now))
        announce(running.service, records, "sendgrid", news, now)
    running.workspace.wait_until(lambda: bool(running.person("Lee").messages("#optin-alerts")))
    (message,) = running.person("Lee").messages("#optin-alerts")
    ana, lee = running.person("Ana"), running.person("Lee")
    refused = said(ana.press("Confirm", in_=message, confirm=True))
    assert refused == "Only a manager can confirm what Optin writes to a provider's lists."
    assert not read_state(running.service, "sendgrid").confirmed
    confirmed = said(lee.press("Confirm", in_=message, confirm=True))

    assert confirmed == "Optin writes to SendGrid's lists from now on."
    assert read_state(running.service, "sendgrid").confirmed_by == f"slack:{LEE}"
    values = [e["value"] for b in message.blocks for e in b.get("elements", []) if "value" in e]
    assert "sendgrid" in values


def test_a_case_says_that_the_operator_acts_once_writes_are_off(board: Bench) -> None:
    lists = lists_of(board)
    lists.confirm()
    contact = unsubscribed(lists)
    (case,) = cases_of(board, contact)
    assert "is being taken off" in still(case_details(board.service, case.id, LEE_CHEN))
    off = with_lists(board.service, {"sendgrid": EVERY.read_only()})
    details = case_details(off, case.id, LEE_CHEN)

    for text in (current_headline(details, "c…"), still(details), *progress(details)):
        assert "being taken off" not in text
        assert "Optin takes" not in text
    assert "the address is on SendGrid's suppression list" in current_headline(details, "c…")
    assert "Operator: Take the address off SendGrid's suppression list." in still(details)
    shown = "\n".join(answer(profile(off, contact.id, MANAGER), Channel.EMAIL))
    assert "Operator: Take the address off SendGrid's suppression list." in shown


def cases_of(board: Bench, contact: Contact) -> list[Case]:
    with board.service.store.reading() as records:
        return records.cases.of(contact.id)

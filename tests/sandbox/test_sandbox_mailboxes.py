"""Mailboxes, SendGrid before them, and unsubscribing with one click."""

from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from sandbox.client import Workspace
from tests.support.outside_fixtures import (
    PUBLIC_URL,
    ROSA,
    Receiver,
    receiving,
    settle,
)


@pytest.fixture
def app() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
        assert receiver.refused == []


@pytest.fixture
def ws(app: Receiver) -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        settle(workspace, app.url)
        yield workspace


def test_an_email_is_processed_and_delivered_in_one_batch(ws: Workspace, app: Receiver) -> None:
    told = ws.contact("Rosa").deliver(by="email")

    assert told.status == 204
    assert [event["event"] for event in app.events] == ["processed", "delivered"]
    assert {event["email"] for event in app.events} == {"rosa@example.com"}
    assert len({event["sg_event_id"] for event in app.events}) == 2


def test_a_dead_mailbox_gets_nothing_more_until_it_is_taken_off_the_list(
    ws: Workspace, app: Receiver
) -> None:
    rosa = ws.contact("Rosa")
    rosa.bounce(code="5.1.1")
    rosa.deliver(by="email")

    bounce, dropped = app.events[1:]
    assert (bounce["event"], bounce["type"], bounce["status"]) == ("bounce", "bounce", "5.1.1")
    assert (dropped["event"], dropped["reason"]) == ("dropped", "Bounced Address")
    assert [mail["arrived"] for mail in rosa.mails] == [True, False, False]


def test_a_full_mailbox_is_tried_again(ws: Workspace, app: Receiver) -> None:
    rosa = ws.contact("Rosa")
    rosa.bounce(code="5.2.2")
    rosa.deliver(by="email")

    assert app.events[1]["type"] == "blocked"
    assert app.events[-1]["event"] == "delivered"


def test_a_complaint_names_the_last_email(ws: Workspace, app: Receiver) -> None:
    rosa = ws.contact("Rosa")
    rosa.deliver(by="email")
    rosa.complain()
    rosa.deliver(by="email")

    delivered, reported, dropped = app.events[1:]
    assert reported["event"] == "spamreport"
    assert reported["smtp-id"] == delivered["smtp-id"]
    assert dropped["reason"] == "Spam Reporting Address"


def test_unsubscribe_is_one_post_with_a_token_for_this_mailbox(
    ws: Workspace, app: Receiver
) -> None:
    rosa = ws.contact("Rosa")
    told = rosa.unsubscribe()
    mail = rosa.mails[-1]
    with urlopen(mail["page"]) as page:
        shown = page.read()

    assert told.status == 204
    assert app.said("/u/one-click")[0]["c"] == "c18"
    assert mail["link"].startswith(f"{PUBLIC_URL}/u/one-click?c=c18&l=offers&t=")
    assert shown == b"<p>Unsubscribe?</p>"


def test_an_opt_out_and_a_complaint_put_the_mailbox_on_their_lists(
    ws: Workspace, app: Receiver
) -> None:
    rosa, lists = ws.contact("Rosa"), ws.lists("sendgrid")
    rosa.opt_out_at_sendgrid()
    rosa.complain()

    stamps = {event["event"]: event["timestamp"] for event in app.events}
    listed = {entry["list"]: entry["at"] for entry in lists.entries(ROSA["email"])}
    assert listed == {"unsubscribes": stamps["unsubscribe"], "spam_reports": stamps["spamreport"]}


def test_an_email_to_a_listed_mailbox_is_dropped_until_the_entry_goes(
    ws: Workspace, app: Receiver
) -> None:
    rosa, lists = ws.contact("Rosa"), ws.lists("sendgrid")
    for name in ("bounces", "unsubscribes"):
        lists.add(name, "Rosa@Example.com")
        rosa.deliver(by="email")
        lists.remove(name, ROSA["email"])
    rosa.deliver(by="email")

    reasons = [event.get("reason") for event in app.events]
    assert reasons[:2] == ["Bounced Address", "Unsubscribed Address"]
    assert app.events[-1]["event"] == "delivered"


def test_whoever_was_suppressed_before_stands_on_the_list(ws: Workspace, app: Receiver) -> None:
    settle(ws, app.url, people=[{**ROSA, "suppressed": "Unsubscribed Address"}])

    assert ws.lists("sendgrid").holds("unsubscribes", ROSA["email"])

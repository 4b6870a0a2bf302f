"""What is outside: phones, the carrier before them, and what can't be done there."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.client import Workspace
from sandbox.sandbox_errors import Impossible
from tests.support.outside_fixtures import (
    GRACE,
    LINE,
    OFFERS,
    Receiver,
    receiving,
    settle,
)

INBOUND = "/webhooks/twilio/inbound"


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


def until(ws: Workspace, condition: Any) -> None:
    ws.wait_until(condition, timeout=20.0)


def test_a_text_reaches_the_app_signed_with_every_field_that_twilio_sends(
    ws: Workspace, app: Receiver
) -> None:
    told = ws.contact("Grace Lee").text("Thanks, see you & yours! ☀", to="Offers")

    form = app.said(INBOUND)[0]
    assert (told.status, told.tries, told.failure) == (204, 1, "")
    assert told.ms > 0
    assert (form["From"], form["To"]) == (GRACE["phone"], OFFERS)
    assert form["Body"] == "Thanks, see you & yours! ☀"
    assert form["FromCity"] == ""
    assert "OptOutType" not in form
    assert [text.status for text in ws.contact("Grace").thread(OFFERS)] == ["received"]


def test_a_stop_blocks_that_sender_only_and_the_companys_confirmation_fails(
    ws: Workspace, app: Receiver
) -> None:
    grace = ws.contact("Grace Lee")
    grace.text("STOP", to=LINE)
    until(ws, lambda: ("failed", "21610") in app.statuses)
    refused = app.said("/webhooks/twilio/status")[0]
    thread = grace.thread(LINE)

    assert (refused["From"], refused["To"]) == (LINE, GRACE["phone"])
    assert [(text.by, text.status, text.code) for text in thread] == [
        ("contact", "received", ""),
        ("carrier", "delivered", ""),
        ("company", "failed", "21610"),
    ]
    assert "NETWORK MSG" in thread[1].body
    assert grace.is_blocked(LINE)
    assert not grace.is_blocked(OFFERS)


def test_what_is_sent_to_a_blocked_phone_fails_until_unstop(ws: Workspace, app: Receiver) -> None:
    grace = ws.contact("Grace Lee")
    grace.text("stop", to=OFFERS)
    until(ws, lambda: len(app.statuses) == 1)
    grace.deliver(sender=OFFERS)
    grace.text("UNSTOP", to=OFFERS)
    grace.deliver(sender=OFFERS)

    assert app.statuses == [
        ("failed", "21610"),
        ("failed", "21610"),
        ("queued", None),
        ("sent", None),
        ("delivered", None),
    ]
    assert not grace.is_blocked(OFFERS)


def test_a_text_bounces_with_the_code_that_was_asked_for(ws: Workspace, app: Receiver) -> None:
    ws.contact("Grace Lee").bounce(code=30005, sender=OFFERS)

    assert app.statuses == [("queued", None), ("sent", None), ("undelivered", "30005")]


def test_keywords_are_marked_where_advanced_opt_out_is_on(ws: Workspace, app: Receiver) -> None:
    ws.advanced_opt_out(True)
    grace = ws.contact("Grace Lee")
    for text in ("STOP", "start", "HELP", "Stop. Thank you"):
        grace.text(text, to=OFFERS)

    marks = [form.get("OptOutType") for form in app.said(INBOUND)]
    assert marks == ["STOP", "START", "HELP", None]


def test_a_block_may_stand_from_the_beginning(ws: Workspace, app: Receiver) -> None:
    settle(ws, app.url, people=[{**GRACE, "blocked": [LINE]}])
    ws.contact("Grace").deliver(sender=LINE)

    assert app.statuses == [("failed", "21610")]


def test_a_messaging_service_is_named_beside_its_number(ws: Workspace, app: Receiver) -> None:
    service = "MG00000000000000000000000000000001"
    settle(ws, app.url, senders=[{"id": service, "name": "Service", "number": OFFERS}])
    ws.contact("Grace").text("Hello", to=service)

    form = app.said(INBOUND)[0]
    assert (form["MessagingServiceSid"], form["To"]) == (service, OFFERS)


def test_two_contacts_with_one_number_share_the_phone(ws: Workspace, app: Receiver) -> None:
    adam = {"id": "c9", "name": "Adam", "phone": GRACE["phone"]}
    settle(ws, app.url, people=[GRACE, adam])
    ws.contact("Grace").text("STOP", to=LINE)

    assert ws.contact("Adam").is_blocked(LINE)


@pytest.mark.parametrize(
    "address",
    [
        "https://optin.example",
        "http://192.0.2.1:3000",
        "http://optin.example:3000",
        "http://127.0.0.1.optin.example",
    ],
)
def test_only_an_app_on_this_machine_is_ever_called(ws: Workspace, address: str) -> None:
    with pytest.raises(Impossible):
        settle(ws, address)


@pytest.mark.parametrize(
    "act",
    [
        lambda ws: ws.contact("Nobody"),
        lambda ws: ws.contact("Rosa").text("STOP", to=LINE),
        lambda ws: ws.contact("Grace").text("  ", to=LINE),
        lambda ws: ws.contact("Grace").text("STOP", to="+12025550100"),
        lambda ws: ws.contact("Grace").bounce(code=12345),
        lambda ws: ws.contact("Grace").bounce(code="9.9.9"),
        lambda ws: ws.outside(webhooks="http://127.0.0.1:1", sendgrid={"private_key": "none"}),
        lambda ws: ws.outside(people=[]),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(ws: Workspace, app: Receiver, act: Any) -> None:
    with pytest.raises(Impossible, match=r"\.$"):
        act(ws)

    assert app.got == []

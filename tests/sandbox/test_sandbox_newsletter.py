"""The newsletter asks Optin before it sends, and sends nothing without an answer."""

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.client import Workspace
from sandbox.sandbox_errors import Impossible
from tests.support.newsletter_fixtures import (
    KEY,
    MAY_SEND,
    STOPPED,
    CheckApi,
    answering,
    deliver,
    event,
    subscribe,
)
from tests.support.outside_fixtures import GRACE, ROSA, Receiver, receiving, settle

UNVERIFIED = {
    "answer": "unverified",
    "gates": [{"code": "probation", "owner": "agent", "remedy": "The next message is the test."}],
    "contact": "c7",
    "version": 1,
}


@pytest.fixture
def app() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver
        assert receiver.refused == []


@pytest.fixture
def optin() -> Iterator[CheckApi]:
    with answering() as api:
        yield api


@pytest.fixture
def ws(app: Receiver, optin: CheckApi) -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        settle(workspace, app.url)
        subscribe(workspace, optin.url)
        yield workspace


def sent_texts(app: Receiver) -> int:
    return [word for word, _ in app.statuses].count("queued")


def test_one_question_holds_back_whoever_may_not_be_sent_to(
    ws: Workspace, app: Receiver, optin: CheckApi
) -> None:
    campaign = ws.newsletter.send("sms")

    grace = ws.newsletter.subscriber("Grace Lee")
    assert optin.asked == [{"recipients": [{"to": GRACE["phone"], "channel": "sms"}]}]
    assert (campaign["state"], campaign["counts"]) == ("done", {"held": 1})
    assert grace["held"]["reasons"] == STOPPED["gates"]
    assert grace["copy"]["state"] == "held"
    assert app.statuses == []


def test_what_may_be_sent_goes_out_through_the_provider(
    ws: Workspace, app: Receiver, optin: CheckApi
) -> None:
    optin.results[GRACE["email"]] = STOPPED
    campaign = ws.newsletter.send("email")

    recipients = [{"to": one["email"], "channel": "email"} for one in (GRACE, ROSA)]
    assert optin.asked == [{"recipients": recipients}]
    assert campaign["counts"] == {"held": 1, "sent": 1}
    assert ws.newsletter.subscriber("Rosa Jiménez", "email")["copy"]["status"] == "delivered"
    assert [(one["event"], one["email"]) for one in app.events] == [
        ("processed", ROSA["email"]),
        ("delivered", ROSA["email"]),
    ]


@pytest.mark.parametrize("result", [UNVERIFIED, {"answer": "something new", "gates": []}])
def test_only_a_yes_lets_a_message_go_out(
    ws: Workspace, app: Receiver, optin: CheckApi, result: dict[str, Any]
) -> None:
    optin.results[GRACE["phone"]] = result
    campaign = ws.newsletter.send("sms")

    assert campaign["counts"] == {"held": 1}
    assert app.statuses == []


def test_a_recipient_that_optin_cannot_read_is_held_back_and_the_others_are_sent(
    ws: Workspace, optin: CheckApi
) -> None:
    optin.results[GRACE["email"]] = {"error": {"detail": "That is no e-mail address."}}
    campaign = ws.newsletter.send("email")

    held = ws.newsletter.subscriber("Grace Lee", "email")["held"]
    assert campaign["counts"] == {"held": 1, "sent": 1}
    assert held["reasons"][0]["remedy"] == "That is no e-mail address."


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, b"{}", "Optin refused the API key (401)."),
        (403, b"{}", "The API key may not ask this (403)."),
        (429, b"", "Optin asks to wait before the next question (429)."),
        (500, b"", "Optin has a problem of its own (500)."),
        (503, b"<html>", "Optin has a problem of its own (503)."),
        (302, b"", "Optin did not answer the question (302)."),
        (
            400,
            b'{"detail": "Unknown field: channels."}',
            "Optin did not answer the question (400): Unknown field: channels.",
        ),
        (200, b"", "Optin's answer can't be read."),
        (200, b"[]", "Optin's answer can't be read."),
        (200, b'{"results": [{}]}', "Optin's answer can't be read."),
        (200, b'{"results": [null]}', "Optin's answer can't be read."),
        (200, b'{"results": [], "as_of": null}', "Optin's answer can't be read."),
        (
            200,
            b'{"results": [{"to": "+1", "answer": "yes", "gates": []}], "as_of": 1}',
            "Optin's answer is not about these recipients.",
        ),
        (200, b'{"results": [], "as_of": 1}', "Optin's answer is not about these recipients."),
    ],
)
def test_without_an_answer_nothing_is_sent_and_the_page_says_why(
    ws: Workspace, app: Receiver, optin: CheckApi, status: int, body: bytes, why: str
) -> None:
    optin.results[GRACE["phone"]] = MAY_SEND
    optin.status, optin.body = status, body
    campaign = ws.newsletter.send("sms")

    assert (campaign["state"], campaign["problem"]) == ("failed", f"Nothing was sent. {why}")
    assert ws.newsletter.subscriber("Grace Lee")["copy"]["state"] == "waiting"
    assert app.statuses == []


def test_a_wrong_key_sends_nothing(ws: Workspace, app: Receiver, optin: CheckApi) -> None:
    subscribe(ws, optin.url, api_key="revoked")

    assert ws.newsletter.send("email")["problem"] == (
        "Nothing was sent. Optin refused the API key (401)."
    )
    assert app.events == []


def test_nothing_is_sent_while_optin_is_down(ws: Workspace, app: Receiver) -> None:
    subscribe(ws, "http://127.0.0.1:1")

    assert ws.newsletter.send("sms")["problem"] == "Nothing was sent. Optin can't be reached."
    assert app.statuses == []


def test_a_message_goes_out_again_once_optin_says_yes(
    ws: Workspace, app: Receiver, optin: CheckApi
) -> None:
    ws.newsletter.send("sms")
    optin.results[GRACE["phone"]] = MAY_SEND
    ws.newsletter.send("sms")

    grace = ws.newsletter.subscriber("Grace Lee")
    assert grace["held"] is None
    assert (grace["copy"]["state"], grace["copy"]["status"]) == ("sent", "delivered")
    assert sent_texts(app) == 1


def test_a_check_adds_the_reasons_and_keeps_the_time_of_the_event(
    ws: Workspace, optin: CheckApi
) -> None:
    deliver(ws, event(5, "no"))
    marked = ws.newsletter.subscriber("Grace Lee")["held"]
    ws.newsletter.send("sms")

    held = ws.newsletter.subscriber("Grace Lee")["held"]
    assert (marked["event"], marked["reasons"]) == ("consent.changed", [])
    assert held == {**marked, "reasons": STOPPED["gates"]}


@pytest.mark.parametrize("marked_before", [False, True])
def test_an_event_that_comes_after_the_question_wins_over_the_answer(
    ws: Workspace, app: Receiver, optin: CheckApi, marked_before: bool
) -> None:
    optin.results[GRACE["phone"]] = MAY_SEND
    if marked_before:
        deliver(ws, event(5, "no"), id_="msg_5")
    optin.meanwhile = lambda: deliver(ws, event(6, "no"), id_="msg_6")
    campaign = ws.newsletter.send("sms")

    assert campaign["counts"] == {"held": 1}
    assert app.statuses == []


def test_an_event_that_the_answer_knew_of_changes_nothing(ws: Workspace, optin: CheckApi) -> None:
    optin.results[GRACE["phone"]] = MAY_SEND
    ws.newsletter.send("sms")
    deliver(ws, event(5, "no"))

    assert ws.newsletter.subscriber("Grace Lee")["held"] is None


def test_the_inspector_shows_the_question_and_not_the_key(ws: Workspace) -> None:
    ws.newsletter.send("sms")

    (line,) = ws.journal("POST /api/v1/check")
    assert line["outcome"] == "200"
    assert KEY not in str(line)


@pytest.mark.parametrize(
    "settings",
    [
        {"optin": "http://optin.example"},
        {"optin": "https://127.0.0.1"},
        {"optin": "http://127.0.0.1.optin.example"},
        {"webhook_secret": "whsec_"},
        {"webhook_secret": "whsec_é"},
        {"subscribers": [{"id": "c1"}]},
        {"subscribers": None},
    ],
)
def test_wrong_settings_are_refused_in_a_sentence(
    ws: Workspace, optin: CheckApi, settings: dict[str, Any]
) -> None:
    with pytest.raises(Impossible, match=r"\.$"):
        subscribe(ws, **{"optin": optin.url, **settings})


def test_nobody_can_be_sent_to_before_there_is_a_list() -> None:
    with Workspace.start(mode="socket") as ws, pytest.raises(Impossible, match="Nobody"):
        ws.newsletter.send("sms")

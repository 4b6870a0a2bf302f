"""The newsletter receives Optin's webhooks: it verifies each, and follows the verified ones."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from sandbox.client import Workspace
from tests.support.newsletter_fixtures import deliver, event, post_webhook, subscribe
from tests.support.outside_fixtures import GRACE, ROSA

OTHER_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@pytest.fixture
def ws() -> Iterator[Workspace]:
    with Workspace.start(mode="socket") as workspace:
        subscribe(workspace, "http://127.0.0.1:1")
        yield workspace


def is_held(ws: Workspace, medium: str = "sms") -> bool:
    return ws.newsletter.subscriber("Grace Lee", medium)["held"] is not None


def test_a_verified_event_marks_the_subscriber_at_once(ws: Workspace) -> None:
    assert deliver(ws, event(5, "no")) == 204

    (received,) = ws.newsletter.events
    assert (received["id"], received["type"], received["verified"]) == (
        "msg_1",
        "consent.changed",
        True,
    )
    assert received["subscriber"] == "Grace Lee"
    assert received["changes"] == [{"medium": "sms", "before": "yes", "after": "no"}]
    assert received["data"]["seq"] == 5
    assert is_held(ws)
    assert not is_held(ws, "email")


def test_an_event_may_take_the_mark_off(ws: Workspace) -> None:
    deliver(ws, event(5, "no"), id_="msg_5")
    deliver(ws, event(6, "yes"), id_="msg_6")

    assert not is_held(ws)


def test_an_older_event_that_comes_last_changes_nothing(ws: Workspace) -> None:
    deliver(ws, event(6, "no"), id_="msg_6")
    deliver(ws, event(5, "yes"), id_="msg_5")

    assert is_held(ws)
    assert len(ws.newsletter.events) == 2


def test_the_same_event_again_is_answered_and_counted_once(ws: Workspace) -> None:
    answers = [deliver(ws, event(5, "no")) for _ in range(2)]

    (received,) = ws.newsletter.events
    assert answers == [204, 204]
    assert received["times"] == 2


@pytest.mark.parametrize(
    ("secret", "age", "why"),
    [
        (OTHER_SECRET, timedelta(0), "No matching signature found."),
        (None, timedelta(minutes=6), "Message timestamp too old."),
        (None, timedelta(minutes=-6), "Message timestamp too new."),
    ],
)
def test_what_does_not_verify_is_answered_401_shown_and_not_followed(
    ws: Workspace, secret: str | None, age: timedelta, why: str
) -> None:
    more = {"secret": secret} if secret else {}

    assert deliver(ws, event(5, "no"), age=age, **more) == 401
    (received,) = ws.newsletter.events
    assert (received["id"], received["verified"], received["problem"]) == ("msg_1", False, why)
    assert '"seq": 5' in received["data"]
    assert not is_held(ws)


def test_a_changed_body_does_not_verify(ws: Workspace) -> None:
    assert deliver(ws, event(5, "yes"), sent=event(5, "no")) == 401
    assert ws.newsletter.events[0]["problem"] == "No matching signature found."


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"{}"),
        ({"webhook-id": "m", "webhook-timestamp": "nan", "webhook-signature": "v1,x"}, b"{}"),
        ({}, b"\xff\xfe"),
        ({}, b""),
    ],
)
def test_a_malformed_request_is_answered_401(
    ws: Workspace, headers: dict[str, str], body: bytes
) -> None:
    assert post_webhook(ws, body, headers) == 401
    assert not ws.newsletter.events[0]["verified"]


@pytest.mark.parametrize("body", [b"[]", b"no json", b'"text"'])
def test_a_signed_body_that_is_no_object_is_answered_401(ws: Workspace, body: bytes) -> None:
    assert deliver(ws, body) == 401


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"type": "consent.changed", "data": null}',
        b'{"type": "contact.changed", "data": {"contact": "c7", "channel": null, "seq": 1}}',
        b'{"type": "x", "data": {"contact": "c7", "seq": 1, "before": {}, "after": {"fax": "no"}}}',
        b'{"type": "x", "data": {"contact": "c7", "seq": 1, "before": [], "after": ["sms"]}}',
        b'{"type": "x", "data": {"contact": ["c7"], "seq": 1, "before": {}, "after": {"sms": "no"}}}',
        b'{"type": "x", "data": {"contact": "c7", "seq": "1", "before": {}, "after": {"sms": "no"}}}',
    ],
)
def test_a_verified_event_of_another_shape_is_taken_and_changes_nothing(
    ws: Workspace, body: bytes
) -> None:
    assert deliver(ws, body) == 204
    assert not is_held(ws)


def test_an_event_about_no_single_channel_marks_both(ws: Workspace) -> None:
    data = {
        "contact": GRACE["id"],
        "channel": None,
        "seq": 1,
        "before": {"answer": None, "sms": "yes", "email": "unverified"},
        "after": {"answer": None, "sms": "no", "email": "no"},
    }
    deliver(ws, json.dumps({"type": "contact.changed", "data": data}).encode())

    assert is_held(ws, "sms")
    assert is_held(ws, "email")


def test_an_erased_contact_is_held_back(ws: Workspace) -> None:
    data = {
        "contact": GRACE["id"],
        "seq": 1,
        "before": {"sms": "yes", "email": "yes"},
        "after": {"sms": None, "email": None},
    }
    deliver(ws, json.dumps({"type": "contact.changed", "data": data}).encode())

    assert is_held(ws, "sms")
    assert is_held(ws, "email")


def test_an_event_about_somebody_else_marks_nobody(ws: Workspace) -> None:
    deliver(ws, event(5, "no", contact="c99"))

    assert ws.newsletter.events[0]["subscriber"] == ""
    assert not is_held(ws)
    assert ws.newsletter.subscriber(ROSA["name"], "email")["held"] is None


def test_the_newest_hundred_are_kept(ws: Workspace) -> None:
    for seq in range(105):
        deliver(ws, event(seq, "no"), id_=f"msg_{seq}")

    ids = [one["id"] for one in ws.newsletter.events]
    assert ids == [f"msg_{seq}" for seq in range(104, 4, -1)]


def test_a_body_that_is_too_long_is_refused_and_not_kept(ws: Workspace) -> None:
    assert deliver(ws, b" " * 65_537) == 413
    assert ws.newsletter.events == []


def test_without_a_secret_nothing_is_verified() -> None:
    with Workspace.start(mode="socket") as ws:
        assert deliver(ws, event(5, "no", contact=GRACE["id"])) == 401

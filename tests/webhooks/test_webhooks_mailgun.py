"""Mailgun: what its recorded requests do not show."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from bot.consent.events import EventKind, Failure
from handlers.webhooks.provider import InvalidPayload, InvalidSignature, Request
from tests.support.mailgun_requests import EVENT, NOW, PATH, provider, signature, signed
from tests.support.webhooks_fixtures import posted

FORM = "application/x-www-form-urlencoded"


def test_while_keys_change_both_hold_and_the_log_can_say_which():
    assert provider("old", "key").verify(signed(EVENT), NOW) == "secret 2 of 2"


def test_a_token_stands_for_one_content_in_whatever_order_it_is_written():
    mailgun = provider()
    first = mailgun.once_token(signed(EVENT), NOW)
    turned = dict(reversed(EVENT.items()))
    again = mailgun.once_token(posted(PATH, {"event-data": turned, "signature": signature()}), NOW)
    other = mailgun.once_token(signed(EVENT | {"recipient": "dina@example.net"}), NOW)

    assert again == first
    assert (other.key, other.value == first.value) == (first.key, False)


@pytest.mark.parametrize(("age", "holds"), [(899, True), (901, False), (-299, True), (-301, False)])
def test_the_window_is_a_quarter_of_an_hour(age: int, holds: bool):
    request = signed(EVENT, at=NOW.replace(microsecond=0) - timedelta(seconds=age))

    if holds:
        assert provider().verify(request, NOW.replace(microsecond=0))
    else:
        with pytest.raises(InvalidSignature):
            provider().verify(request, NOW.replace(microsecond=0))


def test_the_border_between_time_and_token_cant_be_moved():
    stated = signature()
    moved = stated | {
        "timestamp": stated["timestamp"][:-1],
        "token": stated["timestamp"][-1] + stated["token"],
    }

    with pytest.raises(InvalidSignature, match="no signature"):
        provider().verify(posted(PATH, {"signature": moved, "event-data": EVENT}), NOW)


@pytest.mark.parametrize("token", ["", "a" * 49, "a" * 51, "é" * 50])
def test_a_token_of_another_length_is_none_even_if_it_is_signed(token: str):
    with pytest.raises(InvalidSignature, match="no signature"):
        provider().verify(signed(EVENT, token=token), NOW)


@pytest.mark.parametrize("body", ["", "{", [], {"signature": {}}, {"event-data": 7}])
def test_a_body_that_holds_no_event_is_unreadable(body: object):
    with pytest.raises(InvalidPayload):
        provider().verify(posted(PATH, body), NOW)


@pytest.mark.parametrize(
    ("told", "class_"),
    [
        ({"reason": "bounce", "code": 550, "enhanced-code": "5.1.1"}, Failure.HARD),
        ({"reason": "generic", "code": 550, "message": "5.7.1 spam"}, Failure.OURS),
        ({"reason": "generic", "code": 552, "message": "5.2.2 full"}, Failure.SOFT),
        ({"reason": "generic", "code": 421, "message": "4.2.1 later"}, Failure.SOFT),
        ({"reason": "old", "code": 602}, Failure.SOFT),
        ({"reason": "suppress-bounce", "code": 605}, Failure.LISTED_BOUNCE),
        ({"reason": "suppress-unsubscribe", "code": 606}, Failure.LISTED_OPT_OUT),
        ({"reason": "suppress-complaint", "code": 607}, Failure.LISTED_COMPLAINT),
        ({"reason": "generic", "code": 452, "severity": "temporary"}, Failure.NOT_FINAL),
        ({}, Failure.SOFT),
    ],
)
def test_the_class_of_a_failure(told: dict[str, object], class_: Failure):
    event = EVENT | {
        "severity": told.get("severity", "permanent"),
        "reason": told.get("reason"),
        "delivery-status": told,
    }

    (found,) = provider().parse(signed(event), NOW).events

    assert found.failure is class_


@pytest.mark.parametrize(
    ("word", "kind", "failure"),
    [
        ("unsubscribed", EventKind.UNSUBSCRIBED, None),
        ("complained", EventKind.COMPLAINT, None),
        ("delivered", EventKind.DELIVERED, None),
        ("bounced", EventKind.FAILED, Failure.HARD),
    ],
)
def test_the_old_forms_are_read(word: str, kind: EventKind, failure: Failure | None):
    form = {
        "event": word,
        "recipient": "dana@example.net",
        "domain": "mg.example.com",
        "code": "550",
    }
    request = posted(PATH, urlencode(form | signature()), kind=FORM)
    mailgun = provider()
    mailgun.verify(request, NOW)

    (event,) = mailgun.parse(request, NOW).events

    assert (event.kind, event.failure, event.sender) == (kind, failure, "domain:mg.example.com")
    assert event.occurred_at == NOW.replace(microsecond=0)


def multipart(*pairs: tuple[str, str]) -> Request:
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in pairs
    ]
    file = '--b\r\nContent-Disposition: form-data; name="a"; filename="x"\r\n\r\nHello\r\n--b--\r\n'
    kind = 'multipart/form-data; boundary="b"'
    return posted(PATH, "".join([*parts, file]), kind=kind)


OLD = {"event": "bounced", "recipient": "dana@example.net", "code": "550", "error": "5.1.1 unknown"}


@pytest.mark.parametrize(
    "make", [multipart, lambda *pairs: posted(PATH, urlencode(pairs), kind=FORM)]
)
def test_an_old_form_may_have_files_and_fields_that_come_twice(make: Callable[..., Request]):
    tags = [("X-Mailgun-Tag", "news"), ("X-Mailgun-Tag", "march"), ("my-var", "1"), ("my-var", "2")]
    request = make(*OLD.items(), *tags, *signature().items())
    mailgun = provider()
    mailgun.verify(request, NOW)

    (event,) = mailgun.parse(request, NOW).events

    assert (event.address, event.failure) == ("dana@example.net", Failure.HARD)
    assert event.id == f"mailgun:token:{'a1' * 25}"


@pytest.mark.parametrize("field", ["recipient", "event", "code"])
def test_a_field_that_matters_is_not_guessed(field: str):
    request = multipart(*OLD.items(), (field, "another"), *signature().items())

    # The signature stands among the fields, so that nobody knows whose they are.
    with pytest.raises(InvalidPayload, match="twice"):
        provider().verify(request, NOW)


@pytest.mark.parametrize("id_", [{}, {"id": ""}, {"id": None}])
def test_without_an_id_the_token_stands_for_the_event(id_: dict[str, object]):
    event = {name: value for name, value in EVENT.items() if name != "id"} | id_

    (found,) = provider().parse(signed(event), NOW).events

    assert found.id == f"mailgun:token:{'a1' * 25}"


@pytest.mark.parametrize(
    ("message", "only"),
    [
        ({"recipients": ["Dana@Example.net"]}, "dana@example.net"),
        ({"recipients": ["dana@example.net", "mary@example.net"]}, None),
        ({"headers": {"to": "Dana <dana@example.net>"}}, "dana@example.net"),
        ({"headers": {"to": "dana@example.net, mary@example.net"}}, None),
        ({"headers": {"to": "dana@example.net", "cc": "mary@example.net"}}, None),
        ({"headers": {"to": "undisclosed-recipients:;"}}, None),
        ({}, None),
    ],
    ids=str,
)
def test_the_only_recipient_is_told(message: dict[str, object], only: str | None):
    (event,) = provider().parse(signed(EVENT | {"message": message}), NOW).events

    assert event.only_recipient == only


def test_the_old_forms_tell_the_only_recipient_in_their_headers():
    headers = [["To", "Dana <dana@example.net>"], ["Subject", "Hello"]]
    form = OLD | {"recipient": "gone@other.example", "message-headers": json.dumps(headers)}
    request = multipart(*form.items(), *signature().items())

    (event,) = provider().parse(request, NOW).events

    assert (event.address, event.only_recipient) == ("gone@other.example", "dana@example.net")

"""SendGrid: what its recorded requests do not show."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from bot.consent.events import Failure
from handlers.webhooks.provider import InvalidSignature
from handlers.webhooks.providers.sendgrid import Sendgrid
from tests.support.sendgrid_requests import EVENT, KEYS, PATH, provider, public
from tests.support.webhooks_fixtures import assert_not_understood, posted

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)


def headers(body: str, *, at: datetime = NOW, key: ec.EllipticCurvePrivateKey = KEYS[0]):
    stated = str(int(at.timestamp()))
    signature = key.sign((stated + body).encode(), ec.ECDSA(SHA256()))
    return {
        "x_twilio_email_event_webhook_timestamp": stated,
        "x_twilio_email_event_webhook_signature": base64.b64encode(signature).decode(),
    }


def test_while_keys_change_both_hold_and_the_log_can_say_which():
    held = [provider().verify(posted(PATH, "[]", **headers("[]", key=key)), NOW) for key in KEYS]

    assert held == ["secret 1 of 2", "secret 2 of 2"]


@pytest.mark.parametrize(("hours", "holds"), [(24, True), (26, False), (-1, False)])
def test_a_retry_of_a_day_is_taken_and_neither_more_nor_the_future(hours: int, holds: bool):
    request = posted(PATH, "[]", **headers("[]", at=NOW - timedelta(hours=hours)))

    if holds:
        assert provider().verify(request, NOW)
    else:
        with pytest.raises(InvalidSignature):
            provider().verify(request, NOW)


@pytest.mark.parametrize("setting", ["", "AAAA", "not base64!", public(KEYS[0])[:-8]])
def test_a_setting_that_is_no_key_is_refused_at_the_start(setting: str):
    with pytest.raises(ValueError, match="is no public key"):
        Sendgrid(public_keys=[setting])


@pytest.mark.parametrize(
    ("told", "class_"),
    [
        ({"type": "bounce", "status": "5.1.1"}, Failure.HARD),
        ({"type": "bounce", "status": "5.1.10"}, Failure.HARD),
        ({"type": "bounce", "status": "5.2.2"}, Failure.SOFT),
        ({"type": "bounce", "status": "5.2.3"}, Failure.OURS),
        ({"type": "bounce", "status": "5.7.606"}, Failure.OURS),
        ({"type": "bounce", "status": "4.4.1"}, Failure.SOFT),
        ({"type": "bounce", "status": "5.0.0"}, Failure.HARD),
        ({"type": "bounce", "reason": "550 from 192.0.2.10"}, Failure.HARD),
        ({"type": "bounce", "reason": "550 from 10.5.7.1"}, Failure.HARD),
        ({"type": "bounce", "reason": "552 5.2.2 full"}, Failure.SOFT),
        ({"type": "blocked", "status": "5.1.1"}, Failure.SOFT),
        ({"type": "blocked", "status": "5.7.1"}, Failure.OURS),
        ({"type": "expired"}, Failure.SOFT),
        ({"event": "dropped", "reason": "Unsubscribed Address"}, Failure.LISTED_OPT_OUT),
        ({"event": "dropped", "reason": "Bounced Address"}, Failure.LISTED_BOUNCE),
        ({"event": "dropped", "reason": "Spam Reporting Address"}, Failure.LISTED_COMPLAINT),
        ({"event": "dropped", "reason": "bounced address."}, Failure.LISTED_BOUNCE),
        ({"event": "dropped", "reason": "Invalid"}, Failure.HARD),
        ({"event": "dropped", "reason": "Spam Content"}, Failure.OURS),
        ({"event": "dropped", "reason": "something new"}, Failure.SOFT),
        ({"event": "deferred"}, Failure.NOT_FINAL),
    ],
)
def test_the_class_of_a_failure(told: dict[str, str], class_: Failure):
    (event,) = provider().parse(posted(PATH, [EVENT | told]), NOW).events

    assert event.failure is class_
    assert event.address == "dana.fields@example.net"


def test_an_unreadable_item_of_a_batch_is_skipped_and_the_rest_is_taken():
    batch = [EVENT | {"email": ""}, EVENT | {"reason": "\0"}, EVENT, {"event": "new"}, 7]

    parsed = provider().parse(posted(PATH, batch), NOW)

    assert [event.id for event in parsed.events] == ["sendgrid:e1"]
    assert len(parsed.skipped) == 3


def test_the_words_of_the_mail_system_stay_out_of_the_event():
    told = {"type": "bounce", "reason": "550 5.1.1 no dana@example.net here", "status": "5.1.1"}

    (event,) = provider().parse(posted(PATH, [EVENT | told]), NOW).events

    assert event.code == "5.1.1"
    assert "dana@" not in (event.meaning or "")


@pytest.mark.parametrize("body", ["[", {}, [EVENT | {"email": "nobody"}]])
def test_a_batch_without_any_readable_item_is_not_understood(body: object):
    assert_not_understood(provider(), posted(PATH, body), NOW)


def test_an_event_that_comes_alone_is_read():
    (event,) = provider().parse(posted(PATH, EVENT), NOW).events

    assert event.id == "sendgrid:e1"


def test_two_mailboxes_under_one_id_are_two_events():
    batch = [EVENT, EVENT | {"email": "mary@example.net"}, EVENT]

    parsed = provider().parse(posted(PATH, batch), NOW)

    assert [event.address for event in parsed.events] == [
        "dana.fields@example.net",
        "mary@example.net",
    ]


def test_an_event_without_an_id_is_read_and_is_the_same_when_it_is_repeated():
    event = {name: value for name, value in EVENT.items() if name != "sg_event_id"}
    told = [event, event, event | {"timestamp": 2}]

    parsed = provider().parse(posted(PATH, told), NOW)

    assert len({one.id for one in parsed.events}) == len(parsed.events) == 2

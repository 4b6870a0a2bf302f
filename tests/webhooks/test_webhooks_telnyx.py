"""Telnyx: what its recorded requests do not show."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.consent.events import Failure
from handlers.webhooks.provider import InvalidPayload, InvalidSignature, Request
from handlers.webhooks.providers.telnyx import SPEC, Telnyx
from handlers.webhooks.providers.telnyx.codes import CODES
from tests.support.webhooks_fixtures import assert_not_understood, posted, sample

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)
PATH = SPEC.routes[0].path
KEYS = [Ed25519PrivateKey.from_private_bytes(letter * 32) for letter in (b"a", b"b")]


def provider() -> Telnyx:
    return Telnyx(
        public_keys=[
            base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
            for key in KEYS
        ]
    )


def signed(body: str = "{}", *, at: datetime = NOW, key: Ed25519PrivateKey = KEYS[0]) -> Request:
    stated = str(int(at.timestamp()))
    signature = base64.b64encode(key.sign(f"{stated}|{body}".encode())).decode()
    return posted(PATH, body, telnyx_timestamp=stated, telnyx_signature_ed25519=signature)


FAILED = [{"phone_number": "+12025550143", "status": "delivery_failed"}]


def finalized(*errors: dict[str, str], to: object = FAILED, **told: object) -> Request:
    payload = {"to": to, "errors": errors, "from": {"phone_number": "+12025550100"}} | told
    data = {"event_type": "message.finalized", "id": "e1", "payload": payload}
    return posted(PATH, {"data": data})


@pytest.mark.parametrize(
    "recorded", ["inbound_stop", "finalized_delivered", "finalized_40300_blocked_by_stop"]
)
def test_our_number_and_its_messaging_profile_are_both_read(recorded: str):
    told = sample(f"telnyx/{recorded}")
    (event,) = provider().parse(told.request(), told.received_at).events

    assert (event.address, event.sender) == ("+12025550143", "+12025550100")
    assert event.service == "0f512bda-ae1e-4597-8e11-e5f5686b97d3"


def test_both_keys_verify_during_a_rotation_and_verify_says_which():
    held = [provider().verify(signed(key=key), NOW) for key in KEYS]

    assert held == ["secret 1 of 2", "secret 2 of 2"]


@pytest.mark.parametrize(("age", "holds"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_the_window_is_five_minutes_either_way(age: int, holds: bool):
    request = signed(at=NOW - timedelta(seconds=age))

    if holds:
        assert provider().verify(request, NOW)
    else:
        with pytest.raises(InvalidSignature):
            provider().verify(request, NOW)


@pytest.mark.parametrize("setting", ["", "AAAA", "not base64!"])
def test_a_setting_that_is_no_key_is_refused_at_the_start(setting: str):
    with pytest.raises(ValueError, match="is no public key"):
        Telnyx(public_keys=[setting])


@pytest.mark.parametrize(
    ("code", "class_"),
    [
        ("40001", Failure.HARD),
        ("40012", Failure.HARD),
        ("40310", Failure.HARD),
        ("40005", Failure.SOFT),
        ("40006", Failure.SOFT),
        ("40014", Failure.SOFT),
        ("40002", Failure.OURS),
        ("40003", Failure.OURS),
        ("40009", Failure.OURS),
        ("40301", Failure.OURS),
        ("40004", Failure.AMBIGUOUS),
        ("40008", Failure.AMBIGUOUS),
        ("49999", Failure.SOFT),
    ],
)
def test_the_class_of_a_code(code: str, class_: Failure):
    (event,) = provider().parse(finalized({"code": code}), NOW).events

    assert (event.failure, event.code) == (class_, code)
    assert event.meaning


@pytest.mark.parametrize(
    ("error", "class_"),
    [
        ({"title": "Blocked due to STOP message"}, Failure.OPT_OUT),
        ({"detail": "… due to an existing block rule."}, Failure.OPT_OUT),
        ({"title": "Recipient opted out"}, Failure.OPT_OUT),
        ({"title": "Carrier rejected"}, Failure.SOFT),
    ],
)
def test_only_its_words_make_40300_an_opt_out(error: dict[str, str], class_: Failure):
    (event,) = provider().parse(finalized({"code": "40300"} | error), NOW).events

    assert event.failure is class_


STOPPED = {"code": "40300", "title": "Blocked due to STOP message"}


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("+12025550143", {}),
        (["+12025550143"], {}),
        ({"phone_number": "+12025550143"}, {}),
        ([{"phone_number": "+12025550143"}], {}),
        ([{"phone_number": "+12025550143", "status": "delivery_failed"}], {}),
        ("+12025550143", {"status": "sending_failed"}),
        ("+12025550143", {"status": "sent"}),
    ],
    ids=str,
)
def test_an_error_counts_however_the_recipient_is_told(to: object, told: dict[str, object]):
    request = finalized(STOPPED, to=to, **told)

    (event,) = provider().parse(request, NOW).events

    assert (event.address, event.failure) == ("+12025550143", Failure.OPT_OUT)


@pytest.mark.parametrize("to", ["", [], None, {}, [{}], [""], 7])
def test_an_error_without_a_recipient_is_counted(to: object):
    with pytest.raises(InvalidPayload, match="no number"):
        provider().parse(finalized(STOPPED, to=to), NOW)


@pytest.mark.parametrize(
    "told",
    [
        {"text": "STOP"},
        {"body": {"text": "STOP"}},
        {"body": "STOP"},
        {"text": "", "body": {"suggestion_response": {"text": "STOP", "postback_data": "1"}}},
        {"body": {"content_message": {"text": "STOP"}}},
    ],
)
@pytest.mark.parametrize("sender", [{"phone_number": "+12025550143"}, "+12025550143"])
def test_a_reply_is_read_from_every_field_that_can_hold_it(told: dict[str, object], sender: object):
    payload = {"from": sender, "to": [], "type": "RCS"} | told
    data = {"event_type": "message.received", "id": "e1", "payload": payload}

    (event,) = provider().parse(signed(json.dumps({"data": data})), NOW).events

    assert (event.address, event.text) == ("+12025550143", "STOP")


def test_one_unreadable_recipient_of_several_is_skipped():
    recipients = [
        {"phone_number": "", "status": "delivered"},
        {"phone_number": "+12025550144", "status": "delivered"},
        {"phone_number": "+12025550145", "status": "new"},
    ]

    parsed = provider().parse(finalized(to=recipients), NOW)

    assert [event.id for event in parsed.events] == ["telnyx:e1:+12025550144"]
    assert len(parsed.skipped) == 2


@pytest.mark.parametrize("body", ["", "[", "{}", '{"data": "\\u0000"}'])
def test_a_body_that_cannot_be_read_is_not_understood(body: str):
    assert_not_understood(provider(), signed(body), NOW)


def test_every_code_has_a_sentence():
    assert all(sentence.endswith(".") and sentence[0].isupper() for _, sentence in CODES.values())

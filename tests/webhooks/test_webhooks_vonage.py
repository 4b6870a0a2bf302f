"""Vonage: what its recorded requests do not show."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.consent.events import EventKind, Failure
from handlers.webhooks.provider import InvalidSignature, Request
from handlers.webhooks.providers.vonage import SPEC, Vonage
from handlers.webhooks.providers.vonage.codes import MESSAGES, RECEIPTS
from handlers.webhooks.providers.vonage.signature import verify_parameters
from tests.support.webhooks_fixtures import assert_not_understood, posted, sample

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)
SECRET = "s" * 32
INBOUND, STATUS, SMS_INBOUND, SMS_DLR = (route.path for route in SPEC.routes)
MESSAGE = {"message_uuid": "m1", "from": "12025550143", "to": "12025550100", "channel": "sms"}
SMS = {
    "messageId": "m1",
    "msisdn": "12025550143",
    "to": "12025550100",
    "text": "STOP & go = ü",
    "timestamp": str(int(NOW.timestamp())),
}


def provider(**changes: object) -> Vonage:
    given: dict[str, object] = {"signature_secrets": ["old" * 11, SECRET]}
    return Vonage(**given | changes)


def claims(body: str, **changes: object) -> dict[str, object]:
    digest = hashlib.sha256(body.encode()).hexdigest()
    return {
        "iat": int(NOW.timestamp()),
        "iss": "Vonage",
        "jti": "j1",
        "payload_hash": digest,
        "api_key": "key",
        "application_id": "app",
    } | changes


def signed(
    message: object = MESSAGE, path: str = INBOUND, secret: str = SECRET, **changes: object
) -> Request:
    body = json.dumps(message)
    told = {name: value for name, value in claims(body, **changes).items() if value is not None}
    return posted(path, body, authorization=f"Bearer {jwt.encode(told, secret, 'HS256')}")


def with_sig(
    parameters: dict[str, str], method: str = "md5hash", secret: str = SECRET
) -> dict[str, str]:
    text = "".join(
        f"&{name}={value.replace('&', '_').replace('=', '_')}"
        for name, value in sorted(parameters.items())
    )
    assert method == "md5hash"
    return parameters | {"sig": hashlib.md5(f"{text}{secret}".encode()).hexdigest().upper()}


def test_both_secrets_verify_during_a_rotation_and_verify_says_which():
    held = [provider().verify(signed(secret=secret), NOW) for secret in ("old" * 11, SECRET)]

    assert held == ["secret 1 of 2", "secret 2 of 2"]


def test_the_account_and_the_application_are_checked_where_they_are_set():
    ours = provider(api_key="key", application_id="app")

    assert ours.verify(signed(), NOW)
    for changes in ({"api_key": "other"}, {"application_id": "other"}, {"api_key": None}):
        with pytest.raises(InvalidSignature, match="another account"):
            ours.verify(signed(**changes), NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "Somebody"},
        {"iss": None},
        {"iat": None},
        {"iat": "yesterday"},
        {"iat": int((NOW - timedelta(seconds=301)).timestamp())},
        {"iat": int((NOW + timedelta(seconds=301)).timestamp())},
        {"payload_hash": None},
        {"payload_hash": "0"},
    ],
    ids=str,
)
def test_a_token_whose_claims_are_wrong_is_refused(changes: dict[str, object]):
    with pytest.raises(InvalidSignature):
        provider().verify(signed(**changes), NOW)


def test_a_token_that_expired_by_the_systems_clock_is_judged_by_ours():
    assert provider().verify(signed(exp=1, nbf=9_999_999_999), NOW)


@pytest.mark.parametrize("algorithm", ["HS512", "RS256", "none"])
def test_only_hs256_is_accepted(algorithm: str):
    body = json.dumps(MESSAGE)
    key = {
        "HS512": SECRET * 2,
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "none": None,
    }[algorithm]
    token = jwt.encode(claims(body), key, algorithm)

    with pytest.raises(InvalidSignature):
        provider(signature_secrets=[SECRET * 2]).verify(
            posted(INBOUND, body, authorization=f"Bearer {token}"), NOW
        )


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer a.b.c", "Bearer é.ü.ß", "Basic Og=="])
def test_a_malformed_token_is_refused(header: str):
    with pytest.raises(InvalidSignature):
        provider().verify(posted(INBOUND, MESSAGE, authorization=header), NOW)


@pytest.mark.parametrize(
    "request_",
    [
        posted(SMS_INBOUND, b"", method="GET", query=urlencode(with_sig(SMS))),
        posted(SMS_INBOUND, urlencode(with_sig(SMS)), kind="application/x-www-form-urlencoded"),
        posted(SMS_INBOUND, with_sig(SMS)),
    ],
    ids=["query", "form", "JSON"],
)
def test_the_sms_api_is_read_however_the_account_is_set(request_: Request):
    vonage = provider(signature_method="md5hash")

    assert vonage.verify(request_, NOW) == "secret 2 of 2"
    (event,) = vonage.parse(request_, NOW).events
    assert (event.address, event.text) == ("+12025550143", SMS["text"])


@pytest.mark.parametrize(
    "change",
    [
        {"text": "START"},
        {"sig": ""},
        {"sig": None},
        {"more": "1"},
        {"list": []},
        {"timestamp": "1"},
    ],
    ids=str,
)
def test_changed_parameters_are_refused(change: dict[str, object]):
    with pytest.raises(InvalidSignature):
        provider(signature_method="md5hash").verify(
            posted(SMS_INBOUND, with_sig(SMS) | change), NOW
        )


def test_an_old_text_of_the_sms_api_is_refused():
    old = SMS | {"timestamp": str(int((NOW - timedelta(hours=26)).timestamp()))}

    with pytest.raises(InvalidSignature, match="too old"):
        provider(signature_method="md5hash").verify(posted(SMS_INBOUND, with_sig(old)), NOW)


def test_a_text_for_another_account_is_refused():
    other = with_sig(SMS | {"api-key": "other"})

    with pytest.raises(InvalidSignature, match="another account"):
        provider(signature_method="md5hash", api_key="key").verify(posted(SMS_INBOUND, other), NOW)


def test_a_signature_by_another_method_than_the_setting_is_refused():
    recorded = sample("vonage/sms_inbound_stop_post_json")
    parameters = json.loads(recorded.told["body"])
    secrets = [recorded.told["secret"]["signature_secret"]]

    assert verify_parameters(parameters, secrets, "sha256")
    for method in ("md5hash", "md5", "sha1", "sha512"):
        with pytest.raises(InvalidSignature):
            verify_parameters(parameters, secrets, method)


def test_an_unknown_signature_method_is_refused_at_the_start():
    with pytest.raises(ValueError, match="no signature method"):
        provider(signature_method="crc32")


@pytest.mark.parametrize(
    ("path", "message", "class_"),
    [
        (STATUS, {"status": "rejected", "error": {"title": 1240}}, Failure.OPT_OUT),
        (STATUS, {"status": "rejected", "error": {"code": 1300}}, Failure.HARD),
        (STATUS, {"status": "undeliverable"}, Failure.SOFT),
        (STATUS, {"status": "rejected", "error": {"title": "9999"}}, Failure.SOFT),
        (SMS_DLR, {"status": "failed", "err-code": "9"}, Failure.OPT_OUT),
        (SMS_DLR, {"status": "expired", "err-code": "0"}, Failure.SOFT),
        (SMS_DLR, {"status": "rejected", "err-code": 12}, Failure.HARD),
        (SMS_DLR, {"status": "unknown", "err-code": "50"}, Failure.OURS),
        (SMS_DLR, {"status": "undelivered", "err-code": "9"}, Failure.OPT_OUT),
        (SMS_DLR, {"status": "something new", "err-code": "9"}, Failure.OPT_OUT),
        (SMS_DLR, {"status": "failed", "err-code": "10"}, Failure.OURS),
        (SMS_DLR, {"status": "failed", "err-code": "11"}, Failure.OURS),
        (SMS_DLR, {"status": "failed", "err-code": "13"}, Failure.SOFT),
        (SMS_DLR, {"status": "failed", "err-code": "14"}, Failure.ROUTE),
        (SMS_DLR, {"status": "failed", "err-code": "15"}, Failure.SOFT),
        (SMS_DLR, {"status": "failed", "err-code": "16"}, Failure.OURS),
        (SMS_DLR, {"status": "failed", "err-code": "52"}, Failure.OURS),
        (SMS_DLR, {"status": "failed", "err-code": "53"}, Failure.OURS),
        *(
            (STATUS, {"status": "rejected", "error": {"title": code}}, Failure.OURS)
            for code in [
                "1021",
                "1022",
                "1030",
                "1050",
                "1080",
                "1090",
                "1100",
                "1130",
                "1140",
                "1150",
                "1160",
            ]
        ),
        (
            STATUS,
            {
                "status": "rejected",
                "error": {"title": "Rejected", "type": "https://developer.vonage.com/x#1240"},
            },
            Failure.OPT_OUT,
        ),
    ],
)
def test_the_class_of_a_failure(path: str, message: dict[str, object], class_: Failure):
    (event,) = provider().parse(posted(path, MESSAGE | SMS | message), NOW).events

    assert event.failure is class_
    assert event.address == ("+12025550100" if path == STATUS else "+12025550143")


@pytest.mark.parametrize("missing", ["msisdn", "to", "message-timestamp"])
@pytest.mark.parametrize("status", ["accepted", "buffered"])
def test_a_receipt_that_says_nothing_may_lack_anything(status: str, missing: str):
    told = {"status": status, "err-code": "0"} | {k: v for k, v in SMS.items() if k != missing}

    assert provider().parse(posted(SMS_DLR, told), NOW).ignored == (status,)


@pytest.mark.parametrize(
    "told",
    [
        {"message_type": "text", "text": "STOP"},
        {"message_type": "reply", "reply": {"id": "1", "title": "STOP"}},
        {"message_type": "button", "button": {"payload": "1", "text": "STOP"}},
    ],
)
def test_a_reply_by_rcs_belongs_to_the_number(told: dict[str, object]):
    message = MESSAGE | {"channel": "rcs"} | told

    (event,) = provider().parse(posted(INBOUND, message), NOW).events

    assert (event.address, event.text) == ("+12025550143", "STOP")


@pytest.mark.parametrize("text", ["STOP\0", "STOP \ud83d", "STOP. \udc80"], ids=ascii)
def test_a_text_is_read_whatever_its_characters(text: str):
    """Signed over the bytes that came, or over what an encoder makes of them."""
    vonage = provider(signature_method="md5hash")
    for form in (False, True):
        for errors in ("surrogatepass", "replace"):
            told = SMS | {"text": text}
            over = "".join(f"&{name}={value}" for name, value in sorted(told.items()))
            digest = hashlib.md5(over.encode("utf-8", errors) + SECRET.encode()).hexdigest()
            body = urlencode(told | {"sig": digest}, errors="surrogatepass")
            kind = "application/x-www-form-urlencoded" if form else "application/json"
            request = posted(
                SMS_INBOUND, body if form else json.dumps(told | {"sig": digest}), kind=kind
            )
            vonage.verify(request, NOW)

            (event,) = vonage.parse(request, NOW).events
            assert (event.text or "").startswith("STOP")
            assert (event.text or "").encode()


@pytest.mark.parametrize(
    ("channel", "address"),
    [
        ("sms", "+12025550143"),
        ("mms", "+12025550143"),
        ("whatsapp", "+12025550143"),
        ("viber_service", "viber_service:12025550143"),
    ],
)
def test_a_number_of_whatsapp_is_the_contacts_and_of_another_channel_no_phone_number(
    channel: str, address: str
):
    (event,) = provider().parse(posted(INBOUND, MESSAGE | {"channel": channel}), NOW).events

    assert (event.address, event.whatsapp) == (address, channel == "whatsapp")


@pytest.mark.parametrize(("path", "body"), [(INBOUND, MESSAGE), (SMS_INBOUND, SMS)])
def test_an_opt_out_counts_where_our_own_number_is_missing(path: str, body: dict[str, str]):
    bare = {name: value for name, value in body.items() if name != "to"}
    (event,) = provider().parse(posted(path, bare), NOW).events

    assert (event.kind, event.sender) == (EventKind.REPLY, None)


NOBODY = {"from": "", "to": "", "msisdn": ""}


@pytest.mark.parametrize("path", [INBOUND, STATUS, SMS_INBOUND, SMS_DLR])
@pytest.mark.parametrize("body", [b"\xff", "[", [], {}, MESSAGE | SMS | NOBODY])
def test_a_body_that_cannot_be_read_is_not_understood(path: str, body: object):
    assert_not_understood(provider(), posted(path, body), NOW)


def test_every_code_has_a_sentence():
    sentences = [sentence for codes in (MESSAGES, RECEIPTS) for _, sentence in codes.values()]

    assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in sentences)

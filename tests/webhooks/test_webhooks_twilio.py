"""Twilio: what its recorded requests do not show."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from bot.consent.events import EventKind, Failure, Marker
from handlers.webhooks.provider import InvalidPayload, InvalidSignature, Request
from handlers.webhooks.providers.twilio import SPEC, Twilio
from handlers.webhooks.providers.twilio.codes import CODES
from tests.support.webhooks_fixtures import posted, sample

NOW = datetime(2026, 3, 10, 15, 4, 7, tzinfo=UTC)
TOKEN = "00112233445566778899aabbccddeeff"
FORM = "application/x-www-form-urlencoded"
INBOUND, STATUS, EVENTS = (route.path for route in SPEC.routes)
STOP = {"MessageSid": "SM1", "From": "+12025550143", "To": "+12025550100", "Body": "STOP"}


def signed(path: str, form: dict[str, str], *, token: str = TOKEN, kind: str = FORM) -> Request:
    signature = RequestValidator(token).compute_signature(f"https://optin.example.com{path}", form)
    return posted(path, urlencode(form), kind=kind, x_twilio_signature=signature)


def streamed(batch: object) -> Request:
    body = json.dumps(batch)
    query = f"bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    url = f"https://optin.example.com{EVENTS}?{query}"
    signature = RequestValidator(TOKEN).compute_signature(url, {})
    return posted(EVENTS, body, query=query, x_twilio_signature=signature)


def inbound(**data: object) -> dict[str, object]:
    return {
        "type": "com.twilio.messaging.inbound-message.received",
        "time": "2026-03-10T15:04:05Z",
        "data": {"messageSid": "SM1", "from": "+12025550143", "to": "+12025550100", **data},
    }


@pytest.mark.parametrize(("token", "place"), [("old", "secret 1 of 2"), ("new", "secret 2 of 2")])
def test_while_tokens_change_both_hold_and_the_log_can_say_which(token: str, place: str):
    provider = Twilio(auth_tokens=["old", "new"])

    assert provider.verify(signed(INBOUND, STOP, token=token), NOW) == place


def test_a_shared_key_holds_without_any_auth_token_and_the_token_does_not_hold_then():
    recorded = sample("twilio/shared_key_hmac_sha256")
    provider = Twilio(shared_keys={"a": "other", **recorded.told["secret"]["shared_keys"]})

    assert provider.verify(recorded.request(), NOW) == "shared key 2 of 2"
    with pytest.raises(InvalidSignature):
        provider.verify(signed(INBOUND, STOP), NOW)


def test_a_shared_key_with_an_algorithm_of_ones_own_is_refused():
    recorded = sample("twilio/shared_key_hmac_sha256")
    provider = Twilio(shared_keys=recorded.told["secret"]["shared_keys"])
    headers = dict(recorded.told["headers"])
    headers["X-Twilio-Webhooks-Signature-Settings"] = "key=webhooks_sharedkey_test01,algorithm=md5"

    with pytest.raises(InvalidSignature, match="algorithm"):
        provider.verify(recorded.request(headers=headers.items()), NOW)


def test_the_signed_address_is_the_public_one_whatever_the_host_header_says():
    form = dict(STOP)
    request = signed(INBOUND, form)
    elsewhere = Request.of(
        method="POST",
        path=INBOUND,
        headers=[*request.headers.items(), ("Host", "optin.example.com")],
        body=request.body,
        public_url="https://other.example.com",
    )

    with pytest.raises(InvalidSignature):
        Twilio(auth_tokens=[TOKEN]).verify(elsewhere, NOW)


def test_without_a_public_address_nothing_holds():
    request = Request.of(method="POST", path=INBOUND, public_url=None)

    with pytest.raises(InvalidSignature):
        Twilio(auth_tokens=[TOKEN]).verify(request, NOW)


@pytest.mark.parametrize(
    "request_",
    [
        posted(INBOUND, urlencode([*STOP.items(), ("Body", "START")]), kind=FORM),
        posted(INBOUND, b"\xff\xfe", kind=FORM),
        posted(INBOUND, b"", kind=FORM),
        signed(INBOUND, STOP | {"From": ""}),
        posted(EVENTS, "[]{"),
        posted(EVENTS, '[{"type": NaN}]'),
    ],
    ids=[
        "a field that comes twice",
        "bytes that are no text",
        "nothing",
        "no sender",
        "no JSON",
        "no data",
    ],
)
def test_what_cant_be_read_is_said_to_be_so(request_: Request):
    with pytest.raises(InvalidPayload):
        Twilio(auth_tokens=[TOKEN]).parse(request_, NOW)


@pytest.mark.parametrize("address", ["BANK", "12345", "+1202555", "🛑"])
def test_a_sender_that_is_no_phone_number_is_kept_as_it_came(address: str):
    (event,) = (
        Twilio(auth_tokens=[TOKEN]).parse(signed(INBOUND, STOP | {"From": address}), NOW).events
    )

    assert event.address == address


@pytest.mark.parametrize(
    "body",
    ["STOP", "STOP\0", "STO\ufffdP", "\ud83d".encode("utf-8", "surrogatepass")],
    ids=["plain", "a NUL", "a replaced character", "half a character"],
)
def test_a_text_is_read_whatever_its_bytes(body: str | bytes):
    """The signature is over the bytes that came."""
    form = list((STOP | {"Body": body}).items())
    text = b"".join(
        name.encode() + (value if isinstance(value, bytes) else value.encode())
        for name, value in sorted(form)
    )
    signed_over = f"https://optin.example.com{INBOUND}".encode() + text
    signature = base64.b64encode(hmac.digest(TOKEN.encode(), signed_over, "sha1")).decode()
    provider = Twilio(auth_tokens=[TOKEN])
    for kind in (FORM, "text/plain", ""):
        request = posted(INBOUND, urlencode(form), kind=kind, x_twilio_signature=signature)
        provider.verify(request, NOW)
        (event,) = provider.parse(request, NOW).events

        assert event.text
        assert event.text.encode()
        assert "\0" not in event.text


def test_a_text_without_an_id_is_read_and_is_the_same_when_it_is_repeated():
    provider = Twilio(auth_tokens=[TOKEN])
    form = {name: value for name, value in STOP.items() if name != "MessageSid"}
    ids = [
        provider.parse(signed(INBOUND, form | more), NOW).events[0].id
        for more in ({}, {}, {"Body": "stop"})
    ]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("scheme", ["", "rcs:", "sms:", "tel:", "whatsapp:", "WhatsApp:"])
@pytest.mark.parametrize("path", [INBOUND, STATUS])
def test_a_number_is_the_contacts_by_every_channel_and_whatsapp_is_marked(path: str, scheme: str):
    theirs, ours = f"{scheme}+12025550143", f"{scheme}+12025550100"
    form = {
        **STOP,
        **{"From": theirs, "To": ours},
        **({"From": ours, "To": theirs, "MessageStatus": "delivered"} if path == STATUS else {}),
        "MessagingServiceSid": "MG00000000000000000000000000000001",
    }
    (event,) = Twilio(auth_tokens=[TOKEN]).parse(signed(path, form), NOW).events

    assert (event.address, event.sender, event.service) == (
        "+12025550143",
        "+12025550100",
        "MG00000000000000000000000000000001",
    )
    assert event.whatsapp is (scheme.lower() == "whatsapp:")


def test_without_a_messaging_service_there_is_only_our_number():
    form = {name: value for name, value in STOP.items() if name != "MessagingServiceSid"}
    (event,) = Twilio(auth_tokens=[TOKEN]).parse(signed(INBOUND, form), NOW).events

    assert (event.sender, event.service) == ("+12025550100", None)


def test_a_stop_is_read_where_the_two_addresses_were_mixed_up():
    (event,) = Twilio(auth_tokens=[TOKEN]).parse(signed(STATUS, STOP), NOW).events

    assert (event.kind, event.text) == (EventKind.REPLY, "STOP")


def test_the_webhook_and_event_streams_tell_one_message_under_one_id():
    provider = Twilio(auth_tokens=[TOKEN])
    request = streamed([inbound(body="STOP", optOutType="STOP")])
    provider.verify(request, NOW)

    (by_stream,) = provider.parse(request, NOW).events
    (by_webhook,) = provider.parse(signed(INBOUND, STOP), NOW).events

    assert by_stream.id == by_webhook.id == "twilio:in:SM1"
    assert by_stream.marker is Marker.STOP


def test_an_unreadable_item_of_a_batch_is_skipped_and_the_rest_is_taken():
    batch = [
        inbound(body="STOP", **{"from": ""}),
        {"type": "x", "data": {}},
        inbound(body="STOP"),
        inbound(body="STOP"),
    ]

    parsed = Twilio(auth_tokens=[TOKEN]).parse(streamed(batch), NOW)

    assert [event.text for event in parsed.events] == ["STOP"]
    assert len(parsed.skipped) == 2


def test_a_changed_body_of_a_batch_is_refused():
    request = streamed([inbound(body="STOP")])
    changed = posted(
        EVENTS,
        request.body.replace(b"STOP", b"HELP"),
        query=request.query,
        x_twilio_signature=request.header("x-twilio-signature"),
    )

    with pytest.raises(InvalidSignature, match="body"):
        Twilio(auth_tokens=[TOKEN]).verify(changed, NOW)


@pytest.mark.parametrize(
    ("class_", "codes"),
    [
        (Failure.OPT_OUT, "21610 63014"),
        (Failure.HARD, "21211 21214 21217 21614 21635 30005 30006"),
        (Failure.SOFT, "30003 30008 30009 30017 30036 39999"),
        (Failure.ROUTE, "21612"),
        (
            Failure.OURS,
            "30001 30410 30500 30002 30007 30010 30011 30012 30019 30022 30023 30026 30027 30032 "
            "30034 21408 21606 21608 21611 20003 20429 30013 30014 30015 30016 30020 30021 30028 "
            "30031 30450 21617 21620 21703 63018 63038",
        ),
        (Failure.AMBIGUOUS, "30004"),
    ],
)
def test_the_classes_of_the_codes_are_those_of_the_rules(class_: Failure, codes: str):
    provider = Twilio(auth_tokens=[TOKEN])
    for code in codes.split():
        form = {
            "MessageSid": "SM1",
            "MessageStatus": "failed",
            "ErrorCode": code,
            "To": "+12025550143",
        }
        (event,) = provider.parse(posted(STATUS, urlencode(form), kind=FORM), NOW).events

        assert (event.failure, event.code) == (class_, code)
        assert event.meaning


def test_a_failure_without_a_code_counts_as_soft():
    form = {"MessageSid": "SM1", "MessageStatus": "undelivered", "To": "+12025550143"}

    (event,) = (
        Twilio(auth_tokens=[TOKEN]).parse(posted(STATUS, urlencode(form), kind=FORM), NOW).events
    )

    assert (event.failure, event.code) == (Failure.SOFT, None)


def test_every_code_has_a_sentence():
    assert all(sentence.endswith(".") and sentence[0].isupper() for _, sentence in CODES.values())


def test_an_unknown_code_is_logged_and_what_else_stands_there_is_not(caplog):
    for code in ("39999", "Dana <dana@example.net>\nroot"):
        form = {
            "MessageSid": "SM1",
            "MessageStatus": "failed",
            "ErrorCode": code,
            "To": "+12025550143",
        }
        Twilio(auth_tokens=[TOKEN]).parse(posted(STATUS, urlencode(form), kind=FORM), NOW)

    assert "39999" in caplog.text
    assert "dana" not in caplog.text


def reassigned(**data: object) -> dict[str, object]:
    told = {
        "event_id": "e1",
        "from_number": "+12025550100",
        "to_number": "+12025550143",
        "is_reassigned": True,
        "consent_operation": "opt-out-created",
        "consent_updated_at": "2026-03-10T15:04:05Z",
    }
    type_ = "com.twilio.messaging.reassigned-number.detected"
    return {"type": type_, "data": {**told, **data}}


def test_a_number_with_a_new_owner_is_about_the_sender_that_twilio_blocked():
    (event,) = Twilio(auth_tokens=[TOKEN]).parse(streamed([reassigned()]), NOW).events

    assert event.kind is EventKind.REASSIGNED
    assert (event.address, event.sender) == ("+12025550143", "+12025550100")
    assert event.occurred_at == datetime(2026, 3, 10, 15, 4, 5, tzinfo=UTC)
    assert (event.marker, event.text, event.failure) == (None, None, None)


@pytest.mark.parametrize(
    "data",
    [
        {"is_reassigned": False},
        {"is_reassigned": "true"},
        {"consent_operation": "none"},
        {"consent_operation": None},
    ],
)
def test_a_number_that_has_its_owner_still_is_of_no_interest(data: dict[str, object]):
    parsed = Twilio(auth_tokens=[TOKEN]).parse(streamed([reassigned(**data)]), NOW)

    assert not parsed.events
    assert parsed.ignored


def test_a_new_owner_of_no_number_is_not_understood():
    with pytest.raises(InvalidPayload):
        Twilio(auth_tokens=[TOKEN]).parse(streamed([reassigned(to_number="")]), NOW)

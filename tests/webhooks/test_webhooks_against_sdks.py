"""The vendors' own libraries check us: what they sign we take, what they refuse we refuse.

At run time none of them is there: most have no window of time, some do not cover the body, and
some take the system's clock. Telnyx's and Mailgun's are left out, which bring a good many packages
each for one test; their recorded requests were signed or verified by them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl

import jwt
import pytest
from sendgrid.helpers.eventwebhook import EventWebhook
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from twilio.request_validator import RequestValidator
from vonage_http_client.auth import Auth
from vonage_jwt.verify_jwt import verify_signature

from bot.runtime import clock
from handlers.webhooks.provider import InvalidSignature, Provider, Request
from handlers.webhooks.providers.resend import Resend
from handlers.webhooks.providers.vonage import Vonage
from tests.support.webhooks_fixtures import FIXTURES, Sample, read_samples

#: What a library takes and we do not, or fails at with an error that is not its own.
OURS_ONLY: Mapping[str, str] = {
    "twilio/inbound_stop_half_emoji": "the library reads text, and not bytes",
    "twilio/reject_json_body_without_bodySHA256": "the signature then covers the address only",
    "twilio/reject_missing_signature": "a TypeError of the library's",
    "twilio/reject_shared_key_unknown_key_id": "the library is given the secret",
    "sendgrid/reject_expired_timestamp": "the library has no window",
    "sendgrid/reject_missing_signature": "a TypeError of the library's",
    "vonage/reject_body_tampered": "the library does not look at the body",
    "vonage/reject_iat_too_old": "the library has no window",
    "vonage/reject_alg_none": "an error of another kind",
    "vonage/reject_missing_authorization": "nothing to be given to the library",
}


def _twilio(sample: Sample) -> bool:
    request, secret = sample.request(), sample.told["secret"]
    settings = request.header("x-twilio-webhooks-signature-settings")
    stated = dict(pair.split("=") for pair in settings.split(",") if pair)
    key = secret.get("shared_keys", {}).get(stated.get("key"), secret["auth_token"])
    pairs = parse_qsl(request.body.decode(), keep_blank_values=True)
    form = _MultiDict(pairs) if "json" not in request.media_type else request.body.decode()
    signature = request.header("x-twilio-signature")
    validator = RequestValidator(key)
    return bool(validator.validate(request.url, form, signature, stated.get("algorithm")))


class _MultiDict(dict[str, str]):
    """As Flask gives it to the validator."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        super().__init__(pairs)
        self._pairs = pairs

    def getall(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]


def _sendgrid(sample: Sample) -> bool:
    request = sample.request()
    return EventWebhook(sample.told["secret"]["public_key"]).verify_signature(
        request.body.decode(),
        request.header("x-twilio-email-event-webhook-signature"),
        request.header("x-twilio-email-event-webhook-timestamp"),
    )


def _vonage(sample: Sample) -> bool:
    request, secret = sample.request(), sample.told["secret"]
    if "/sms/" in request.path:
        parameters = (
            json.loads(request.body)
            if request.body.startswith(b"{")
            else dict(parse_qsl(request.body.decode() or request.query, keep_blank_values=True))
        )
        auth = Auth(
            api_key=secret["api_key"],
            signature_secret=secret["signature_secret"],
            signature_method=secret["signature_method"].partition(" ")[0],
        )
        return bool(auth.check_signature(parameters))
    token = request.header("authorization").removeprefix("Bearer ")
    return bool(verify_signature(token, secret["signature_secret"]))


LIBRARIES = {"twilio": _twilio, "sendgrid": _sendgrid, "vonage": _vonage}


@pytest.mark.parametrize(
    "sample",
    [
        sample
        for provider in LIBRARIES
        for sample in read_samples(FIXTURES / provider, provider)
        if str(sample) not in OURS_ONLY
    ],
    ids=str,
)
def test_the_vendors_library_takes_and_refuses_what_we_do(sample: Sample, tmp_path: Path):
    ours = _taken(sample.provider_with(tmp_path), sample.request(), sample.received_at)

    assert LIBRARIES[sample.provider](sample) is ours


def test_the_standard_webhooks_library_takes_and_refuses_what_we_do():
    secret = "whsec_" + base64.b64encode(b"s" * 24).decode()
    library, provider = Webhook(secret), Resend(signing_secrets=[secret])
    now = clock.now()
    body = '{"type": "email.sent"}'
    signature = library.sign("msg_1", now, body)
    names = {"id": "msg_1", "timestamp": str(int(now.timestamp())), "signature": signature}
    theirs = {f"webhook-{name}": value for name, value in names.items()}
    ours = {f"svix-{name}": value for name, value in names.items()}

    library.verify(body, theirs)
    assert _taken(provider, _request(ours, body), now)
    with pytest.raises(WebhookVerificationError):
        library.verify(f"{body} ", theirs)
    assert not _taken(provider, _request(ours, f"{body} "), now)


@pytest.mark.parametrize("method", ["md5", "sha1", "sha256", "sha512"])
def test_vonages_library_signs_what_we_take(method: str):
    now = clock.now()
    auth = Auth(api_key="key", signature_secret="secret", signature_method=method)
    message = {"msisdn": "12025550143", "to": "12025550100", "text": "a&b=c ü", "messageId": "1"}
    message |= {"timestamp": str(int(now.timestamp()))}
    message |= {"sig": auth.sign_params(dict(message))}
    request = _request(
        {"content-type": "application/json"}, json.dumps(message), "/webhooks/vonage/sms/inbound"
    )

    assert _taken(Vonage(signature_secrets=["secret"], signature_method=method), request, now)


def test_vonages_library_believes_a_token_over_any_body_and_we_do_not():
    secret = "s" * 32
    token = jwt.encode({"iat": 1, "iss": "Vonage", "payload_hash": "0"}, secret, "HS256")
    request = _request({"authorization": f"Bearer {token}"}, "{}", "/webhooks/vonage/inbound")

    assert verify_signature(token, secret)
    assert not _taken(Vonage(signature_secrets=[secret]), request, clock.now())


def _request(headers: Mapping[str, str], body: str, path: str = "/webhooks") -> Request:
    return Request.of(
        method="POST", path=path, headers=headers.items(), body=body.encode(), public_url=None
    )


def _taken(provider: Provider, request: Request, now: datetime) -> bool:
    try:
        provider.verify(request, now)
    except InvalidSignature:
        return False
    return True

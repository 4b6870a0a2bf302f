"""What the carrier reads, and what the providers sign: without a server."""

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from sendgrid.helpers.eventwebhook import EventWebhook
from twilio.request_validator import RequestValidator

from sandbox.simulated_providers import sendgrid_events, twilio_webhooks
from sandbox.simulated_providers.carrier import Word, word_of
from sandbox.simulated_providers.config import SimulatedSender
from tests.support.outside_fixtures import (
    AUTH_TOKEN,
    GRACE,
    LINE,
    OFFERS,
    PRIVATE_KEY,
    PUBLIC_URL,
)

INBOUND = "/webhooks/twilio/inbound"
NUMBER = SimulatedSender(id=OFFERS, name="Offers", number=OFFERS)
TOLL_FREE = SimulatedSender(id=LINE, name="Support line", number=LINE, toll_free=True)


def test_the_official_libraries_accept_the_signatures() -> None:
    form = twilio_webhooks.inbound(
        twilio_webhooks.new_sid(), GRACE["phone"], TOLL_FREE, "STOP", Word.STOP
    )
    _, headers = twilio_webhooks.signed(AUTH_TOKEN, PUBLIC_URL + INBOUND, form)
    assert RequestValidator(AUTH_TOKEN).validate(
        PUBLIC_URL + INBOUND, form, headers["X-Twilio-Signature"]
    )

    der = PRIVATE_KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    event = sendgrid_events.event("delivered", "grace@example.com", "m1", 1_700_000_000)
    body, signed = sendgrid_events.signed(PRIVATE_KEY, [event], 1_700_000_000)
    webhook = EventWebhook(base64.b64encode(der).decode())
    assert webhook.verify_signature(
        body.decode(),
        signed["X-Twilio-Email-Event-Webhook-Signature"],
        signed["X-Twilio-Email-Event-Webhook-Timestamp"],
    )


@pytest.mark.parametrize(
    ("text", "number", "toll_free"),
    [
        ("STOP", Word.STOP, Word.STOP),
        (" stop\n", Word.STOP, Word.STOP),
        ("Revoke", Word.STOP, None),
        ("OPTOUT", Word.STOP, None),
        ("Stop.", None, None),
        ("stop all", None, None),
        ("Stop. Thank you", None, None),
        ("UNSTOP", Word.START, Word.START),
        ("start", Word.START, Word.START),
        ("UNSTOP.", None, None),
        ("yes", Word.START, None),
        ("info", Word.HELP, Word.HELP),
    ],
)
def test_the_carrier_reads_whole_words(
    text: str, number: Word | None, toll_free: Word | None
) -> None:
    assert word_of(text, NUMBER, blocked=True) is number
    assert word_of(text, TOLL_FREE, blocked=True) is toll_free


def test_yes_is_a_keyword_only_where_something_is_blocked() -> None:
    assert word_of("YES", NUMBER, blocked=False) is None

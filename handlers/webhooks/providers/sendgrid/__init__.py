"""SendGrid's event webhook: a batch of events about several mailboxes, in any order.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Channel
from handlers.webhooks.error_codes import (
    Codes,
    Meaning,
    at_most_soft,
    by_mail,
    enhanced_status,
    meaning,
)
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    id_at,
    json_body,
    mailbox,
    moment,
    text_at,
)
from handlers.webhooks.provider import Parsed, Request, Route, read_each
from handlers.webhooks.signatures import check_timestamp, unbase64, verify_any

#: SendGrid tries again for 24 hours, and its library has no window at all.
WINDOW = 25 * 3600

_KINDS: Mapping[str, EventKind] = {
    "delivered": EventKind.DELIVERED,
    "bounce": EventKind.FAILED,
    "dropped": EventKind.FAILED,
    "deferred": EventKind.FAILED,
    "spamreport": EventKind.COMPLAINT,
    "unsubscribe": EventKind.UNSUBSCRIBED,
    "group_unsubscribe": EventKind.UNSUBSCRIBED,
    "group_resubscribe": EventKind.RESUBSCRIBED,
}
_UNINTERESTING = {"processed", "open", "click", "account_status_change"}
#: SendGrid never tried. The reasons mean four different things.
_DROPPED: Codes = {
    "bounced address": (
        Failure.LISTED_BOUNCE,
        "SendGrid did not send it: the address is on its bounce list.",
    ),
    "unsubscribed address": (
        Failure.LISTED_OPT_OUT,
        "SendGrid did not send it: the contact has unsubscribed there.",
    ),
    "spam reporting address": (
        Failure.LISTED_COMPLAINT,
        "SendGrid did not send it: the contact has reported our mail as spam.",
    ),
    "invalid": (Failure.HARD, "SendGrid says that there is no such address."),
    "spam content": (Failure.OURS, "SendGrid took the message for spam."),
    "invalid smtpapi header": (Failure.OURS, "Our message had a header that SendGrid refused."),
    "recipient list over package quota": (Failure.OURS, "We sent more than our SendGrid plan has."),
}
_HARD: Meaning = (Failure.HARD, "The mail system refused the address for good.")
_BLOCKED: Meaning = (Failure.SOFT, "The mail system refused this message.")
_DEFERRED: Meaning = (Failure.NOT_FINAL, "SendGrid is still trying.")


class Sendgrid:
    """SendGrid's event webhook, by its public keys."""

    name: ClassVar[str] = "sendgrid"
    routes: ClassVar[Sequence[Route]] = (Route(path="/webhooks/sendgrid/events"),)

    def __init__(self, *, public_keys: Sequence[str]) -> None:
        """Keys as SendGrid shows them: DER in base64. Raises ValueError where one is none."""
        self._keys = tuple(read_public_key(key) for key in public_keys)

    def verify(self, request: Request, now: datetime) -> str:
        """Over the time and the raw body, down to its last line end."""
        stated = request.header("x-twilio-email-event-webhook-timestamp")
        signature = unbase64(request.header("x-twilio-email-event-webhook-signature"))
        check_timestamp(WINDOW, stated, now)
        signed = stated.encode() + request.body
        return verify_any(self._keys, lambda key: _holds(key, signature, signed))

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One batch."""
        batch = json_body(request)
        return read_each(batch if isinstance(batch, list) else [batch], _read)


def read_public_key(text: str) -> ec.EllipticCurvePublicKey:
    """Raises ValueError where it is no public key of an elliptic curve."""
    try:
        key = load_der_public_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("is no public key") from None
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("is no public key of an elliptic curve")
    return key


def _holds(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _read(item: Any) -> Parsed:
    item = checked(item)
    word = text_at(item, "event")
    if word in _UNINTERESTING:
        return Parsed(ignored=(word,))
    kind = _KINDS.get(word)
    if kind is None:
        return Parsed(skipped=("a kind of event that is in no table",))
    code, (failure, sentence) = _failure(word, item)
    group = text_at(item, "asm_group_id") if word.startswith("group_") else ""
    event = Event(
        provider=Sendgrid.name,
        id=f"sendgrid:{id_at(item, 'sg_event_id')}",
        kind=kind,
        channel=Channel.EMAIL,
        address=mailbox(text_at(item, "email")),
        occurred_at=moment(at(item, "timestamp")),
        sender="sendgrid-account",
        scope=f"asm_group:{group}" if group else None,
        failure=failure,
        code=code or None,
        meaning=sentence,
        # Not there when a bounce comes late.
        message=text_at(item, "sg_message_id") or None,
    )
    return Parsed(events=(event,))


def _failure(word: str, item: Any) -> tuple[str, Meaning | tuple[None, None]]:
    """The code and what it means."""
    stated, reason = text_at(item, "status"), text_at(item, "reason")
    status = enhanced_status(stated, reason)
    match word:
        case "dropped":
            return reason, meaning(_DROPPED, reason.lower().strip(" ."))
        case "deferred":
            return status, _DEFERRED
        case "bounce" if text_at(item, "type") in ("blocked", "expired"):
            # Temporary whatever the status says: the address is not suppressed.
            found = by_mail(stated, reason, otherwise=_BLOCKED)
            return status, at_most_soft(found, _BLOCKED)
        case "bounce":
            return status, by_mail(stated, reason, otherwise=_HARD)
        case _:
            return "", (None, None)

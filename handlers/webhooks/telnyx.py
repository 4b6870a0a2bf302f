"""Telnyx: replies and delivery reports, one event each.

https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
https://developers.telnyx.com/docs/messaging/messages/advanced-opt-in-out
https://developers.telnyx.com/docs/messaging/messages/error-codes
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from bot.consent.events import Event, EventKind, Failure, Marker
from bot.consent.model import Channel
from handlers.webhooks.meanings import Codes, Meaning, meaning
from handlers.webhooks.provider import Parsed, Request, Route, read_each
from handlers.webhooks.reading import at, checked, id_at, json_body, list_at, moment, phone, text_at
from handlers.webhooks.signing import unbase64, which_held, within

#: Seconds; as Telnyx's library has it.
WINDOW = 300

_MARKERS = {"STOP": Marker.STOP, "START": Marker.START, "HELP": Marker.HELP}
_STATUSES: Mapping[str, EventKind] = {
    "delivered": EventKind.DELIVERED,
    "delivery_failed": EventKind.FAILED,
    "sending_failed": EventKind.FAILED,
    "expired": EventKind.FAILED,
}
_UNINTERESTING = {"queued", "sending", "sent", "delivery_unconfirmed", "read"}

CODES: Codes = {
    "40300": (Failure.OPT_OUT, "The contact has opted out of this messaging profile."),
    "40001": (Failure.HARD, "The number is a landline, or nothing can be routed to it."),
    "40012": (Failure.HARD, "The number is not valid."),
    "40310": (Failure.HARD, "The number is not valid."),
    "40005": (Failure.SOFT, "The message expired on its way."),
    "40006": (Failure.SOFT, "The carrier could not be reached."),
    "40014": (Failure.SOFT, "The message waited too long and expired."),
    "40002": (Failure.OURS, "The carrier filtered the message as spam, for now."),
    "40003": (Failure.OURS, "The carrier has blocked our number."),
    "40009": (Failure.OURS, "The message can't be sent as it is."),
    "40010": (Failure.OURS, "Our number is not registered for US texts (A2P 10DLC)."),
    "40011": (Failure.OURS, "We sent too much at a time."),
    "40013": (Failure.OURS, "Our number is not valid as a sender."),
    "40015": (Failure.OURS, "Telnyx filtered the message as spam."),
    "40100": (Failure.OURS, "Our number has no messaging."),
    "40004": (Failure.AMBIGUOUS, "The carrier or the contact rejected the message."),
    "40008": (Failure.AMBIGUOUS, "The message could not be delivered, for no reason given."),
}
#: What an opt-out is called in the title or the detail of code 40300; with other words the vendor's
#: own texts disagree over what it means.
_OPTED_OUT = ("stop", "block rule", "opted out", "opt-out", "opt out")
_REJECTED: Meaning = (Failure.SOFT, "The message was rejected, for no reason that is known.")
_NOT_ALLOWED: Meaning = (Failure.OURS, "Telnyx does not let us send this message.")


class Telnyx:
    """Telnyx's webhook, by the account's public keys."""

    name: ClassVar[str] = "telnyx"
    routes: ClassVar[Sequence[Route]] = (Route(path="/webhooks/telnyx"),)

    def __init__(self, *, public_keys: Sequence[str]) -> None:
        """Keys as Telnyx shows them: 32 bytes in base64. Raises ValueError where one is none."""
        self._keys = tuple(read_public_key(key) for key in public_keys)

    def verify(self, request: Request, now: datetime) -> str:
        """Over the time and the raw body."""
        stated = request.header("telnyx-timestamp")
        signature = unbase64(request.header("telnyx-signature-ed25519"))
        within(WINDOW, stated, now)
        signed = stated.encode() + b"|" + request.body
        return which_held(self._keys, lambda key: _holds(key, signature, signed))

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event, about one contact or several."""
        data = at(checked(json_body(request)), "data")
        match text_at(data, "event_type"):
            case "message.received":
                return _inbound(data)
            case "message.finalized":
                return _finalized(data)
            case "message.sent":
                return Parsed(ignored=("sent",))
            case _:
                return Parsed(skipped=("a kind of event that is in no table",))


def read_public_key(text: str) -> Ed25519PublicKey:
    """Raises ValueError where it is no Ed25519 key."""
    try:
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("is no public key") from None


def _holds(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def _inbound(data: Any) -> Parsed:
    payload = at(data, "payload")
    # Null for an ordinary text; not in the SDK's model, so read as it comes.
    stated = text_at(payload, "autoresponse_type").upper()
    ours = [text_at(to, "phone_number") for to in list_at(payload, "to")]
    event = Event(
        provider=Telnyx.name,
        id=f"telnyx:{id_at(data, 'id')}",
        kind=EventKind.REPLY,
        channel=Channel.SMS,
        address=phone(text_at(payload, "from", "phone_number")),
        occurred_at=moment(at(data, "occurred_at")),
        sender=text_at(payload, "messaging_profile_id") or next(filter(None, ours), None),
        text=text_at(payload, "text"),
        marker=_MARKERS.get(stated),
        code=stated or None,
        message=text_at(payload, "id") or None,
    )
    return Parsed(events=(event,))


def _finalized(data: Any) -> Parsed:
    recipients = list_at(data, "payload", "to")
    several = len(recipients) > 1
    return read_each(recipients, lambda to: _outcome(data, to, several=several))


def _outcome(data: Any, to: Any, *, several: bool) -> Parsed:
    status = text_at(to, "status")
    if status in _UNINTERESTING:
        return Parsed(ignored=(status,))
    kind = _STATUSES.get(status)
    if kind is None:
        return Parsed(skipped=("a status that is in no table",))
    payload = at(data, "payload")
    address = phone(text_at(to, "phone_number"))
    code, failure, sentence = status, None, None
    if kind is EventKind.FAILED:
        error = next(iter(list_at(payload, "errors")), None)
        code = text_at(error, "code") or status
        failure, sentence = _meaning(error)
    event = Event(
        provider=Telnyx.name,
        id=f"telnyx:{id_at(data, 'id')}" + (f":{address}" if several else ""),
        kind=kind,
        channel=Channel.SMS,
        address=address,
        occurred_at=moment(at(data, "occurred_at")),
        sender=text_at(payload, "messaging_profile_id")
        or text_at(payload, "from", "phone_number")
        or None,
        failure=failure,
        code=code,
        meaning=sentence,
        message=text_at(payload, "id") or None,
        sent_at=moment(at(payload, "sent_at")),
    )
    return Parsed(events=(event,))


def _meaning(error: Any) -> Meaning:
    code = text_at(error, "code")
    if code == "40300":
        said = f"{text_at(error, 'title')} {text_at(error, 'detail')}".lower()
        return CODES[code] if any(word in said for word in _OPTED_OUT) else _REJECTED
    if code.startswith("403") and code not in CODES:
        return _NOT_ALLOWED
    return meaning(CODES, code)

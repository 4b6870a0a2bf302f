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
from handlers.webhooks.error_codes import Codes, Meaning, meaning
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    id_at,
    json_body,
    list_at,
    moment,
    phone,
    text_at,
)
from handlers.webhooks.provider import InvalidPayload, Parsed, Request, Route, read_each
from handlers.webhooks.signatures import check_timestamp, unbase64, verify_any

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

#: The classes are those of rules.md §7. Codes that it does not list follow Telnyx's description.
CODES: Codes = {
    "40300": (Failure.OPT_OUT, "The contact has opted out of this messaging profile."),
    "40001": (Failure.HARD, "The number is a landline, or nothing can be routed to it."),
    "40012": (Failure.HARD, "The carrier says that the number is not valid."),
    "40310": (Failure.HARD, "The number is not valid."),
    "40005": (Failure.SOFT, "The message expired on its way."),
    "40006": (Failure.SOFT, "The carrier could not be reached."),
    "40014": (Failure.SOFT, "The message waited too long and expired."),
    "40004": (Failure.AMBIGUOUS, "The carrier or the contact rejected the message."),
    "40008": (Failure.AMBIGUOUS, "The message could not be delivered, for no reason given."),
    "40301": (Failure.OURS, "Our kind of number can't send this to the contact's number."),
    "40319": (Failure.OURS, "Our number and the contact's do not take the same messages."),
    "40002": (Failure.OURS, "The carrier filtered the message as spam, for now."),
    "40003": (Failure.OURS, "The carrier has blocked our number."),
    "40009": (Failure.OURS, "The message can't be sent as it is."),
    "40010": (Failure.OURS, "Our number is not registered for US texts (A2P 10DLC)."),
    "40011": (Failure.OURS, "We sent faster than the carrier takes."),
    "40013": (Failure.OURS, "The carrier says that our number is not valid as a sender."),
    "40015": (Failure.OURS, "Telnyx filtered the message as spam."),
    "40016": (Failure.OURS, "Our campaign has reached its limit at T-Mobile."),
    "40017": (Failure.OURS, "AT&T took the message for spam."),
    "40018": (Failure.OURS, "Our campaign has reached its limit at AT&T."),
    "40019": (Failure.OURS, "Our campaign's registration does not fit our number."),
    "40020": (Failure.OURS, "Telnyx holds our messages back for a day, as artificial traffic."),
    "40100": (Failure.OURS, "Our number has no messaging."),
    "40150": (Failure.OURS, "Our toll-free number is not in the registry."),
    "40151": (Failure.OURS, "Another provider is setting up messaging for our number."),
    "40155": (Failure.OURS, "Telnyx needs our letter of authorization for this number."),
    "40302": (Failure.OURS, "Our message was too long."),
    "40304": (Failure.OURS, "Our message mixed the parts of a text and of media."),
    "40305": (Failure.OURS, "Our number does not belong to the messaging profile."),
    "40306": (Failure.OURS, "Our messaging profile has no sender name."),
    "40307": (Failure.OURS, "Our sender name is not the messaging profile's."),
    "40308": (Failure.OURS, "Our number can't send media."),
    "40309": (Failure.OURS, "Our messaging profile may not send to this country."),
    "40311": (Failure.OURS, "Our messaging profile's secret was wrong."),
    "40312": (Failure.OURS, "Our messaging profile is switched off."),
    "40313": (Failure.OURS, "Our messaging profile's secret was missing."),
    "40314": (Failure.OURS, "Our Telnyx account may not send messages."),
    "40315": (Failure.OURS, "Our number has too many failures or spam reports."),
    "40316": (Failure.OURS, "Our message was empty."),
    "40317": (Failure.OURS, "Our media were too many or too large."),
    "40318": (Failure.OURS, "Our queue at Telnyx is full."),
    "40320": (Failure.OURS, "Our number can't send for now: it is being set up."),
    "40321": (Failure.OURS, "Our number pool has no number that can send."),
    "40322": (Failure.OURS, "Our message had content that is forbidden."),
    "40323": (Failure.OURS, "Messaging could not be switched on for our number."),
    "40325": (Failure.OURS, "Our sender name is not valid."),
    "40328": (Failure.OURS, "Our text has too many parts."),
    "40329": (Failure.OURS, "Our toll-free number is not verified."),
    "40330": (Failure.OURS, "Our toll-free number is not set up yet."),
    "40331": (Failure.OURS, "Our messaging profile has no country that it may send to."),
    "40333": (Failure.OURS, "Our messaging profile has reached its spending limit."),
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
        check_timestamp(WINDOW, stated, now)
        signed = stated.encode() + b"|" + request.body
        return verify_any(self._keys, lambda key: _holds(key, signature, signed))

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
    told = at(payload, "to")
    ours = [_number(to) for to in (told if isinstance(told, list) else [told])]
    event = Event(
        provider=Telnyx.name,
        id=f"telnyx:{id_at(data, 'id')}",
        kind=EventKind.REPLY,
        channel=Channel.SMS,
        address=phone(_number(at(payload, "from"))),
        occurred_at=moment(at(data, "occurred_at")),
        sender=next(map(phone, filter(None, ours)), None),
        service=text_at(payload, "messaging_profile_id") or None,
        whatsapp=text_at(payload, "type").upper() == "WHATSAPP",
        text=_text(payload),
        marker=_MARKERS.get(stated),
        code=stated or None,
        message=text_at(payload, "id") or None,
    )
    return Parsed(events=(event,))


def _text(payload: Any) -> str:
    """What the contact wrote. RCS has it in its body, where a suggested reply has a place of its
    own: https://developers.telnyx.com/docs/messaging/messages/receiving-rcs-webhooks"""
    body = at(payload, "body")
    places = (
        text_at(payload, "text"),
        text_at(payload, "body"),
        text_at(body, "text"),
        text_at(body, "content_message", "text"),
        text_at(body, "suggestion_response", "text"),
        text_at(body, "suggestion_response", "postback_data"),
    )
    return next(filter(None, places), "")


def _number(party: Any) -> str:
    """Somebody's number, which is said alone or with more about it."""
    return party if isinstance(party, str) else text_at(party, "phone_number")


def _finalized(data: Any) -> Parsed:
    told = at(data, "payload", "to")
    recipients = told if isinstance(told, list) else [told]
    if not any(map(_number, recipients)):
        raise InvalidPayload("a message has no number")
    several = len(recipients) > 1
    return read_each(recipients, lambda to: _outcome(data, to, several=several))


def _outcome(data: Any, to: Any, *, several: bool) -> Parsed:
    errors = list_at(data, "payload", "errors")
    status = text_at(to, "status") or text_at(data, "payload", "status")
    if status in _UNINTERESTING and not (errors and not text_at(to, "status")):
        return Parsed(ignored=(status,))
    # An error of the only recipient is a failure, whatever the status is called.
    kind = _STATUSES.get(status) or (EventKind.FAILED if errors and not several else None)
    if kind is None:
        return Parsed(skipped=("a status that is in no table",))
    payload = at(data, "payload")
    address = phone(_number(to))
    code, failure, sentence = status, None, None
    if kind is EventKind.FAILED:
        error = next(iter(errors), None)
        code = text_at(error, "code") or status
        failure, sentence = _meaning(error)
    event = Event(
        provider=Telnyx.name,
        id=f"telnyx:{id_at(data, 'id')}" + (f":{address}" if several else ""),
        kind=kind,
        channel=Channel.SMS,
        address=address,
        occurred_at=moment(at(data, "occurred_at")),
        sender=_number(at(payload, "from")) or None,
        service=text_at(payload, "messaging_profile_id") or None,
        whatsapp=text_at(payload, "type").upper() == "WHATSAPP",
        failure=failure,
        code=code or None,
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

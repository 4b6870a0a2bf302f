"""What Telnyx's webhook says, in Optin's words: one event each, about one contact or several.

https://developers.telnyx.com/docs/messaging/messages/receiving-webhooks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from bot.consent.events import Event, EventKind, Marker
from bot.consent.model import Channel
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
from handlers.webhooks.provider import InvalidPayload, Parsed, Request, read_each
from handlers.webhooks.providers.telnyx import signature
from handlers.webhooks.providers.telnyx.codes import error_meaning

_MARKERS = {"STOP": Marker.STOP, "START": Marker.START, "HELP": Marker.HELP}
_STATUSES: Mapping[str, EventKind] = {
    "delivered": EventKind.DELIVERED,
    "delivery_failed": EventKind.FAILED,
    "sending_failed": EventKind.FAILED,
    "expired": EventKind.FAILED,
}
_UNINTERESTING = {"queued", "sending", "sent", "delivery_unconfirmed", "read"}


class Telnyx:
    """Telnyx's webhook, by the account's public keys."""

    name: ClassVar[str] = "telnyx"

    def __init__(self, *, public_keys: Sequence[str]) -> None:
        """Keys as Telnyx shows them: 32 bytes in base64. Raises ValueError where one is none."""
        self._keys = tuple(signature.read_public_key(key) for key in public_keys)

    def verify(self, request: Request, now: datetime) -> str:
        """Over the time and the raw body."""
        return signature.verify(request, self._keys, now)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event, about one contact or several."""
        return _read(request)


def _read(request: Request) -> Parsed:
    """One event. Raises `InvalidPayload`."""
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
    """What the contact wrote. RCS has it in its body, where a suggested reply has its own place.

    https://developers.telnyx.com/docs/messaging/messages/receiving-rcs-webhooks
    """
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
        failure, sentence = error_meaning(error)
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

"""What Twilio's webhooks say, in Optin's words.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
https://www.twilio.com/docs/events/event-types/messaging
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.consent.events import Event, EventKind, Marker
from bot.consent.model import Channel
from handlers.webhooks.error_codes import meaning
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    fields,
    id_at,
    json_body,
    moment,
    phone,
    read_form,
    text_at,
)
from handlers.webhooks.provider import InvalidPayload, Parsed, Request, read_each
from handlers.webhooks.providers.twilio.codes import CODES

NAME = "twilio"

#: There only with Advanced Opt-Out; the text may then be any word that the team chose.
_MARKERS = {"STOP": Marker.STOP, "START": Marker.START, "HELP": Marker.HELP}
_STATUSES = {
    "delivered": EventKind.DELIVERED,
    "undelivered": EventKind.FAILED,
    "failed": EventKind.FAILED,
}
#: Others that come twice say nothing that we read.
_NEEDED = {
    "Body",
    "ErrorCode",
    "From",
    "MessageSid",
    "MessageStatus",
    "MessagingServiceSid",
    "OptOutType",
    "To",
}
_UNINTERESTING = {"accepted", "scheduled", "queued", "sending", "sent", "read", "canceled"}
_INBOUND_STREAM = "com.twilio.messaging.inbound-message.received"
_STATUS_STREAM = "com.twilio.messaging.message."


def read(request: Request) -> Parsed:
    """A form is one message, JSON a batch of Event Streams. Raises `InvalidPayload`."""
    if request.path.endswith("/events"):
        batch = json_body(request)
        return read_each(batch if isinstance(batch, list) else [batch], _streamed)
    form = fields(read_form(request.body), _NEEDED)
    # By what it is, so that a STOP is read even where the two addresses were mixed up.
    return _status(form) if "MessageStatus" in form else inbound(form)


def inbound(form: Mapping[str, Any], occurred_at: datetime | None = None) -> Parsed:
    """What a contact wrote, in the webhook's names for its parts. Raises `InvalidPayload`."""
    form = _folded(form)
    message = id_at(form, "messagesid")
    stated = text_at(form, "optouttype").upper()
    event = Event(
        provider=NAME,
        # One id for webhook, Event Streams and look-up: whichever tells it first.
        id=f"twilio:in:{message}",
        kind=EventKind.REPLY,
        channel=Channel.SMS,
        address=phone(text_at(form, "from")),
        occurred_at=occurred_at,
        **_sender(form, contact="from", ours="to"),
        text=text_at(form, "body"),
        marker=_MARKERS.get(stated),
        code=stated or None,
        message=message,
    )
    return Parsed(events=(event,))


def _status(form: Mapping[str, Any], occurred_at: datetime | None = None) -> Parsed:
    form = _folded(form)
    message = id_at(form, "messagesid")
    status = text_at(form, "messagestatus").lower()
    if status in _UNINTERESTING:
        return Parsed(ignored=(status,))
    kind = _STATUSES.get(status)
    if kind is None:
        return Parsed(skipped=("a status that is in no table",))
    code = text_at(form, "errorcode")
    failure, sentence = meaning(CODES, code) if kind is EventKind.FAILED else (None, None)
    event = Event(
        provider=NAME,
        id=f"twilio:st:{message}:{status}",
        kind=kind,
        channel=Channel.SMS,
        address=phone(text_at(form, "to")),
        occurred_at=occurred_at,
        **_sender(form, contact="to", ours="from"),
        failure=failure,
        code=code or None,
        meaning=sentence,
        message=message,
    )
    return Parsed(events=(event,))


def _streamed(item: Any) -> Parsed:
    item = checked(item)
    kind = text_at(item, "type")
    data = at(item, "data")
    if not isinstance(data, dict):
        raise InvalidPayload("an event has no data")
    occurred_at = moment(at(data, "timestamp")) or moment(at(item, "time"))
    if kind == _INBOUND_STREAM:
        return inbound(data, occurred_at)
    if kind.startswith(_STATUS_STREAM):
        return _status(data, occurred_at)
    return Parsed(skipped=("a kind of event that is in no table",))


def _sender(form: Mapping[str, Any], *, contact: str, ours: str) -> dict[str, Any]:
    """Our number, and the messaging service where there is one: a STOP is to all of it."""
    number = text_at(form, ours)
    return {
        "sender": phone(number) if number else None,
        "service": text_at(form, "messagingservicesid") or None,
        "whatsapp": text_at(form, contact).lower().startswith("whatsapp:"),
    }


def _folded(form: Mapping[str, Any]) -> dict[str, Any]:
    # `MessageSid` in a form is `messageSid` in Event Streams, whose spelling nobody has published.
    return {name.lower(): value for name, value in form.items()}

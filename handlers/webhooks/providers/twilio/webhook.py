"""What Twilio's webhooks say, in Optin's words.

https://www.twilio.com/docs/messaging/guides/webhook-request
https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
https://www.twilio.com/docs/events/event-types/messaging
https://www.twilio.com/docs/events/event-types/messaging/compliance-toolkit
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

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
from handlers.webhooks.provider import ExpectedAnswer, InvalidPayload, Parsed, Request, read_each
from handlers.webhooks.providers.twilio import signature
from handlers.webhooks.providers.twilio.codes import CODES

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
_REASSIGNED_STREAM = "com.twilio.messaging.reassigned-number.detected"
#: What Twilio does by itself where a number has a new owner.
_OPTED_OUT = "opt-out-created"
_NEW_OWNER = "Twilio says that the number has a new owner, and blocks our texts to it."


class Twilio:
    """Twilio's three webhooks, by auth tokens and shared keys."""

    name: ClassVar[str] = "twilio"

    def __init__(
        self, *, auth_tokens: Sequence[str] = (), shared_keys: Mapping[str, str] | None = None
    ) -> None:
        """`shared_keys` are secrets by the key's id."""
        self._tokens = tuple(auth_tokens)
        self._shared_keys = dict(shared_keys or {})

    def verify(self, request: Request, now: datetime) -> str:
        """Nothing in Twilio's signature tells its time."""
        return signature.verify(request, self._tokens, self._shared_keys)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One message or report, or a batch of Event Streams."""
        return _read(request)


def no_reply(_: Request) -> ExpectedAnswer:
    """TwiML that texts nothing back."""
    return ExpectedAnswer(body="<Response/>", media_type="text/xml")


def _read(request: Request) -> Parsed:
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
        provider=Twilio.name,
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
        provider=Twilio.name,
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
    if kind == _REASSIGNED_STREAM:
        return _reassigned(data, occurred_at)
    return Parsed(skipped=("a kind of event that is in no table",))


def _reassigned(data: Mapping[str, Any], occurred_at: datetime | None) -> Parsed:
    """Twilio's Compliance Toolkit opted a number out. Nobody asked for that, least of all the
    contact."""
    operation = text_at(data, "consent_operation")
    if at(data, "is_reassigned") is not True or operation != _OPTED_OUT:
        return Parsed(ignored=("a number that has its owner still, or is not blocked",))
    ours = text_at(data, "from_number")
    event = Event(
        provider=Twilio.name,
        id=f"twilio:reassigned:{id_at(data, 'event_id')}",
        kind=EventKind.REASSIGNED,
        channel=Channel.SMS,
        address=phone(text_at(data, "to_number")),
        occurred_at=moment(at(data, "consent_updated_at")) or occurred_at,
        sender=phone(ours) if ours else None,
        code=operation,
        meaning=_NEW_OWNER,
    )
    return Parsed(events=(event,))


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

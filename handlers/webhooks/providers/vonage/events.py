"""What Vonage's webhooks say, in Optin's words.

https://developer.vonage.com/en/messages/concepts/messages-status-callbacks
https://developer.vonage.com/en/messaging/sms/guides/inbound-sms
https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from handlers.webhooks.error_codes import Codes, meaning
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    fields,
    id_at,
    json_body,
    moment,
    phone,
    raw_form,
    text_at,
)
from handlers.webhooks.provider import InvalidPayload, Parsed, Request
from handlers.webhooks.providers.vonage.codes import MESSAGES, RECEIPTS

NAME = "vonage"

_STATUSES: Mapping[str, EventKind] = {
    "delivered": EventKind.DELIVERED,
    "rejected": EventKind.FAILED,
    "undeliverable": EventKind.FAILED,
    "expired": EventKind.FAILED,
    "failed": EventKind.FAILED,
    "unknown": EventKind.FAILED,
    "undelivered": EventKind.FAILED,
}
_UNINTERESTING = {"submitted", "read", "accepted", "buffered"}
#: The channels that reach a phone number as texts do; what others call a number is not one.
_TEXTS = {"", "sms", "mms", "rcs"}


def read(request: Request) -> Parsed:
    """One message or one report. Raises `InvalidPayload`."""
    if "/sms/" in request.path:
        found = checked(parameters(request))
        return _receipt(found) if request.path.endswith("/dlr") else _sms(found)
    item = checked(json_body(request))
    return _status(item) if request.path.endswith("/status") else _message(item)


def parameters(request: Request) -> Mapping[str, Any]:
    """Those of the SMS API, as they came: in the query, a form or JSON, as the account is set."""
    if request.method == "GET":
        return _fields(request.query)
    if request.media_type == "application/x-www-form-urlencoded":
        return _fields(request.body)
    found = json_body(request, signed=False)
    if not isinstance(found, dict):
        raise InvalidPayload("it is no message")
    return found


def _fields(form: str | bytes) -> Mapping[str, str]:
    pairs = raw_form(form)
    text = [[part.decode("utf-8", "surrogateescape") for part in pair] for pair in pairs]
    # All are signed.
    return fields((name, value) for name, value in text)


def _message(item: Any) -> Parsed:
    event = Event(
        provider=NAME,
        id=f"vonage:in:{id_at(item, 'message_uuid')}",
        kind=EventKind.REPLY,
        channel=Channel.SMS,
        address=_address(item, "from"),
        whatsapp=_is_whatsapp(item),
        occurred_at=moment(at(item, "timestamp")),
        sender=_ours(item, "to"),
        text=_text(item),
        message=text_at(item, "message_uuid") or None,
    )
    return Parsed(events=(event,))


def _text(item: Any) -> str:
    """What the contact wrote, or which suggested reply or button they chose (RCS)."""
    return (
        text_at(item, "text")
        or text_at(item, "reply", "title")
        or text_at(item, "button", "text")
        or text_at(item, "button", "payload")
    )


def _status(item: Any) -> Parsed:
    def event(**outcome: Any) -> Event:
        return Event(
            address=_address(item, "to"),
            sender=_ours(item, "from"),
            whatsapp=_is_whatsapp(item),
            message=text_at(item, "message_uuid") or None,
            occurred_at=moment(at(item, "timestamp")),
            **outcome,
        )

    return _outcome(
        text_at(item, "status"),
        MESSAGES,
        _code(at(item, "error")),
        id=f"vonage:st:{id_at(item, 'message_uuid')}",
        event=event,
    )


def _code(error: Any) -> str:
    """The error's number: its title, the old form's code, or the end of the address of its page."""
    stated = text_at(error, "title") or text_at(error, "code")
    return stated if stated.isdigit() else text_at(error, "type").rpartition("#")[2] or stated


def _sms(item: Mapping[str, Any]) -> Parsed:
    event = Event(
        provider=NAME,
        id=f"vonage:smsin:{id_at(item, 'messageId')}",
        kind=EventKind.REPLY,
        channel=Channel.SMS,
        address=phone(text_at(item, "msisdn")),
        # In UTC, and without saying so.
        occurred_at=moment(at(item, "message-timestamp")),
        sender=_number(item, "to"),
        text=text_at(item, "text"),
        message=text_at(item, "messageId") or None,
    )
    return Parsed(events=(event,))


def _receipt(item: Mapping[str, Any]) -> Parsed:
    def event(**outcome: Any) -> Event:
        return Event(
            # In a receipt `msisdn` is the recipient and `to` our sender.
            address=phone(text_at(item, "msisdn")),
            sender=_number(item, "to"),
            message=text_at(item, "messageId") or None,
            occurred_at=moment(at(item, "message-timestamp")),
            **outcome,
        )

    code = text_at(item, "err-code")
    return _outcome(
        text_at(item, "status"),
        RECEIPTS,
        # Nought says that there is no error.
        code if code.strip("0") else "",
        id=f"vonage:dlr:{id_at(item, 'messageId')}",
        event=event,
    )


def _outcome(
    status: str, codes: Codes, code: str, *, id: str, event: Callable[..., Event]
) -> Parsed:
    """`event` is made only where something happened: a receipt that says nothing may lack its
    numbers."""
    status = status.strip().lower()
    if status in _UNINTERESTING:
        return Parsed(ignored=(status,))
    # An error is a failure, whatever it is called.
    kind = _STATUSES.get(status) or (EventKind.FAILED if code else None)
    if kind is None:
        return Parsed(skipped=("a status that is in no table",))
    failure, sentence = meaning(codes, code) if kind is EventKind.FAILED else (None, None)
    made = event(
        provider=NAME,
        id=f"{id}:{status}",
        kind=kind,
        channel=Channel.SMS,
        failure=failure,
        code=code or None,
        meaning=sentence,
    )
    return Parsed(events=(made,))


def _number(item: Any, key: str) -> str | None:
    """Our own number; an opt-out counts also where it is missing."""
    number = text_at(item, key)
    return phone(number) if number.strip() else None


def _ours(item: Any, key: str) -> str | None:
    return _address(item, key) if text_at(item, key).strip() else None


def _is_whatsapp(item: Any) -> bool:
    return text_at(item, "channel") == "whatsapp"


def _address(item: Any, key: str) -> str:
    channel, number = text_at(item, "channel"), text_at(item, key)
    return phone(number) if channel in _TEXTS else phone(f"{channel}:{number}")

"""What Postmark's webhooks say, in Optin's words.

https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    id_at,
    json_body,
    mailbox,
    moment,
    text_at,
)
from handlers.webhooks.provider import InvalidPayload, Parsed, Request, read_each
from handlers.webhooks.providers.postmark import signature
from handlers.webhooks.providers.postmark.codes import BOUNCED_BEFORE, failure_of, is_inactive

#: Bounces that are none.
_OTHERS: Mapping[str, EventKind] = {
    "Unsubscribe": EventKind.UNSUBSCRIBED,
    "SpamComplaint": EventKind.COMPLAINT,
}
#: Answers of people and of machines, and what is no message to a contact.
_UNINTERESTING_BOUNCES = {
    "AddressChange",
    "AutoResponder",
    "ChallengeVerification",
    "InboundError",
    "OpenRelayTest",
    "Subscribe",
    "TemplateRenderingFailed",
}
_UNINTERESTING = {"Open", "Click", "Inbound"}


class Postmark:
    """Postmark's webhooks, by user and password."""

    name: ClassVar[str] = "postmark"

    def __init__(self, *, user: str, password: str) -> None:
        self._credentials = f"{user}:{password}".encode()

    def verify(self, request: Request, now: datetime) -> str:
        """By HTTP Basic. There is no time in it."""
        return signature.verify(request, self._credentials)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event."""
        return _read(request)


def _read(request: Request) -> Parsed:
    """One event. Raises `InvalidPayload`."""
    told = checked(json_body(request))
    return read_each(told if isinstance(told, list) else [told], _item)


def _item(item: Any) -> Parsed:
    record = text_at(item, "RecordType")
    match record:
        case "Bounce" | "SpamComplaint":
            return _bounce(item, record)
        case "Delivery":
            return _delivery(item)
        case "SubscriptionChange":
            return _change(item)
    if record in _UNINTERESTING:
        return Parsed(ignored=(record,))
    return Parsed(skipped=("a kind of event that is in no table",))


def _bounce(item: Any, record: str) -> Parsed:
    word = "SpamComplaint" if record == "SpamComplaint" else text_at(item, "Type")
    if word in _UNINTERESTING_BOUNCES or (word == "SMTPApiError" and not is_inactive(item)):
        return Parsed(ignored=(word,))
    kind, failure, sentence = _OTHERS.get(word), None, None
    if kind is None:
        kind, (failure, sentence) = EventKind.FAILED, failure_of(word, item)
    event = _event(
        item,
        kind,
        id_=f"{record}:{id_at(item, 'ID')}",
        # Which of the two it is depends on the kind of event, and on who describes it.
        address=text_at(item, "Email") or text_at(item, "Recipient"),
        at_=text_at(item, "BouncedAt"),
        code=word or None,
        failure=failure,
        meaning=sentence,
    )
    return Parsed(events=(event,))


def _delivery(item: Any) -> Parsed:
    address = text_at(item, "Recipient") or text_at(item, "Email")
    at_ = text_at(item, "DeliveredAt")
    # The message's id is common to all of its events.
    id_ = f"Delivery:{id_at(item, 'MessageID')}:{address}:{at_}"
    event = _event(item, EventKind.DELIVERED, id_=id_, address=address, at_=at_)
    return Parsed(events=(event,))


def _change(item: Any) -> Parsed:
    """The suppression list: a second report of a bounce or a complaint, a contact's own doing,
    or ours."""
    address = text_at(item, "Recipient") or text_at(item, "Email")
    at_ = text_at(item, "ChangedAt")
    suppressed, reason = at(item, "SuppressSending"), at(item, "SuppressionReason")
    origin = text_at(item, "Origin")
    id_ = (
        f"SubscriptionChange:{text_at(item, 'MessageID')}:{address}:{at_}:"
        f"{suppressed}:{reason}:{origin}"
    )
    if not isinstance(suppressed, bool):
        raise InvalidPayload("a change does not say what changed")
    failure, sentence = None, None
    theirs = origin == "Recipient"
    if not suppressed:
        kind = EventKind.RESUBSCRIBED if theirs else EventKind.UNSUPPRESSED
    elif reason == "HardBounce":
        kind, (failure, sentence) = EventKind.FAILED, BOUNCED_BEFORE
    elif reason == "SpamComplaint":
        kind = EventKind.COMPLAINT
    else:
        kind = EventKind.UNSUBSCRIBED if theirs else EventKind.SUPPRESSED
    event = _event(
        item,
        kind,
        id_=id_,
        address=address,
        at_=at_,
        code=reason if isinstance(reason, str) else None,
        failure=failure,
        meaning=sentence,
    )
    return Parsed(events=(event,))


def _event(item: Any, kind: EventKind, *, id_: str, address: str, at_: str, **more: Any) -> Event:
    list_ = list_of(text_at(item, "ServerID"), text_at(item, "MessageStream"))
    return Event(
        provider=Postmark.name,
        id=f"postmark:{id_}",
        kind=kind,
        channel=Channel.EMAIL,
        address=mailbox(address),
        occurred_at=moment(at_),
        # Each stream has a suppression list of its own.
        sender=list_,
        scope=list_ if kind in (EventKind.UNSUBSCRIBED, EventKind.RESUBSCRIBED) else None,
        message=text_at(item, "MessageID") or None,
        **more,
    )


def list_of(server: str, stream: str) -> str:
    """The suppression list of a stream, or of all that a server sends."""
    return f"server:{server}/stream:{stream}" if stream else f"server:{server}"

"""Postmark: one event each, over HTTP Basic, since Postmark signs nothing.

https://postmarkapp.com/developer/webhooks/webhooks-overview
https://postmarkapp.com/developer/api/bounce-api#bounce-types

Postmark never calls again after a 403, so that wrong credentials have to be answered by 401.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Channel
from handlers.webhooks.error_codes import Codes, Meaning, at_most_soft, by_mail, meaning
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    id_at,
    json_body,
    mailbox,
    moment,
    text_at,
)
from handlers.webhooks.provider import (
    InvalidPayload,
    InvalidSignature,
    Parsed,
    Request,
    Route,
    read_each,
)
from handlers.webhooks.signatures import same, unbase64

#: By `Type`: the vendor's texts disagree over `TypeCode`.
_BOUNCES: Codes = {
    "HardBounce": (Failure.HARD, "The mail system refused the address for good."),
    "BadEmailAddress": (Failure.HARD, "The address is not written as an address."),
    "SoftBounce": (Failure.SOFT, "The mail system refused the message for now."),
    "Unknown": (Failure.SOFT, "The mail system did not say why it refused the message."),
    "Blocked": (Failure.OURS, "The mail system refused mail from our sender."),
    "SpamNotification": (Failure.OURS, "The mail system took the message for spam."),
    "VirusNotification": (Failure.OURS, "The mail system took the message for a virus."),
    "DMARCPolicy": (Failure.OURS, "The mail system refused our mail by its DMARC policy."),
    "Transient": (Failure.NOT_FINAL, "Postmark is still trying."),
    "DnsError": (Failure.NOT_FINAL, "Postmark is still trying: the domain does not answer."),
}
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
_BOUNCED_BEFORE: Meaning = (
    Failure.LISTED_BOUNCE,
    "Postmark has put the address on its suppression list since it bounced.",
)
_INACTIVE: Meaning = (
    Failure.LISTED,
    "Postmark did not send it: the address is on its suppression list.",
)
#: In the description of an error of the SMTP interface, which may be of any kind.
_INACTIVE_WORDS = ("inactive", "suppress")


class Postmark:
    """Postmark's webhooks, by user and password."""

    name: ClassVar[str] = "postmark"
    routes: ClassVar[Sequence[Route]] = (Route(path="/webhooks/postmark"),)

    def __init__(self, *, user: str, password: str) -> None:
        self._credentials = f"{user}:{password}".encode()

    def verify(self, request: Request, now: datetime) -> str:
        """By HTTP Basic. There is no time in it."""
        scheme, _, given = request.header("authorization").partition(" ")
        if scheme.lower() != "basic":
            raise InvalidSignature("there are no credentials")
        if not same(unbase64(given.strip()), self._credentials):
            raise InvalidSignature("the credentials are wrong")
        return "the password"

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event."""
        told = checked(json_body(request))
        return read_each(told if isinstance(told, list) else [told], self._read)

    def _read(self, item: Any) -> Parsed:
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
    if word in _UNINTERESTING_BOUNCES or (word == "SMTPApiError" and not _is_inactive(item)):
        return Parsed(ignored=(word,))
    kind, failure, sentence = _OTHERS.get(word), None, None
    if kind is None:
        kind, (failure, sentence) = EventKind.FAILED, _failure(word, item)
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


def _is_inactive(item: Any) -> bool:
    said = " ".join(_words(item)).lower()
    return any(word in said for word in _INACTIVE_WORDS)


def _words(item: Any) -> tuple[str, str]:
    return text_at(item, "Details"), text_at(item, "Description")


def _failure(word: str, item: Any) -> Meaning:
    said = _words(item)
    if word in ("ManuallyDeactivated", "SMTPApiError"):
        return _INACTIVE
    known = meaning(_BOUNCES, word)
    if known[0] is Failure.HARD:
        return by_mail(*said, otherwise=known)
    if known[0] is Failure.SOFT:
        return at_most_soft(by_mail(*said, otherwise=known), known)
    return known


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
        kind, (failure, sentence) = EventKind.FAILED, _BOUNCED_BEFORE
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
    stream = text_at(item, "MessageStream")
    server = text_at(item, "ServerID")
    list_ = f"server:{server}/stream:{stream}" if stream else f"server:{server}"
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

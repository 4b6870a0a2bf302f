"""What Resend's webhook says, in Optin's words.

https://resend.com/docs/webhooks/introduction
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.consent.events import Event, EventKind
from bot.consent.model import Channel
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    json_body,
    list_at,
    mailbox,
    moment,
    only_mailbox,
    text_at,
)
from handlers.webhooks.provider import InvalidPayload, Parsed, Request, read_each
from handlers.webhooks.providers.resend.codes import BOUNCED_BEFORE, failure_of, is_automatic
from handlers.webhooks.providers.resend.signature import header

NAME = "resend"

_KINDS: Mapping[str, EventKind] = {
    "email.delivered": EventKind.DELIVERED,
    "email.bounced": EventKind.FAILED,
    "email.delivery_delayed": EventKind.FAILED,
    "email.suppressed": EventKind.FAILED,
    "email.failed": EventKind.FAILED,
    "email.complained": EventKind.COMPLAINT,
}
_UNINTERESTING = {
    "email.sent",
    "email.scheduled",
    "email.opened",
    "email.clicked",
    "email.received",
    "contact.created",
    "contact.deleted",
    "domain.created",
    "domain.updated",
    "domain.deleted",
}
_SEVERAL = "The message had several recipients, and Resend does not say which one it was."
_TOPICS = {"opt_out": EventKind.UNSUBSCRIBED, "opt_in": EventKind.RESUBSCRIBED}


def read(request: Request) -> Parsed:
    """One event; its id is the one that was signed. Raises `InvalidPayload`."""
    event = checked(json_body(request))
    data = at(event, "data")
    word = text_at(event, "type")
    said = _Said(
        id=f"resend:{header(request, 'id')}",
        occurred_at=moment(at(event, "created_at")),
        data=data,
    )
    if kind := _KINDS.get(word):
        return said.about_mail(word, kind)
    match word:
        case "contact.updated":
            return said.about_contact()
        case "contact.topics.updated":
            return read_each(list_at(data, "topics"), said.about_topic)
        case "suppression.added" | "suppression.removed":
            return said.about_suppression(word)
    if word in _UNINTERESTING:
        return Parsed(ignored=(word,))
    return Parsed(skipped=("a kind of event that is in no table",))


class _Said:
    """What one request says of its contact."""

    def __init__(self, *, id: str, occurred_at: datetime | None, data: Any) -> None:
        self._id = id
        self._occurred_at = occurred_at
        self._data = data

    def about_mail(self, word: str, kind: EventKind) -> Parsed:
        told = at(self._data, "to")
        recipients = [
            one for one in (told if isinstance(told, list) else [told]) if isinstance(one, str)
        ]
        if not recipients:
            raise InvalidPayload("an event has no mailbox")
        several = len(recipients) > 1
        if several and kind is EventKind.DELIVERED:
            # It would clear what another recipient has.
            return Parsed(ignored=("delivered to one of several recipients",))
        code, failure, sentence = "", None, None
        if kind is EventKind.FAILED:
            if word == "email.bounced" and is_automatic(at(self._data, "bounce")):
                return Parsed(ignored=("an automatic reply",))
            code, (failure, sentence) = failure_of(word, self._data)
        if several:
            sentence = f"{sentence or ''} {_SEVERAL}".strip()
        # Never all of them: the others may be well.
        event = self._event(
            kind,
            recipients[0],
            only_recipient=only_mailbox(recipients),
            failure=failure,
            code=code or None,
            meaning=sentence,
            message=text_at(self._data, "email_id") or None,
            sent_at=moment(at(self._data, "created_at")),
        )
        return Parsed(events=(event,))

    def about_contact(self) -> Parsed:
        unsubscribed = at(self._data, "unsubscribed")
        if not isinstance(unsubscribed, bool):
            raise InvalidPayload("a contact is neither subscribed nor unsubscribed")
        # It comes for a changed name, too; what changes nothing is for the rules to see.
        kind = EventKind.UNSUBSCRIBED if unsubscribed else EventKind.RESUBSCRIBED
        audience = text_at(self._data, "audience_id")
        scope = f"audience:{audience}" if audience else None
        event = self._event(kind, text_at(self._data, "email"), scope=scope)
        return Parsed(events=(event,))

    def about_topic(self, topic: Any) -> Parsed:
        kind = _TOPICS.get(text_at(topic, "subscription"))
        if kind is None:
            return Parsed(skipped=("a subscription that is in no table",))
        several = len(list_at(self._data, "topics")) > 1
        name = text_at(topic, "id")
        event = self._event(
            kind,
            text_at(self._data, "email"),
            id_=f"{self._id}:{name}" if several else self._id,
            scope=f"topic:{name}",
        )
        return Parsed(events=(event,))

    def about_suppression(self, word: str) -> Parsed:
        address = text_at(self._data, "email")
        origin = text_at(self._data, "origin")
        failure, sentence = None, None
        if word == "suppression.removed":
            kind = EventKind.UNSUPPRESSED
        elif origin == "bounce":
            kind, (failure, sentence) = EventKind.FAILED, BOUNCED_BEFORE
        elif origin == "complaint":
            kind = EventKind.COMPLAINT
        else:
            kind = EventKind.SUPPRESSED
        event = self._event(kind, address, failure=failure, meaning=sentence)
        return Parsed(events=(event,))

    def _event(
        self, kind: EventKind, address: str, *, id_: str | None = None, **more: Any
    ) -> Event:
        return Event(
            provider=NAME,
            id=id_ or self._id,
            kind=kind,
            channel=Channel.EMAIL,
            address=mailbox(address),
            occurred_at=self._occurred_at,
            sender="resend-account",
            **more,
        )

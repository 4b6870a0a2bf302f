"""What Mailgun's webhook says, in Optin's words: one event each, in JSON or in a form.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import getaddresses
from typing import Any, ClassVar

from bot.consent.events import Event, EventKind, OnceToken
from bot.consent.model import Channel
from handlers.webhooks.payload_parsing import (
    at,
    checked,
    fields,
    id_at,
    json_body,
    list_at,
    mailbox,
    moment,
    only_mailbox,
    read_form,
    read_multipart,
    text_at,
)
from handlers.webhooks.provider import InvalidPayload, Parsed, Request
from handlers.webhooks.providers.mailgun import signature
from handlers.webhooks.providers.mailgun.codes import failure_of

_KINDS: Mapping[str, EventKind] = {
    "delivered": EventKind.DELIVERED,
    "failed": EventKind.FAILED,
    "rejected": EventKind.FAILED,
    "complained": EventKind.COMPLAINT,
    "unsubscribed": EventKind.UNSUBSCRIBED,
    # Of the old forms.
    "bounced": EventKind.FAILED,
    "dropped": EventKind.FAILED,
}
_UNINTERESTING = {"accepted", "opened", "clicked", "stored"}
#: Of the old forms; tags and a sender's own variables may come twice.
_NEEDED = {"code", "event", "reason", "recipient", "signature", "timestamp", "token"}


class Mailgun:
    """Mailgun's webhooks, by the account's webhook signing keys."""

    name: ClassVar[str] = "mailgun"

    def __init__(self, *, signing_keys: Sequence[str]) -> None:
        self._keys = tuple(key.encode() for key in signing_keys)

    def verify(self, request: Request, now: datetime) -> str:
        """By the signature, which covers a time and a token."""
        signed, _, _ = _parts(request)
        return signature.verify(signed, self._keys, now)

    def once_token(self, request: Request, now: datetime) -> OnceToken:
        """The token may stand for this content only."""
        signed, _, told = _parts(request)
        return signature.token_of(signed, told, now)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event."""
        return _read(request)


def _read(request: Request) -> Parsed:
    """One event. Raises `InvalidPayload`."""
    signed, event, _ = _parts(request)
    word = text_at(event, "event")
    if word in _UNINTERESTING:
        return Parsed(ignored=(word,))
    kind = _KINDS.get(word)
    if kind is None:
        return Parsed(skipped=("a kind of event that is in no table",))
    if word == "rejected" and not text_at(event, "recipient"):
        return Parsed(ignored=("rejected",))
    occurred_at = moment(_number(at(event, "timestamp")))
    code, failure, sentence = "", None, None
    if kind is EventKind.FAILED:
        code, (failure, sentence) = failure_of(word, event)
    headers = at(event, "message", "headers")
    message = text_at(headers, "message-id") or text_at(event, "Message-Id").strip("<>")
    found = Event(
        provider=Mailgun.name,
        id=_id(signed, event, occurred_at),
        kind=kind,
        channel=Channel.EMAIL,
        address=mailbox(text_at(event, "recipient")),
        only_recipient=only_mailbox(_recipients(event)),
        occurred_at=occurred_at,
        sender=_domain(event, message),
        failure=failure,
        code=code or None,
        meaning=sentence,
        message=message or None,
    )
    return Parsed(events=(found,))


def _parts(request: Request) -> tuple[Any, Any, object]:
    """What is signed, the event, and all that the token stands for. Raises `InvalidPayload`."""
    if request.media_type in _FORMS:
        pairs = _FORMS[request.media_type](request)
        form = fields(pairs, _NEEDED)
        told = sorted(pair for pair in pairs if pair[0] != "signature")
        return form, form, told
    body = checked(json_body(request, signed=False))
    event = at(body, "event-data")
    if not isinstance(event, dict):
        raise InvalidPayload("there is no event in it")
    return at(body, "signature"), event, event


#: How set-ups from before 2018 send an event: with files where the mail that bounced comes along.
_FORMS: Mapping[str, Callable[[Request], Sequence[tuple[str, str]]]] = {
    "application/x-www-form-urlencoded": lambda request: read_form(request.body),
    "multipart/form-data": read_multipart,
}


def _id(signed: Any, event: Any, occurred_at: datetime | None) -> str:
    """Mailgun's ids are unique within a day. The old forms have none; there the token stands for
    the event."""
    if not text_at(event, "id"):
        return f"mailgun:token:{text_at(signed, 'token')}"
    day = occurred_at.astimezone(UTC).date() if occurred_at else "undated"
    return f"mailgun:{day}:{id_at(event, 'id')}"


def _recipients(event: Any) -> Sequence[object]:
    """All to whom the message went."""
    if recipients := list_at(event, "message", "recipients"):
        return recipients
    try:
        headers = json.loads(text_at(event, "message-headers") or "[]")
    except (ValueError, RecursionError):
        headers = []
    told = [at(event, "message", "headers", name) for name in ("to", "cc", "bcc")]
    for header in headers if isinstance(headers, list) else ():
        match header:
            case [str(name), str(value)] if name.lower() in ("to", "cc", "bcc"):
                told.append(value)
    texts = [text for text in told if isinstance(text, str)]
    return [address for _, address in getaddresses(texts)]


def _domain(event: Any, message: str) -> str | None:
    """Our sending domain, whose suppression list it is. Only the old forms name it; else it is
    in the message's id."""
    domain = text_at(event, "domain") or message.rpartition("@")[2]
    return f"domain:{domain}" if domain else None


def _number(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None

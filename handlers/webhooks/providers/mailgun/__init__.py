"""Mailgun: one event each, in JSON; set-ups from before 2018 send forms.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks
https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks

The signature covers a time and a token, and not the body: whoever saw one signature could put it
on any body, so a token is believed for one content only.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses
from typing import Any, ClassVar

from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Channel
from handlers.webhooks.error_codes import Codes, Meaning, at_most_soft, by_mail
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
from handlers.webhooks.provider import (
    InvalidPayload,
    InvalidSignature,
    Parsed,
    ReplayGuard,
    Request,
    Route,
)
from handlers.webhooks.signatures import SKEW, check_timestamp, same, verify_any

#: Seconds; as Mailgun's library has it. A retry is signed anew.
WINDOW = 900
#: Lengths are fixed, since the signed text is time and token without a border between them.
_TIME = re.compile("[0-9]{10}", re.ASCII)
_TOKEN = re.compile("[0-9A-Za-z]{50}", re.ASCII)

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
_BOUNCED: Meaning = (
    Failure.LISTED_BOUNCE,
    "Mailgun did not send it: the address is on its bounce list.",
)
_UNSUBSCRIBED: Meaning = (
    Failure.LISTED_OPT_OUT,
    "Mailgun did not send it: the contact has unsubscribed there.",
)
_COMPLAINED: Meaning = (
    Failure.LISTED_COMPLAINT,
    "Mailgun did not send it: the contact has reported our mail as spam.",
)
_REASONS: Codes = {
    "suppress-bounce": _BOUNCED,
    "suppress-unsubscribe": _UNSUBSCRIBED,
    "suppress-complaint": _COMPLAINED,
    # Mailgun's own codes; the old forms have nothing else.
    "605": _BOUNCED,
    "606": _UNSUBSCRIBED,
    "607": _COMPLAINED,
}
_HARD: Meaning = (Failure.HARD, "The mail system refused the address for good.")
_GAVE_UP: Meaning = (Failure.SOFT, "Mailgun gave up after trying for a while.")
_TRYING: Meaning = (Failure.NOT_FINAL, "Mailgun is still trying.")
_REJECTED: Meaning = (Failure.OURS, "Mailgun did not take the message from us.")


class Mailgun:
    """Mailgun's webhooks, by the account's webhook signing keys."""

    name: ClassVar[str] = "mailgun"
    routes: ClassVar[Sequence[Route]] = (Route(path="/webhooks/mailgun"),)

    def __init__(self, *, signing_keys: Sequence[str], seen: ReplayGuard) -> None:
        """`seen` keeps the tokens of a quarter of an hour."""
        self._keys = tuple(key.encode() for key in signing_keys)
        self._seen = seen

    def verify(self, request: Request, now: datetime) -> str:
        """By the signature, and by whether its token stands for this content."""
        signed, _, told = _read(request)
        stated, token = text_at(signed, "timestamp"), text_at(signed, "token")
        if not _TIME.fullmatch(stated) or not _TOKEN.fullmatch(token):
            raise InvalidSignature("there is no signature")
        check_timestamp(WINDOW, stated, now)
        given = text_at(signed, "signature")
        text = f"{stated}{token}".encode()
        held = verify_any(
            self._keys, lambda key: same(hmac.new(key, text, hashlib.sha256).hexdigest(), given)
        )
        content = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
        until = now + timedelta(seconds=WINDOW + SKEW)
        if not self._seen.add(f"mailgun:{token}", content, until):
            raise InvalidSignature("its token stood for another content")
        return held

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event."""
        signed, event, _ = _read(request)
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
            code, (failure, sentence) = _failure(word, event)
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


def _read(request: Request) -> tuple[Any, Any, object]:
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


def _failure(word: str, event: Any) -> tuple[str, Meaning]:
    """The code and what it means. `permanent` says only that Mailgun has stopped trying."""
    status = at(event, "delivery-status")
    code = text_at(status, "code") or text_at(event, "code")
    reason = text_at(event, "reason")
    said = (
        text_at(status, "enhanced-code"),
        text_at(status, "message"),
        text_at(status, "description"),
        text_at(event, "error"),
        text_at(event, "notification"),
        text_at(event, "description"),
    )
    if word == "rejected":
        return code, _REJECTED
    if known := _REASONS.get(reason) or _REASONS.get(code):
        return code or reason, known
    if text_at(event, "severity") == "temporary":
        return code, _TRYING
    if reason == "old" or not code.startswith("5"):
        return code, at_most_soft(by_mail(*said, otherwise=_GAVE_UP), _GAVE_UP)
    return code, by_mail(*said, code, otherwise=_HARD)


def _number(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None

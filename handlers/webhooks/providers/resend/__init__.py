"""Resend: one event each, signed by Standard Webhooks (Svix).

https://resend.com/docs/webhooks/introduction
https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Channel
from handlers.webhooks.error_codes import Codes, Meaning, at_most_soft, by_mail, meaning, says_why
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
from handlers.webhooks.provider import (
    InvalidPayload,
    InvalidSignature,
    Parsed,
    Request,
    Route,
    read_each,
)
from handlers.webhooks.signatures import check_timestamp, same_as_one, verify_any

#: Seconds; as the specification has it.
WINDOW = 300

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
#: Resend's words, and those of SES behind it; `Temporary` is the SDK's spelling of `Transient`.
_BOUNCES: Codes = {
    "Permanent": (Failure.HARD, "The mail system refused the address for good."),
    "Transient": (Failure.SOFT, "The mail system refused the message for now."),
    "Temporary": (Failure.SOFT, "The mail system refused the message for now."),
    "Undetermined": (Failure.SOFT, "The mail system did not say why it refused the message."),
}
_OTHERS: Codes = {
    "email.delivery_delayed": (Failure.NOT_FINAL, "Resend is still trying."),
    "email.failed": (Failure.OURS, "Resend could not send the message, by a fault of our side."),
}
_BOUNCED: Meaning = (
    Failure.LISTED_BOUNCE,
    "Resend has put the address on its suppression list since it bounced.",
)
_LISTED: Meaning = (Failure.LISTED, "Resend did not send it: the address is on its list.")
#: By what Resend calls the reason that an address is on its list; without one nobody knows.
_LISTS: Sequence[tuple[str, Meaning]] = (
    (
        "bounce",
        (Failure.LISTED_BOUNCE, "Resend did not send it: the address is on its bounce list."),
    ),
    (
        "complaint",
        (
            Failure.LISTED_COMPLAINT,
            "Resend did not send it: the contact has reported our mail as spam.",
        ),
    ),
    (
        "unsubscribe",
        (Failure.LISTED_OPT_OUT, "Resend did not send it: the contact has unsubscribed there."),
    ),
)
#: Of the bounces that Resend's own list causes, in the words of SES behind it.
_ON_A_LIST = {"OnAccountSuppressionList", "Suppressed"}
_SEVERAL = "The message had several recipients, and Resend does not say which one it was."
_TOPICS = {"opt_out": EventKind.UNSUBSCRIBED, "opt_in": EventKind.RESUBSCRIBED}


class Resend:
    """Resend's webhook, by its signing secrets."""

    name: ClassVar[str] = "resend"
    routes: ClassVar[Sequence[Route]] = (Route(path="/webhooks/resend"),)

    def __init__(self, *, signing_secrets: Sequence[str]) -> None:
        """Secrets as Resend shows them, `whsec_…`. Raises ValueError where one is none."""
        self._secrets = tuple(read_secret(secret) for secret in signing_secrets)

    def verify(self, request: Request, now: datetime) -> str:
        """Over id, time and the raw body."""
        signed = _header(request, "id"), _header(request, "timestamp")
        given = [
            signature
            for version, _, signature in (
                one.partition(",") for one in _header(request, "signature").split()
            )
            if version == "v1"
        ]
        check_timestamp(WINDOW, signed[1], now)
        if not signed[0]:
            raise InvalidSignature("there is no id")
        text = ".".join(signed).encode("utf-8", "surrogatepass") + b"." + request.body

        def holds(secret: bytes) -> bool:
            return same_as_one(base64.b64encode(hmac.digest(secret, text, "sha256")), given)

        return verify_any(self._secrets, holds)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event; its id is the one that was signed."""
        event = checked(json_body(request))
        data = at(event, "data")
        word = text_at(event, "type")
        said = _Said(
            id=f"resend:{_header(request, 'id')}",
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


def read_secret(text: str) -> bytes:
    """Raises ValueError where it is no signing secret."""
    try:
        secret = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except ValueError:
        secret = b""
    if not secret:
        raise ValueError("is no signing secret")
    return secret


def _header(request: Request, name: str) -> str:
    """Svix's header, or the one that Standard Webhooks calls the same."""
    svix = any(known.startswith("svix-") for known in request.headers)
    return request.header(f"{'svix' if svix else 'webhook'}-{name}")


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
            if word == "email.bounced" and _is_automatic(at(self._data, "bounce")):
                return Parsed(ignored=("an automatic reply",))
            code, (failure, sentence) = _failure(word, self._data)
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
            kind, (failure, sentence) = EventKind.FAILED, _BOUNCED
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
            provider=Resend.name,
            id=id_ or self._id,
            kind=kind,
            channel=Channel.EMAIL,
            address=mailbox(address),
            occurred_at=self._occurred_at,
            sender="resend-account",
            **more,
        )


def _failure(word: str, data: Any) -> tuple[str, Meaning]:
    """The code and what it means."""
    if word == "email.bounced":
        bounce = at(data, "bounce")
        class_, subject = text_at(bounce, "type"), text_at(bounce, "subType")
        code = class_ if subject in ("", class_) else f"{class_}/{subject}"
        return code, _bounced(class_, subject, _said(bounce))
    if word == "email.suppressed":
        stated = text_at(data, "suppressed", "type")
        return stated, next((meant for cause, meant in _LISTS if cause in stated.lower()), _LISTED)
    code = text_at(data, "failed", "reason") if word == "email.failed" else ""
    return code, _OTHERS[word]


def _bounced(class_: str, subject: str, said: Sequence[str]) -> Meaning:
    if subject in _ON_A_LIST:
        return _LISTED
    known = meaning(_BOUNCES, class_)
    found = by_mail(*said, otherwise=known)
    return found if known[0] is Failure.HARD else at_most_soft(found, known)


def _is_automatic(bounce: Any) -> bool:
    """Whether nobody's mail system answered: an out-of-office note comes as a bounce, too."""
    temporary = text_at(bounce, "type") in ("Transient", "Temporary")
    general = text_at(bounce, "subType") in ("", "General")
    return temporary and general and not says_why(*_said(bounce))


def _said(bounce: Any) -> list[str]:
    """The mail system's answer; there may be several."""
    stated = at(bounce, "diagnosticCode")
    codes = stated if isinstance(stated, list) else [stated]
    return [text for text in (*codes, text_at(bounce, "message")) if isinstance(text, str)]

"""Resend: one event each, signed by Standard Webhooks (Svix).

https://resend.com/docs/webhooks/introduction
https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook

from bot.consent.events import Event, EventKind, Failure
from bot.consent.model import Channel
from handlers.webhooks.meanings import Codes, Meaning, meaning
from handlers.webhooks.provider import Forged, Parsed, Request, Route, Unreadable, read_each
from handlers.webhooks.reading import at, checked, json_body, list_at, mailbox, moment, text_at
from handlers.webhooks.signing import same_as_one, which_held, within

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
    "email.suppressed": (Failure.KNOWN, "Resend suppresses the address since it bounced before."),
    "email.failed": (Failure.OURS, "Resend could not send the message, by a fault of our side."),
}
_SUPPRESSED: Meaning = (Failure.KNOWN, "Resend has put the address on its suppression list.")
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
        """Over id, time and raw body. The library signs; its own `verify` asks the system's clock
        for the time, and fails with errors that are not its own."""
        given = [
            signature
            for version, _, signature in (
                one.partition(",") for one in request.header("svix-signature").split()
            )
            if version == "v1"
        ]
        seconds = within(WINDOW, request.header("svix-timestamp"), now)
        try:
            body = request.body.decode()
        except UnicodeDecodeError:
            raise Forged("the body is no UTF-8") from None
        at_ = datetime.fromtimestamp(seconds, UTC)
        id_ = request.header("svix-id")
        if not id_:
            raise Forged("there is no id")

        def holds(secret: Webhook) -> bool:
            signature = secret.sign(id_, at_, body).removeprefix("v1,")
            return same_as_one(signature, given)

        return which_held(self._secrets, holds)

    def parse(self, request: Request, now: datetime) -> Parsed:
        """One event; its id is the one that was signed."""
        event = checked(json_body(request))
        data = at(event, "data")
        word = text_at(event, "type")
        said = _Said(
            id=f"resend:{request.header('svix-id')}",
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


def read_secret(text: str) -> Webhook:
    """Raises ValueError where it is no signing secret."""
    try:
        return Webhook(text)
    except (ValueError, EmptyWebhookSecretError):
        raise ValueError("is no signing secret") from None


class _Said:
    """What one request says of its contact."""

    def __init__(self, *, id: str, occurred_at: datetime | None, data: Any) -> None:
        self._id = id
        self._occurred_at = occurred_at
        self._data = data

    def about_mail(self, word: str, kind: EventKind) -> Parsed:
        recipients = [one for one in list_at(self._data, "to") if isinstance(one, str)]
        if not recipients:
            raise Unreadable("an event has no mailbox")
        several = len(recipients) > 1
        if several and kind is EventKind.DELIVERED:
            # It would clear what another recipient has.
            return Parsed(ignored=("delivered to one of several recipients",))
        code, failure, sentence = "", None, None
        if kind is EventKind.FAILED:
            code, (failure, sentence) = _failure(word, self._data)
        if several:
            sentence = f"{sentence or ''} {_SEVERAL}".strip()
        # Never all of them: the others may be well.
        event = self._event(
            kind,
            recipients[0],
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
            raise Unreadable("a contact is neither subscribed nor unsubscribed")
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
            kind, (failure, sentence) = EventKind.FAILED, _SUPPRESSED
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
        class_ = text_at(data, "bounce", "type")
        subject = text_at(data, "bounce", "subType")
        code = class_ if subject in ("", class_) else f"{class_}/{subject}"
        return code, meaning(_BOUNCES, class_)
    code = text_at(data, "failed", "reason") if word == "email.failed" else ""
    return code, _OTHERS[word]
